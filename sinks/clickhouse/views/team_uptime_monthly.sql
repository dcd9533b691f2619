CREATE OR REPLACE VIEW {database}.team_uptime_monthly AS
SELECT
    team,
    toStartOfMonth(day) AS month,
    max(u.targets) AS targets,
    sum(u.watched_s) AS watched_s,
    sum(u.measured_s) AS measured_s,
    sum(u.down_s) AS down_s,
    sum(u.maintenance_s) AS maintenance_s,
    sum(u.down_in_maintenance_s) AS down_in_maintenance_s,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * (1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.team_uptime_daily AS u
GROUP BY team, month;
