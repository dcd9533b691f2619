"""`report cost`: the cost of downtime, by the hourly price in the inventory."""

from portquorum.report.history import History
from portquorum.report.result import Column, Figure, Report

_FROM = """
FROM downtime_cost_daily AS c
WHERE day BETWEEN {since:Date} AND {until:Date}
  AND ({team:String} = '' OR team = {team:String})
  AND ({target:String} = '' OR target = {target:String})
"""
_COST = Column(name="cost", title="cost", unit="money", bar=True)
_HOURS = Column(name="unplanned_s", title="down", unit="seconds")
_PLANNED = Column(name="planned_s", title="down in maintenance", unit="seconds")


def report(history: History, most: int | None) -> Report:
    """The report; each table has the `most` expensive rows."""
    ((targets, cost, unplanned, planned),) = history.rows(
        f"SELECT uniqExact(target), sum(cost), sum(unplanned_s), sum(planned_s) {_FROM}"
    )
    figures = [
        Figure(name="cost", title="cost of downtime", value=cost, unit="money"),
        Figure(name="unplanned_s", title="down, all together", value=unplanned, unit="seconds"),
        Figure(name="planned_s", title="down in maintenance", value=planned, unit="seconds"),
        Figure(name="targets", title="targets with a price", value=targets, unit="count"),
    ]
    return Report(
        kind="cost",
        scope=history.scope,
        since=history.since,
        until=history.until,
        verdict=_verdict(targets, cost),
        figures=figures,
        days=[
            history.days(
                "cost", "Cost a day", "money", f"SELECT day, sum(cost) {_FROM} GROUP BY day"
            )
        ]
        if targets
        else [],
        tables=[
            history.table(
                "teams",
                "By team",
                [Column(name="team", title="team", unit="text"), _COST, _HOURS, _PLANNED],
                "SELECT team, sum(c.cost) AS cost, sum(c.unplanned_s), sum(c.planned_s) "
                f"{_FROM} GROUP BY team ORDER BY cost DESC, team",
            ),
            history.table(
                "targets",
                "By target, the dearest first",
                [
                    Column(name="target", title="target", unit="text"),
                    Column(name="team", title="team", unit="text"),
                    Column(name="cost_per_hour", title="an hour costs", unit="money"),
                    _COST,
                    _HOURS,
                    _PLANNED,
                ],
                "SELECT target, team, argMax(c.cost_per_hour, day), sum(c.cost) AS cost, "
                f"sum(c.unplanned_s), sum(c.planned_s) {_FROM} GROUP BY target, team "
                "HAVING cost > 0 ORDER BY cost DESC, target",
                most,
            ),
        ]
        if targets
        else [],
        notes=["maintenance costs nothing here"] if targets else [_NO_PRICE],
    )


_NO_PRICE = (
    "a price stands in the inventory: `downtime_cost_per_hour: 1200` at a target, a team or under "
    "`defaults:`, and then `portquorum inventory apply`"
)


def _verdict(targets: int, cost: float) -> str:
    if not targets:
        return "No target that was watched in this time has a price."
    return f"Downtime cost {cost:,.2f}." if cost else "Downtime cost nothing."
