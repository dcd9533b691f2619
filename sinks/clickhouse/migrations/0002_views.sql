-- The newest event of each incident. A duplicate of an older event (the stream may write one
-- again) is older by `at`, so it never wins.
CREATE VIEW IF NOT EXISTS {database}.incidents_current AS
SELECT
    incident_id,
    if(closed_at IS NULL, 'open', 'closed') AS status,
    incident_type,
    severity,
    target,
    name,
    kind,
    host,
    port,
    team,
    tags,
    criticality,
    verdicts,
    reasons,
    first_failed_at,
    opened_at,
    closed_at,
    closed_because,
    (toUnixTimestamp64Milli(opened_at) - toUnixTimestamp64Milli(first_failed_at)) / 1000 AS time_to_detect_s,
    (toUnixTimestamp64Milli(ifNull(closed_at, now64(3, 'UTC'))) - toUnixTimestamp64Milli(opened_at)) / 1000 AS duration_s,
    summary,
    acknowledged_by,
    at AS changed_at
FROM
(
    SELECT *
    FROM {database}.incidents
    ORDER BY at DESC, log_offset DESC
    LIMIT 1 BY incident_id
);

-- The newest definition of each target that was not removed.
CREATE VIEW IF NOT EXISTS {database}.targets_current AS
SELECT * EXCEPT removed
FROM
(
    SELECT *
    FROM {database}.targets
    ORDER BY appended_at DESC, removed ASC, version DESC
    LIMIT 1 BY target
)
WHERE removed = 0;

-- Per target, region and hour: how often it was up of the times that were measured, and how fast.
CREATE VIEW IF NOT EXISTS {database}.uptime_hourly AS
SELECT
    target,
    region,
    hour,
    sum(h.checks) AS checks,
    sum(h.up) AS up,
    sum(h.missed) AS missed,
    if(sum(h.checks) = 0, NULL, sum(h.up) / sum(h.checks)) AS uptime,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(h.connect_ms)[1] AS p50_ms,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(h.connect_ms)[2] AS p95_ms,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(h.connect_ms)[3] AS p99_ms
FROM {database}.results_hourly AS h
GROUP BY target, region, hour;

CREATE VIEW IF NOT EXISTS {database}.uptime AS
SELECT
    target,
    region,
    sum(h.checks) AS checks,
    sum(h.up) AS up,
    sum(h.missed) AS missed,
    if(sum(h.checks) = 0, NULL, sum(h.up) / sum(h.checks)) AS uptime,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(h.connect_ms)[1] AS p50_ms,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(h.connect_ms)[2] AS p95_ms,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(h.connect_ms)[3] AS p99_ms
FROM {database}.results_hourly AS h
GROUP BY target, region;
