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
WHERE region != 'receiver'
GROUP BY region, hour
COMMENT 'What each region sees, by hour (UTC): the share of its checks that succeeded. Not the uptime of targets: one region alone decides nothing; without the reports of jobs; a check that was stored twice counts twice. Kept for two years by default';

ALTER TABLE {database}.region_uptime_hourly
    COMMENT COLUMN region 'Region that checked',
    COMMENT COLUMN hour 'Hour for which the checks were scheduled, UTC',
    COMMENT COLUMN checks 'Number of checks that measured, up or down, of all targets',
    COMMENT COLUMN up 'Number of checks that succeeded',
    COMMENT COLUMN missed 'Number of checks that measured nothing; not among checks',
    COMMENT COLUMN up_percent 'Share of the checks that succeeded, in percent; null: no check';
