"""`report slo`: the remaining part of the allowed downtime."""

from portquorum.report.history import History
from portquorum.report.result import Column, Figure, Report
from portquorum.report.uptime import UNPLANNED

_WITHIN = """
FROM uptime_daily AS u
WHERE day BETWEEN {since:Date} AND {until:Date}
  AND ({team:String} = '' OR u.team = {team:String})
  AND ({target:String} = '' OR u.target = {target:String})
"""
# All days, by the SLO that the target had on the last of them, as the view `error_budget`.
_BUDGETS = f"""
SELECT target, argMax(u.team, day) AS team,
       assumeNotNull(argMax(tuple(u.slo_percent), day).1) AS slo,
       sum(u.down_s - u.down_in_maintenance_s) AS spent,
       sum(u.measured_s - u.maintenance_s) AS measured,
       measured * (1 - slo / 100) AS budget,
       if(measured > 0, 100 * greatest(0, 1 - spent / measured), NULL) AS uptime,
       budget - spent AS left_over,
       if(budget > 0, 100 * left_over / budget, NULL) AS left_percent
{_WITHIN}
GROUP BY target
HAVING measured > 0 AND argMax(tuple(u.slo_percent), day).1 IS NOT NULL
"""
_SPENT = f"""
SELECT day, sum(u.down_s - u.down_in_maintenance_s) {_WITHIN}
  AND target IN (SELECT target FROM ({_BUDGETS}))
GROUP BY day
"""


def report(history: History, most: int | None) -> Report:
    """The report; each table has the `most` worst rows. `trouble` if a target misses its SLO."""
    ((goals, missed, spent, budget),) = history.rows(
        f"SELECT count(), countIf(left_over < 0), sum(spent), sum(budget) FROM ({_BUDGETS})"
    )
    met = goals - missed
    return Report(
        kind="slo",
        scope=history.scope,
        since=history.since,
        until=history.until,
        verdict=_verdict(goals, missed),
        figures=[
            Figure(name="with_slo", title="targets with an SLO", value=goals, unit="count"),
            Figure(name="met", title="met", value=met, unit="count", tone="good"),
            Figure(
                name="missed",
                title="missed",
                value=missed,
                unit="count",
                tone="bad" if missed else "plain",
            ),
            Figure(name="spent_s", title="spent", value=spent, unit="seconds"),
            Figure(name="budget_s", title="allowed", value=budget, unit="seconds"),
        ],
        days=[history.days("spent_s", "Budget spent a day", "seconds", _SPENT)] if goals else [],
        tables=[
            history.table(
                "teams",
                "By team",
                [
                    Column(name="team", title="team", unit="text"),
                    Column(name="targets", title="targets", unit="count"),
                    Column(name="met", title="met", unit="count"),
                    Column(name="left_percent", title="budget left", unit="percent", bar=True),
                    Column(name="spent_s", title="spent", unit="seconds"),
                    Column(name="budget_s", title="allowed", unit="seconds"),
                ],
                "SELECT team, count(), countIf(left_over >= 0), "
                "if(sum(budget) > 0, 100 * (sum(budget) - sum(spent)) / sum(budget), NULL) "
                "AS percent, sum(b.spent), sum(b.budget) "
                f"FROM ({_BUDGETS}) AS b GROUP BY team ORDER BY percent, team",
            ),
            history.table(
                "targets",
                "By target, the least left first",
                [
                    Column(name="target", title="target", unit="text"),
                    Column(name="team", title="team", unit="text"),
                    Column(name="slo_percent", title="SLO", unit="percent"),
                    UNPLANNED,
                    Column(name="left_percent", title="budget left", unit="percent", bar=True),
                    Column(name="left_s", title="left", unit="seconds"),
                    Column(name="spent_s", title="spent", unit="seconds"),
                ],
                "SELECT target, team, slo, uptime, left_percent, left_over, spent "
                f"FROM ({_BUDGETS}) ORDER BY left_over >= 0, left_percent, target",
                most,
            ),
        ]
        if goals
        else [],
        notes=["maintenance counts on neither side"] if goals else [_NO_GOALS],
        trouble=missed > 0,
    )


_NO_GOALS = (
    "an SLO stands in the inventory: `slo: 99.9` at a target, a team or under `defaults:`, and "
    "then `portquorum inventory apply`"
)


def _verdict(goals: int, missed: int) -> str:
    if not goals:
        return "No target that was measured in this time has an SLO."
    if not missed:
        return f"All {goals:,} targets with an SLO meet it." if goals > 1 else "The SLO is met."
    return f"{missed:,} of {goals:,} targets with an SLO {'miss' if missed > 1 else 'misses'} it."
