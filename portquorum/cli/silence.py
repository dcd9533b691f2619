"""`portquorum silence`: tell nobody of some targets for a while."""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples, user_name
from portquorum.presentation.output import err, out, print_json
from schemas.plain_text import one_line, plain

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.silencing.board import SilenceBoard
    from portquorum.silencing.matching import MatchedNow
    from schemas.policy import Match, Silence

app = typer.Typer(
    no_args_is_help=True, help="Tell nobody of some targets for a while, because of a reason."
)

_SHOWN: Final = 5

Names = list[str] | None
Team = Annotated[Names, typer.Option("--team", metavar="TEAM", help="Targets of this team.")]
Tag = Annotated[Names, typer.Option("--tag", metavar="TAG", help="Targets with this tag.")]
OfTarget = Annotated[
    Names,
    typer.Option(
        "--target", metavar="TARGET", help="This target, by id, name or host:port, or ids by `*`."
    ),
]
Kind = Annotated[Names, typer.Option("--kind", metavar="KIND", help="Targets of this kind.")]
Region = Annotated[
    Names, typer.Option("--region", metavar="R", help="What this region sees down; its events.")
]
Severity = Annotated[
    Names, typer.Option("--severity", metavar="S", help="critical, warning or info.")
]
Type = Annotated[
    Names,
    typer.Option("--type", metavar="TYPE", help="unreachable, slow, flapping or expiring."),
]
Criticality = Annotated[
    Names, typer.Option("--criticality", metavar="C", help="critical, important or normal.")
]
By = Annotated[
    str | None, typer.Option(metavar="WHO", help="Who says so; default: the user's name.")
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Don't wait until the notifier has confirmed it.")
]


@app.callback()
def silence() -> None:
    """Tell nobody of some targets for a while, because of a reason.

    A silence holds back messages of incidents that it matches. Who was told of an outage is told of
    its end all the same; what is still down when the silence ends is told then.
    """


@app.command(
    epilog=examples(
        'portquorum silence add --target prod-db --for 2h --reason "disk is being replaced"',
        'portquorum silence add --tag rack-7 --until 2026-12-01T08:00 --reason "power work"',
        'portquorum silence add --team web --type slow --for 1d --reason "known, ticket 812" --yes',
    )
)
def add(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; up to 500 characters.")],
    team: Team = None,
    tag: Tag = None,
    target: OfTarget = None,
    kind: Kind = None,
    region: Region = None,
    severity: Severity = None,
    type_: Type = None,
    criticality: Criticality = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, 3d.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Its end: 2026-12-01T08:00.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="WHEN", help="Its beginning; default: now."),
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of --from and --until, such as Europe/Berlin.")
    ] = "UTC",
    by: By = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Silence everything: there is no condition.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Silence what matches, until an end.

    Options of one kind are alternatives, those of different kinds must all fit; `*` stands for any
    characters in teams, tags, targets and kinds. It says what this would match now, and asks, if
    somebody sits at the terminal. Then it waits until the active notifier heeds the silence. Exit
    code 1 if no notifier has confirmed it: it is written, and holds when one reads it.
    """
    from portquorum.cli.errors import TroubleError, WrongUseError
    from portquorum.silencing import plan
    from schemas.policy import Match

    asked = {
        "teams": team,
        "tags": tag,
        "targets": target,
        "kinds": kind,
        "regions": region,
        "severities": severity,
        "incident_types": type_,
        "criticalities": criticality,
    }
    match = _checked(Match, {name: tuple(one) for name, one in asked.items() if one})
    if not plain(reason).strip():
        raise WrongUseError("expected a --reason for other people to read, found none")
    now = _now_ms()
    try:
        zone = plan.zone_of(timezone)
        ends_at = _end(for_, until, now if from_ is None else plan.time_ms(from_, zone), zone)
        wanted = plan.new_silence(
            match,
            begins_at=None if from_ is None else plan.time_ms(from_, zone),
            ends_at=ends_at,
            reason=plain(reason).strip(),
            by=one_line(by or "").strip() or user_name(),
            now=now,
        )
    except plan.SilencePlanError as error:
        raise WrongUseError(str(error)) from error
    settings, board = _board()
    wanted = _named(wanted, board)
    _refuse_everything(wanted, everything=everything)
    _check_record(wanted)
    found = board.matched(wanted)
    if not json:
        _show_matched(wanted, found)
    if not yes and not json and sys.stdin.isatty() and not typer.confirm("Silence it?"):
        raise TroubleError("nothing was changed")
    confirmed = asyncio.run(_write(settings, [wanted], wait=not no_wait))
    if json:
        print_json({"silence": wanted, "matches": _counted(found), "confirmed": confirmed})
    else:
        out().print(
            Text.assemble(
                ("silenced" if confirmed else "written", "green" if confirmed else "yellow"),
                one_line(f" {wanted.name} until {_time(wanted.ends_at)}"),
                (f"; portquorum silence end {wanted.name} ends it", "dim"),
            )
        )
    _exit(confirmed, no_wait=no_wait)


@app.command(
    "list",
    epilog=examples(
        "portquorum silence list",
        "portquorum silence list --all --json | jq '.silences[] | select(.state == \"ended\")'",
    ),
)
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that ended in the last 24 hours.")
    ] = False,
    json: Json = False,
) -> None:
    """List silences: what each matches now, who made it, why, until when, and if it is in force."""
    from portquorum.silencing.plan import state_of

    _, board = _board()
    now = _now_ms()
    shown = [
        one
        for one in sorted(board.silences.values(), key=lambda one: (one.begins_at, one.name))
        if everything or state_of(one, now) != "ended"
    ]
    if json:
        print_json({"silences": [_listed(one, board, now) for one in shown]})
    elif shown:
        _show_list(shown, board, now)
    else:
        out().print(Text("no silence" if everything else "nothing is silenced", style="green"))


@app.command(
    epilog=examples(
        "portquorum silence end 3f2c9a1e",
        "portquorum silence end 3f2c 9b07 --by ann",
    )
)
def end(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID…", help="Ids of silences, or their beginnings.")
    ],
    by: By = None,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """End silences now: what is still down is told.

    Exit code 1 if the active notifier has not confirmed it within 10 s.
    """
    from portquorum.cli.errors import WrongUseError
    from portquorum.silencing import plan

    settings, board = _board()
    now = _now_ms()
    meant = plan.chosen(board.silences, ids, now)
    if meant.problems:
        listed = "; `portquorum silence list` lists them"
        raise WrongUseError("; ".join(meant.problems) + listed)
    who = one_line(by or "").strip() or user_name()
    ended = [plan.ended(one, who, now) for one in meant.found]
    for one in ended:
        _check_record(one)
    confirmed = asyncio.run(_write(settings, ended, wait=not no_wait))
    if json:
        print_json({"silences": ended, "confirmed": confirmed})
    else:
        for one in ended:
            about = one_line(f" {one.name} ({one.reason}) by {who}")
            out().print(Text.assemble(("ended", "green" if confirmed else "yellow"), about))
    _exit(confirmed, no_wait=no_wait)


def _checked(kind: "type[Match]", fields: dict[str, tuple[str, ...]]) -> "Match":
    """The match; its names are checked against what there can be.

    Raises:
        WrongUseError: no such severity, type or criticality.
    """
    from portquorum.cli.known_names import expect_known
    from schemas.incident import IncidentType, Severity
    from schemas.target import Criticality as Criticalities

    for field, what, known in (
        ("severities", "severity", Severity),
        ("incident_types", "type", IncidentType),
        ("criticalities", "criticality", Criticalities),
    ):
        expect_known(what, fields.get(field, ()), get_args(known))
    made: Any = kind(**fields)  # type: ignore[arg-type]
    return made  # type: ignore[no-any-return]


def _end(for_: str | None, until: str | None, begins_at: int, zone: Any) -> int:
    """The end, UTC ms.

    Raises:
        WrongUseError: none or both of the two; not a duration.
        SilencePlanError: not a time.
    """
    from portquorum.cli.errors import WrongUseError
    from portquorum.inventory import duration
    from portquorum.silencing import plan

    if (for_ is None) == (until is None):
        found = "none" if for_ is None else "both"
        raise WrongUseError(f"expected --for TIME or --until WHEN, found {found}")
    if until is not None:
        try:
            return plan.time_ms(until, zone)
        except plan.SilencePlanError as error:
            raise WrongUseError(f"--until: {error}") from error
    try:
        return begins_at + duration.parse_ms((for_ or "").strip())
    except ValueError as error:
        raise WrongUseError(f"--for: {error}") from error


def _board() -> tuple["Settings", "SilenceBoard"]:
    from foundation import kafka
    from foundation.settings import load
    from portquorum.silencing.board import read

    async def found(settings: "Settings") -> "SilenceBoard":
        await kafka.check_topics(settings)
        return await read(settings)

    settings = load()
    return settings, asyncio.run(found(settings))


def _named(wanted: "Silence", board: "SilenceBoard") -> "Silence":
    """The silence with the ids of the targets that were named in other ways.

    Raises:
        WrongUseError: no target or no region is called so.
    """
    from msgspec import structs

    from portquorum.cli.known_names import expect_known
    from portquorum.cli.target_lookup import which

    expect_known("region", wanted.regions, sorted(board.regions))
    targets = [name if "*" in name else which(name, board.targets).id for name in wanted.targets]
    return structs.replace(wanted, targets=tuple(dict.fromkeys(targets)))


def _refuse_everything(wanted: "Silence", *, everything: bool) -> None:
    from portquorum.cli.errors import WrongUseError
    from portquorum.silencing.matching import is_everything, words

    if is_everything(wanted) and not everything:
        raise WrongUseError(
            "this would silence everything: say what (--team, --tag, --target, --kind, --region, "
            "--severity, --type, --criticality), or --all if it is meant"
        )
    if everything and not is_everything(wanted):
        raise WrongUseError(f"expected --all or conditions, found both (--all and {words(wanted)})")


def _check_record(wanted: "Silence") -> None:
    import msgspec

    from portquorum.cli.errors import WrongUseError
    from schemas import policy

    try:
        policy.decode(policy.encode(wanted))
    except msgspec.ValidationError as error:
        raise WrongUseError(f"{error}; write it shorter") from error


async def _write(settings: "Settings", silences: Sequence["Silence"], *, wait: bool) -> bool:
    from portquorum.silencing import records

    await records.write(settings, silences)
    if not wait:
        return False
    return await records.confirmed(settings, silences, _now_ms, records.CONFIRM_S)


def _exit(confirmed: bool, *, no_wait: bool) -> None:
    from portquorum.cli.errors import TroubleError
    from portquorum.silencing.records import CONFIRM_S

    if not confirmed and not no_wait:
        raise TroubleError(
            f"written, but no notifier confirmed within {CONFIRM_S:g} s: does one run? `portquorum "
            "health` says; it holds when one has read it"
        )


def _counted(found: "MatchedNow") -> dict[str, Any]:
    return {
        "targets": list(found.targets),
        "incidents": [
            {"incident_id": one.incident_id, "target": one.target, "type": one.incident_type}
            for one in found.incidents
        ],
    }


def _show_matched(wanted: "Silence", found: "MatchedNow") -> None:
    from portquorum.silencing.matching import words

    number = len(found.targets)
    some = ", ".join(found.targets[:_SHOWN]) + (", …" if number > _SHOWN else "")
    what = f"{number} target{'' if number == 1 else 's'}"
    lines = [
        Text(one_line(f"{words(wanted)}: {what} now{f' ({some})' if some else ''}")),
    ]
    if not number:
        lines[0].stylize("yellow")
    for event in found.incidents[:_SHOWN]:
        said = f"  open: {event.name} ({event.incident_type}), {event.incident_id[:8]}"
        lines.append(Text(one_line(said), style="dim"))
    more = len(found.incidents) - _SHOWN
    if more > 0:
        lines.append(Text(f"  and {more} more open incidents", style="dim"))
    for line in lines:
        out().print(line)


def _listed(one: "Silence", board: "SilenceBoard", now: int) -> dict[str, Any]:
    import msgspec

    from portquorum.silencing.plan import state_of

    found = board.matched(one)
    return {
        **msgspec.to_builtins(one),
        "state": state_of(one, now),
        "in_force": board.heeds(one, now),
        "matches": _counted(found),
    }


def _show_list(shown: Sequence["Silence"], board: "SilenceBoard", now: int) -> None:
    from portquorum.presentation.output import table
    from portquorum.silencing.matching import words
    from portquorum.silencing.plan import state_of

    rows = []
    waits = False
    for one in shown:
        state, heeded = state_of(one, now), board.heeds(one, now)
        waits = waits or (state != "ended" and not heeded)
        force = None if state == "ended" else "yes" if heeded else "not confirmed"
        about = f"{one.reason} (ended by {one.ended_by})" if one.ended_by else one.reason
        rows.append(
            (
                one.name,
                Text(state, style={"active": "green", "ended": "dim"}.get(state, "")),
                words(one),
                len(board.matched(one).targets),
                _time(one.begins_at),
                _time(one.ends_at),
                one.by,
                about,
                force if force is None or heeded else Text(force, style="yellow"),
            )
        )
    columns = ("id", "state", "matches", "targets", "from", "until", "by", "reason", "in force")
    out().print(table(columns, rows, fold=("matches", "reason"), drop=("from",)))
    if waits:
        words_ = "not confirmed: the active notifier has not said that it heeds it"
        err().print(Text(words_, style="dim"))


def _time(at: int) -> str:
    from portquorum.presentation.output import clock

    return f"{clock(at)} UTC"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
