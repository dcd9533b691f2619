-- The pauses that are on: neither ended by hand nor by their time, by the clock of ClickHouse.
CREATE OR REPLACE VIEW {database}.pauses_current AS
SELECT
    target,
    paused_at,
    paused_until,
    paused_by,
    reason
FROM
(
    SELECT *
    FROM {database}.pauses
    ORDER BY log_offset DESC
    LIMIT 1 BY target
)
WHERE removed = 0 AND (paused_until IS NULL OR paused_until > now64(3, 'UTC'))
COMMENT 'The pauses that are on, a row a target: nobody checks it. Targets that are not enabled are in targets_current (enabled = false)';

ALTER TABLE {database}.pauses_current
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN paused_at 'Begin, UTC',
    COMMENT COLUMN paused_until 'End, UTC; null: until somebody resumes it',
    COMMENT COLUMN paused_by 'Who paused it',
    COMMENT COLUMN reason 'Why';
