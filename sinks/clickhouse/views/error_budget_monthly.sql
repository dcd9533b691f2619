CREATE OR REPLACE VIEW {database}.error_budget_monthly AS
SELECT
    target,
    name,
    team,
    month,
    assumeNotNull(slo_percent) AS slo_percent,
    uptime_without_maintenance_percent AS uptime_percent,
    (measured_s - maintenance_s) * (1 - slo_percent / 100) AS budget_s,
    down_s - down_in_maintenance_s AS spent_s,
    budget_s - spent_s AS left_s,
    spent_s <= budget_s AS met
FROM {database}.uptime_monthly AS u
WHERE u.slo_percent IS NOT NULL;
