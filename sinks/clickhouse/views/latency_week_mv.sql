DROP VIEW IF EXISTS {internal}.latency_week_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.latency_week_mv
REFRESH AFTER 15 MINUTE TO {internal}.latency_week EMPTY AS
SELECT
    toString(target) AS target,
    sum(d.up) AS up,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)[1] / 1000 AS p50_ms,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)[2] / 1000 AS p95_ms,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)[3] / 1000 AS p99_ms,
    max(d.max_us) / 1000 AS max_ms
FROM {internal}.results_daily AS d
WHERE day > toDate(now('UTC')) - 7
GROUP BY target
HAVING up > 0;
