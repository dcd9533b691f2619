-- When each of those outages ended, if it has: more than half of the regions have had a success, or
-- the target was removed or moved before. The roll-up tells in which hours to look for a region's
-- first success; where the results of that hour have expired it is the beginning of the hour.
CREATE OR REPLACE VIEW {internal}.outage_ends_now AS
WITH
hours AS
(
    SELECT
        o.incident_id AS incident_id,
        o.target AS target,
        h.region AS region,
        any(o.closed_ms) AS closed_ms,
        minIf(h.hour_ms, h.hour_ms > o.closed_ms) AS later_ms,
        arraySlice(arraySort(groupUniqArray(h.hour_ms)), 1, 4) AS first_hours
    FROM {internal}.resolved_outages AS o
    INNER JOIN
    (
        SELECT toString(target) AS target, toString(region) AS region, toInt64(toUnixTimestamp(hour)) * 1000 AS hour_ms
        FROM {internal}.results_hourly AS r
        WHERE r.up > 0 AND target IN (SELECT target FROM {internal}.resolved_outages)
    ) AS h ON h.target = o.target
    WHERE h.hour_ms > o.closed_ms - 7200000 AND has(o.regions, h.region)
    GROUP BY incident_id, target, region
)
SELECT incident_id, fromUnixTimestamp64Milli(end_ms, 'UTC') AS ended_at
FROM
(
    SELECT
        o.incident_id AS incident_id,
        arraySort(groupArrayIf(s.first_ms, s.first_ms > 0)) AS firsts,
        least(if(length(firsts) >= any(o.majority), firsts[any(o.majority)], 9999999999999), any(o.left_ms)) AS end_ms
    FROM {internal}.resolved_outages AS o
    LEFT JOIN
    (
        SELECT
            h.incident_id AS incident_id,
            h.region AS region,
            minIf(r.started_ms, r.started_ms > h.closed_ms) AS raw_ms,
            any(h.later_ms) AS later_ms,
            if(raw_ms > 0 AND (later_ms = 0 OR raw_ms < later_ms + 7200000), raw_ms, later_ms) AS first_ms
        FROM hours AS h
        LEFT JOIN
        (
            SELECT toString(target) AS target, toString(region) AS region, toUnixTimestamp64Milli(started_at) AS started_ms
            FROM {database}.results
            WHERE status = 'up'
                AND (target, region, toStartOfHour(scheduled_at)) IN (
                    SELECT target, region, toDateTime(intDiv(arrayJoin(first_hours), 1000), 'UTC') FROM hours
                )
        ) AS r ON r.target = h.target AND r.region = h.region
        GROUP BY incident_id, region
    ) AS s ON s.incident_id = o.incident_id
    GROUP BY incident_id
)
WHERE end_ms < 9999999999999
    AND (incident_id, ended_at) NOT IN (SELECT incident_id, ended_at FROM {internal}.outage_ends FINAL)
COMMENT 'Their ends that were found and are not in outage_ends yet';
