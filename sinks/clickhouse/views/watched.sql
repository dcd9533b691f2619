-- When each target was in the inventory, and as what: from a definition to the next one, or its
-- removal, or now.
CREATE OR REPLACE VIEW {internal}.watched AS
SELECT
    target,
    begin_ms,
    least(next_ms, now_ms) AS end_ms,
    name,
    team,
    slo AS slo_percent,
    downtime_cost_per_hour AS cost_per_hour,
    -- A job is watched by what it does not say: what it said makes no hour of it.
    if(is_job, 0, interval_ms) AS interval_ms,
    is_job,
    enabled,
    arrayMap(tag -> concat('tag:', tag), tags) AS selectors
FROM
(
    SELECT
        target,
        removed,
        name,
        team,
        slo,
        downtime_cost_per_hour,
        interval_ms,
        kind = 'heartbeat' AS is_job,
        enabled,
        tags,
        toUnixTimestamp64Milli(appended_at) AS begin_ms,
        toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms,
        leadInFrame(toUnixTimestamp64Milli(appended_at), 1, now_ms) OVER (
            PARTITION BY target ORDER BY appended_at, removed DESC, version
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_ms
    FROM {database}.targets
)
WHERE removed = 0 AND begin_ms < end_ms
COMMENT 'Spans in which each target was in the inventory, with its definition of that time';
