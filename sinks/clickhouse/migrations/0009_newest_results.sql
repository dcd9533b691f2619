-- The newest result of each target and region, so that no question about the present reads the
-- results. Of results that the rules count (docs/rules.md, 1: what was measured, by a clock that is
-- at most 15 s ahead of the broker's), and of those that the region's policy blocks; apart for each
-- kind, host and port that the target was. An insert adds its rows as they are, merges keep the
-- newest, and a query asks with FINAL: folding the rows of each insert would cost it more.
CREATE TABLE IF NOT EXISTS {internal}.newest_results
(
    target      String,
    region      LowCardinality(String),
    about       UInt64 CODEC(ZSTD(1)) COMMENT 'cityHash64(kind, host, port): what was checked',
    is_blocked  UInt8 COMMENT '1: the policy of the region forbade the address, nothing was measured',
    status      LowCardinality(String) COMMENT 'up, down; missed if blocked; empty: filled from a roll-up, which does not know it',
    reason      LowCardinality(String) COMMENT 'empty: up',
    detail      String CODEC(ZSTD(1)),
    latency_us  Int64 CODEC(T64, ZSTD(1)) COMMENT 'of the connection, or of the whole check of a kind without one; -1: none',
    checked_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'start of the check; by the broker if that is earlier',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'by the broker',
    newness     UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'checked_at in ms, times 256, and the attempt'
)
ENGINE = ReplacingMergeTree(newness)
ORDER BY (target, region, about, is_blocked)
TTL toDateTime(appended_at) + toIntervalDay({rollups_ttl_days})
COMMENT 'the newest result of each target and region, for status_now and region_status_now';

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.newest_results_mv TO {internal}.newest_results AS
SELECT
    target,
    region,
    cityHash64(kind, host, port) AS about,
    reason = 'address_blocked' AS is_blocked,
    status,
    reason,
    detail,
    ifNull(toInt64(ifNull(connect_us, total_us)), -1) AS latency_us,
    least(started_at, appended_at) AS checked_at,
    appended_at,
    toUnixTimestamp64Milli(least(started_at, appended_at)) * 256 + attempt AS newness
FROM {database}.results
WHERE (reason = 'address_blocked' OR (status != 'missed' AND reason != 'prober_error'))
    AND started_at <= appended_at + toIntervalSecond(15)
COMMENT 'Feeds newest_results with each insert';

-- What an older installation holds: of the last 62 hours the results, as far back as a result of
-- the longest interval is fresh; before that to the hour, by the roll-up.
INSERT INTO {internal}.newest_results
SELECT
    target,
    region,
    cityHash64(r.kind, r.host, r.port) AS about,
    r.reason = 'address_blocked' AS is_blocked,
    argMax(r.status, newest) AS status,
    argMax(r.reason, newest) AS reason,
    argMax(r.detail, newest) AS detail,
    argMax(ifNull(toInt64(ifNull(r.connect_us, r.total_us)), -1), newest) AS latency_us,
    argMax(least(r.started_at, r.appended_at), newest) AS checked_at,
    argMax(r.appended_at, newest) AS appended_at,
    max(toUnixTimestamp64Milli(least(r.started_at, r.appended_at)) * 256 + r.attempt AS newest) AS newness
FROM {database}.results AS r
WHERE r.appended_at > now() - toIntervalHour(62)
    AND (r.reason = 'address_blocked' OR (r.status != 'missed' AND r.reason != 'prober_error'))
    AND r.started_at <= r.appended_at + toIntervalSecond(15)
GROUP BY target, region, about, is_blocked;

INSERT INTO {internal}.newest_results
SELECT
    target,
    region,
    about,
    0,
    '',
    '',
    '',
    -1,
    toDateTime64(last_hour, 3, 'UTC'),
    toDateTime64(last_hour, 3, 'UTC'),
    toUnixTimestamp64Milli(toDateTime64(last_hour, 3, 'UTC')) * 256
FROM
(
    SELECT target, region, max(hour) AS last_hour
    FROM {internal}.results_hourly
    WHERE checks > 0
    GROUP BY target, region
) AS h
INNER JOIN
(
    SELECT target, cityHash64(kind, host, port) AS about, version
    FROM {database}.targets
    WHERE removed = 0
    ORDER BY appended_at DESC, version DESC
    LIMIT 1 BY target
) AS t USING (target)
WHERE last_hour >= version AND last_hour < now() - toIntervalHour(62);
