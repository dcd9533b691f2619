CREATE OR REPLACE VIEW {database}.uptime_daily AS
SELECT
    * EXCEPT reckoned_at,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * greatest(0, 1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {internal}.uptime_days FINAL
COMMENT 'Uptime of each target by day, while it was in the inventory; at most 5 minutes old, days before the last three reckoned once a day';

ALTER TABLE {database}.uptime_daily
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN day 'Day (UTC)',
    COMMENT COLUMN name 'Name of the target on that day',
    COMMENT COLUMN team 'Team of the target on that day, empty: none',
    COMMENT COLUMN slo_percent 'SLO of that day, in percent; null: none',
    COMMENT COLUMN cost_per_hour 'Price of an hour down on that day; null: none',
    COMMENT COLUMN watched_s 'Time in the inventory, in s',
    COMMENT COLUMN measured_s 'Part of it that was measured, in s: hours with a check, and outages; the rest is unknown',
    COMMENT COLUMN down_s 'Part of it that was down, in s: outages of the types unreachable and flapping, overlapping ones once',
    COMMENT COLUMN maintenance_s 'Measured time within a maintenance window, in s',
    COMMENT COLUMN down_in_maintenance_s 'Time down within a maintenance window, in s',
    COMMENT COLUMN uptime_percent '100 × (1 - down_s / measured_s), in percent, 0 to 100; null: nothing measured',
    COMMENT COLUMN uptime_without_maintenance_percent 'The same without the time in maintenance windows on either side, in percent; null: nothing measured';
