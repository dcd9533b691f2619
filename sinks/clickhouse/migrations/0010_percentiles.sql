-- Latencies of a region as exact counts of values without their lower bits, as those of a target are:
-- a sketch (DDSketch) takes the lower of two ranks. In a table of its own, with small granules: a state
-- is some kB, and a week must not read the states of months.
CREATE TABLE IF NOT EXISTS {internal}.region_latencies
(
    region LowCardinality(String) COMMENT 'region that checked',
    hour   DateTime('UTC') COMMENT 'begin of the hour (UTC)',
    counts AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), UInt32) COMMENT 'how many successes took so many µs, without the lower bits'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (region, hour)
TTL hour + toIntervalDay({rollups_ttl_days})
SETTINGS non_replicated_deduplication_window = 500000, index_granularity = 32
COMMENT 'Latencies of the successes from a region in an hour (UTC), since schema 10';

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.region_latencies_mv TO {internal}.region_latencies AS
SELECT
    region,
    toStartOfHour(scheduled_at) AS hour,
    quantilesBFloat16State(0.5, 0.95, 0.99)(assumeNotNull(ifNull(connect_us, total_us))) AS counts
FROM {database}.results
WHERE status = 'up'
GROUP BY region, hour
COMMENT 'Feeds region_latencies with each insert';

-- Rows from before keep their sketch, new ones get none: see the view in 0006.
ALTER TABLE {internal}.regions_hourly
    COMMENT COLUMN IF EXISTS latency_us 'DDSketch of 1 % of µs; empty in rows since schema 10, which region_latencies has';
