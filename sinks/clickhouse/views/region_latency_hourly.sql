-- How fast the targets of a region answered.
--
-- A value of the counts is the least of its step: told is the middle of the step, but nothing above the
-- largest latency. That is within 0.4 % of the value at the nearest rank; up to 255 µs each step is one value.
-- Hours from before schema 10 have a sketch of 1 % in place of the counts; of one that has both the sketch is told.
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
        groupArrayArray(r.sketched_us) AS sketched,
        arrayMap(
            least_us -> least(least_us + greatest(roundToExp2(least_us) / 256 - 0.5, 0), most_us),
            groupArrayArray(r.counted_us)
        ) AS counted,
        if(empty(sketched), counted, sketched) AS us
    FROM
    (
        SELECT
            region,
            hour,
            sum(h.up) AS up,
            max(h.max_us) AS max_us,
            arrayFilter(x -> NOT isNaN(x), quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(h.latency_us)) AS sketched_us,
            [] AS counted_us
        FROM {internal}.regions_hourly AS h
        WHERE region != 'receiver'
        GROUP BY region, hour
        UNION ALL
        SELECT region, hour, 0, 0, [], quantilesBFloat16Merge(0.5, 0.95, 0.99)(l.counts)
        FROM {internal}.region_latencies AS l
        WHERE region != 'receiver'
        GROUP BY region, hour
    ) AS r
    GROUP BY region, hour
)
COMMENT 'Percentiles of the latency of all successes from a region, by hour (UTC); without the reports of jobs';

ALTER TABLE {database}.region_latency_hourly
    COMMENT COLUMN region 'Region that checked',
    COMMENT COLUMN hour 'Begin of the hour (UTC) for which the checks were scheduled',
    COMMENT COLUMN up 'Number of checks that succeeded',
    COMMENT COLUMN p50_ms 'Median latency of the successes (of the connection, or of the whole check of a kind without one), in ms: the value at the nearest rank, within 0.4 % (hours from before schema 10: the lower rank, within 1 %); null without a success',
    COMMENT COLUMN p95_ms 'Latency of the successes that 95 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN p99_ms 'Latency of the successes that 99 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN max_ms 'Longest latency of the successes, in ms, exact; null without a success';
