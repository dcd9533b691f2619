CREATE OR REPLACE VIEW {database}.failure_reasons_daily AS
SELECT
    day,
    region,
    reason,
    sum(f.failures) AS failures,
    uniqExact(target) AS targets
FROM {internal}.failures_daily AS f
GROUP BY day, region, reason;
