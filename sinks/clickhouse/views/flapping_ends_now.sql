-- When targets with an open incident of the type flapping that are up became so: the newest counted
-- results of more than half of their regions are `up`, each since the first success after its last
-- failure; the one that makes the majority decides. A region without a failure since the incident
-- began was up all the time (0).
CREATE OR REPLACE VIEW {internal}.flapping_ends_now AS
WITH
flapping AS
(
    SELECT
        incident_id,
        toString(any(e.target)) AS target,
        min(toUnixTimestamp64Milli(e.first_failed_at)) AS began_ms
    FROM {database}.incidents AS e
    WHERE e.incident_type = 'flapping'
    GROUP BY incident_id
    HAVING max(ifNull(toUnixTimestamp64Milli(e.closed_at), 0)) = 0
)
SELECT
    incident_id,
    fromUnixTimestamp64Milli(greatest(any(begin_ms), arraySort(groupArray(since_ms))[any(majority)]), 'UTC') AS ended_at
FROM
(
    SELECT
        f.incident_id AS incident_id,
        any(f.began_ms) AS begin_ms,
        intDiv(any(t.count), 2) + 1 AS majority,
        maxIf(r.started_ms, r.status = 'down') AS failed_ms,
        arrayMin(arrayFilter(ms -> ms > failed_ms, groupArrayIf(r.started_ms, r.status = 'up'))) AS first_ms,
        if(failed_ms = 0, 0, first_ms) AS since_ms
    FROM flapping AS f
    INNER JOIN
    (
        SELECT target, arrayJoin(arrayDistinct(regions)) AS region, length(arrayDistinct(regions)) AS count
        FROM {database}.targets_current
        WHERE target IN (SELECT target FROM flapping)
    ) AS t ON t.target = f.target
    INNER JOIN
    (
        SELECT toString(target) AS target, toString(region) AS region, status, toUnixTimestamp64Milli(started_at) AS started_ms
        FROM {database}.results
        WHERE status IN ('up', 'down')
            AND target IN (SELECT target FROM flapping)
            AND started_at >= fromUnixTimestamp64Milli((SELECT min(began_ms) FROM flapping))
    ) AS r ON r.target = t.target AND r.region = t.region
    WHERE r.started_ms >= f.began_ms
    GROUP BY incident_id, t.region
    HAVING first_ms > 0
)
GROUP BY incident_id
HAVING count() >= any(majority)
COMMENT 'Since when the targets of open flapping incidents are up, of those that are';
