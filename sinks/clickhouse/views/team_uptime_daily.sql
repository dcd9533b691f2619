-- A team's uptime is that of all the time of its targets together.
CREATE OR REPLACE VIEW {database}.team_uptime_daily AS
SELECT
    team,
    day,
    count() AS targets,
    sum(u.watched_s) AS watched_s,
    sum(u.measured_s) AS measured_s,
    sum(u.down_s) AS down_s,
    sum(u.maintenance_s) AS maintenance_s,
    sum(u.down_in_maintenance_s) AS down_in_maintenance_s,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * greatest(0, 1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.uptime_daily AS u
GROUP BY team, day
COMMENT 'Uptime of each team by day: of all the time together of the targets that it had on that day; as old as uptime_daily';

ALTER TABLE {database}.team_uptime_daily
    COMMENT COLUMN team 'Team, empty: targets without one',
    COMMENT COLUMN day 'Day (UTC)',
    COMMENT COLUMN targets 'Targets of the team that were in the inventory on that day',
    COMMENT COLUMN watched_s 'Time in the inventory, in s',
    COMMENT COLUMN measured_s 'Part of it that was measured, in s: hours with a check, and outages; the rest is unknown',
    COMMENT COLUMN down_s 'Part of it that was down, in s: outages of the types unreachable and flapping, overlapping ones once',
    COMMENT COLUMN maintenance_s 'Measured time within a maintenance window, in s',
    COMMENT COLUMN down_in_maintenance_s 'Time down within a maintenance window, in s',
    COMMENT COLUMN uptime_percent '100 × (1 - down_s / measured_s), in percent, 0 to 100; null: nothing measured',
    COMMENT COLUMN uptime_without_maintenance_percent 'The same without the time in maintenance windows on either side, in percent; null: nothing measured';
