-- The newest event of each incident. A duplicate of an older event (the stream may write one
-- again) is older by `at`, so it never wins.
CREATE OR REPLACE VIEW {database}.incidents_current AS
SELECT
    i.incident_id AS incident_id,
    if(i.closed_at IS NULL, 'open', 'closed') AS status,
    i.incident_type AS incident_type,
    i.severity AS severity,
    i.target AS target,
    i.name AS name,
    i.kind AS kind,
    i.host AS host,
    i.port AS port,
    i.team AS team,
    i.tags AS tags,
    i.criticality AS criticality,
    i.verdicts AS verdicts,
    i.reasons AS reasons,
    i.first_failed_at AS first_failed_at,
    i.opened_at AS opened_at,
    i.closed_at AS closed_at,
    i.closed_because AS closed_because,
    (toUnixTimestamp64Milli(opened_at) - toUnixTimestamp64Milli(first_failed_at)) / 1000 AS detect_s,
    (toUnixTimestamp64Milli(ifNull(closed_at, now64(3, 'UTC'))) - toUnixTimestamp64Milli(opened_at)) / 1000 AS open_s,
    s.duration_s AS duration_s,
    i.summary AS summary,
    i.acknowledged_by AS acknowledged_by,
    i.acknowledged_note AS acknowledged_note,
    i.resolved_by AS resolved_by,
    i.resolved_note AS resolved_note,
    i.expect AS expect,
    i.at AS changed_at
FROM
(
    SELECT *
    FROM {database}.incidents
    ORDER BY at DESC, log_offset DESC
    LIMIT 1 BY incident_id
) AS i
LEFT JOIN (SELECT incident_id, duration_s FROM {internal}.incident_spans) AS s ON s.incident_id = i.incident_id
COMMENT 'Each incident as its newest event says';

ALTER TABLE {database}.incidents_current
    COMMENT COLUMN incident_id 'Id of the incident',
    COMMENT COLUMN status 'open, closed',
    COMMENT COLUMN incident_type 'unreachable, flapping, slow, expiring',
    COMMENT COLUMN severity 'critical, warning, info',
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN kind 'Kind of the check',
    COMMENT COLUMN host 'Host of the target, empty: none',
    COMMENT COLUMN port 'Port of the target, 0: none',
    COMMENT COLUMN team 'Team that the incident names, empty: none',
    COMMENT COLUMN tags 'Tags of the target',
    COMMENT COLUMN criticality 'critical, important, normal',
    COMMENT COLUMN verdicts 'What each region said: up, down, slow, stale, pending',
    COMMENT COLUMN reasons 'Why it fails, by region; without those that do not',
    COMMENT COLUMN first_failed_at 'First failure (UTC)',
    COMMENT COLUMN opened_at 'When it was opened (UTC)',
    COMMENT COLUMN closed_at 'When it was closed (UTC); null: it is open',
    COMMENT COLUMN closed_because 'recovered, resolved (by hand), steady, flapping, abandoned, target_removed, target_changed, target_paused, policy_changed; empty: it is open',
    COMMENT COLUMN detect_s 'From the first failure to the opening, in s',
    COMMENT COLUMN open_s 'From the opening to the closing, or now, in s',
    COMMENT COLUMN duration_s 'Whole length from the first failure to the end, or now, in s; an outage ends as the view outages says, slow and expiring when they close',
    COMMENT COLUMN summary 'One sentence: what it looks like',
    COMMENT COLUMN acknowledged_by 'Who has acknowledged it, empty: nobody; taken back when it worsens',
    COMMENT COLUMN acknowledged_note 'What acknowledged_by wrote with it; empty: nothing',
    COMMENT COLUMN resolved_by 'Who resolved it by hand; empty: it is open, or closed otherwise',
    COMMENT COLUMN resolved_note 'What resolved_by wrote with it; empty: nothing',
    COMMENT COLUMN expect 'What the port should be: open, or closed (unreachable then means that it is open)',
    COMMENT COLUMN changed_at 'When its newest event was (UTC)';
