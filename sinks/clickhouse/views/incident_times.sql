CREATE OR REPLACE VIEW {database}.incident_times AS
SELECT
    incident_id,
    incident_type,
    target,
    team,
    fromUnixTimestamp64Milli(opened_ms, 'UTC') AS opened_at,
    (opened_ms - begin_ms) / 1000 AS detect_s,
    if(acknowledged_ms = 0, NULL, (acknowledged_ms - opened_ms) / 1000) AS acknowledge_s,
    if(is_open, NULL, duration_s) AS recover_s,
    (if(closed_ms = 0, now_ms, closed_ms) - opened_ms) / 1000 AS open_s,
    duration_s,
    acknowledged_by
FROM {internal}.incident_spans
COMMENT 'How long it took to detect each incident, to acknowledge it, and until it was over';

ALTER TABLE {database}.incident_times
    COMMENT COLUMN incident_id 'Id of the incident',
    COMMENT COLUMN incident_type 'unreachable, flapping, slow, expiring',
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN team 'Team that the incident names, empty: none',
    COMMENT COLUMN opened_at 'When it was opened (UTC)',
    COMMENT COLUMN detect_s 'From the first failure to the opening, in s',
    COMMENT COLUMN acknowledge_s 'From the opening to the first acknowledgement, in s; null: nobody has',
    COMMENT COLUMN recover_s 'duration_s of what is over, in s; null: it goes on',
    COMMENT COLUMN open_s 'From the opening to the closing, or now, in s',
    COMMENT COLUMN duration_s 'Whole length from the first failure to the end, or now, in s; an outage ends as the view outages says, slow and expiring when they close',
    COMMENT COLUMN acknowledged_by 'Who acknowledged it first, empty: nobody';
