-- What a target's checks from a region came to, and how fast it answered there.
--
-- A value of the counts is the least of its step: told is the middle of the step, but nothing above the
-- largest latency. That is within 0.4 % of the value at the nearest rank; up to 255 µs each step is one value.
CREATE OR REPLACE VIEW {database}.target_checks_daily AS
SELECT
    target,
    region,
    day,
    checks,
    up,
    missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent,
    if(up = 0 OR is_job, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0 OR is_job, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0 OR is_job, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0 OR is_job, NULL, most_us / 1000) AS max_ms
FROM
(
    SELECT
        target,
        region,
        day,
        sum(d.checks) AS checks,
        sum(d.up) AS up,
        region = 'receiver' AS is_job,
        if(is_job, 0, sum(d.missed)) AS missed,
        max(d.max_us) AS most_us,
        arrayMap(
            least_us -> least(least_us + greatest(roundToExp2(least_us) / 256 - 0.5, 0), most_us),
            quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)
        ) AS us
    FROM {internal}.results_daily AS d
    GROUP BY target, region, day
)
COMMENT 'Checks of a target from a region, by day (UTC), and percentiles of the latency of its successes; a check that was stored twice counts twice. Of a job (region receiver): its successes and failures, without percentiles, see job_runs';

ALTER TABLE {database}.target_checks_daily
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN region 'Region that checked',
    COMMENT COLUMN day 'Day (UTC) for which the checks were scheduled',
    COMMENT COLUMN checks 'Number of checks that were up or down; missed ones are not among them',
    COMMENT COLUMN up 'Number of checks that succeeded',
    COMMENT COLUMN missed 'Number of checks that measured nothing: not made in time, prober_error, address_blocked',
    COMMENT COLUMN up_percent 'Share of the checks that succeeded, in percent; null without checks',
    COMMENT COLUMN p50_ms 'Median latency of the successes (of the connection, or of the whole check of a kind without one), in ms: the value at the nearest rank, within 0.4 %; null without a success',
    COMMENT COLUMN p95_ms 'Latency of the successes that 95 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN p99_ms 'Latency of the successes that 99 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN max_ms 'Longest latency of the successes, in ms, exact; null without a success';
