-- The last 7 days, today included. The middle of a step, as in `target_checks_daily`.
DROP VIEW IF EXISTS {internal}.latency_week_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.latency_week_mv
REFRESH AFTER 15 MINUTE TO {internal}.latency_week EMPTY AS
SELECT
    toString(target) AS target,
    up,
    us[1] / 1000 AS p50_ms,
    us[2] / 1000 AS p95_ms,
    us[3] / 1000 AS p99_ms,
    most_us / 1000 AS max_ms
FROM
(
    SELECT
        target,
        sum(d.up) AS up,
        max(d.max_us) AS most_us,
        arrayMap(
            least_us -> least(least_us + greatest(roundToExp2(least_us) / 256 - 0.5, 0), most_us),
            quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)
        ) AS us
    FROM {internal}.results_daily AS d
    WHERE day > toDate(now('UTC')) - 7 AND region != 'receiver'
    GROUP BY target
    HAVING up > 0
)
COMMENT 'Fills latency_week every 15 minutes';
