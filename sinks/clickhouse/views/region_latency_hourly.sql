-- How fast the targets of a region answered.
--
-- A value of the counts is the least of its step: told is the middle of the step, but nothing above the
-- largest latency. That is within 0.4 % of the value at the nearest rank; up to 255 µs each step is one value.
-- Rows from before schema 10 have a sketch of 1 % in place of the counts.
CREATE OR REPLACE VIEW {database}.region_latency_hourly AS
SELECT
    region,
    hour,
    up,
    if(up = 0, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0, NULL, most_us / 1000) AS max_ms
FROM
(
    SELECT
        region,
        hour,
        sum(r.up) AS up,
        max(r.max_us) AS most_us,
        quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(r.latency_us) AS sketched_us,
        arrayMap(
            least_us -> least(least_us + greatest(roundToExp2(least_us) / 256 - 0.5, 0), most_us),
            quantilesBFloat16Merge(0.5, 0.95, 0.99)(r.latency_counts)
        ) AS counted_us,
        if(isNaN(sketched_us[1]), counted_us, sketched_us) AS us
    FROM {internal}.regions_hourly AS r
    GROUP BY region, hour
)
COMMENT 'Percentiles of the latency of all successes from a region, by hour (UTC)';

ALTER TABLE {database}.region_latency_hourly
    COMMENT COLUMN region 'Region that checked',
    COMMENT COLUMN hour 'Begin of the hour (UTC) for which the checks were scheduled',
    COMMENT COLUMN up 'Number of checks that succeeded',
    COMMENT COLUMN p50_ms 'Median latency of the successes (of the connection, or of the whole check of a kind without one), in ms: the value at the nearest rank, within 0.4 % (hours from before schema 10: the lower rank, within 1 %); null without a success',
    COMMENT COLUMN p95_ms 'Latency of the successes that 95 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN p99_ms 'Latency of the successes that 99 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN max_ms 'Longest latency of the successes, in ms, exact; null without a success';
