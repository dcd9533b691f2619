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
    if(measured_s > maintenance_s, 100 * (1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.uptime_daily AS u
GROUP BY target, month;
