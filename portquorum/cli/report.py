"""`portquorum report`: reports on stored history: uptime, SLOs, cost, reliability."""

import io
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from rich.text import Text

from portquorum.cli.options import Json, chosen_format, examples
from portquorum.presentation.output import err, out, print_json, print_notes
from portquorum.presentation.streams import write_document
from schemas.plain_text import plain

if TYPE_CHECKING:
    from portquorum.report.history import History
    from portquorum.report.result import Report

app = typer.Typer(
    help="Report on stored history: uptime, SLOs, cost of downtime, reliability.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

UPTIME_HELP = examples(
    "portquorum report uptime",
    "portquorum report uptime --since 90d --team database",
    "portquorum report uptime --format html > uptime.html",
)
SLO_HELP = examples(
    "portquorum report slo", "portquorum report slo --since 7d --format json | jq .verdict"
)
COST_HELP = examples(
    "portquorum report cost --since 2026-10-01 --until 2026-10-31",
    "portquorum report cost --format csv > cost.csv",
)
RELIABILITY_HELP = examples(
    "portquorum report reliability --since 30d", "portquorum report reliability --target prod-db"
)

Since = Annotated[
    str,
    typer.Option(
        metavar="TIME", help="7d, 30d: so many days, today included; or a day, 2026-11-01 (UTC)."
    ),
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="The last day, included. Default: today.")
]
Team = Annotated[str, typer.Option(metavar="TEAM", help="Only targets of this team.")]
Target = Annotated[str, typer.Option(metavar="ID", help="Only this target.")]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Rows of the longer tables; default: 15, csv and json all."
    ),
]
Format = Annotated[
    Literal["table", "csv", "json", "html"],
    typer.Option(
        "--format", "-f", help="csv is the table of targets; html one file that needs nothing else."
    ),
]


@app.command(epilog=UPTIME_HELP)
def uptime(
    since: Since = "30d",
    until: Until = None,
    team: Team = "",
    target: Target = "",
    limit: Limit = None,
    format_: Format = "table",
    json: Json = False,
) -> None:
    """Show how much of the measured time was up, with and without maintenance."""
    from portquorum.report import uptime as kind

    form = chosen_format(format_, "table", json=json)
    _show(kind.report(_history(since, until, team, target), _most(limit, form)), form)


@app.command(epilog=SLO_HELP)
def slo(
    since: Since = "30d",
    until: Until = None,
    team: Team = "",
    target: Target = "",
    limit: Limit = None,
    format_: Format = "table",
    json: Json = False,
) -> None:
    """Show how much of the allowed downtime is left. Exit code 1 if a target misses its SLO."""
    from portquorum.report import slo as kind

    form = chosen_format(format_, "table", json=json)
    _show(kind.report(_history(since, until, team, target), _most(limit, form)), form)


@app.command(epilog=COST_HELP)
def cost(
    since: Since = "30d",
    until: Until = None,
    team: Team = "",
    target: Target = "",
    limit: Limit = None,
    format_: Format = "table",
    json: Json = False,
) -> None:
    """Show what downtime cost, at the price of an hour in the inventory."""
    from portquorum.report import cost as kind

    form = chosen_format(format_, "table", json=json)
    _show(kind.report(_history(since, until, team, target), _most(limit, form)), form)


@app.command(epilog=RELIABILITY_HELP)
def reliability(
    since: Since = "30d",
    until: Until = None,
    team: Team = "",
    target: Target = "",
    limit: Limit = None,
    format_: Format = "table",
    json: Json = False,
) -> None:
    """Show how often targets went down, how soon it was known, how long it took, and why."""
    from portquorum.report import reliability as kind

    form = chosen_format(format_, "table", json=json)
    _show(kind.report(_history(since, until, team, target), _most(limit, form)), form)


_NOT_RECKONED: Final = (
    "uptime, SLOs and cost are up to 5 minutes old: they are calculated every 5 minutes, and the "
    "ClickHouse user of this command has no right to do it now (SYSTEM REFRESH VIEW)"
)


def _history(since: str, until: str | None, team: str, target: str) -> "History":
    from clickhouse_connect.driver.exceptions import DatabaseError

    from foundation import clickhouse
    from foundation.settings import load
    from portquorum.cli import time_argument
    from portquorum.cli.errors import WrongUseError
    from portquorum.report.history import MOST_DAYS, History, UnknownScopeError
    from sinks.clickhouse.migrate import refuse_newer
    from sinks.clickhouse.refresh_views import reckon_recent

    for option, given in (("--since", since), ("--until", until or "")):
        if time_argument.is_within_a_day(given):
            raise typer.BadParameter(
                f"expected whole days (7d) or a day (2026-11-01), found {given!r}: a report counts "
                "days (UTC); the views outages and results have all times (`portquorum sql`)",
                param_hint=option,
            )
    now = int(time.time() * 1000)
    first = _day(time_argument.parse_ms(since, now))
    if time_argument.is_ago(since):
        first = min(first + timedelta(days=1), _day(now))
    last = _day(now if until is None else min(now, time_argument.parse_ms(until, now)))
    if not 0 <= (last - first).days < MOST_DAYS:
        raise typer.BadParameter(
            f"expected a day of the {MOST_DAYS:,} up to {last}, found {first}",
            param_hint="--since",
        )
    settings = load()
    client = clickhouse.connect(settings)
    refuse_newer(client, settings)
    try:
        reckon_recent(client)
    except DatabaseError:
        print_notes([_NOT_RECKONED])
    try:
        return History(client, first, last, team=team, target=target)
    except UnknownScopeError as error:
        raise WrongUseError(str(error)) from error


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).date()


def _most(limit: int | None, format_: str) -> int | None:
    shown = {"table": 15, "html": 100}
    return limit if limit is not None else shown.get(format_)


def _show(report: "Report", format_: str) -> None:
    if format_ == "json":
        print_json(report)
    elif format_ == "csv":
        from portquorum.report import sheet

        whole = io.StringIO(newline="")
        sheet.write(report, whole)
        write_document(whole.getvalue())
    elif format_ == "html":
        from portquorum.report.html import document

        write_document(plain(document(report)))
    else:
        from portquorum.report.page import page

        out().print(page(report))
    if format_ == "csv" and not report.tables:
        err().print(Text(report.verdict))
    if format_ in {"table", "csv"}:
        print_notes(report.notes)
    raise typer.Exit(1 if report.trouble else 0)
