-- When each target was down.
CREATE OR REPLACE VIEW {database}.outages AS
SELECT
    target,
    incident_id,
    incident_type,
    team,
    fromUnixTimestamp64Milli(begin_ms, 'UTC') AS began_at,
    if(is_open, NULL, fromUnixTimestamp64Milli(end_ms, 'UTC')) AS ended_at,
    begin_ms,
    end_ms,
    duration_s,
    is_open
FROM {internal}.incident_spans
WHERE incident_type IN ('unreachable', 'flapping') AND begin_ms < end_ms
COMMENT 'Each time at which a target was down: of an incident of the type unreachable or flapping, from its first failure to its end. An incident that was closed by hand ends when most regions reached the target again, a flapping one with its last recovery';

ALTER TABLE {database}.outages
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN incident_id 'Id of the incident',
    COMMENT COLUMN incident_type 'unreachable, flapping',
    COMMENT COLUMN team 'Team that the incident names, empty: none',
    COMMENT COLUMN began_at 'First failure (UTC)',
    COMMENT COLUMN ended_at 'End (UTC); null: it goes on',
    COMMENT COLUMN begin_ms 'began_at, in ms since 1970',
    COMMENT COLUMN end_ms 'ended_at, or now, in ms since 1970',
    COMMENT COLUMN duration_s 'end_ms - begin_ms, in s',
    COMMENT COLUMN is_open '1: the outage goes on';
