CREATE OR REPLACE VIEW {database}.team_uptime_monthly AS
SELECT
    team,
    toStartOfMonth(day) AS month,
    uniqExact(u.target) AS targets,
    sum(u.watched_s) AS watched_s,
    sum(u.measured_s) AS measured_s,
    sum(u.down_s) AS down_s,
    sum(u.maintenance_s) AS maintenance_s,
    sum(u.down_in_maintenance_s) AS down_in_maintenance_s,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * greatest(0, 1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.uptime_daily AS u
GROUP BY team, month
COMMENT 'Uptime of each team by month: the sum of its days, on each of them of the targets that it then had; as old as uptime_daily';

ALTER TABLE {database}.team_uptime_monthly
    COMMENT COLUMN team 'Team, empty: targets without one',
    COMMENT COLUMN month 'First day of the month (UTC)',
    COMMENT COLUMN targets 'Targets that were in the inventory and of the team on any of its days',
    COMMENT COLUMN watched_s 'Time in the inventory, in s',
    COMMENT COLUMN measured_s 'Part of it that was measured, in s: hours with a check, and outages; the rest is unknown',
    COMMENT COLUMN down_s 'Part of it that was down, in s: outages of the types unreachable and flapping, overlapping ones once',
    COMMENT COLUMN maintenance_s 'Measured time within a maintenance window, in s',
    COMMENT COLUMN down_in_maintenance_s 'Time down within a maintenance window, in s',
    COMMENT COLUMN uptime_percent '100 × (1 - down_s / measured_s), in percent, 0 to 100; null: nothing measured',
    COMMENT COLUMN uptime_without_maintenance_percent 'The same without the time in maintenance windows on either side, in percent; null: nothing measured';
