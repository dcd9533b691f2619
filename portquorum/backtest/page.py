"""The result on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from portquorum.backtest.expectation import in_words
from portquorum.backtest.figures import lines, verdict
from portquorum.backtest.result import BacktestResult
from portquorum.presentation.charts import bar, sparkline
from portquorum.presentation.fitted_table import FittedTable, TableColumn
from portquorum.presentation.output import clock
from schemas.duration import duration_text
from streams.backtest import compare

SHOWN: Final = 10
_BAR: Final = 16
_COMPARED: Final = ("now", "proposed", "difference")
_GROUP_FIGURES: Final = ("now", "proposed", "min down now", "proposed", "alerts now", "proposed")


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
    columns = [TableColumn(title="")]
    columns += [TableColumn(title=name, justify="right") for name in _COMPARED]
    rows = []
    for line in lines(result.comparison):
        style = {True: "green", False: "red", None: ""}[line.better]
        rows.append(
            [
                Text(line.name),
                Text(line.present),
                Text(line.proposed, style="bold"),
                Text(line.difference, style),
            ]
        )
    return FittedTable(columns, rows)


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
    columns = [
        TableColumn(title="", fold=True),
        TableColumn(title="incidents", drop=1, chart=True),
        *(TableColumn(title=name, justify="right") for name in _GROUP_FIGURES),
    ]
    return FittedTable(columns, [_group(name, one, most) for name, one in rows], title=title)


def _group(name: str, one: compare.Group, most: int) -> list[Text]:
    first, second = one.present, one.proposed
    bars = Text(bar(first.incidents / most, _BAR), style="yellow")
    bars.append("\n" + bar(second.incidents / most, _BAR), style="cyan")
    figures = (
        f"{first.incidents:,}",
        f"{second.incidents:,}",
        f"{first.minutes_down:,.0f}",
        f"{second.minutes_down:,.0f}",
        f"{first.alerts:,}",
        f"{second.alerts:,}",
    )
    return [Text(name), bars, *map(Text, figures)]


def _told(title: str, some: list[compare.OneSidedIncident], style: str) -> Iterator[RenderableType]:
    if not some:
        return
    columns = [
        TableColumn(title="opened (UTC)"),
        TableColumn(title="target", fold=True),
        TableColumn(title="for", justify="right"),
        TableColumn(title="why", fold=True),
    ]
    rows = [
        [
            Text(clock(one.incident.opened_at)),
            Text.assemble((one.name, "bold"), f"\n{one.place}"),
            Text(duration_text(one.lasted_ms)),
            Text(one.why),
        ]
        for one in some[:SHOWN]
    ]
    shown = _of(title, min(SHOWN, len(some)), len(some))
    yield FittedTable(columns, rows, title=Text(shown, style=style))


def _of(title: str, shown: int, total: int) -> str:
    return f"{title} ({total:,})" if shown == total else f"{title} ({shown} of {total:,})"
