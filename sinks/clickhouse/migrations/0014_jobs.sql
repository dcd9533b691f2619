-- Jobs that report themselves (kind heartbeat): what a report says, and what is expected of a job.
ALTER TABLE {database}.results
    ADD COLUMN IF NOT EXISTS signal LowCardinality(String)
        COMMENT 'what a job reports: success, start, fail, log (a word that changes nothing); empty: a check, not a report'
        AFTER banner,
    ADD COLUMN IF NOT EXISTS exit_code Nullable(UInt8) CODEC(ZSTD(1))
        COMMENT 'exit code of the job''s command; null: it said none'
        AFTER signal,
    ADD COLUMN IF NOT EXISTS run String CODEC(ZSTD(1))
        COMMENT 'what the job calls its run: a start and its end have the same; empty: it named none'
        AFTER exit_code,
    ADD COLUMN IF NOT EXISTS output String CODEC(ZSTD(1))
        COMMENT 'last lines of what the job said, up to 4,000 characters; empty: nothing'
        AFTER run;
ALTER TABLE {database}.targets
    ADD COLUMN IF NOT EXISTS job_interval_ms Nullable(UInt64)
        COMMENT 'a job: time between two reports, in ms; null: it has a schedule, or is no job'
        AFTER enabled,
    ADD COLUMN IF NOT EXISTS job_schedule String
        COMMENT 'a job: when it runs, the five fields of crontab(5); empty: it has an interval, or is no job'
        AFTER job_interval_ms,
    ADD COLUMN IF NOT EXISTS job_zone LowCardinality(String)
        COMMENT 'a job: time zone of its schedule; empty: no job'
        AFTER job_schedule,
    ADD COLUMN IF NOT EXISTS job_grace_ms Nullable(UInt32)
        COMMENT 'a job: how late a report may be, in ms; null: no job'
        AFTER job_zone,
    ADD COLUMN IF NOT EXISTS job_max_runtime_ms Nullable(UInt32)
        COMMENT 'a job: how long a run may last, in ms; null: no limit, or no job'
        AFTER job_grace_ms;

-- The newest report of each job and signal, for longer than results are kept: a yearly job has a last
-- success. Reports that the rules count (docs/rules.md, 16) by their times, and words (log).
CREATE TABLE IF NOT EXISTS {internal}.newest_signals
(
    target      String COMMENT 'id of the job',
    signal      LowCardinality(String) COMMENT 'success, start, fail, log',
    reported_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when the receiver took it',
    run         String CODEC(ZSTD(1)) COMMENT 'what the job calls its run; empty: it named none',
    exit_code   Nullable(UInt8) CODEC(ZSTD(1)) COMMENT 'exit code of its command; null: it said none',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'by the broker',
    newness     UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'appended_at in ms, times 256, and the attempt'
)
ENGINE = ReplacingMergeTree(newness)
ORDER BY (target, signal)
TTL toDateTime(appended_at) + toIntervalDay({rollups_ttl_days})
COMMENT 'the newest report of each job and signal, for jobs_now';

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.newest_signals_mv TO {internal}.newest_signals AS
SELECT
    target,
    signal,
    started_at AS reported_at,
    run,
    exit_code,
    appended_at,
    toUnixTimestamp64Milli(appended_at) * 256 + attempt AS newness
FROM {database}.results
WHERE signal != ''
    AND started_at <= appended_at + toIntervalSecond(15)
    AND appended_at <= started_at + toIntervalSecond(30)
COMMENT 'Feeds newest_signals with each insert';
