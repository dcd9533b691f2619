"""All commands."""

import os
from typing import Annotated

import typer

from foundation.settings import misspelt
from portquorum.cli import (
    acknowledge,
    acl,
    backtest,
    beat,
    bench,
    check,
    checkpoint,
    demo,
    dev,
    drill,
    events,
    explain,
    health,
    heartbeat,
    importing,
    incidents,
    inventory,
    notify,
    receiver,
    replay,
    report,
    roles,
    silence,
    sql,
    status,
    status_page,
    target,
    token,
    topics,
    up,
    user,
    web,
)
from portquorum.cli.options import examples, unwrap_help
from portquorum.presentation.output import print_notes

app = typer.Typer(
    name="portquorum",
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "portquorum demo",
        "portquorum up",
        "portquorum target add db1.example.com:5432",
        "portquorum check db1.example.com:5432",
    ),
)

START = "Start here"
LOOK = "Look"
PROVE = "Prove it"
CHANGE = "Say what to watch"
ROLES = "Roles, one process each"


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"portquorum {version('portquorum')}")
        raise typer.Exit


@app.callback()
def portquorum(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Watches network ports from many regions; an incident opens only when a quorum agrees.

    Exit codes: 0 fine, 1 trouble found, 2 wrong use.
    """
    del version  # done by its callback
    if not os.environ.get("PORTQUORUM_PARENT"):  # a supervisor's roles need not say it again
        found = misspelt()
        print_notes(f"{name} is no setting; {meant} is one" for name, meant in found.items())


app.command(rich_help_panel=START, epilog=demo.HELP)(demo.demo)
app.command(rich_help_panel=START, epilog=up.HELP)(up.up)
app.command(rich_help_panel=LOOK, epilog=check.HELP)(check.check)
app.command(rich_help_panel=LOOK, epilog=status.HELP)(status.status)
app.command(rich_help_panel=LOOK, epilog=incidents.HELP)(incidents.incidents)
app.command(rich_help_panel=LOOK, epilog=events.HELP)(events.events)
app.command(rich_help_panel=LOOK, epilog=health.HELP)(health.health)
app.command(rich_help_panel=LOOK, epilog=explain.HELP)(explain.explain)
app.add_typer(report.app, name="report", rich_help_panel=LOOK)
app.command(rich_help_panel=LOOK, epilog=sql.HELP)(sql.sql)
app.command(rich_help_panel=LOOK, epilog=acknowledge.ACK_HELP)(acknowledge.ack)
app.command(rich_help_panel=LOOK, epilog=acknowledge.RESOLVE_HELP)(acknowledge.resolve)
app.add_typer(silence.app, name="silence", rich_help_panel=LOOK)
app.command(rich_help_panel=PROVE, epilog=replay.HELP)(replay.replay)
app.command(rich_help_panel=PROVE, epilog=backtest.HELP)(backtest.backtest)
app.command(rich_help_panel=PROVE, epilog=checkpoint.HELP)(checkpoint.checkpoint)
app.command(rich_help_panel=PROVE, epilog=drill.HELP)(drill.drill)
app.add_typer(target.app, name="target", rich_help_panel=CHANGE)
app.add_typer(inventory.app, name="inventory", rich_help_panel=CHANGE)
app.command("import", rich_help_panel=CHANGE, epilog=importing.HELP)(importing.import_)
app.add_typer(heartbeat.app, name="heartbeat", rich_help_panel=CHANGE)
app.add_typer(status_page.app, name="status-page", rich_help_panel=CHANGE)
app.add_typer(user.app, name="user", rich_help_panel=CHANGE)
app.add_typer(token.app, name="token", rich_help_panel=CHANGE)
app.command(rich_help_panel=ROLES, epilog=roles.PROBE_HELP)(roles.probe)
app.command(rich_help_panel=ROLES, epilog=roles.STREAM_HELP)(roles.stream)
app.command(rich_help_panel=ROLES, epilog=roles.SINK_HELP)(roles.sink)
app.add_typer(notify.app, name="notify", rich_help_panel=ROLES)
app.command(rich_help_panel=ROLES, epilog=web.HELP)(web.web)
app.command(rich_help_panel=LOOK, epilog=beat.HELP)(beat.beat)
app.command(rich_help_panel=ROLES, epilog=receiver.HELP)(receiver.receiver)
app.command(rich_help_panel=ROLES, epilog=acl.HELP)(acl.acl)
app.add_typer(topics.app, name="topics", rich_help_panel=ROLES)
app.add_typer(dev.app, name="dev", rich_help_panel=ROLES)
app.add_typer(bench.app, name="bench", rich_help_panel=ROLES)
unwrap_help(app)
