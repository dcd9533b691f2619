-- How much of the downtime that the SLO allows is left: the last 30 days, today included, by the SLO
-- of the last day on which the target was watched. Without maintenance on either side.
CREATE OR REPLACE VIEW {database}.error_budget AS
SELECT
    target,
    name,
    team,
    slo_percent,
    100 * greatest(0, 1 - spent_s / measured_s) AS uptime_without_maintenance_percent,
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
ORDER BY met, left_percent, target
COMMENT 'How much of the downtime that the SLO allows is left, by target with an SLO: the last 30 days (UTC, today included), by the SLO of the last of them on which it was in the inventory; the least left first, removed targets, too; as old as uptime_daily';

ALTER TABLE {database}.error_budget
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN team 'Team of the target, empty: none',
    COMMENT COLUMN slo_percent 'Share of the measured time that must not be down, in percent',
    COMMENT COLUMN uptime_without_maintenance_percent 'Share of the measured time outside of maintenance windows that was not down, in percent',
    COMMENT COLUMN budget_s 'Downtime that the SLO allows, in s: measured time outside of maintenance × (1 - slo_percent / 100)',
    COMMENT COLUMN spent_s 'Time down outside of maintenance, in s',
    COMMENT COLUMN left_s 'budget_s - spent_s, in s; negative: more was down than allowed',
    COMMENT COLUMN left_percent 'left_s in percent of budget_s; null: the SLO is 100',
    COMMENT COLUMN met '1: no more was down than the SLO allows';
