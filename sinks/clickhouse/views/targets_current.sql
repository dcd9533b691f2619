-- The newest definition of each target that was not removed.
CREATE OR REPLACE VIEW {database}.targets_current AS
SELECT * EXCEPT removed
FROM
(
    SELECT *
    FROM {database}.targets
    ORDER BY appended_at DESC, removed ASC, version DESC
    LIMIT 1 BY target
)
WHERE removed = 0;
