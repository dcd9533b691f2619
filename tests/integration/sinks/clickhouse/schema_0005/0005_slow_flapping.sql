-- When each target was down. A flapping incident is over when the target has been steady for
-- 30 minutes, or, if it was up and flapped slowly, for two hours, as its last event says: the last
-- recovery was so long before it closed.
CREATE OR REPLACE VIEW {database}.outages AS
SELECT
    target,
    incident_id,
    incident_type,
    team,
    first_failed_ms AS begin_ms,
    least(
        multiIf(
            closed_ms = 0, now_ms,
            incident_type = 'flapping' AND closed_because IN ('recovered', 'steady'),
            greatest(first_failed_ms, closed_ms - if(slowly, 7200000, 1800000)),
            closed_ms
        ),
        now_ms
    ) AS end_ms,
    closed_ms = 0 AS is_open
FROM
(
    SELECT
        incident_id,
        any(i.target) AS target,
        any(i.incident_type) AS incident_type,
        any(i.team) AS team,
        min(toUnixTimestamp64Milli(i.first_failed_at)) AS first_failed_ms,
        max(ifNull(toUnixTimestamp64Milli(i.closed_at), 0)) AS closed_ms,
        max(toString(i.closed_because)) AS closed_because,
        max(i.summary LIKE '%has been steadily reachable for two hours%') AS slowly,
        toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms
    FROM {database}.incidents AS i
    WHERE i.incident_type IN ('unreachable', 'flapping')
    GROUP BY incident_id
)
WHERE begin_ms < end_ms;
