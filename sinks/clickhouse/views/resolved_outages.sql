-- The outages whose end is looked for: somebody closed the incident by hand while consensus said
-- down; of jobs there are none, each run is another one. Those whose end was found more than three days ago are left out: what comes so late moves
-- no end. With the target as it was defined then (its regions and place), and when it was removed,
-- moved or paused after that: while nobody checks it, nothing is measured.
CREATE OR REPLACE VIEW {internal}.resolved_outages AS
SELECT
    incident_id,
    target,
    closed_ms,
    arrayMax(d -> if(d.1 <= closed_ms AND d.2 = 0, d.1, 0), definitions) AS defined_ms,
    arrayFirst(d -> d.1 = defined_ms AND d.2 = 0, definitions) AS definition,
    if(empty(definition.3), judged, arrayDistinct(definition.3)) AS regions,
    intDiv(length(regions), 2) + 1 AS majority,
    least(
        arrayMin(
            d -> if(d.1 > closed_ms AND (d.2 = 1 OR (defined_ms > 0 AND d.4 != definition.4)), d.1, 9999999999999),
            definitions
        ),
        arrayMin(arrayPushBack(arrayFilter(ms -> ms > closed_ms, pauses), 9999999999999))
    ) AS left_ms
FROM
(
    SELECT
        i.incident_id AS incident_id,
        any(i.target) AS target,
        any(i.closed_ms) AS closed_ms,
        any(i.judged) AS judged,
        groupArray((
            ifNull(toUnixTimestamp64Milli(t.appended_at), 0),
            toUInt8(t.removed = 1 OR NOT t.enabled),
            arrayMap(r -> toString(r), t.regions),
            (toString(t.kind), t.host, t.port)
        )) AS definitions,
        any(p.pauses) AS pauses
    FROM
    (
        SELECT
            incident_id,
            toString(any(e.target)) AS target,
            max(ifNull(toUnixTimestamp64Milli(e.closed_at), 0)) AS closed_ms,
            argMax(mapKeys(e.verdicts), e.at) AS judged
        FROM {database}.incidents AS e
        WHERE e.incident_type IN ('unreachable', 'flapping') AND e.kind != 'heartbeat'
            AND e.incident_id IN (SELECT incident_id FROM {database}.incidents WHERE closed_because = 'resolved')
            AND e.incident_id NOT IN (
                SELECT incident_id FROM {internal}.outage_ends FINAL WHERE ended_at < now64(3, 'UTC') - toIntervalDay(3)
            )
        GROUP BY incident_id
        HAVING argMaxIf(e.event, (e.at, e.log_offset), e.event IN ('opened', 'worsened', 'improved')) != 'improved'
    ) AS i
    LEFT JOIN {database}.targets AS t ON t.target = i.target
    LEFT JOIN
    (
        SELECT target, groupArray(toUnixTimestamp64Milli(appended_at)) AS pauses
        FROM {database}.pauses
        WHERE removed = 0
        GROUP BY target
    ) AS p ON p.target = i.target
    GROUP BY incident_id
)
COMMENT 'Outages whose incident was closed by hand while they went on, and whose end is looked for';
