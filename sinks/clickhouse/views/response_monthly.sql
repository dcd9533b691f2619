-- Weighted by 1 a quantile is the value at the nearest rank; the other exact ones have ranks of their own.
CREATE OR REPLACE VIEW {database}.response_monthly AS
SELECT
    toStartOfMonth(i.opened_at) AS month,
    team,
    count() AS incidents,
    quantileExactWeighted(0.5)(i.detect_s, 1) AS detect_p50_s,
    quantileExactWeighted(0.95)(i.detect_s, 1) AS detect_p95_s,
    100 * count(i.acknowledge_s) / incidents AS acknowledged_percent,
    quantileExactWeighted(0.5)(i.acknowledge_s, 1) AS acknowledge_p50_s,
    quantileExactWeighted(0.95)(i.acknowledge_s, 1) AS acknowledge_p95_s,
    quantileExactWeighted(0.5)(i.recover_s, 1) AS recover_p50_s,
    quantileExactWeighted(0.95)(i.recover_s, 1) AS recover_p95_s
FROM {database}.incident_times AS i
WHERE i.incident_type NOT IN ('slow', 'expiring')
GROUP BY month, team;
