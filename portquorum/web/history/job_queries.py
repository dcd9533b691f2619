"""What the page of a job asks: its reports, and how long its runs took."""

from collections.abc import Mapping
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from portquorum.web.history.answers import JobHistory, JobRun, JobSignal, LatencyStep, TimeWindow
from portquorum.web.history.asking import rows, structs
from portquorum.web.history.job_runs import Report, runs_of
from portquorum.web.history.windows import DAY_MS

_MOST_REPORTS: Final = 400
"""Reports that are read for the last runs: a start, an end and a word of each, and more."""

_LONGEST_RUN_MS: Final = 7 * DAY_MS
"""So long before a time the starts of runs that end in it are looked for."""

_REPORTS: Final = """
SELECT toString(signal), toUnixTimestamp64Milli(started_at), run, total_us / 1000, exit_code,
       leftUTF8(output, 4000), detail
FROM
(
    -- A report may be there twice until ClickHouse has merged its parts.
    SELECT signal, started_at, scheduled_at, attempt, prober, run,
           if(total_us < 4294967295, total_us, NULL) AS total_us, exit_code, output, detail
    FROM results
    WHERE target = {target:String} AND region = 'receiver' AND signal != ''
    ORDER BY scheduled_at DESC, started_at DESC, attempt DESC
    LIMIT 1 BY started_at, prober, attempt
    LIMIT {most:UInt32}
)
ORDER BY scheduled_at, attempt
"""

_SIGNALS: Final = """
SELECT toString(signal) AS said, toUnixTimestamp64Milli(max(reported_at)) AS at,
       argMax(tuple(exit_code), reported_at).1
FROM {internal}.newest_signals
WHERE target = {target:String}
GROUP BY said
ORDER BY said
"""

# As the view `job_runs`, of one job: a start is that of the next end of its run.
_DURATIONS: Final = """
SELECT at, ends, well, 0, if(known = 0, NULL, ms[1]), if(known = 0, NULL, ms[2]),
       if(known = 0, NULL, most)
FROM
(
    SELECT intDiv(ended_ms, {step:Int64}) * {step:Int64} AS at,
           count() AS ends,
           countIf(signal = 'success') AS well,
           countIf(is_known) AS known,
           quantilesExactWeightedIf(0.5, 0.95)(took_ms, 1, is_known) AS ms,
           maxIf(took_ms, is_known) AS most
    FROM
    (
        SELECT signal, ended_ms,
               multiIf(
                   total_us IS NOT NULL AND total_us < 4294967295, total_us / 1000,
                   before.1 = 'start', toFloat64(ended_ms - before.2),
                   -1.
               ) AS took_ms,
               signal = 'success' AND took_ms >= 0 AS is_known
        FROM
        (
            SELECT toString(signal) AS signal, total_us,
                   toUnixTimestamp64Milli(started_at) AS ended_ms,
                   lagInFrame((toString(signal), toUnixTimestamp64Milli(started_at))) OVER (
                       PARTITION BY run ORDER BY started_at, attempt
                       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                   ) AS before
            FROM
            (
                SELECT signal, total_us, started_at, attempt, run
                FROM results
                WHERE target = {target:String} AND region = 'receiver'
                  AND signal IN ('start', 'success', 'fail')
                  AND scheduled_at >= fromUnixTimestamp64Milli({since:Int64} - {longest:Int64})
                  AND scheduled_at < fromUnixTimestamp64Milli({until:Int64})
                LIMIT 1 BY started_at, prober, attempt
            )
        )
        WHERE signal != 'start' AND ended_ms >= {since:Int64}
    )
    GROUP BY at
)
ORDER BY at
"""


def history_of(parts: Mapping[str, Any]) -> JobHistory:
    """What was had of the parts of a job's page."""
    return JobHistory(
        runs=parts.get("runs"), signals=parts.get("signals"), durations=parts.get("durations")
    )


def runs(client: Client, target: str, most: int) -> tuple[JobRun, ...]:
    """The newest runs, at most `most`, the newest first; as far back as results are kept."""
    found = rows(client, _REPORTS, target=target, most=_MOST_REPORTS)
    return runs_of(structs(Report, found))[:most]


def signals(client: Client, target: str) -> tuple[JobSignal, ...]:
    """The newest report of each signal, however long ago."""
    return structs(JobSignal, rows(client, _SIGNALS, target=target))


def durations(client: Client, target: str, window: TimeWindow) -> tuple[LatencyStep, ...]:
    """How long the runs took that ended well in each step, and how many ended."""
    asked: dict[str, Any] = {"since": window.since, "until": window.until, "step": window.step_ms}
    found = rows(client, _DURATIONS, target=target, longest=_LONGEST_RUN_MS, **asked)
    return structs(LatencyStep, found)
