-- What incidents say of each target now, without sorting the events of all that ever were: an
-- incident that closed stays closed. An outage that was resolved by hand goes on as `outages` says;
-- that it ended with a change of kind, host or port, or with a removal, is seen here at once.
CREATE OR REPLACE VIEW {internal}.incidents_by_target AS
SELECT
    i.target AS target,
    groupArrayIf((i.incident_type, i.first_failed_at), i.is_open) AS open,
    countIf(i.goes_on AND NOT arrayExists(one -> one.1 > i.closed_at AND one.2 != i.about, t.history) AS was_resolved) > 0 AS is_resolved,
    minIf(i.first_failed_at, was_resolved) AS resolved_began_at,
    toUnixTimestamp64Milli(maxIf(i.closed_at, was_resolved)) AS resolved_ms
FROM
(
    SELECT
        toString(e.target) AS target,
        incident_id,
        toString(any(e.incident_type)) AS incident_type,
        min(e.first_failed_at) AS first_failed_at,
        countIf(e.closed_at IS NOT NULL) = 0 AS is_open,
        max(ifNull(e.closed_at, toDateTime64(0, 3, 'UTC'))) AS closed_at,
        any(cityHash64(e.kind, e.host, e.port)) AS about,
        max(e.closed_because = 'resolved') AND incident_id IN (
            SELECT incident_id
            FROM {database}.outages
            WHERE is_open AND incident_id IN (SELECT incident_id FROM {database}.incidents WHERE closed_because = 'resolved')
        ) AS goes_on
    FROM {database}.incidents AS e
    GROUP BY target, incident_id
    HAVING is_open OR goes_on
) AS i
LEFT JOIN
(
    SELECT target, groupArray((appended_at, if(removed = 1, 0, cityHash64(kind, host, port)))) AS history
    FROM {database}.targets
    WHERE target IN (SELECT toString(target) FROM {database}.incidents WHERE closed_because = 'resolved')
    GROUP BY target
) AS t ON t.target = i.target
GROUP BY target
COMMENT 'Each target with an open incident, or with an outage that goes on though it was resolved by hand';
