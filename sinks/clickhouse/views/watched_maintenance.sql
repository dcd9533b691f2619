-- The same as `watched`, and of each span the parts that are in a maintenance window.
CREATE OR REPLACE VIEW {internal}.watched_maintenance AS
WITH
(
    SELECT groupArray((selector, spans))
    FROM
    (
        SELECT selector, groupArray((begin_ms, end_ms)) AS spans
        FROM {database}.maintenance_windows
        ARRAY JOIN selectors AS selector
        WHERE begin_ms < toUnixTimestamp64Milli(now64(3, 'UTC'))
        GROUP BY selector
    )
) AS windows
SELECT
    target,
    begin_ms,
    end_ms,
    name,
    team,
    slo_percent,
    cost_per_hour,
    interval_ms,
    arrayFilter(s -> s.1 < s.2, arrayMap(
        s -> (greatest(s.1, begin_ms), least(s.2, end_ms)),
        arrayFlatten(arrayMap(w -> w.2, arrayFilter(w -> w.1 = target OR has(selectors, w.1), windows)))
    )) AS maintenance
FROM {internal}.watched
COMMENT 'When each target was in the inventory, as what, and which parts of it were in a maintenance window: a row a definition';
