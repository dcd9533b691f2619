-- Ready-made answers. docs/analytics.md explains them, with examples and the formulas.

-- The newest event of each incident. A duplicate of an older event (the stream may write one
-- again) is older by `at`, so it never wins.
CREATE OR REPLACE VIEW {database}.incidents_current AS
SELECT
    incident_id,
    if(closed_at IS NULL, 'open', 'closed') AS status,
    incident_type,
    severity,
    target,
    name,
    kind,
    host,
    port,
    team,
    tags,
    criticality,
    verdicts,
    reasons,
    first_failed_at,
    opened_at,
    closed_at,
    closed_because,
    (toUnixTimestamp64Milli(opened_at) - toUnixTimestamp64Milli(first_failed_at)) / 1000 AS time_to_detect_s,
    (toUnixTimestamp64Milli(ifNull(closed_at, now64(3, 'UTC'))) - toUnixTimestamp64Milli(opened_at)) / 1000 AS duration_s,
    summary,
    acknowledged_by,
    acknowledged_note,
    resolved_by,
    resolved_note,
    at AS changed_at
FROM
(
    SELECT *
    FROM {database}.incidents
    ORDER BY at DESC, log_offset DESC
    LIMIT 1 BY incident_id
);

ALTER TABLE {database}.incidents_current
    COMMENT COLUMN acknowledged_by 'Who acknowledged it; empty if nobody did, or if it worsened since',
    COMMENT COLUMN acknowledged_note 'What acknowledged_by wrote with it; empty if nothing',
    COMMENT COLUMN resolved_by 'Who resolved it by hand; empty if it is open or closed otherwise',
    COMMENT COLUMN resolved_note 'What resolved_by wrote with it; empty if nothing';
