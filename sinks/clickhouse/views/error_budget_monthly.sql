CREATE OR REPLACE VIEW {database}.error_budget_monthly AS
SELECT
    target,
    name,
    team,
    month,
    assumeNotNull(slo_percent) AS slo_percent,
    uptime_without_maintenance_percent,
    (measured_s - maintenance_s) * (1 - slo_percent / 100) AS budget_s,
    down_s - down_in_maintenance_s AS spent_s,
    budget_s - spent_s AS left_s,
    spent_s <= budget_s AS met
FROM {database}.uptime_monthly AS u
WHERE u.slo_percent IS NOT NULL
COMMENT 'The error budget of each target with an SLO by month, by the SLO of the last day of the month on which it was in the inventory';

ALTER TABLE {database}.error_budget_monthly
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN team 'Team of the target, empty: none',
    COMMENT COLUMN month 'First day of the month (UTC)',
    COMMENT COLUMN slo_percent 'Share of the measured time that must not be down, in percent',
    COMMENT COLUMN uptime_without_maintenance_percent 'Share of the measured time outside of maintenance windows that was not down, in percent; null: nothing measured',
    COMMENT COLUMN budget_s 'Downtime that the SLO allows, in s: measured time outside of maintenance × (1 - slo_percent / 100)',
    COMMENT COLUMN spent_s 'Time down outside of maintenance, in s',
    COMMENT COLUMN left_s 'budget_s - spent_s, in s; negative: more was down than allowed',
    COMMENT COLUMN met '1: no more was down than the SLO allows; also if nothing was measured';
