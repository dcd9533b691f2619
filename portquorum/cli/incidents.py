"""`portquorum incidents`: incidents, open and closed."""

import time
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import err, out, print_json

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.clickhouse.incident_queries import IncidentFilter

HELP = examples(
    "portquorum incidents",
    "portquorum incidents --open --team database",
    "portquorum incidents --since 24h --type flapping --limit 0 --json",
)

LIMIT: Final = 20


def incidents(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only those that went on after 2026-11-20T14:00 (UTC), or 30m, 2h, 3d ago.",
        ),
    ] = None,
    team: Annotated[
        list[str] | None, typer.Option(metavar="TEAM", help="Only of this team.")
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type", metavar="TYPE", help="Only unreachable, flapping, slow or expiring."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="A target's id, or a part of its id, name or host."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, max=2**31, metavar="N", help="At most N; 0: all.")
    ] = LIMIT,
    json: Json = False,
) -> None:
    """List incidents: the open ones, or all, the newest change first.

    With --open the worst first: those that nobody has acknowledged, by severity and criticality.
    Exit code 1 if one of those that were asked for is open.
    """
    from foundation.settings import load
    from portquorum.cli import asking, time_argument
    from portquorum.cli.completion import contact
    from portquorum.cli.incidents_shown import show_incidents
    from portquorum.cli.known_names import expect_known
    from schemas.incident import IncidentType
    from sinks.clickhouse.incident_queries import IncidentFilter, find_incidents
    from sinks.clickhouse.notification_queries import with_notifications

    wanted = IncidentFilter(
        only_open=only_open,
        since=0 if since is None else time_argument.parse_ms(since, int(time.time() * 1000)),
        text=(target or "").strip(),
        teams=tuple(team or ()),
        types=tuple(type_ or ()),
    )
    expect_known("type", wanted.types, get_args(IncidentType))
    client = asking.connect(load())
    found = find_incidents(client, wanted, limit, worst_first=only_open)
    contact.seen_incidents(found.shown)
    if not found.total:
        _check_names(client, wanted)
    shown = with_notifications(client, found.shown)
    if json:
        print_json(shown)
    elif not found.total:
        out().print(Text(_nothing(wanted), style="green"))
    else:
        show_incidents(shown)
    hidden = found.total - len(found.shown)
    if hidden > 0:
        words = f"{len(found.shown)} of {found.total} shown; --limit 0 shows all"
        err().print(Text(words, style="dim"))
    raise typer.Exit(1 if found.open else 0)


def _nothing(wanted: "IncidentFilter") -> str:
    """The sentence for no incident."""
    asked = wanted.teams or wanted.types or wanted.text or wanted.since
    if wanted.only_open:
        return "no such incident is open" if asked else "no incident is open"
    return "no such incident" if asked else "no incident yet"


def _check_names(client: "Client", wanted: "IncidentFilter") -> None:
    """Checks that there is what the filters name, once nothing was found.

    Raises:
        WrongUseError: says what there is.
    """
    from portquorum.cli.errors import WrongUseError
    from portquorum.cli.known_names import expect_known
    from sinks.clickhouse.incident_queries import incident_teams, was_target

    if wanted.teams:
        expect_known("team", wanted.teams, incident_teams(client))
    if wanted.text and not was_target(client, wanted.text):
        raise WrongUseError(
            f"no target ever had {wanted.text!r} as its id, or in its id, name or host; "
            "`portquorum status --all` lists those that there are"
        )
