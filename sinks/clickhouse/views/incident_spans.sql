-- Each incident once: from its first failure to its end, as docs/analytics.md defines it.
CREATE OR REPLACE VIEW {internal}.incident_spans AS
SELECT
    i.incident_id AS incident_id,
    i.incident_type AS incident_type,
    i.target AS target,
    i.team AS team,
    i.begin_ms AS begin_ms,
    i.opened_ms AS opened_ms,
    i.closed_ms AS closed_ms,
    i.acknowledged_ms AS acknowledged_ms,
    i.acknowledged_by AS acknowledged_by,
    toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms,
    multiIf(
        i.closed_ms = 0 AND i.incident_type = 'flapping', toUnixTimestamp64Milli(r.ended_at),
        i.closed_ms = 0, 0,
        i.by_hand AND NOT i.is_job AND i.incident_type IN ('unreachable', 'flapping'), toUnixTimestamp64Milli(r.ended_at),
        i.incident_type = 'flapping' AND i.closed_because IN ('recovered', 'steady'),
        if(i.recovered_ms > 0, least(i.recovered_ms, i.closed_ms), i.closed_ms - if(i.slowly, 7200000, 1800000)),
        i.closed_ms
    ) AS known_ms,
    known_ms = 0 AS is_open,
    least(if(is_open, now_ms, greatest(known_ms, begin_ms)), now_ms) AS end_ms,
    greatest(0, end_ms - begin_ms) / 1000 AS duration_s
FROM
(
    SELECT
        incident_id,
        toString(any(e.incident_type)) AS incident_type,
        toString(any(e.target)) AS target,
        toString(argMax(e.team, (e.at, e.log_offset))) AS team,
        any(e.kind) = 'heartbeat' AS is_job,
        min(toUnixTimestamp64Milli(e.first_failed_at)) AS begin_ms,
        min(toUnixTimestamp64Milli(e.opened_at)) AS opened_ms,
        max(ifNull(toUnixTimestamp64Milli(e.closed_at), 0)) AS closed_ms,
        max(toString(e.closed_because)) AS closed_because,
        max(ifNull(toUnixTimestamp64Milli(e.recovered_at), 0)) AS recovered_ms,
        max(e.summary LIKE '%has been steadily reachable for two hours%') AS slowly,
        closed_because = 'resolved'
            AND argMaxIf(e.event, (e.at, e.log_offset), e.event IN ('opened', 'worsened', 'improved')) != 'improved' AS by_hand,
        minIf(toUnixTimestamp64Milli(e.at), e.acknowledged_by != '') AS acknowledged_ms,
        argMinIf(e.acknowledged_by, (e.at, e.log_offset), e.acknowledged_by != '') AS acknowledged_by
    FROM {database}.incidents AS e
    GROUP BY incident_id
) AS i
LEFT JOIN
(
    SELECT incident_id, ended_at, 0 AS still_open FROM {internal}.outage_ends FINAL
    UNION ALL
    SELECT incident_id, ended_at, 1 FROM {internal}.flapping_ends
) AS r ON r.incident_id = i.incident_id AND r.still_open = (i.closed_ms = 0)
COMMENT 'Each incident from its first failure to its end: one length for all views';
