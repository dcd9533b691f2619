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
GROUP BY target, month
COMMENT 'What downtime cost, by target with a price and month: the sum of its days, as old as uptime_daily. A target that changed its team within the month is here with the last one alone: for teams sum downtime_cost_daily, which has the team of each day';

ALTER TABLE {database}.downtime_cost_monthly
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name on the last of its days',
    COMMENT COLUMN team 'Team on the last of its days, empty: none',
    COMMENT COLUMN month 'First day of the month (UTC)',
    COMMENT COLUMN unplanned_s 'Time down outside of maintenance, in s',
    COMMENT COLUMN planned_s 'Time down within maintenance windows, in s; costs nothing',
    COMMENT COLUMN cost 'Sum of the days, each by its own price';
