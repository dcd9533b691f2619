CREATE OR REPLACE VIEW {database}.downtime_cost_monthly AS
SELECT
    target,
    argMax(c.name, day) AS name,
    argMax(c.team, day) AS team,
    toStartOfMonth(day) AS month,
    sum(c.unplanned_s) AS unplanned_s,
    sum(c.planned_s) AS planned_s,
    sum(c.cost) AS cost
FROM {database}.downtime_cost_daily AS c
GROUP BY target, month;
