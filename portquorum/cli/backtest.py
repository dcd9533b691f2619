"""`portquorum backtest`: stored history under another policy, side by side with the present."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import clock, out, print_json, print_notes
from portquorum.presentation.streams import write_document
from schemas.plain_text import plain

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.backtest.result import BacktestResult

HELP = examples(
    "portquorum backtest --policy calmer.yaml --since 30d",
    "portquorum backtest --policy inventory.yaml --since 7d --team database",
    "portquorum backtest --policy calmer.yaml --format html > backtest.html",
)


def backtest(
    policy: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="An inventory, or a short document that says only what would be different: "
            "`defaults:`, `teams:`, `tags:`, `targets:`.",
            exists=True,
            dir_okay=False,
        ),
    ],
    since: Annotated[
        str, typer.Option(metavar="TIME", help="ISO 8601 (UTC if no zone), or 12h, 30d ago.")
    ] = "30d",
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Default: now.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only these targets.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only targets with one of these tags.")
    ] = None,
    team: Annotated[
        list[str] | None, typer.Option(metavar="TEAM", help="Only targets of these teams.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, metavar="N", help="Processes; default: one a CPU.")
    ] = None,
    format_: Annotated[
        Literal["table", "json", "html"],
        typer.Option("--format", "-f", help="html is one file that needs nothing else."),
    ] = "table",
    json: Json = False,
) -> None:
    """See what another policy would have made of the past: incidents, alerts, time to detect.

    Stored results go through the same rules that decide now, once with the policy that the
    targets have at present and once with the one of FILE. Reads ClickHouse alone.
    """
    from foundation.settings import load
    from portquorum.cli import time_argument

    now = int(time.time() * 1000)
    start = time_argument.parse_ms(since, now)
    end = now if until is None else min(now, time_argument.parse_ms(until, now))
    if end <= start:
        raise typer.BadParameter(
            f"expected a time before {clock(end)} UTC, found {clock(start)} UTC",
            param_hint="--since",
        )
    result = _run(
        load(),
        policy,
        (start, end),
        {"ids": target or [], "tags": tag or [], "teams": team or []},
        workers or os.cpu_count() or 1,
    )
    if json or format_ == "json":
        print_json(result)
        return
    if format_ == "html":
        from portquorum.backtest.html import document

        write_document(plain(document(result)))
        return
    from portquorum.backtest.page import page

    out().print(page(result))
    print_notes(result.notes)


def _run(
    settings: "Settings",
    policy: Path,
    times: tuple[int, int],
    filters: dict[str, list[str]],
    workers: int,
) -> "BacktestResult":
    from foundation import clickhouse
    from portquorum.backtest import expectation, notes, proposal
    from portquorum.backtest.result import BacktestResult, Scope
    from portquorum.cli.errors import WrongUseError
    from portquorum.cli.progress import bar
    from streams.backtest import compare, history
    from streams.backtest.plan import Policies, plan, warm_up_ms
    from streams.backtest.workers import run

    begun = time.monotonic()
    since, until = times
    client = clickhouse.connect(settings)
    everything = {one.id: one for one in history.targets(client)}
    if not everything:
        raise WrongUseError("ClickHouse knows no target yet: the sink stores them once applied")
    present = proposal.filtered(everything.values(), **filters)
    if not present:
        raise WrongUseError("no target fits --target, --tag and --team")
    wanted = proposal.read(policy, everything, present.keys())
    policies = Policies(present, wanted.targets)
    start = since - warm_up_ms(policies.all())
    with bar() as shown:
        task = shown.add_task("looking for what failed", total=None)
        summaries = history.summaries(client, start, since, until)
        if len(present) < len(everything):
            summaries = [one for one in summaries if one.target in present]
        planned = plan(summaries, policies, span_ms=until - start, workers=workers)
        shown.update(task, description=notes.describe(planned), total=planned.rows)
        outcome = run(
            settings,
            planned,
            policies,
            since=start,
            compared_since=since,
            until=until,
            workers=workers,
            progress=lambda rows: shown.update(task, advance=rows),
        )
    return BacktestResult(
        scope=Scope(
            policy=policy.name,
            targets=len(present),
            hosts=planned.hosts,
            rows=outcome.rows,
            calm_hosts=planned.calm_hosts,
            calm_rows=planned.calm_rows,
            unwatched=planned.unwatched,
            unwatched_rows=planned.unwatched_rows,
            seconds=time.monotonic() - begun,
        ),
        changes=wanted.changes,
        comparison=compare.compare(
            policies,
            outcome.present,
            outcome.proposed,
            since=since,
            until=until,
            group_wait_ms=round(settings.group_wait_s * 1000),
        ),
        expected=expectation.expect(policies, planned.calm_loss + outcome.loss),
        notes=[*wanted.notes, *notes.notes(planned, outcome)],
    )
