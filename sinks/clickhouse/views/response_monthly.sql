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
GROUP BY month, team
COMMENT 'How soon outages (unreachable, flapping) were detected, acknowledged and over, by team and month. An incident belongs to the month in which it was opened, with its whole times';

ALTER TABLE {database}.response_monthly
    COMMENT COLUMN month 'First day of the month (UTC)',
    COMMENT COLUMN team 'Team that the incidents name, empty: none',
    COMMENT COLUMN incidents 'Incidents that were opened',
    COMMENT COLUMN detect_p50_s 'Median of detect_s, in s (nearest rank)',
    COMMENT COLUMN detect_p95_s '95th percentile of detect_s, in s (nearest rank)',
    COMMENT COLUMN acknowledged_percent 'Share of them that somebody acknowledged, in percent',
    COMMENT COLUMN acknowledge_p50_s 'Median of acknowledge_s, in s, of those acknowledged; null: none',
    COMMENT COLUMN acknowledge_p95_s '95th percentile of acknowledge_s, in s, of those acknowledged (nearest rank); null: none',
    COMMENT COLUMN recover_p50_s 'Median of recover_s, in s, of those that are over; null: none',
    COMMENT COLUMN recover_p95_s '95th percentile of recover_s, in s, of those that are over (nearest rank); null: none';
