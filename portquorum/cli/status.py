"""`portquorum status`: what is wrong, first; the numbers; the targets."""

from typing import Annotated

import typer

from portquorum.cli.options import FEW_TARGETS, Json, examples
from portquorum.presentation.output import print_json

HELP = examples(
    "portquorum status",
    "portquorum status db1.example.com",
    "portquorum status --team database --status down --status unwatched",
    "portquorum status --json | jq '.summary.by_status'",
)


def status(
    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="A target's id, or a part of its id, name or host."),
    ] = None,
    team: Annotated[
        list[str] | None, typer.Option(metavar="TEAM", help="Only targets of this team.")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(metavar="REGION", help="Only what this region checks.")
    ] = None,
    status_: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only targets that are down, flapping, unwatched, failing, late, slow, pending, "
            "paused or up; with --region: of which the region says down, stale, blocked, pending "
            "or up.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only targets with this tag.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Those that are up, too.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help=f"At most N targets; 0: no limit. Default: {FEW_TARGETS}, "
            "with --all or --json none.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show what is wrong: with the monitor, with the targets. Then the numbers.

    Filters of one kind are alternatives, filters of different kinds must all match. Targets that
    are up are shown with --all, if one asks for them, or if there are few. `failing`: more than
    half of the regions fail, and no incident is open yet. Exit code 1 if an incident is open.
    """
    from foundation.settings import load
    from portquorum.cli import asking
    from portquorum.cli.completion import contact
    from portquorum.cli.status_answer import answer
    from portquorum.cli.status_shown import show
    from sinks.clickhouse.fleet_queries import FleetFilter

    wanted = FleetFilter(
        text=(target or "").strip(),
        teams=tuple(team or ()),
        regions=tuple(region or ()),
        tags=tuple(tag or ()),
        statuses=tuple(status_ or ()),
    )
    client = asking.connect(load())
    most = limit if limit is not None else 0 if show_all or json else FEW_TARGETS
    found = answer(client, wanted, most, show_all=show_all, all_incidents=json)
    contact.seen_status(found)
    if json:
        print_json(found)
    else:
        show(found, wanted)
    raise typer.Exit(1 if found.open_incidents else 0)
