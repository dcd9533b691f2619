-- Latencies of a region as exact counts of values without their lower bits, as those of a target are:
-- a sketch (DDSketch) takes the lower of two ranks. Rows from before keep their sketch.
ALTER TABLE {internal}.regions_hourly
    ADD COLUMN IF NOT EXISTS latency_counts AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), UInt32)
        COMMENT 'how many successes took so many µs, without the lower bits; empty in rows from before schema 10' AFTER latency_us,
    COMMENT COLUMN IF EXISTS latency_us 'DDSketch of 1 % of µs; empty in rows since schema 10';

-- In place: the tokens of blocks that this view has had count by its name.
ALTER TABLE {internal}.regions_hourly_mv MODIFY QUERY
SELECT
    region,
    toStartOfHour(scheduled_at) AS hour,
    countIf(status != 'missed') AS checks,
    countIf(status = 'up') AS up,
    countIf(status = 'missed') AS missed,
    quantilesBFloat16StateIf(0.5, 0.95, 0.99)(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS latency_counts,
    maxIf(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS max_us
FROM {database}.results
GROUP BY region, hour;
