-- What is kept of results for longer than the results, and read instead of them. The daily one is
-- made of the hourly one's new rows, the others of the inserted block. A block that is dropped for
-- its token is dropped by each of them too. Latencies are counted exactly, rounded to 8 bits, where
-- there are many states of few values; in a sketch (DDSketch, 1 %) where there are few of many.
-- A latency is that of a success: of its connection, or of the whole check of a kind without one.
CREATE TABLE IF NOT EXISTS {database}.results_hourly
(
    target     LowCardinality(String),
    region     LowCardinality(String),
    hour       DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    checks     SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)) COMMENT 'up and down; missed is neither',
    up         SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    missed     SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    latency_us AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), UInt32),
    max_us     SimpleAggregateFunction(max, UInt32) CODEC(T64, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (target, region, hour)
TTL hour + toIntervalDay({rollups_ttl_days})
SETTINGS non_replicated_deduplication_window = 500000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.results_hourly_mv TO {database}.results_hourly AS
SELECT
    target,
    region,
    toStartOfHour(scheduled_at) AS hour,
    countIf(status != 'missed') AS checks,
    countIf(status = 'up') AS up,
    countIf(status = 'missed') AS missed,
    quantilesBFloat16StateIf(0.5, 0.95, 0.99)(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS latency_us,
    maxIf(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS max_us
FROM {database}.results
GROUP BY target, region, hour;

CREATE TABLE IF NOT EXISTS {database}.results_daily
(
    target     LowCardinality(String),
    region     LowCardinality(String),
    day        Date CODEC(DoubleDelta, ZSTD(1)),
    checks     SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    up         SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    missed     SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    hours      SimpleAggregateFunction(groupBitOr, UInt32) CODEC(ZSTD(1)) COMMENT 'bit h: there was a check between h and h + 1 o''clock',
    latency_us AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), UInt32),
    max_us     SimpleAggregateFunction(max, UInt32) CODEC(T64, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (target, region, day)
TTL day + toIntervalDay({rollups_ttl_days})
SETTINGS non_replicated_deduplication_window = 500000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.results_daily_mv TO {database}.results_daily AS
SELECT
    target,
    region,
    toDate(hour) AS day,
    sum(h.checks) AS checks,
    sum(h.up) AS up,
    sum(h.missed) AS missed,
    groupBitOr(if(h.checks > 0, bitShiftLeft(toUInt32(1), toHour(hour)), toUInt32(0))) AS hours,
    quantilesBFloat16MergeState(0.5, 0.95, 0.99)(h.latency_us) AS latency_us,
    max(h.max_us) AS max_us
FROM {database}.results_hourly AS h
GROUP BY target, region, day;

CREATE TABLE IF NOT EXISTS {database}.regions_hourly
(
    region     LowCardinality(String),
    hour       DateTime('UTC'),
    checks     SimpleAggregateFunction(sum, UInt64),
    up         SimpleAggregateFunction(sum, UInt64),
    missed     SimpleAggregateFunction(sum, UInt64),
    latency_us AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), UInt32),
    max_us     SimpleAggregateFunction(max, UInt32)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (region, hour)
TTL hour + toIntervalDay({rollups_ttl_days})
SETTINGS non_replicated_deduplication_window = 500000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.regions_hourly_mv TO {database}.regions_hourly AS
SELECT
    region,
    toStartOfHour(scheduled_at) AS hour,
    countIf(status != 'missed') AS checks,
    countIf(status = 'up') AS up,
    countIf(status = 'missed') AS missed,
    quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS latency_us,
    maxIf(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS max_us
FROM {database}.results
GROUP BY region, hour;

CREATE TABLE IF NOT EXISTS {database}.failures_daily
(
    day      Date,
    region   LowCardinality(String),
    reason   LowCardinality(String),
    target   LowCardinality(String),
    failures SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (day, region, reason, target)
TTL day + toIntervalDay({rollups_ttl_days})
SETTINGS non_replicated_deduplication_window = 500000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.failures_daily_mv TO {database}.failures_daily AS
SELECT toDate(scheduled_at) AS day, region, reason, target, count() AS failures
FROM {database}.results
WHERE status = 'down'
GROUP BY day, region, reason, target;

-- The certificate that was seen last.
CREATE TABLE IF NOT EXISTS {database}.certificates
(
    target     LowCardinality(String),
    region     LowCardinality(String),
    expires_at AggregateFunction(argMax, DateTime64(3, 'UTC'), DateTime64(3, 'UTC')),
    seen_at    SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (target, region)
TTL toDateTime(seen_at) + toIntervalDay({rollups_ttl_days})
SETTINGS non_replicated_deduplication_window = 500000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.certificates_mv TO {database}.certificates AS
SELECT
    target,
    region,
    argMaxState(assumeNotNull(cert_expires_at), started_at) AS expires_at,
    max(started_at) AS seen_at
FROM {database}.results
WHERE cert_expires_at IS NOT NULL
GROUP BY target, region;
