CREATE OR REPLACE VIEW {database}.certificates_ending AS
SELECT target, name, team, host, port, expires_at, days_left, seen_at
FROM {internal}.ends_seen
WHERE kind != 'domain'
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
