CREATE OR REPLACE VIEW {database}.slowest AS
SELECT target, t.name AS name, t.team AS team, t.kind AS kind, t.host AS host, t.port AS port,
    up, p50_ms, p95_ms, p99_ms, max_ms
FROM {internal}.latency_week AS s
INNER JOIN (SELECT target, name, team, kind, host, port FROM {database}.targets_current) AS t USING (target)
ORDER BY p95_ms DESC, target
COMMENT 'Percentiles of the latency of each target of the inventory that had a success in the last 7 days (UTC, today included), the slowest (p95_ms) first; at most 15 minutes old. Of one that was moved to another host or port both count';

ALTER TABLE {database}.slowest
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Its name',
    COMMENT COLUMN team 'Its team; empty: none',
    COMMENT COLUMN kind 'Kind of check: tcp, http, postgres, …',
    COMMENT COLUMN host 'Host that is checked; empty: a target without one',
    COMMENT COLUMN port 'Port that is checked; 0: none',
    COMMENT COLUMN up 'Number of checks that succeeded in the last 7 days, from all regions',
    COMMENT COLUMN p50_ms 'Median latency of the successes of the last 7 days from all regions (of the connection, or of the whole check of a kind without one), in ms: the value at the nearest rank, within 0.4 %',
    COMMENT COLUMN p95_ms 'Latency of the successes that 95 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN p99_ms 'Latency of the successes that 99 % do not exceed, in ms, as p50_ms',
    COMMENT COLUMN max_ms 'Longest latency of the successes of the last 7 days, in ms, exact';
