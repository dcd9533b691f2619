-- The last 7 days: what was down more than once, the most often first.
CREATE OR REPLACE VIEW {database}.flappers AS
WITH toInt64(toUInt16(toDate(now('UTC')) - 6)) * 86400000 AS since_ms
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
        target,
        countIf(incident_type = 'unreachable') AS outages,
        countIf(incident_type = 'flapping') AS flapping,
        intervalLengthSum(greatest(begin_ms, since_ms), end_ms) / 1000 AS down_s,
        quantileExactWeighted(0.5)(end_ms - greatest(begin_ms, since_ms), 1) / 1000 AS median_s,
        max(begin_ms) AS last_ms
    FROM {database}.outages
    WHERE end_ms > since_ms
    GROUP BY target
    HAVING outages > 1 OR flapping > 0
) AS o
LEFT JOIN (SELECT target, name, team FROM {database}.targets_known) AS t USING (target)
ORDER BY flapping DESC, outages DESC, target
COMMENT 'Targets that were down more than once, or flapped, in the last 7 days (UTC, today included), the most often first; an outage that began before counts with its part in them';

ALTER TABLE {database}.flappers
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN team 'Team of the target, empty: none',
    COMMENT COLUMN outages 'Outages of the type unreachable of which any part is in these days',
    COMMENT COLUMN flapping 'Incidents of the type flapping of which any part is in these days',
    COMMENT COLUMN down_s 'Time down in these days, in s, overlapping outages once',
    COMMENT COLUMN median_s 'Median of the parts of the outages in these days, in s (nearest rank)',
    COMMENT COLUMN last_at 'When the last one began (UTC)';
