CREATE OR REPLACE VIEW {database}.region_latency_hourly AS
SELECT
    region,
    hour,
    sum(r.up) AS up,
    quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(r.latency_us) AS us,
    if(up = 0, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0, NULL, max(r.max_us) / 1000) AS max_ms
FROM {internal}.regions_hourly AS r
GROUP BY region, hour;
