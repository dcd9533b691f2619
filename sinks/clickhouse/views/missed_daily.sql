-- Checks that could not start in time: a prober that is overloaded, or was away.
CREATE OR REPLACE VIEW {database}.missed_daily AS
SELECT
    toDate(hour) AS day,
    region,
    sum(r.missed) AS missed,
    sum(r.checks) AS checks,
    if(missed + checks = 0, NULL, 100 * missed / (missed + checks)) AS missed_percent
FROM {internal}.regions_hourly AS r
GROUP BY day, region;
