-- How much of the downtime that the SLO allows is left: the last 30 days, today included, by the
-- SLO that the target has now. Without maintenance on either side.
CREATE OR REPLACE VIEW {database}.error_budget AS
SELECT
    target,
    name,
    team,
    slo_percent,
    100 * (1 - spent_s / measured_s) AS uptime_percent,
    measured_s * (1 - slo_percent / 100) AS budget_s,
    spent_s,
    budget_s - spent_s AS left_s,
    if(budget_s > 0, 100 * left_s / budget_s, NULL) AS left_percent,
    spent_s <= budget_s AS met
FROM
(
    SELECT
        target,
        argMax(u.name, day) AS name,
        argMax(u.team, day) AS team,
        assumeNotNull(argMax(tuple(u.slo_percent), day).1) AS slo_percent,
        sum(u.down_s - u.down_in_maintenance_s) AS spent_s,
        sum(u.measured_s - u.maintenance_s) AS measured_s
    FROM {database}.uptime_daily AS u
    WHERE day > toDate(now('UTC')) - 30
    GROUP BY target
    HAVING measured_s > 0 AND argMax(tuple(u.slo_percent), day).1 IS NOT NULL
)
ORDER BY left_percent, target;
