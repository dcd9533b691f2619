-- The newest definition of each target that was not removed. A target whose host changes moves to
-- another partition: the definition there and the removal here may come in the same millisecond.
CREATE OR REPLACE VIEW {database}.targets_current AS
SELECT * EXCEPT removed
FROM
(
    SELECT *
    FROM
    (
        SELECT *
        FROM {database}.targets
        ORDER BY log_offset DESC
        LIMIT 1 BY target, log_partition
    )
    ORDER BY appended_at DESC, removed ASC, version DESC
    LIMIT 1 BY target
)
WHERE removed = 0
COMMENT 'The inventory: the newest definition of each target that was not removed';

ALTER TABLE {database}.targets_current
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN version 'Time when the definition was applied, UTC',
    COMMENT COLUMN source 'Inventory that the target comes from',
    COMMENT COLUMN name 'Name for people',
    COMMENT COLUMN kind 'What is checked: tcp, tls, http, …',
    COMMENT COLUMN host 'Host name or address; empty: none',
    COMMENT COLUMN port 'Port; 0: none',
    COMMENT COLUMN regions 'Regions that check it',
    COMMENT COLUMN interval_ms 'Interval between checks, in ms; of a job see job_interval_ms',
    COMMENT COLUMN timeout_ms 'Longest time of a check, in ms',
    COMMENT COLUMN criticality 'critical, important, normal',
    COMMENT COLUMN team 'Team; empty: none',
    COMMENT COLUMN purpose 'What it is for, in words; empty: not said',
    COMMENT COLUMN tags 'Tags',
    COMMENT COLUMN depends_on 'Ids of the targets that it depends on',
    COMMENT COLUMN runbook 'Link to what to do; empty: none',
    COMMENT COLUMN slo 'Uptime objective, in percent (50 to 100); null: none',
    COMMENT COLUMN downtime_cost_per_hour 'Cost of an hour down, in the currency of the inventory; null: not priced',
    COMMENT COLUMN expect 'What the port should be: open, or closed (it is down when it is open)',
    COMMENT COLUMN enabled 'false: its inventory says that nobody checks it',
    COMMENT COLUMN job_interval_ms 'A job: time between two reports, in ms; null: it has a schedule, or is no job',
    COMMENT COLUMN job_schedule 'A job: when it runs, the five fields of crontab(5); empty: it has an interval, or is no job',
    COMMENT COLUMN job_zone 'A job: time zone of its schedule; empty: no job',
    COMMENT COLUMN job_grace_ms 'A job: how late a report may be, in ms; null: no job',
    COMMENT COLUMN job_max_runtime_ms 'A job: how long a run may last, in ms; null: no limit, or no job',
    COMMENT COLUMN raw 'The definition as it was published, JSON',
    COMMENT COLUMN log_partition 'Partition of the topic targets that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';
