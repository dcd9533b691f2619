"""`report reliability`: the frequency of outages, the time to detect, the duration.

An outage counts if any part of it is in the days, and with that part, as in the view
`least_reliable`. The times to detect, acknowledge and recover are of the incidents that opened in
the days, as in the view `response_monthly`.
"""

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
_PARTS = """
(
    SELECT target, team, incident_type, begin_ms,
           toInt64(toUInt16({since:Date})) * 86400000 AS since_ms,
           (toInt64(toUInt16({until:Date})) + 1) * 86400000 AS until_ms,
           greatest(begin_ms, since_ms) AS from_ms, least(end_ms, until_ms) AS to_ms
    FROM outages
    WHERE end_ms > since_ms AND begin_ms < until_ms
      AND ({team:String} = '' OR team = {team:String})
      AND ({target:String} = '' OR target = {target:String})
)
"""
_SCOPE = """
target IN
(
    SELECT target FROM targets_known
    WHERE ({team:String} = '' OR team = {team:String})
      AND ({target:String} = '' OR target = {target:String})
)
"""
_OUTAGES = Column(name="outages", title="outages", unit="count", bar=True)
_INCIDENTS = Column(name="incidents", title="incidents", unit="count", bar=True)
_DETECT = Column(name="detect_p50_s", title="to detect", unit="seconds")
_ACKNOWLEDGE = Column(name="acknowledge_p50_s", title="to acknowledge", unit="seconds")
_RECOVER = Column(name="recover_p50_s", title="to recover", unit="seconds")


def report(history: History, most: int | None) -> Report:
    """The report; each table has the `most` worst rows."""
    found = f"FROM incident_times AS i {_WITHIN}"
    ((incidents, detect, acknowledge, recover),) = history.rows(f"SELECT {_TIMES} {found}")
    ((outages, flapping, failing, longest),) = history.rows(
        "SELECT count(), countIf(incident_type = 'flapping'), uniqExact(target), "
        f"max(to_ms - from_ms) / 1000 FROM {_PARTS}"
    )
    median = "median time to "
    return Report(
        kind="reliability",
        scope=history.scope,
        since=history.since,
        until=history.until,
        verdict=_verdict(outages, failing),
        figures=[
            Figure(name="outages", title="outages", value=outages, unit="count"),
            Figure(name="flapping", title="of them flapping", value=flapping, unit="count"),
            Figure(name="longest_s", title="the longest", value=longest, unit="seconds"),
            Figure(name="incidents", title="incidents opened", value=incidents, unit="count"),
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
                "Incidents opened a day",
                "count",
                f"SELECT toDate(opened_at) AS day, count() {found} GROUP BY day",
            )
        ],
        tables=[
            history.table(
                "teams",
                "By team: incidents opened",
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
                    _OUTAGES,
                    Column(name="down_s", title="down", unit="seconds"),
                    Column(name="longest_s", title="longest", unit="seconds"),
                    Column(name="median_s", title="median", unit="seconds"),
                    Column(name="last_at", title="last began (UTC)", unit="time"),
                ],
                "SELECT target, argMax(team, begin_ms), count() AS outages, "
                "intervalLengthSum(from_ms, to_ms) / 1000, max(to_ms - from_ms) / 1000, "
                "quantileExactWeighted(0.5)(to_ms - from_ms, 1) / 1000, "
                f"fromUnixTimestamp64Milli(max(begin_ms), 'UTC') FROM {_PARTS} "
                "GROUP BY target ORDER BY outages DESC, target",
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


def _verdict(outages: int, failing: int) -> str:
    if not outages:
        return "No target was down in this time."
    return f"{outages:,} outage{'s' * (outages > 1)} of {failing:,} target{'s' * (failing > 1)}."
