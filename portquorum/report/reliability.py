"""`report reliability`: the frequency of incidents, the time to detect, the duration."""

from portquorum.report.history import History
from portquorum.report.result import Column, Figure, Report

_WITHIN = """
WHERE toDate(opened_at) BETWEEN {since:Date} AND {until:Date}
  AND incident_type NOT IN ('slow', 'expiring')
  AND ({team:String} = '' OR i.team = {team:String})
  AND ({target:String} = '' OR target = {target:String})
"""
_TIMES = """
    count() AS incidents,
    quantileExactWeightedOrNull(0.5)(detect_s, 1) AS detect,
    quantileExactWeightedOrNull(0.5)(acknowledge_s, 1) AS acknowledge,
    quantileExactWeightedOrNull(0.5)(recover_s, 1) AS recover
"""
_SCOPE = """
target IN
(
    SELECT target FROM targets_known
    WHERE ({team:String} = '' OR team = {team:String})
      AND ({target:String} = '' OR target = {target:String})
)
"""
_INCIDENTS = Column(name="incidents", title="incidents", unit="count", bar=True)
_DETECT = Column(name="detect_p50_s", title="to detect", unit="seconds")
_ACKNOWLEDGE = Column(name="acknowledge_p50_s", title="to acknowledge", unit="seconds")
_RECOVER = Column(name="recover_p50_s", title="to recover", unit="seconds")


def report(history: History, most: int | None) -> Report:
    """The report; each table has the `most` worst rows."""
    found = f"FROM incident_times AS i {_WITHIN}"
    ((incidents, detect, acknowledge, recover),) = history.rows(f"SELECT {_TIMES} {found}")
    ((flapping, failing),) = history.rows(
        f"SELECT countIf(incident_type = 'flapping'), uniqExact(target) {found}"
    )
    median = "median time to "
    return Report(
        kind="reliability",
        scope=history.scope,
        since=history.since,
        until=history.until,
        verdict=_verdict(incidents, failing),
        figures=[
            Figure(name="incidents", title="incidents", value=incidents, unit="count"),
            Figure(name="flapping", title="of them flapping", value=flapping, unit="count"),
            Figure(name="detect_p50_s", title=f"{median}detect", value=detect, unit="seconds"),
            Figure(
                name="acknowledge_p50_s",
                title=f"{median}acknowledge",
                value=acknowledge,
                unit="seconds",
            ),
            Figure(name="recover_p50_s", title=f"{median}recover", value=recover, unit="seconds"),
        ],
        days=[
            history.days(
                "incidents",
                "Incidents a day",
                "count",
                f"SELECT toDate(opened_at) AS day, count() {found} GROUP BY day",
            )
        ],
        tables=[
            history.table(
                "teams",
                "By team",
                [
                    Column(name="team", title="team", unit="text"),
                    _INCIDENTS,
                    _DETECT,
                    _ACKNOWLEDGE,
                    _RECOVER,
                ],
                f"SELECT team, {_TIMES} {found} GROUP BY team ORDER BY incidents DESC, team",
            ),
            history.table(
                "targets",
                "By target, the most often first",
                [
                    Column(name="target", title="target", unit="text"),
                    Column(name="team", title="team", unit="text"),
                    _INCIDENTS,
                    Column(name="longest_s", title="longest", unit="seconds"),
                    _RECOVER,
                    Column(name="last_at", title="last (UTC)", unit="time"),
                ],
                "SELECT target, team, incidents, longest, recover, last "
                f"FROM (SELECT target, any(i.team) AS team, {_TIMES}, "
                "max(i.recover_s) AS longest, max(i.opened_at) AS last "
                f"{found} GROUP BY target) ORDER BY incidents DESC, target",
                most,
            ),
            history.table(
                "reasons",
                "Why checks failed",
                [
                    Column(name="reason", title="reason", unit="text"),
                    Column(name="region", title="region", unit="text"),
                    Column(name="failures", title="failed checks", unit="count", bar=True),
                    Column(name="targets", title="targets", unit="count"),
                ],
                "SELECT reason, region, sum(f.failures) AS failures, uniqExact(target) "
                "FROM {internal}.failures_daily AS f "
                f"WHERE day BETWEEN {{since:Date}} AND {{until:Date}} AND {_SCOPE} "
                "GROUP BY reason, region ORDER BY failures DESC, reason, region",
                most,
            ),
        ],
        notes=[],
    )


def _verdict(incidents: int, failing: int) -> str:
    if not incidents:
        return "No incident was opened in this time."
    return (
        f"{incidents:,} incident{'s' * (incidents > 1)} of {failing:,} target{'s' * (failing > 1)}."
    )
