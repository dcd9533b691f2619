"""`report uptime`: the share of the measured time in which the targets were up."""

from portquorum.report.history import History
from portquorum.report.result import Column, Figure, Report

_SUMS = """
    sum(measured_s) AS measured,
    sum(down_s) AS down,
    sum(maintenance_s) AS planned,
    sum(down_in_maintenance_s) AS down_planned,
    sum(watched_s) AS watched,
    if(measured > 0, 100 * (1 - down / measured), NULL) AS uptime,
    if(measured > planned,
       100 * greatest(0, 1 - (down - down_planned) / (measured - planned)), NULL) AS unplanned
"""
_FROM = """
FROM uptime_daily AS u
WHERE day BETWEEN {since:Date} AND {until:Date}
  AND ({team:String} = '' OR u.team = {team:String})
  AND ({target:String} = '' OR u.target = {target:String})
"""

UPTIME = Column(name="uptime_percent", title="uptime", unit="percent")
UNPLANNED = Column(
    name="uptime_without_maintenance_percent", title="without maintenance", unit="percent"
)
DOWN = Column(name="down_s", title="down", unit="seconds", bar=True)


def report(history: History, most: int | None) -> Report:
    """The report; each table has the `most` worst rows."""
    ((measured, down, _, _, watched, uptime, unplanned, targets),) = history.rows(
        f"SELECT {_SUMS}, uniqExact(target) {_FROM}"
    )
    figures = [
        Figure(name="uptime_percent", title="uptime", value=uptime, unit="percent"),
        Figure(
            name="uptime_without_maintenance_percent",
            title="without maintenance",
            value=unplanned,
            unit="percent",
        ),
        Figure(name="down_s", title="down, all together", value=down, unit="seconds"),
        Figure(name="targets", title="targets", value=targets, unit="count"),
    ]
    notes = []
    unknown = watched - measured
    if watched and unknown > 0.001 * watched:
        notes.append(
            f"{100 * unknown / watched:.1f} % of the time nothing was measured; it counts neither "
            "as up nor as down"
        )
    by = f"{_FROM} GROUP BY"
    return Report(
        kind="uptime",
        scope=history.scope,
        since=history.since,
        until=history.until,
        verdict=_verdict(uptime),
        figures=figures,
        days=[
            history.days(
                "uptime_percent",
                "Uptime a day",
                "percent",
                f"SELECT day, uptime FROM (SELECT day, {_SUMS} {by} day)",
                low_is_bad=True,
            )
        ],
        tables=[
            history.table(
                "teams",
                "By team",
                [
                    Column(name="team", title="team", unit="text"),
                    Column(name="targets", title="targets", unit="count"),
                    UPTIME,
                    UNPLANNED,
                    DOWN,
                ],
                "SELECT team, targets, uptime, unplanned, down FROM "
                f"(SELECT team, uniqExact(target) AS targets, {_SUMS} {by} team) "
                "ORDER BY uptime, team",
            ),
            history.table(
                "regions",
                "By region: the share of checks that succeeded",
                [
                    Column(name="region", title="region", unit="text"),
                    Column(name="up_percent", title="up", unit="percent"),
                    Column(name="checks", title="checks", unit="count"),
                    Column(name="missed", title="missed", unit="count"),
                ],
                _REGIONS if history.team or history.target else _ALL_REGIONS,
            ),
            history.table(
                "targets",
                "By target, the worst first",
                [
                    Column(name="target", title="target", unit="text"),
                    Column(name="team", title="team", unit="text"),
                    UPTIME,
                    UNPLANNED,
                    DOWN,
                ],
                "SELECT target, team, uptime, unplanned, down FROM "
                f"(SELECT target, argMax(u.team, day) AS team, {_SUMS} {by} target) "
                "ORDER BY uptime, target",
                most,
            ),
        ],
        notes=notes,
    )


def _verdict(uptime: float | None) -> str:
    if uptime is None:
        return "Nothing was measured in this time."
    return f"{uptime:.3f} % of the measured time was up."


_ALL_REGIONS = """
SELECT region, if(sum(r.checks) = 0, NULL, 100 * sum(r.up) / sum(r.checks)) AS percent,
       sum(r.checks), sum(r.missed)
FROM region_uptime_daily AS r
WHERE day BETWEEN {since:Date} AND {until:Date}
GROUP BY region ORDER BY percent, region
"""
_REGIONS = """
SELECT region, if(sum(r.checks) = 0, NULL, 100 * sum(r.up) / sum(r.checks)) AS percent,
       sum(r.checks), sum(r.missed)
FROM {internal}.results_daily AS r
WHERE day BETWEEN {since:Date} AND {until:Date}
  AND region != 'receiver'
  AND target IN
  (
      SELECT target FROM targets_known
      WHERE ({team:String} = '' OR team = {team:String})
        AND ({target:String} = '' OR target = {target:String})
  )
GROUP BY region ORDER BY percent, region
"""
