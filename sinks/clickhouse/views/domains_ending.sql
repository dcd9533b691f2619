CREATE OR REPLACE VIEW {database}.domains_ending AS
SELECT target, name, team, host AS domain, expires_at, days_left, seen_at
FROM {internal}.ends_seen
WHERE kind = 'domain'
ORDER BY expires_at, target
COMMENT 'When the registration of each domain of the inventory (kind domain) ends, as its registry said last, the first to end first; one whose registry does not say an end is not here';

ALTER TABLE {database}.domains_ending
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN team 'Team of the target; empty: none',
    COMMENT COLUMN domain 'The domain',
    COMMENT COLUMN expires_at 'End of the registration, UTC',
    COMMENT COLUMN days_left 'Days from now to its end; negative: it has ended',
    COMMENT COLUMN seen_at 'Time of the check that heard an end last, UTC';
