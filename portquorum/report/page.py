"""A report on a terminal."""

from collections.abc import Iterator
from typing import Final, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table as Shown
from rich.text import Text

from portquorum.presentation.charts import bar
from portquorum.report.result import Days, Report, ReportTable
from portquorum.report.words import share, sparkline, text

_BAR: Final = 12
_TONE: Final = {"good": "green", "bad": "bold red", "plain": "bold"}


def page(report: Report) -> RenderableType:
    """The whole page."""
    return Group(_head(report), *_days(report), *(_table(one) for one in report.tables))


def _head(report: Report) -> RenderableType:
    shown = Text()
    shown.append(f"{report.since} – {report.until} UTC", style="bold")
    shown.append(f"   {report.scope}\n\n", style="dim")
    shown.append(report.verdict, style="bold red" if report.trouble else "bold cyan")
    shown.append("\n")
    for figure in report.figures:
        shown.append(f"\n{text(figure.value, figure.unit):>14}  ", style=_TONE[figure.tone])
        shown.append(figure.title, style="dim")
    title = report.kind if report.kind != "slo" else "SLO"
    return Panel(
        shown,
        title=Text(title[0].upper() + title[1:]),
        title_align="left",
        border_style="red" if report.trouble else "cyan",
        expand=False,
    )


def _days(report: Report) -> Iterator[RenderableType]:
    for one in report.days:
        values = [value for value in one.values if value is not None]
        if not values:
            continue
        shown = Text(one.title, style="bold")
        shown.append(f"  {_range(one, values)}\n", style="dim")
        shown.append(f"  {sparkline(one)}\n", style="green" if one.low_is_bad else "yellow")
        yield shown


def _range(days: Days, values: list[float]) -> str:
    worst = min(values) if days.low_is_bad else max(values)
    when = days.days[days.values.index(worst)]
    return f"worst: {text(worst, days.unit)} on {when}"


def _table(table: ReportTable) -> RenderableType:
    title = table.title
    if table.left_out:
        title += f" ({len(table.rows):,} of {len(table.rows) + table.left_out:,})"
    shown = Shown(
        box=SIMPLE_HEAD, pad_edge=False, title=Text(title), title_justify="left", title_style="bold"
    )
    if not table.rows:
        return Text.assemble((f"{title}\n", "bold"), ("  nothing\n", "dim"))
    for column in table.columns:
        is_text = column.unit == "text"
        justify: Literal["left", "right"] = "left" if is_text else "right"
        shown.add_column(Text(column.title), justify=justify, overflow="fold", no_wrap=not is_text)
        if column.bar:
            shown.add_column("", no_wrap=True, min_width=_BAR)
    for row in table.rows:
        cells: list[Text] = []
        for column, value in zip(table.columns, row, strict=True):
            shown_value = text(value, column.unit)
            cells.append(Text(shown_value, style="red" if shown_value.startswith("-") else ""))
            if column.bar:
                part = share(column, table, value)
                cells.append(Text(bar(part, _BAR), style="cyan"))
        shown.add_row(*cells)
    return shown
