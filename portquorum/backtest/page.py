"""The result on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from portquorum.backtest.expectation import in_words
from portquorum.backtest.figures import lines, verdict
from portquorum.backtest.result import BacktestResult
from portquorum.presentation.charts import bar, sparkline
from portquorum.presentation.output import clock
from schemas.duration import duration_text
from streams.backtest import compare

SHOWN: Final = 10
_BAR: Final = 16


def page(result: BacktestResult) -> RenderableType:
    """The whole page; of long lists the first ten rows."""
    found = result.comparison
    parts: list[RenderableType] = [_head(result), _figures(result), _days(result)]
    if len(found.teams) > 1 or (found.teams and found.teams[0].name):
        parts.append(_groups("By team", [(one.name or "no team", one) for one in found.teams]))
    if found.targets:
        shown = [(one.name, one) for one in found.targets[:SHOWN]]
        title = "By target, the greatest differences"
        parts.append(_groups(_of(title, len(shown), len(found.targets)), shown))
    parts += _told("Would not have opened", found.gone, "green")
    parts += _told("Would be new", found.new, "red")
    return Group(*parts)


def _head(result: BacktestResult) -> RenderableType:
    found, scope = result.comparison, result.scope
    text = Text()
    text.append(f"{clock(found.since)[:16]} – {clock(found.until)[:16]} UTC", style="bold")
    text.append(f"   {scope.targets:,} targets on {scope.hosts:,} hosts\n", style="dim")
    text.append(f"{scope.policy}: ", style="bold")
    text.append(", ".join(result.changes) or "no difference to the present policy")
    text.append(f"\n\n{verdict(found)}", style="bold cyan")
    text.append(f"\n{in_words(result.expected, found.until - found.since)}")
    return Panel(text, title="Backtest", title_align="left", border_style="cyan", expand=False)


def _figures(result: BacktestResult) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in ("now", "proposed", "difference"):
        table.add_column(name, justify="right")
    for line in lines(result.comparison):
        style = {True: "green", False: "red", None: ""}[line.better]
        table.add_row(
            line.name, line.present, Text(line.proposed, style="bold"), Text(line.difference, style)
        )
    return table


def _days(result: BacktestResult) -> RenderableType:
    found = result.comparison
    most = max(*found.present.days, *found.proposed.days, 0)
    text = Text("Openings a day", style="bold")
    text.append(f"  (most: {most})\n", style="dim")
    text.append("  now       ")
    text.append(_sparkline(found.present.days, most), style="yellow")
    text.append("\n  proposed  ")
    text.append(_sparkline(found.proposed.days, most), style="cyan")
    text.append("\n")
    return text


def _sparkline(values: Sequence[int], most: int) -> str:
    """A character a day; a day without an opening is a dot."""
    return sparkline(value / (most + 1) if value else None for value in values)


def _groups(title: str, rows: Sequence[tuple[str, compare.Group]]) -> RenderableType:
    most = max(max(one.present.incidents, one.proposed.incidents, 1) for _, one in rows)
    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
    )
    table.add_column("", overflow="fold")
    table.add_column("incidents", justify="left", no_wrap=True)
    for name in ("now", "proposed", "min down now", "proposed", "alerts now", "proposed"):
        table.add_column(name, justify="right")
    for name, one in rows:
        first, second = one.present, one.proposed
        bars = Text(bar(first.incidents / most, _BAR), style="yellow")
        bars.append("\n" + bar(second.incidents / most, _BAR), style="cyan")
        table.add_row(
            name,
            bars,
            f"{first.incidents:,}",
            f"{second.incidents:,}",
            f"{first.minutes_down:,.0f}",
            f"{second.minutes_down:,.0f}",
            f"{first.alerts:,}",
            f"{second.alerts:,}",
        )
    return table


def _told(title: str, some: list[compare.OneSidedIncident], style: str) -> Iterator[RenderableType]:
    if not some:
        return
    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        title=_of(title, min(SHOWN, len(some)), len(some)),
        title_justify="left",
        title_style=f"bold {style}",
    )
    table.add_column("opened (UTC)", no_wrap=True)
    table.add_column("target", overflow="fold")
    table.add_column("for", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for one in some[:SHOWN]:
        table.add_row(
            clock(one.incident.opened_at),
            Text.assemble((one.name, "bold"), f"\n{one.place}"),
            duration_text(one.lasted_ms),
            one.why,
        )
    yield table


def _of(title: str, shown: int, total: int) -> str:
    return f"{title} ({total:,})" if shown == total else f"{title} ({shown} of {total:,})"
