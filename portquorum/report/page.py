"""A report on a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from portquorum.presentation.charts import bar
from portquorum.presentation.fitted_table import FittedTable, TableColumn
from portquorum.report.result import Days, Report, ReportTable, Value
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
    if not table.rows:
        return Text.assemble((f"{title}\n", "bold"), ("  nothing\n", "dim"))
    columns: list[TableColumn] = []
    for column in table.columns:
        is_text = column.unit == "text"
        columns.append(
            TableColumn(title=column.title, justify="left" if is_text else "right", fold=is_text)
        )
        if column.bar:
            columns.append(TableColumn(title="", drop=1, chart=True))
    rows = [_cells(table, row) for row in table.rows]
    return FittedTable(columns, rows, title=title)


def _cells(table: ReportTable, row: list[Value]) -> list[Text]:
    cells: list[Text] = []
    for column, value in zip(table.columns, row, strict=True):
        shown = text(value, column.unit)
        cells.append(Text(shown, style="red" if shown.startswith("-") else ""))
        if column.bar:
            filled = bar(share(column, table, value), _BAR)
            cells.append(Text(filled.ljust(_BAR), style="cyan"))
    return cells
