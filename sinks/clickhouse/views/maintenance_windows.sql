-- Each time a maintenance window is on, past and to come, while its definition stood in the
-- inventory: one that is removed while it is on ends there, one that is applied late begins there.
CREATE OR REPLACE VIEW {database}.maintenance_windows AS
SELECT
    source,
    name,
    selectors,
    fromUnixTimestamp64Milli(begin_ms, 'UTC') AS begin_at,
    fromUnixTimestamp64Milli(end_ms, 'UTC') AS end_at,
    greatest(toUnixTimestamp64Milli(begun), from_ms) AS begin_ms,
    least(toUnixTimestamp64Milli(begun) + toInt64(duration_ms), until_ms) AS end_ms
FROM
(
    SELECT
        source,
        name,
        removed,
        targets AS selectors,
        duration_ms,
        begins,
        toUnixTimestamp64Milli(appended_at) AS from_ms,
        leadInFrame(toUnixTimestamp64Milli(appended_at), 1, toInt64(9999999999999)) OVER (
            PARTITION BY key ORDER BY log_partition, log_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS until_ms
    FROM {database}.maintenance
)
ARRAY JOIN begins AS begun
WHERE removed = 0 AND begin_ms < end_ms
COMMENT 'Each time at which a maintenance window was or will be on, as far as its definition stood in the inventory: removed while it is on it ends there, applied late it begins there. Repetitions reach ten years ahead';

ALTER TABLE {database}.maintenance_windows
    COMMENT COLUMN source 'Inventory that the window comes from',
    COMMENT COLUMN name 'Name of the window',
    COMMENT COLUMN selectors 'What it covers: ids of targets, and tag:NAME for all targets with a tag. Those targets: SELECT w.name, t.target FROM maintenance_windows AS w, targets_known AS t WHERE has(w.selectors, t.target) OR hasAny(w.selectors, arrayMap(tag -> concat(''tag:'', tag), t.tags))',
    COMMENT COLUMN begin_at 'Begin, UTC',
    COMMENT COLUMN end_at 'End, UTC',
    COMMENT COLUMN begin_ms 'The same as begin_at, in ms since 1970',
    COMMENT COLUMN end_ms 'The same as end_at, in ms since 1970';
