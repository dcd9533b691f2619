-- What a region sees is a share of checks: incidents are not a region's, but a quorum's.
CREATE OR REPLACE VIEW {database}.region_uptime_hourly AS
SELECT
    region,
    hour,
    sum(r.checks) AS checks,
    sum(r.up) AS up,
    sum(r.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent
FROM {internal}.regions_hourly AS r
GROUP BY region, hour;
