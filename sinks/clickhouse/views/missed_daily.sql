-- Checks that could not start in time: a prober that is overloaded, or was away.
CREATE OR REPLACE VIEW {database}.missed_daily AS
SELECT
    toDate(hour) AS day,
    region,
    sum(r.missed) AS missed,
    sum(r.checks) AS checks,
    if(missed + checks = 0, NULL, 100 * missed / (missed + checks)) AS missed_percent
FROM {internal}.regions_hourly AS r
WHERE region != 'receiver'
GROUP BY day, region
COMMENT 'Checks of each region by day that measured nothing: they could not begin in time (a prober that is overloaded, or was away), or failed for the prober itself; without the reports of jobs; a check that was stored twice counts twice. Kept for two years by default';

ALTER TABLE {database}.missed_daily
    COMMENT COLUMN day 'Day for which the checks were scheduled, UTC',
    COMMENT COLUMN region 'Region that had to check',
    COMMENT COLUMN missed 'Number of checks that measured nothing',
    COMMENT COLUMN checks 'Number of checks that measured, up or down',
    COMMENT COLUMN missed_percent 'Share of the missed ones in all, in percent; null: no check was due';
