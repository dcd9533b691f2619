-- Hours down outside of maintenance, times the price that an hour had on that day.
CREATE OR REPLACE VIEW {database}.downtime_cost_daily AS
SELECT
    target,
    name,
    team,
    day,
    assumeNotNull(cost_per_hour) AS cost_per_hour,
    down_s - down_in_maintenance_s AS unplanned_s,
    down_in_maintenance_s AS planned_s,
    unplanned_s / 3600 * cost_per_hour AS cost
FROM {database}.uptime_daily AS u
WHERE u.cost_per_hour IS NOT NULL
COMMENT 'What downtime cost, by target with a price and day: hours down outside of maintenance × the price that an hour had on that day; as old as uptime_daily';

ALTER TABLE {database}.downtime_cost_daily
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target on that day',
    COMMENT COLUMN team 'Team of the target on that day, empty: none',
    COMMENT COLUMN day 'Day (UTC)',
    COMMENT COLUMN cost_per_hour 'Price of an hour down on that day',
    COMMENT COLUMN unplanned_s 'Time down outside of maintenance, in s',
    COMMENT COLUMN planned_s 'Time down within maintenance windows, in s; costs nothing',
    COMMENT COLUMN cost 'unplanned_s / 3600 × cost_per_hour';
