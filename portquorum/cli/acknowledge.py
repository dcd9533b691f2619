"""`ack` and `resolve`: a person's decision on an incident, as a control record on [results]."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from msgspec import Struct, structs
from rich.text import Text

from portquorum.cli.options import Json, examples, user_name
from portquorum.presentation.output import out, print_json
from schemas.plain_text import one_line, plain

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.speaking.words import Word
    from schemas.incident import IncidentEvent
    from sinks.clickhouse.queries import Incident

ACK_HELP = examples(
    "portquorum ack 3f2c9a1e",
    'portquorum ack --target prod-db --note "the disk is full, I am on it"',
    "portquorum ack 3f2c 9b07 --by ann",
)
RESOLVE_HELP = examples(
    'portquorum resolve 3f2c9a1e --note "host is gone for good"',
    "portquorum resolve --target db1.example.com:5432",
)

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Ids of incidents, or their first characters."),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="TARGET",
        help="The only open incident of this target (its id, name, host:port or host).",
    ),
]
By = Annotated[
    str | None, typer.Option(metavar="WHO", help="Who says so; default: the user's name.")
]
Note = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="What others should know, up to 500 characters."),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Don't wait until the stream has taken it.")
]

Outcome = Literal["acknowledged", "resolved", "known", "closed", "unanswered", "written"]
_SHOWN: Final = 5


class SpokenWord(Struct, frozen=True, kw_only=True):
    """What became of a word on an incident.

    `known`: the same person had acknowledged it with that note; nothing was written. `closed`: it
    had closed (`closed_because`) before the word came. `unanswered`: written, and the stream has
    not answered yet; `written`: it was not waited for. `still_down`: the regions agree that the
    target of a resolved incident is down. `called`: what people call the incident.
    """

    incident_id: str
    incident_type: str
    target: str
    name: str
    by: str
    note: str | None
    outcome: Outcome
    closed_because: str | None = None
    still_down: bool = False
    called: str = ""


def ack(
    ids: Ids = None,
    target: Targets = None,
    by: By = None,
    note: Note = None,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Say that you have seen an open incident.

    Others see who has, and the note: in `incidents`, `explain`, its events and the message of its
    end. It stays open, and nobody gets a message of this. Another person's acknowledgement takes
    the place of yours; when the target goes down once more within the incident, people are told,
    and it is taken back.
    """
    from schemas.control import Acknowledged

    _speak(Acknowledged, (ids or [], target or []), (by, note), wait=not no_wait, json=json)


def resolve(
    ids: Ids = None,
    target: Targets = None,
    by: By = None,
    note: Note = None,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Close an open incident by hand, whatever the regions say.

    People are told, with your name and note. None opens again for the same outage: while the
    target stays down nobody hears of it, and `explain` says who resolved it. Once the regions have
    agreed that it is not down (or are at that when you resolve), the next outage opens one as
    ever. Likewise for what is slow, whose present latency is usual from then on, and for a
    certificate that ends.
    """
    from schemas.control import Resolved

    _speak(Resolved, (ids or [], target or []), (by, note), wait=not no_wait, json=json)


def _speak(
    kind: "type[Word]",
    meant: tuple[Sequence[str], Sequence[str]],
    said: tuple[str | None, str | None],
    *,
    wait: bool,
    json: bool,
) -> None:
    from foundation.settings import load
    from portquorum.cli import asking, incident_lookup
    from portquorum.cli.errors import TroubleError
    from sinks.clickhouse import queries

    settings = load()
    by, note = one_line(said[0] or "").strip() or user_name(), plain(said[1] or "").strip() or None
    client = asking.connect(settings)
    chosen = incident_lookup.chosen(queries.open_incidents(client), *meant)
    words = [
        kind(target=one.target, incident_id=one.incident_id, by=by, note=note) for one in chosen
    ]
    _check(words[0])
    spoken = asyncio.run(_send(settings, list(zip(chosen, words, strict=True)), wait=wait))
    if any(one.outcome == "unanswered" for one in spoken):
        # Nothing comes of a word about an incident that closed just before it, nor of one that
        # was said already and is not in the table yet.
        now = {one.incident_id: one for one in queries.open_incidents(client)}
        spoken = [_looked_up(one, word, now) for one, word in zip(spoken, words, strict=True)]
    if json:
        print_json(spoken)
    else:
        for one in spoken:
            _show(one)
    if any(one.outcome == "unanswered" for one in spoken):
        raise TroubleError(_unanswered(spoken))
    raise typer.Exit(1 if any(one.outcome == "closed" for one in spoken) else 0)


def _check(word: "Word") -> None:
    import msgspec

    from portquorum.cli.errors import WrongUseError
    from portquorum.speaking import words

    try:
        words.check(word)
    except msgspec.ValidationError as error:
        raise WrongUseError(f"{error}; write a shorter --by or --note") from error


async def _send(
    settings: "Settings", words: list[tuple["Incident", "Word"]], *, wait: bool
) -> list[SpokenWord]:
    from foundation import kafka
    from portquorum.cli import stream_reply
    from schemas.partition import host_key, partition_for

    new = [
        (partition_for(host_key(one.host or None, one.target), settings.partitions), word)
        for one, word in words
        if not _is_known(one, word)
    ]
    replies: dict[str, IncidentEvent] = {}
    if new:
        await kafka.check_topics(settings)
        replies = await stream_reply.say(settings, new, stream_reply.WAIT_S if wait else 0)
    return [_spoken(one, word, replies.get(one.incident_id), wait=wait) for one, word in words]


def _is_known(one: "Incident", word: "Word") -> bool:
    """True if the stream would tell nothing: the same person has said the same."""
    from schemas.control import Acknowledged

    return (
        isinstance(word, Acknowledged)
        and one.acknowledged_by == word.by
        and word.note in {None, one.acknowledged_note}
    )


def _spoken(
    one: "Incident", word: "Word", reply: "IncidentEvent | None", *, wait: bool
) -> SpokenWord:
    from portquorum.cli.incidents_shown import type_word
    from portquorum.speaking.words import heeded
    from schemas.control import Resolved
    from schemas.probe import JOB

    outcome: Outcome
    if _is_known(one, word):
        outcome = "known"
    elif reply is None:
        outcome = "unanswered" if wait else "written"
    elif not heeded(reply, word):
        outcome = "closed"
    else:
        outcome = "resolved" if isinstance(word, Resolved) else "acknowledged"
    outage = one.incident_type in {"unreachable", "flapping"}
    return SpokenWord(
        incident_id=one.incident_id,
        incident_type=one.incident_type,
        target=one.target,
        name=one.name,
        by=word.by,
        note=word.note,
        outcome=outcome,
        closed_because=None if reply is None else reply.closed_because,
        called=type_word(one),
        still_down=outcome == "resolved"
        and one.kind != JOB
        and outage
        and reply is not None
        and reply.votes.down >= reply.votes.need,
    )


def _looked_up(one: SpokenWord, word: "Word", now: Mapping[str, "Incident"]) -> SpokenWord:
    if one.outcome != "unanswered":
        return one
    incident = now.get(one.incident_id)
    if incident is None:
        return structs.replace(one, outcome="closed")
    return structs.replace(one, outcome="known") if _is_known(incident, word) else one


def _show(one: SpokenWord) -> None:
    about = one_line(f" {one.name} ({one.called or one.incident_type}) by {one.by}")
    match one.outcome:
        case "acknowledged" | "resolved":
            out().print(Text.assemble((one.outcome, "green"), about))
        case "known":
            out().print(Text.assemble(("already acknowledged", "green"), about))
        case "written":
            out().print(Text.assemble(("written", "yellow"), f"{about}; the stream may not run"))
        case "closed":
            why = f" ({one.closed_because})" if one.closed_because else ""
            gone = one_line(f" {one.name}: its incident has closed{why}")
            out().print(Text.assemble(("too late", "yellow"), gone))
        case "unanswered":
            pass  # all of them are one sentence of the error
    if one.still_down:
        out().print(
            Text(
                "  still not reachable: no incident opens before the regions agree once that it "
                f"is not down (portquorum explain {one_line(one.target)})",
                style="dim",
            )
        )


def _unanswered(spoken: Sequence[SpokenWord]) -> str:
    from portquorum.cli.stream_reply import WAIT_S

    names = [one_line(one.name) for one in spoken if one.outcome == "unanswered"]
    listed = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"the stream has not answered within {WAIT_S:g} s: does it run? `portquorum health` says; "
        f"what you said is written, and holds when it has read it: {listed}{more}"
    )
