-- The end that each target showed last, of its certificate or its registration; where regions see
-- different ones, the earliest. What was seen before the target went to another kind, host or port is of
-- another server.
CREATE OR REPLACE VIEW {internal}.ends_seen AS
SELECT
    t.target AS target,
    t.kind AS kind,
    t.name AS name,
    t.team AS team,
    t.host AS host,
    t.port AS port,
    min(c.expires_at) AS expires_at,
    dateDiff('second', now('UTC'), min(c.expires_at)) / 86400 AS days_left,
    max(c.seen_at) AS seen_at
FROM
(
    SELECT toString(target) AS target, region, argMaxMerge(k.expires_at) AS expires_at, max(k.seen_at) AS seen_at
    FROM {internal}.certificates AS k
    GROUP BY target, region
) AS c
INNER JOIN (SELECT target, kind, name, team, host, port, regions FROM {database}.targets_current) AS t USING (target)
INNER JOIN
(
    SELECT target, maxIf(appended_at, place != place_before) AS moved_at
    FROM
    (
        SELECT
            target,
            appended_at,
            (toString(d.kind), d.host, d.port) AS place,
            lagInFrame(place, 1, place) OVER (
                PARTITION BY target ORDER BY appended_at, version
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS place_before
        FROM {database}.targets AS d
        WHERE d.removed = 0
    )
    GROUP BY target
) AS m USING (target)
WHERE has(t.regions, c.region) AND c.seen_at >= m.moved_at
GROUP BY target, kind, name, team, host, port
COMMENT 'The end of a certificate, or of the registration of a domain, that each target showed last';
