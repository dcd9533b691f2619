-- What is expected of each job, and what it reported last.
CREATE OR REPLACE VIEW {database}.jobs_now AS
SELECT
    t.target AS target,
    t.name AS name,
    t.team AS team,
    s.status AS status,
    s.since AS since,
    t.job_interval_ms / 1000 AS interval_s,
    t.job_schedule AS schedule,
    t.job_zone AS zone,
    t.job_grace_ms / 1000 AS grace_s,
    t.job_max_runtime_ms / 1000 AS max_runtime_s,
    if(r.last_at > toDateTime64(0, 3, 'UTC'), r.last_at, NULL) AS last_report_at,
    if(r.success_at > toDateTime64(0, 3, 'UTC'), r.success_at, NULL) AS last_success_at,
    if(r.fail_at > toDateTime64(0, 3, 'UTC'), r.fail_at, NULL) AS last_failure_at,
    if(r.start_at > toDateTime64(0, 3, 'UTC'), r.start_at, NULL) AS last_start_at,
    if(r.success_at >= r.fail_at, r.success_code, r.fail_code) AS exit_code,
    if(interval_s IS NULL, NULL, fromUnixTimestamp64Milli(
        toUnixTimestamp64Milli(if(r.last_at > toDateTime64(0, 3, 'UTC'), r.last_at, t.appended_at)) + toInt64(assumeNotNull(t.job_interval_ms)), 'UTC'
    )) AS due_at
FROM {database}.targets_current AS t
LEFT JOIN
(
    SELECT
        target,
        maxIf(n.reported_at, signal = 'success') AS success_at,
        maxIf(n.reported_at, signal = 'fail') AS fail_at,
        greatest(success_at, fail_at) AS last_at,
        maxIf(n.reported_at, signal = 'start') AS start_at,
        argMaxIf(tuple(n.exit_code), n.reported_at, signal = 'success').1 AS success_code,
        argMaxIf(tuple(n.exit_code), n.reported_at, signal = 'fail').1 AS fail_code
    FROM {internal}.newest_signals AS n FINAL
    GROUP BY target
) AS r ON r.target = t.target
LEFT JOIN (SELECT target, status, since FROM {database}.status_now WHERE kind = 'heartbeat') AS s ON s.target = t.target
WHERE t.kind = 'heartbeat'
COMMENT 'Each job of the inventory: what is expected of it, and what it reported last, also longer ago than results are kept';

ALTER TABLE {database}.jobs_now
    COMMENT COLUMN target 'Id of the job',
    COMMENT COLUMN name 'Its name',
    COMMENT COLUMN team 'Its team; empty: none',
    COMMENT COLUMN status 'As in status_now',
    COMMENT COLUMN since 'From when on (UTC) it is so, as in status_now; null: up, pending or failing',
    COMMENT COLUMN interval_s 'Time between two reports, in s; null: it has a schedule',
    COMMENT COLUMN schedule 'When it runs, the five fields of crontab(5); empty: it has an interval',
    COMMENT COLUMN zone 'Time zone of the schedule',
    COMMENT COLUMN grace_s 'How late a report may be, in s',
    COMMENT COLUMN max_runtime_s 'How long a run may last, in s; null: no limit',
    COMMENT COLUMN last_report_at 'Newest success or failure, UTC; null: none yet',
    COMMENT COLUMN last_success_at 'Newest success, UTC; null: none yet',
    COMMENT COLUMN last_failure_at 'Newest failure, UTC; null: none yet',
    COMMENT COLUMN last_start_at 'Newest start, UTC; null: none yet',
    COMMENT COLUMN exit_code 'Exit code in the newest success or failure; null: it said none',
    COMMENT COLUMN due_at 'When the next report of a job with an interval is due, UTC; in the past: it is late. Null: it has a schedule';
