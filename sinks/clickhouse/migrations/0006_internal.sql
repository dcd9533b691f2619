-- Roll-ups, and what is reckoned in the background, have a database of their own. A new installation
-- has them there since 0002; this moves those of an older one, while its sink may still insert.
--
-- The views that feed a roll-up name it, and can't be moved with it. So that no block passes between
-- the old view and the new one, `results` takes none meanwhile: a sink repeats a refused block until
-- it lands, with the same token. SYNC waits for the inserts that began before. Whoever is interrupted
-- leaves `results` closed: the next one goes on from there, and opens it.
ALTER TABLE {database}.results ADD CONSTRAINT IF NOT EXISTS roll_ups_are_being_moved CHECK 0;

DROP VIEW IF EXISTS {database}.results_hourly_mv SYNC;
DROP VIEW IF EXISTS {database}.results_daily_mv SYNC;
DROP VIEW IF EXISTS {database}.regions_hourly_mv SYNC;
DROP VIEW IF EXISTS {database}.failures_daily_mv SYNC;
DROP VIEW IF EXISTS {database}.certificates_mv SYNC;
DROP VIEW IF EXISTS {database}.uptime_recent_mv SYNC;
DROP VIEW IF EXISTS {database}.uptime_all_mv SYNC;
DROP VIEW IF EXISTS {database}.latency_week_mv SYNC;
DROP VIEW IF EXISTS {database}.uptime_now;
DROP VIEW IF EXISTS {database}.spans_daily;
DROP VIEW IF EXISTS {database}.watched;

RENAME TABLE IF EXISTS {database}.results_hourly TO {internal}.results_hourly;
RENAME TABLE IF EXISTS {database}.results_daily TO {internal}.results_daily;
RENAME TABLE IF EXISTS {database}.regions_hourly TO {internal}.regions_hourly;
RENAME TABLE IF EXISTS {database}.failures_daily TO {internal}.failures_daily;
RENAME TABLE IF EXISTS {database}.certificates TO {internal}.certificates;
RENAME TABLE IF EXISTS {database}.uptime_days TO {internal}.uptime_days;
RENAME TABLE IF EXISTS {database}.latency_week TO {internal}.latency_week;

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.results_hourly_mv TO {internal}.results_hourly AS
SELECT
    target,
    region,
    toStartOfHour(scheduled_at) AS hour,
    countIf(status != 'missed') AS checks,
    countIf(status = 'up') AS up,
    countIf(status = 'missed') AS missed,
    quantilesBFloat16StateIf(0.5, 0.95, 0.99)(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS latency_us,
    maxIf(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS max_us
FROM {database}.results
GROUP BY target, region, hour
COMMENT 'Feeds results_hourly with each insert';

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.results_daily_mv TO {internal}.results_daily AS
SELECT
    target,
    region,
    toDate(hour) AS day,
    sum(h.checks) AS checks,
    sum(h.up) AS up,
    sum(h.missed) AS missed,
    groupBitOr(if(h.checks > 0, bitShiftLeft(toUInt32(1), toHour(hour)), toUInt32(0))) AS hours,
    quantilesBFloat16MergeState(0.5, 0.95, 0.99)(h.latency_us) AS latency_us,
    max(h.max_us) AS max_us
FROM {internal}.results_hourly AS h
GROUP BY target, region, day
COMMENT 'Feeds results_daily with each insert';

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.regions_hourly_mv TO {internal}.regions_hourly AS
SELECT
    region,
    toStartOfHour(scheduled_at) AS hour,
    countIf(status != 'missed') AS checks,
    countIf(status = 'up') AS up,
    countIf(status = 'missed') AS missed,
    maxIf(assumeNotNull(ifNull(connect_us, total_us)), status = 'up') AS max_us
FROM {database}.results
GROUP BY region, hour
COMMENT 'Feeds regions_hourly with each insert';

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.failures_daily_mv TO {internal}.failures_daily AS
SELECT toDate(scheduled_at) AS day, region, reason, target, count() AS failures
FROM {database}.results
WHERE status = 'down'
GROUP BY day, region, reason, target
COMMENT 'Feeds failures_daily with each insert';

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.certificates_mv TO {internal}.certificates AS
SELECT
    target,
    region,
    argMaxState(assumeNotNull(cert_expires_at), started_at) AS expires_at,
    max(started_at) AS seen_at
FROM {database}.results
WHERE cert_expires_at IS NOT NULL
GROUP BY target, region
COMMENT 'Feeds certificates with each insert';

ALTER TABLE {database}.results DROP CONSTRAINT IF EXISTS roll_ups_are_being_moved;
