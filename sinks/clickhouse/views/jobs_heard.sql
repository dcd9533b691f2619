-- When a report of each job would have been heard: it was in the inventory, enabled and not paused,
-- the receivers were not silent, and it has reported on that day or before. What does not report then
-- has not run; nobody knows of the rest.
CREATE OR REPLACE VIEW {internal}.jobs_heard AS
WITH
(
    SELECT groupArray((silent_ms, returned_ms))
    FROM
    (
        SELECT
            event,
            toUnixTimestamp64Milli(ifNull(last_beat_at, at)) AS silent_ms,
            minIf(toUnixTimestamp64Milli(at), event = 'region.returned') OVER (
                ORDER BY at, event DESC ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ) AS next_ms,
            if(next_ms = 0, 9999999999999, next_ms) AS returned_ms
        FROM {database}.region_events
        WHERE region = 'receiver' AND event IN ('region.silent', 'region.returned')
    )
    WHERE event = 'region.silent'
) AS silences
SELECT target, span.1 AS begin_ms, span.2 AS end_ms
FROM
(
    SELECT
        w.target AS target,
        greatest(w.begin_ms, f.first_ms) AS from_ms,
        w.end_ms AS to_ms,
        arrayFilter(h -> h.1 < to_ms AND h.2 > from_ms, arrayConcat(silences, p.pauses)) AS holes,
        arraySort(arrayDistinct(arrayFilter(
            ms -> ms >= from_ms AND ms <= to_ms,
            arrayConcat([from_ms, to_ms], holes.1, holes.2)
        ))) AS cuts,
        arrayFilter(
            s -> NOT arrayExists(h -> h.1 <= s.1 AND s.2 <= h.2, holes),
            arrayZip(arrayPopBack(cuts), arrayPopFront(cuts))
        ) AS spans
    FROM {internal}.watched AS w
    INNER JOIN
    (
        SELECT toString(target) AS target, toInt64(toUInt16(min(day))) * 86400000 AS first_ms
        FROM {internal}.results_daily AS d
        WHERE region = 'receiver' AND d.checks > 0
            AND target IN (SELECT target FROM {internal}.watched WHERE is_job)
        GROUP BY target
    ) AS f ON f.target = w.target
    LEFT JOIN
    (
        SELECT target, groupArray((paused_ms, resumed_ms)) AS pauses
        FROM
        (
            SELECT
                target,
                removed,
                toUnixTimestamp64Milli(appended_at) AS paused_ms,
                leadInFrame(toUnixTimestamp64Milli(appended_at), 1, 9999999999999) OVER (
                    PARTITION BY target ORDER BY log_offset
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) AS next_ms,
                least(next_ms, ifNull(toUnixTimestamp64Milli(paused_until), 9999999999999)) AS resumed_ms
            FROM {database}.pauses
        )
        WHERE removed = 0 AND paused_ms < resumed_ms
        GROUP BY target
    ) AS p ON p.target = w.target
    WHERE w.is_job AND w.enabled AND from_ms < to_ms
)
ARRAY JOIN spans AS span
COMMENT 'Spans in which a report of each job would have been heard';
