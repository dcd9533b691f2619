CREATE OR REPLACE VIEW {database}.target_checks_daily AS
SELECT
    target,
    region,
    day,
    sum(d.checks) AS checks,
    sum(d.up) AS up,
    sum(d.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us) AS us,
    if(up = 0, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0, NULL, max(d.max_us) / 1000) AS max_ms
FROM {internal}.results_daily AS d
GROUP BY target, region, day;
