-- The certificate that each target showed last; where regions see different ones, that which ends
-- first.
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
INNER JOIN (SELECT target, name, team, host, port, regions FROM {database}.targets_current) AS t USING (target)
WHERE has(t.regions, c.region)
GROUP BY target, name, team, host, port
ORDER BY expires_at, target
COMMENT 'The certificate that each target of the inventory showed last, the first to end first; where regions see different ones, that which ends first';

ALTER TABLE {database}.certificates_ending
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN team 'Team of the target; empty: none',
    COMMENT COLUMN host 'Host of the target',
    COMMENT COLUMN port 'Port; 0: none',
    COMMENT COLUMN expires_at 'End of the certificate, UTC',
    COMMENT COLUMN days_left 'Days from now to its end; negative: it has ended',
    COMMENT COLUMN seen_at 'Time of the check that saw a certificate last, UTC';
