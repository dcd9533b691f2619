-- The slowest first.
CREATE OR REPLACE VIEW {database}.slowest AS
SELECT target, t.name AS name, t.team AS team, up, p50_ms, p95_ms, p99_ms, max_ms
FROM {internal}.latency_week AS s
INNER JOIN (SELECT target, name, team FROM {database}.targets_current) AS t USING (target)
ORDER BY p95_ms DESC, target;
