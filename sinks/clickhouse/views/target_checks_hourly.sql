-- The same by target, and how fast it answered there.
CREATE OR REPLACE VIEW {database}.target_checks_hourly AS
SELECT
    target,
    region,
    hour,
    sum(h.checks) AS checks,
    sum(h.up) AS up,
    sum(h.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(h.latency_us) AS us,
    if(up = 0, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0, NULL, max(h.max_us) / 1000) AS max_ms
FROM {internal}.results_hourly AS h
GROUP BY target, region, hour;
