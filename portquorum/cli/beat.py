"""`portquorum beat`: runs a job and reports it (`portquorum.beat` does it, without this)."""

from typing import Annotated

import typer

from portquorum.cli.options import examples

HELP = examples(
    "portquorum beat SECRET -- /usr/local/bin/backup --all",
    "portquorum beat KEY/nightly-backup --url https://monitor.example.com -- make backup",
    "backup && portquorum beat SECRET || portquorum beat SECRET --fail",
)


def beat(
    context: typer.Context,
    token: Annotated[
        str,
        typer.Argument(
            metavar="TOKEN",
            help="The job's secret, KEY/NAME, a whole address, or @FILE that has one of them.",
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where reports go; default: PORTQUORUM_BEAT_URL, else http://127.0.0.1:9480.",
        ),
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="Report the begin alone.")] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Report a failure.")] = False,
    log: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Report words for the history.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(metavar="UUID", help="The run that a report is of.")
    ] = None,
) -> None:
    """Run the command behind -- and report begin, end, exit code and its last words.

    The exit code is that of the command, whose output and signals pass through. While nobody takes
    reports the command runs all the same; the end is tried again for a minute. Without a command:
    one report, success unless an option says otherwise; exit code 1 if nobody took it.
    """
    del context, token, url, start, fail, log, run
    raise AssertionError("portquorum.cli.main runs it without importing this")
