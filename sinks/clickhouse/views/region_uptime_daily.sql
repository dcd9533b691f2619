CREATE OR REPLACE VIEW {database}.region_uptime_daily AS
SELECT
    region,
    toDate(hour) AS day,
    sum(r.checks) AS checks,
    sum(r.up) AS up,
    sum(r.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent
FROM {internal}.regions_hourly AS r
GROUP BY region, day;
