CREATE OR REPLACE VIEW {database}.failure_reasons_daily AS
SELECT
    day,
    region,
    reason,
    sum(f.failures) AS failures,
    uniqExact(target) AS targets
FROM {internal}.failures_daily AS f
GROUP BY day, region, reason
COMMENT 'Failed checks of each region by reason and day: why checks fail; a check that was stored twice counts twice. Kept for two years by default';

ALTER TABLE {database}.failure_reasons_daily
    COMMENT COLUMN day 'Day for which the checks were scheduled, UTC',
    COMMENT COLUMN region 'Region that checked',
    COMMENT COLUMN reason 'Why the checks failed: connection_refused, timed_out, dns_failed, …',
    COMMENT COLUMN failures 'Number of failed checks (retries and rechecks are checks, too)',
    COMMENT COLUMN targets 'Number of different targets that failed so';
