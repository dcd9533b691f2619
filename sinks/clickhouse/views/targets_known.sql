-- The newest definition of each target that ever was.
CREATE OR REPLACE VIEW {database}.targets_known AS
SELECT * EXCEPT removed
FROM {database}.targets
WHERE removed = 0
ORDER BY appended_at DESC, version DESC
LIMIT 1 BY target;
