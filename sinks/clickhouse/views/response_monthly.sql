CREATE OR REPLACE VIEW {database}.response_monthly AS
SELECT
    toStartOfMonth(i.opened_at) AS month,
    team,
    count() AS incidents,
    quantileExactInclusive(0.5)(i.detect_s) AS detect_p50_s,
    quantileExactInclusive(0.95)(i.detect_s) AS detect_p95_s,
    100 * count(i.acknowledge_s) / incidents AS acknowledged_percent,
    quantileExactInclusive(0.5)(i.acknowledge_s) AS acknowledge_p50_s,
    quantileExactInclusive(0.95)(i.acknowledge_s) AS acknowledge_p95_s,
    quantileExactInclusive(0.5)(i.recover_s) AS recover_p50_s,
    quantileExactInclusive(0.95)(i.recover_s) AS recover_p95_s
FROM {database}.incident_times AS i
WHERE i.incident_type NOT IN ('slow', 'expiring')
GROUP BY month, team;
