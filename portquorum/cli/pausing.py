"""`portquorum target list|pause|resume`: nobody checks some targets for a while."""

import asyncio
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples, user_name
from portquorum.presentation.output import out, print_json, print_notes
from schemas.plain_text import one_line, plain

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.inventory.present import Present
    from portquorum.pausing.choosing import ListedTarget
    from schemas.policy import Pause
    from schemas.target import Target

_SHOWN: Final = 5
_MOST_AUDITED: Final = 100
"""Of more targets the audit log has one entry."""
_AUDIT_S: Final = 10.0

Named = Annotated[
    list[str] | None,
    typer.Argument(metavar="TARGET…", help="By id, name or host:port."),
]
Team = Annotated[
    list[str] | None,
    typer.Option("--team", metavar="TEAM", help="All targets of this team; may be repeated."),
]
Tag = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="All targets with this tag; may be repeated."),
]
By = Annotated[
    str | None, typer.Option(metavar="WHO", help="Who says so; default: the user's name.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say which targets it would be; change nothing.")
]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Don't ask, though it is more than one target.")
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module to the group."""
    app.command(
        "list",
        epilog=examples(
            "portquorum target list",
            "portquorum target list --paused",
            "portquorum target list --team database --json | jq -r '.targets[].id'",
        ),
    )(list_)
    app.command(
        epilog=examples(
            'portquorum target pause prod-db --for 2h --reason "disk is being replaced"',
            'portquorum target pause --tag rack-7 --until 2026-12-01T08:00 --reason "power" --yes',
            'portquorum target pause old-ftp --reason "is being taken down"',
        )
    )(pause)
    app.command(
        epilog=examples(
            "portquorum target resume prod-db",
            "portquorum target resume --tag rack-7 --dry-run",
        )
    )(resume)


def list_(
    team: Team = None,
    tag: Tag = None,
    paused: Annotated[
        bool, typer.Option("--paused", help="Only what is paused or not enabled.")
    ] = False,
    json: Json = False,
) -> None:
    """List the targets that are published, and which of them nobody checks.

    How they are is what `portquorum status` says.
    """
    from portquorum.pausing.choosing import listed

    _, found = _read()
    pauses = found.pauses(_now_ms())
    targets = {name: placed.target for name, placed in found.targets().items()}
    shown = [listed(one, pauses.get(one.id)) for one in _filtered(targets, team, tag)]
    if paused:
        shown = [one for one in shown if one.state != "checked"]
    if json:
        print_json({"targets": shown})
    elif shown:
        _show(shown)
    else:
        out().print(Text("no target is paused" if paused else "there is no target"))


def pause(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; up to 500 characters.")],
    targets: Named = None,
    team: Team = None,
    tag: Tag = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, 3d.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="Its end: 2026-12-01T08:00. Neither: until it is resumed."
        ),
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of --until, such as Europe/Berlin.")
    ] = "UTC",
    by: By = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Have nobody check some targets for a while: their open incidents close.

    Whoever was told of an incident is told that it was paused, by whom and why. Probers take the
    targets up again by themselves at the end, or after `portquorum target resume`; then they are
    like new ones. A target that is paused already gets the new end and reason.
    """
    from portquorum.cli.errors import WrongUseError
    from portquorum.pausing import records
    from schemas.policy import Pause

    if not plain(reason).strip():
        raise WrongUseError("expected a --reason for other people to read, found none")
    now = _now_ms()
    end = _end(for_, until, timezone, now)
    settings, found = _read()
    chosen = _chosen(found, targets, team, tag)
    who = one_line(by or "").strip() or user_name()
    made = [
        Pause(name=one.id, paused_at=now, until=end, reason=plain(reason).strip(), by=who)
        for one in chosen
    ]
    for one in made[:1]:
        _check_record(one)
    if not _goes_on("pause", chosen, dry_run=dry_run, yes=yes, json=json):
        if json:
            print_json({"paused": made, "dry_run": True})
        return

    async def write() -> None:
        homes = _homes(found, chosen)
        await records.pause(settings, made, homes)
        # One that has moved to another partition since then is told there, too.
        now_homes = _homes(await _present(settings), chosen)
        moved = [one for one in made if now_homes.get(one.name) != homes[one.name]]
        if moved:
            await records.pause(settings, moved, now_homes)
        detail = plain(reason).strip()
        names = [one.name for one in made]
        after = {"until": end or "resumed"}
        await _audited(settings, who, "pause target", names, detail, after)

    asyncio.run(write())
    if json:
        print_json({"paused": made, "dry_run": False})
        return
    ends = "until somebody resumes it" if end is None else f"until {_time(end)}"
    for line in _said("paused", chosen, f" {ends}"):
        out().print(line)
    which = shlex.join(
        [one.id for one in chosen]
        if targets
        else [part for name in team or () for part in ("--team", name)]
        + [part for name in tag or () for part in ("--tag", name)]
    )
    out().print(Text(one_line(f"portquorum target resume {which} ends it"), style="dim"))


def resume(
    targets: Named = None,
    team: Team = None,
    tag: Tag = None,
    by: By = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """End pauses: the targets are checked again at once, as new ones.

    Of a team or tag it takes those that are paused. A target that its inventory has with
    `enabled: false` stays unchecked.
    """
    from portquorum.pausing import records

    settings, found = _read()
    pauses = found.pauses(_now_ms())
    chosen = _chosen(found, targets, team, tag)
    if not targets:
        chosen = [one for one in chosen if one.id in pauses]
    ids = [one.id for one in chosen]
    were = [one for one in ids if one in pauses]
    if not chosen or not _goes_on("resume", chosen, dry_run=dry_run, yes=yes, json=json):
        if json:
            print_json({"resumed": were, "dry_run": dry_run})
        elif not chosen:
            out().print(Text("none of these targets is paused"))
        return
    who = one_line(by or "").strip() or user_name()
    # Those that are not paused, too: a command that was killed may have left half a pause.

    async def write() -> None:
        await records.resume(settings, ids, who, _homes(found, chosen))
        await _audited(settings, who, "resume target", were)

    asyncio.run(write())
    if json:
        print_json({"resumed": were, "dry_run": False})
        return
    _show_resumed(chosen, pauses)


def _show_resumed(chosen: "Sequence[Target]", pauses: "Mapping[str, Pause]") -> None:
    for line in _said("resumed", [one for one in chosen if one.id in pauses], ""):
        out().print(line)
    for one in chosen:
        if one.id not in pauses:
            out().print(Text(one_line(f"{one.id} was not paused"), style="dim"))
        if not one.enabled:
            text = f"{one.id} stays unchecked: {one.source} has it with `enabled: false`"
            out().print(Text(one_line(text), style="yellow"))


def _read() -> tuple["Settings", "Present"]:
    from foundation.settings import load

    settings = load()
    return settings, asyncio.run(_present(settings))


async def _audited(
    settings: "Settings",
    who: str,
    action: str,
    targets: Sequence[str],
    detail: str = "",
    after: object = None,
) -> None:
    """Writes into the audit log what was done; a failure is a note, for it is done."""
    from aiokafka.errors import KafkaError

    from foundation import kafka
    from portquorum.access.principal import Principal
    from portquorum.journal.audit_log import AuditLog
    from portquorum.journal.journal import opened

    principal = Principal(name=who, scope="admin", via="local")
    many = len(targets) > _MOST_AUDITED
    listed = [f"{len(targets)} targets"] if many else targets
    if not listed:
        return
    try:
        await kafka.create_topics(settings)
        async with opened(settings, _AUDIT_S) as journal:
            log = AuditLog(journal)
            await asyncio.gather(
                *(log.record(principal, action, one, detail, after=after) for one in listed)
            )
    except (KafkaError, OSError) as error:  # TimeoutError is one
        print_notes([f"the audit log does not have it: {error}"])


async def _present(settings: "Settings") -> "Present":
    from foundation import kafka
    from portquorum.cli.completion import contact
    from portquorum.inventory import present

    await kafka.check_topics(settings)
    found = await present.read(settings)
    contact.seen_present(found)
    return found


def _filtered(
    targets: Mapping[str, "Target"], team: list[str] | None, tag: list[str] | None
) -> list["Target"]:
    """The targets of these teams and tags.

    Raises:
        WrongUseError: no target has such a team or tag.
    """
    from portquorum.cli.known_names import expect_known
    from portquorum.pausing import choosing

    teams, tags = choosing.known_names(targets)
    expect_known("team", team or (), teams)
    expect_known("tag", tag or (), tags)
    return choosing.matching(targets.values(), team or (), tag or ())


def _chosen(
    found: "Present", named: list[str] | None, team: list[str] | None, tag: list[str] | None
) -> list["Target"]:
    """The targets that are meant, each once.

    Raises:
        WrongUseError: none, names and filters together, or a name that is none.
    """
    from portquorum.cli.errors import WrongUseError
    from portquorum.cli.target_lookup import which

    if bool(named) == bool(team or tag):
        both = "both" if named else "neither"
        raise WrongUseError(f"expected targets, or --team and --tag, found {both}")
    targets = {name: placed.target for name, placed in found.targets().items()}
    if not named:
        return _filtered(targets, team, tag)
    return list({one.id: one for one in (which(text, targets) for text in named)}.values())


def _goes_on(
    what: str, chosen: Sequence["Target"], *, dry_run: bool, yes: bool, json: bool
) -> bool:
    """False if it is only to be said; asks before it is done to more than one target.

    Raises:
        TroubleError: the answer was no.
        WrongUseError: nobody can be asked.
    """
    from portquorum.cli.errors import TroubleError, WrongUseError

    many = len(chosen) > 1
    if not json and (dry_run or (many and not yes)):
        for line in _said(f"would {what}", chosen, ""):
            out().print(line)
    if dry_run:
        return False
    if many and not yes:
        if json or not sys.stdin.isatty():
            raise WrongUseError(
                f"this would {what} {len(chosen)} targets: expected --yes (or --dry-run to see "
                "them), since nobody can be asked here"
            )
        if not typer.confirm(f"{what.capitalize()} {len(chosen)} targets?"):
            raise TroubleError("nothing was changed")
    return True


def _said(word: str, chosen: Sequence["Target"], more: str) -> list[Text]:
    if len(chosen) == 1:
        names = f" {chosen[0].id} ({chosen[0].name})"
    else:
        some = ", ".join(one.id for one in chosen[:_SHOWN])
        names = f" {len(chosen)} targets: {some}" + (", …" if len(chosen) > _SHOWN else "")
    if not chosen:
        return []
    return [Text.assemble((word, "green"), one_line(f"{names}{more}"))]


def _homes(found: "Present", chosen: Sequence["Target"]) -> dict[str, int]:
    placed = found.targets()
    return {one.id: placed[one.id].partition for one in chosen if one.id in placed}


def _end(for_: str | None, until: str | None, timezone: str, now: int) -> int | None:
    """The end, UTC ms; None: until it is resumed.

    Raises:
        WrongUseError: both, not a time, or not in the future.
    """
    from portquorum.cli.errors import WrongUseError
    from portquorum.inventory import duration
    from portquorum.silencing import plan

    if for_ is not None and until is not None:
        raise WrongUseError("expected --for TIME or --until WHEN, found both")
    try:
        if until is not None:
            end = plan.time_ms(until, plan.zone_of(timezone))
        elif for_ is not None:
            end = now + duration.parse_ms(for_.strip())
        else:
            return None
    except ValueError as error:  # SilencePlanError is one
        raise WrongUseError(f"{'--for' if until is None else '--until'}: {error}") from error
    if end <= now:
        raise WrongUseError(f"expected an end in the future, found {_time(end)}")
    return end


def _check_record(made: "Pause") -> None:
    import msgspec

    from portquorum.cli.errors import WrongUseError
    from schemas import policy

    try:
        policy.decode(policy.encode(made))
    except msgspec.ValidationError as error:
        raise WrongUseError(f"{error}; write it shorter") from error


def _show(shown: Sequence["ListedTarget"]) -> None:
    from portquorum.presentation.output import table

    rows = []
    for one in shown:
        state = Text(one.state, style={"checked": "", "paused": "cyan"}.get(one.state, "dim"))
        rows.append(
            (
                one.id,
                one.name,
                f"{one.kind} {one.place}",
                one.team,
                one.source,
                state,
                _why(one),
            )
        )
    columns = ("id", "name", "checks", "team", "source", "state", "why")
    out().print(table(columns, rows, fold=("why", "name"), drop=("team", "source")))


def _why(one: "ListedTarget") -> str | None:
    found = one.pause
    if found is None:
        return None if one.state == "checked" else f"enabled: false in {one.source}"
    until = "until resumed" if found.until is None else f"until {_time(found.until)}"
    return f"by {found.by} {until}" + (f": {found.reason}" if found.reason else "")


def _time(at: int) -> str:
    from portquorum.presentation.output import clock

    return f"{clock(at)} UTC"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
