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
WHERE u.cost_per_hour IS NOT NULL;
