"""Reports, as `portquorum report` makes them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from portquorum.report.history import UnknownScopeError
from portquorum.report.result import Column, Days, Report, Tone, Unit
from portquorum.report.result import Value as ReportValue
from portquorum.web.access.needs import needs
from portquorum.web.api.answering import answered
from portquorum.web.api.moments import Day, DayCount, span_of_days
from portquorum.web.history.stored_history import ReportQuery
from portquorum.web.parts import TheHistory
from portquorum.web.problem import wrong_field

Kind = Annotated[
    Literal["uptime", "slo", "cost", "reliability"], PathParameter(description="Which report.")
]

Value = str | int | float | None
"""A value of a report; a time is text in ISO 8601 (UTC)."""


class FigureAnswer(Struct, frozen=True, kw_only=True):
    """A number that a reader wants to see first; `unit` says what it is."""

    name: str
    title: str
    value: Value
    unit: Unit
    tone: Tone


class TableAnswer(Struct, frozen=True, kw_only=True):
    """Rows in the order of the columns, the most important first; `left_out`: further ones."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Value]]
    left_out: int


class ReportAnswer(Struct, frozen=True, kw_only=True):
    """A report: `verdict` is the result in a sentence; `trouble`: somebody should act."""

    kind: str
    scope: str
    since: date
    until: date
    verdict: str
    figures: list[FigureAnswer]
    days: list[Days]
    tables: list[TableAnswer]
    notes: list[str]
    trouble: bool


def report_answer(found: Report) -> ReportAnswer:
    """The report as the API answers it."""
    return ReportAnswer(
        kind=found.kind,
        scope=found.scope,
        since=found.since,
        until=found.until,
        verdict=found.verdict,
        figures=[
            FigureAnswer(
                name=one.name,
                title=one.title,
                value=_value(one.value),
                unit=one.unit,
                tone=one.tone,
            )
            for one in found.figures
        ],
        days=found.days,
        tables=[
            TableAnswer(
                name=table.name,
                title=table.title,
                columns=table.columns,
                rows=[_values(row) for row in table.rows],
                left_out=table.left_out,
            )
            for table in found.tables
        ],
        notes=found.notes,
        trouble=found.trouble,
    )


def _values(row: Sequence[ReportValue]) -> list[Value]:
    return [_value(one) for one in row]


def _value(value: ReportValue) -> Value:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


@get(
    "/reports/{kind:str}",
    operation_id="report",
    summary="A report",
    tags=["history"],
    opt={"history": True} | needs("viewer"),
)
async def report(
    *,
    history: TheHistory,
    kind: Kind,
    since: Day = "",
    until: Day = "",
    days: DayCount = None,
    team: Annotated[str, QueryParameter(max_length=255, description="Targets of this team.")] = "",
    target: Annotated[str, QueryParameter(max_length=128, description="This target.")] = "",
) -> Response[ReportAnswer]:
    """Whole days (UTC) from `since` to `until`, both included; by default the last 30."""
    first, last = span_of_days(since, until, days)
    if team and target:
        raise wrong_field("target", "expected a team or a target, found both")
    asked = ReportQuery(kind=kind, since=first, until=last, team=team, target=target)
    try:
        return answered(report_answer(await history.report(asked)))
    except UnknownScopeError as error:
        raise wrong_field("target" if target else "team", str(error)) from error
