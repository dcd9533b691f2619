-- The certificate that each target showed last; where regions see different ones, that which ends
-- first. What was seen before the target went to another kind, host or port is of another server.
CREATE OR REPLACE VIEW {database}.certificates_ending AS
SELECT
    t.target AS target,
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
INNER JOIN (SELECT target, name, team, host, port, regions FROM {database}.targets_current WHERE kind != 'domain') AS t USING (target)
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
GROUP BY target, name, team, host, port
ORDER BY expires_at, target
COMMENT 'The certificate that each target of the inventory showed last, since it is of its present kind, host and port, the first to end first; where regions see different ones, that which ends first';

ALTER TABLE {database}.certificates_ending
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN team 'Team of the target; empty: none',
    COMMENT COLUMN host 'Host of the target',
    COMMENT COLUMN port 'Port; 0: none',
    COMMENT COLUMN expires_at 'End of the certificate, UTC',
    COMMENT COLUMN days_left 'Days from now to its end; negative: it has ended',
    COMMENT COLUMN seen_at 'Time of the check that saw a certificate last, UTC';
