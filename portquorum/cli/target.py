"""`portquorum target`: adds to the inventory; lists, pauses and resumes targets."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from portquorum.cli import pausing
from portquorum.cli.options import Json, examples
from portquorum.presentation.output import out, print_json, print_notes
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from portquorum.access.principal import Principal
    from portquorum.editing.page_inventory import PageInventory
    from portquorum.inventory import Added

app = typer.Typer(
    no_args_is_help=True, help="Add a target to the inventory; list, pause and resume targets."
)


@app.callback()
def target() -> None:
    """Add a target to the inventory; list, pause and resume targets."""


pausing.add_to(app)


@app.command(
    epilog=examples(
        "portquorum target add db1.example.com:5432",
        'portquorum target add [2001:db8::7]:22 --name "Bastion" --criticality critical',
        "portquorum target add db2.example.com --kind postgres",
        "portquorum target add 10.0.0.7:6379 --interval 10s --team database -i inventory.yaml",
        "portquorum target add Backup --kind heartbeat --schedule '0 3 * * *' --zone Europe/Berlin",
    )
)
def add(
    place: Annotated[
        str,
        typer.Argument(
            metavar="HOST[:PORT]|NAME",
            help="IPv6 in brackets: [::1]:22. Some kinds have a usual port. A job that reports "
            "itself (--kind heartbeat) has a name alone.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What people call it; default: HOST:PORT.")
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Default: made from the name.")
    ] = None,
    kind: Annotated[str, typer.Option(metavar="KIND", help="The kind of check.")] = "tcp",
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="R", help="Check from this region; may be repeated. Default: all."),
    ] = None,
    criticality: Annotated[
        str | None, typer.Option(metavar="C", help="critical (30s), important (1m), normal (5m).")
    ] = None,
    interval: Annotated[
        str | None, typer.Option(metavar="TIME", help="Over criticality, for example 10s.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long an answer may take.")
    ] = None,
    team: Annotated[str | None, typer.Option(metavar="TEAM", help="Who is told.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="May be repeated.")] = None,
    purpose: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="CRON", help="When a heartbeat is due, in place of an interval."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Whose clock the schedule is on.")
    ] = None,
    grace: Annotated[
        str | None, typer.Option(metavar="TIME", help="How late a heartbeat may be.")
    ] = None,
    max_runtime: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long a run of a job may last.")
    ] = None,
    inventory: Annotated[
        Path | None,
        typer.Option(
            "--inventory",
            "-i",
            metavar="FILE",
            help="The file to write to; default: the one that `portquorum up` follows.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Add a port, or a job that reports itself, to the inventory; the rest of the file stays.

    A running `portquorum up` that follows the file applies it at once.
    """
    import msgspec

    from foundation import settings
    from portquorum.cli.probing import HEARTBEAT, placed
    from portquorum.inventory import TargetEntry
    from portquorum.inventory import add as add_to
    from portquorum.supervisor import running

    where = None if kind == HEARTBEAT else placed(place, kind)
    data_dir = settings.load().data_dir
    path = inventory or running.inventory_file(data_dir)
    fields = {
        "name": name or (place if where is None else str(where)),
        "id": id_,
        "kind": kind,
        "host": None if where is None else where.host,
        "port": None if where is None else where.port,
        "regions": region or None,
        "criticality": criticality,
        "interval": interval,
        "timeout": timeout,
        "team": team,
        "tags": tag or None,
        "purpose": purpose,
        "schedule": schedule,
        "zone": zone,
        "grace": grace,
        "max_runtime": max_runtime,
    }
    try:
        entry = msgspec.convert(
            {field: value for field, value in fields.items() if value is not None}, TargetEntry
        )
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from error
    added = add_to(path, entry)
    if json:
        print_json(added)
        return
    _say(added, running.following(data_dir, added.path))


@app.command(
    epilog=examples(
        "portquorum target remove db1.example.com-5432",
        "portquorum target remove old-db old-web --yes",
    )
)
def remove(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID…", help="Ids of targets of the page's own.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Remove targets that were added on the page or by the API.

    Nobody checks them any more and their incidents close; the history stays. A target of a file is
    removed from the file.
    """
    from portquorum.cli.errors import TroubleError
    from portquorum.cli.page_edits import edited

    names = list(dict.fromkeys(ids))
    question = f"Remove {one_line(', '.join(names))}?"
    if not yes and not json and sys.stdin.isatty() and not typer.confirm(question):
        raise TroubleError("nothing was changed")

    async def work(inventory: "PageInventory", who: "Principal") -> None:
        for name in names:
            await inventory.remove(who, name, None)

    edited(work)
    if json:
        print_json({"removed": names})
        return
    for name in names:
        out().print(Text.assemble(("removed", "green"), f" {one_line(name)}"))


def _say(added: "Added", followed: bool) -> None:
    from portquorum.inventory.heartbeats import how_often
    from schemas.probe import HeartbeatProbe

    print_notes(added.warnings)
    target = added.target
    if isinstance(target.probe, HeartbeatProbe):
        what = f" {target.id}: {target.kind}, {how_often(target.probe)}"
    else:
        what = (
            f" {target.id}: {target.kind} {target.place} every {target.interval_ms / 1000:g} s "
            f"from {', '.join(target.regions)}"
        )
    out().print(Text.assemble(("added", "green"), one_line(what)))
    shown = os.path.relpath(added.path) if sys.stdout.isatty() else str(added.path)
    if followed:
        text = f"in {shown}; the running `portquorum up` applies it now"
    else:
        text = f"in {shown}; apply it: portquorum inventory apply {shown}"
    if isinstance(target.probe, HeartbeatProbe):
        text += f"; its address to report to: portquorum heartbeat key add {target.id}"
    out().print(Text(one_line(text), style="dim"), soft_wrap=True)
