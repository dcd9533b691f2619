-- Uptime by time: what was not down of what was measured; unknown time counts neither way. A target
-- that is checked less than once an hour was measured all day if it was checked at all. What
-- several sorts of spans have in common follows from the lengths of their unions (inclusion and
-- exclusion). Name, team, SLO and price are those of the day. Reckoned anew each time it is asked.
CREATE OR REPLACE VIEW {internal}.uptime_now AS
SELECT
    target,
    day,
    definition.1 AS name,
    definition.2 AS team,
    definition.3 AS slo_percent,
    definition.4 AS cost_per_hour,
    w / 1000 AS watched_s,
    if(rarely, w, x + w - xw) / 1000 AS measured_s,
    d / 1000 AS down_s,
    if(rarely, w + m - wm, x + w + m - xw - xm - wm + xwm) / 1000 AS maintenance_s,
    (d + m - dm) / 1000 AS down_in_maintenance_s
FROM
(
    SELECT
        target,
        day,
        argMaxIf(s.definition, from_ms, sort = 'watched') AS definition,
        definition.5 > 3600000 AND countIf(sort = 'measured') > 0 AS rarely,
        intervalLengthSumIf(from_ms, to_ms, sort = 'watched') AS w,
        intervalLengthSumIf(from_ms, to_ms, sort = 'down') AS d,
        intervalLengthSumIf(from_ms, to_ms, sort = 'maintenance') AS m,
        intervalLengthSumIf(from_ms, to_ms, sort IN ('down', 'measured')) AS x,
        intervalLengthSumIf(from_ms, to_ms, sort IN ('down', 'maintenance')) AS dm,
        intervalLengthSumIf(from_ms, to_ms, sort IN ('watched', 'maintenance')) AS wm,
        intervalLengthSumIf(from_ms, to_ms, sort != 'maintenance') AS xw,
        intervalLengthSumIf(from_ms, to_ms, sort != 'watched') AS xm,
        intervalLengthSum(from_ms, to_ms) AS xwm
    FROM {internal}.spans_daily AS s
    GROUP BY target, day
    HAVING w > 0
);
