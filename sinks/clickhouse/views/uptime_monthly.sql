CREATE OR REPLACE VIEW {database}.uptime_monthly AS
SELECT
    target,
    toStartOfMonth(day) AS month,
    argMax(u.name, day) AS name,
    argMax(u.team, day) AS team,
    argMax(tuple(u.slo_percent), day).1 AS slo_percent,
    sum(u.watched_s) AS watched_s,
    sum(u.measured_s) AS measured_s,
    sum(u.down_s) AS down_s,
    sum(u.maintenance_s) AS maintenance_s,
    sum(u.down_in_maintenance_s) AS down_in_maintenance_s,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * greatest(0, 1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.uptime_daily AS u
GROUP BY target, month
COMMENT 'Uptime of each target by month: the sum of its days, as old as uptime_daily. A target that changed its team within the month is here with the last one alone: team_uptime_monthly has the team of each day';

ALTER TABLE {database}.uptime_monthly
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN month 'First day of the month (UTC)',
    COMMENT COLUMN name 'Name on the last of its days',
    COMMENT COLUMN team 'Team on the last of its days, empty: none',
    COMMENT COLUMN slo_percent 'SLO on the last of its days, in percent; null: none',
    COMMENT COLUMN watched_s 'Time in the inventory, in s',
    COMMENT COLUMN measured_s 'Part of it that was measured, in s: hours with a check, and outages; the rest is unknown',
    COMMENT COLUMN down_s 'Part of it that was down, in s: outages of the types unreachable and flapping, overlapping ones once',
    COMMENT COLUMN maintenance_s 'Measured time within a maintenance window, in s',
    COMMENT COLUMN down_in_maintenance_s 'Time down within a maintenance window, in s',
    COMMENT COLUMN uptime_percent '100 × (1 - down_s / measured_s), in percent, 0 to 100; null: nothing measured',
    COMMENT COLUMN uptime_without_maintenance_percent 'The same without the time in maintenance windows on either side, in percent; null: nothing measured';
