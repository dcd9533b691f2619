CREATE OR REPLACE VIEW {internal}.uptime_now AS
SELECT
    target,
    day,
    definition.1 AS name,
    definition.2 AS team,
    definition.3 AS slo_percent,
    definition.4 AS cost_per_hour,
    w / 1000 AS watched_s,
    if(rarely, w, w + x - wx) / 1000 AS measured_s,
    (w + d - wd) / 1000 AS down_s,
    if(rarely, m, m + x - xm) / 1000 AS maintenance_s,
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
        intervalLengthSumIf(from_ms, to_ms, sort IN ('watched', 'down')) AS wd,
        intervalLengthSumIf(from_ms, to_ms, sort IN ('down', 'maintenance')) AS dm,
        intervalLengthSumIf(from_ms, to_ms, sort != 'maintenance') AS wx,
        intervalLengthSumIf(from_ms, to_ms, sort != 'watched') AS xm
    FROM {internal}.spans_daily AS s
    GROUP BY target, day
    HAVING w > 0
)
COMMENT 'Uptime of each target by day, reckoned anew each time it is asked';
