-- The last 7 days: what went down more than once, the most often first.
CREATE OR REPLACE VIEW {database}.flappers AS
SELECT
    o.target AS target,
    t.name AS name,
    t.team AS team,
    o.outages AS outages,
    o.flapping AS flapping,
    o.down_s AS down_s,
    o.median_s AS median_s,
    fromUnixTimestamp64Milli(o.last_ms, 'UTC') AS last_at
FROM
(
    SELECT
        toString(target) AS target,
        countIf(incident_type = 'unreachable') AS outages,
        countIf(incident_type = 'flapping') AS flapping,
        intervalLengthSum(begin_ms, end_ms) / 1000 AS down_s,
        medianExact(end_ms - begin_ms) / 1000 AS median_s,
        max(begin_ms) AS last_ms
    FROM {database}.outages
    WHERE begin_ms > toUnixTimestamp64Milli(now64(3, 'UTC')) - 7 * 86400000
    GROUP BY target
    HAVING outages > 1 OR flapping > 0
) AS o
LEFT JOIN (SELECT target, name, team FROM {database}.targets_known) AS t USING (target)
ORDER BY flapping DESC, outages DESC, target;
