-- Comments of the tables: what a table, a column is, its unit, and what null or empty means. Applied by
-- `migrate` when this file or the newest migration is not that of last time. A column that a later
-- migration adds has its comment there, or here.

ALTER TABLE {database}.results
    MODIFY COMMENT 'Every check of every target, and every report of every job, as probers and receivers sent it: one row a check, kept 30 days by default. A row may be there twice until parts are merged: count with FINAL',
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN kind 'What was checked: tcp, tls, http, dns, …',
    COMMENT COLUMN host 'Host name or address that was checked; empty: a target without a host',
    COMMENT COLUMN port 'Port; 0: none',
    COMMENT COLUMN region 'Region that checked',
    COMMENT COLUMN prober 'Name of the prober process that checked',
    COMMENT COLUMN scheduled_at 'Time when the check was due, UTC',
    COMMENT COLUMN started_at 'Time when the check began, UTC; of one that never began: when it was due',
    COMMENT COLUMN status 'up, down, or missed: nothing was measured (the check could not begin in time, prober_error, address_blocked, secret_missing; a job''s start or word)',
    COMMENT COLUMN reason 'Why it is not up: connection_refused, timed_out, dns_failed, …; empty: up, or a job''s start or word',
    COMMENT COLUMN attempt 'Position in a series of retries, 0: the first',
    COMMENT COLUMN cause 'Why it was checked: schedule, retry, recheck, manual',
    COMMENT COLUMN target_version 'Version of the target''s definition that was checked: when it was applied, UTC',
    COMMENT COLUMN detail 'More about the reason, in words; empty: nothing more to say',
    COMMENT COLUMN address 'IP address that was connected to; empty: none',
    COMMENT COLUMN dns_us 'Time of the DNS lookup, in µs; null: no lookup was needed, or it failed',
    COMMENT COLUMN connect_us 'Time of the network''s handshake (TCP), in µs; null: no connection',
    COMMENT COLUMN tls_us 'Time of the TLS handshake, in µs; null: none',
    COMMENT COLUMN total_us 'Time of the whole check (DNS, connection, TLS, dialogue), in µs, 71 min at most; of a job''s success or failure: how long its run took, as it measured that itself; null: not measured',
    COMMENT COLUMN cert_expires_at 'Earliest end of a certificate that the server showed, UTC; null: no certificate',
    COMMENT COLUMN http_status 'Status code of the HTTP answer; 0: none',
    COMMENT COLUMN banner 'First text that the server sent, up to 300 characters; empty: none',
    COMMENT COLUMN signal 'What a job reports (kind heartbeat, region receiver): success, start, fail, log (a word that changes nothing); empty: a check, not a report',
    COMMENT COLUMN exit_code 'Exit code of the job''s command; null: it said none',
    COMMENT COLUMN run 'What the job calls its run: a start and its end have the same; empty: it named none',
    COMMENT COLUMN output 'Last lines of what the job said, up to 4,000 characters; empty: nothing',
    COMMENT COLUMN log_partition 'Partition of the topic results that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC',
    COMMENT COLUMN log_line 'Line within the message, from 0',
    COMMENT COLUMN dns_ms 'Time of the DNS lookup, in ms; null: no lookup was needed, or it failed',
    COMMENT COLUMN connect_ms 'Time of the network''s handshake (TCP), in ms; null: no connection',
    COMMENT COLUMN tls_ms 'Time of the TLS handshake, in ms; null: none',
    COMMENT COLUMN total_ms 'Time of the whole check (DNS, connection, TLS, dialogue), in ms; of a job see job_runs; null: not measured';

ALTER TABLE {database}.incidents
    MODIFY COMMENT 'Every event of every incident, one row an event, kept for ever. How each incident is now: incidents_current',
    COMMENT COLUMN event_id 'Id of the event',
    COMMENT COLUMN event 'opened, updated, improved (no longer down, some regions still fail), worsened (down again), closed',
    COMMENT COLUMN incident_id 'Id of the incident',
    COMMENT COLUMN incident_type 'unreachable, flapping, slow, expiring (a certificate ends soon)',
    COMMENT COLUMN severity 'critical, warning, info',
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN kind 'What is checked: tcp, tls, http, …',
    COMMENT COLUMN host 'Host of the target; empty: none',
    COMMENT COLUMN port 'Port; 0: none',
    COMMENT COLUMN team 'Team of the target; empty: none',
    COMMENT COLUMN tags 'Tags of the target',
    COMMENT COLUMN criticality 'critical, important, normal',
    COMMENT COLUMN depends_on 'Ids of the targets that it depends on',
    COMMENT COLUMN verdicts 'By region: up, down, slow, stale (no fresh result), pending (no result yet)',
    COMMENT COLUMN reasons 'By region: reason of its last result, if it failed',
    COMMENT COLUMN votes_down 'Number of regions that say down (slow, expiring: that see it)',
    COMMENT COLUMN votes_need 'Number of regions that must agree',
    COMMENT COLUMN votes_fresh 'Number of regions with a fresh result',
    COMMENT COLUMN votes_configured 'Number of regions that check the target',
    COMMENT COLUMN first_failed_at 'Time of the first failure that led to the incident, UTC',
    COMMENT COLUMN opened_at 'Time when the incident opened, UTC',
    COMMENT COLUMN closed_at 'Time when it closed, UTC; null: it was open at this event',
    COMMENT COLUMN closed_because 'recovered, resolved (by hand), steady (no longer flapping), flapping (a flapping incident took its place), abandoned (no results), target_removed, target_changed, target_paused, policy_changed; empty: it was open',
    COMMENT COLUMN at 'Time of the event, UTC',
    COMMENT COLUMN summary 'The event in a sentence',
    COMMENT COLUMN changes 'What changed since the last event, in words',
    COMMENT COLUMN acknowledged_by 'Who has acknowledged the incident, as of this event; empty: nobody. Taken back when it worsens',
    COMMENT COLUMN acknowledged_note 'What acknowledged_by wrote with it; empty: nothing',
    COMMENT COLUMN resolved_by 'Who resolved it by hand, in its closing event; empty: nobody, or another event',
    COMMENT COLUMN resolved_note 'What resolved_by wrote with it; empty: nothing',
    COMMENT COLUMN expect 'What the port should be: open, or closed (unreachable then means that it is open)',
    COMMENT COLUMN recovered_at 'In the closing event of a flapping incident: its last recovery, UTC; null: unknown, or another event',
    COMMENT COLUMN raw 'The event as it was published, JSON',
    COMMENT COLUMN log_partition 'Partition of the topic incidents that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';

ALTER TABLE {database}.region_events
    MODIFY COMMENT 'Events of regions as a whole, one row an event, kept for ever: nobody hears it any more (silent), or again (returned); it fails where the others do not and is set aside (suspect), or counts again (cleared); the clock of a prober is wrong (clock_skewed)',
    COMMENT COLUMN event_id 'Id of the event',
    COMMENT COLUMN event 'region.silent, region.returned, region.suspect, region.cleared, region.clock_skewed, region.secrets_missing, region.secrets_found',
    COMMENT COLUMN region 'Region',
    COMMENT COLUMN at 'Time of the event, UTC',
    COMMENT COLUMN summary 'The event in a sentence',
    COMMENT COLUMN last_beat_at 'Time when the region was last heard, UTC; null: never, or the event is not about that',
    COMMENT COLUMN log_partition 'Partition of the topic incidents that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';

ALTER TABLE {database}.targets_events
    MODIFY COMMENT 'Events of targets that nobody can judge, one row an event of one partition, kept for ever; each replaces the partition''s earlier ones',
    COMMENT COLUMN event_id 'Id of the event',
    COMMENT COLUMN event 'targets.unwatched, targets.watched',
    COMMENT COLUMN cause_id 'Id of the cause: the same in all partitions that it blinds',
    COMMENT COLUMN severity 'critical, warning, info',
    COMMENT COLUMN count 'Number of unwatched targets of the partition; 0: all are watched again',
    COMMENT COLUMN most_critical 'Ids of the most critical of them, a few',
    COMMENT COLUMN silent_regions 'Their regions that are not heard',
    COMMENT COLUMN since 'Time from which the first of them could not be judged, UTC',
    COMMENT COLUMN at 'Time of the event, UTC',
    COMMENT COLUMN summary 'The event in a sentence',
    COMMENT COLUMN log_partition 'Partition of the topic incidents that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';

ALTER TABLE {database}.notifications
    MODIFY COMMENT 'Who was told of what and when, and who was not and why: every attempt to tell an event on a channel, one row an attempt''s outcome, and every event that was not told, kept for ever. Who knows of an incident: SELECT at, channel, action FROM notifications WHERE incident_id = ''…'' AND status = ''sent'' ORDER BY at',
    COMMENT COLUMN event_id 'Id of the event that is told',
    COMMENT COLUMN incident_id 'Id of its incident',
    COMMENT COLUMN event 'What is told: opened, closed, …',
    COMMENT COLUMN target 'Id of the target; of an event that is not of one target: what it is about',
    COMMENT COLUMN team 'Team of the target; empty: none',
    COMMENT COLUMN route 'Route of the configuration that the event took; empty: no channel was chosen',
    COMMENT COLUMN channel 'Channel without its secrets: route/id/scheme, in rows of 0.1 route/position/scheme; empty: no channel was chosen',
    COMMENT COLUMN severity 'Severity of the event: critical, warning, info',
    COMMENT COLUMN status 'sent (the channel confirmed), retrying, dead (given up: people must see it), not_sent (nothing was to be sent: why)',
    COMMENT COLUMN attempt 'Number of the attempt, from 1; 1 if not sent',
    COMMENT COLUMN at 'Time of the attempt, or of the decision not to send, by the notifier''s clock, UTC',
    COMMENT COLUMN event_at 'Time of the event, UTC',
    COMMENT COLUMN subject 'Subject of the message',
    COMMENT COLUMN `group` 'Id of the message: events that were told in one message share it',
    COMMENT COLUMN error 'Why the channel did not take it; empty: it did, or was not asked',
    COMMENT COLUMN why 'Why the event was not sent, in words: silence NAME by …, maintenance: NAME until …, dependency: NAME is down, no route takes it, …; empty: it was, or was tried',
    COMMENT COLUMN action 'What the channel was given. In words: opened, worsened, improved, updated, closed, missed, reminder; in an on-call system: trigger, acknowledge, resolve; empty: not sent, or a row of 0.1',
    COMMENT COLUMN log_partition 'Partition of the topic notifications that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';

ALTER TABLE {database}.targets
    MODIFY COMMENT 'Every definition of every target, one row a change, kept for ever. The present ones: targets_current',
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN removed '1: the target was removed from the inventory, and the other columns are empty; 0: a definition',
    COMMENT COLUMN version 'Time when the definition was applied, UTC; of a removal: when it was written',
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

ALTER TABLE {database}.maintenance
    MODIFY COMMENT 'Every definition of every maintenance window, one row a change, kept for ever. When windows are on: maintenance_windows',
    COMMENT COLUMN `key` 'Id of the window: its inventory and name',
    COMMENT COLUMN removed '1: the window was removed; 0: a definition',
    COMMENT COLUMN source 'Inventory that the window comes from',
    COMMENT COLUMN name 'Name of the window',
    COMMENT COLUMN targets 'What it covers: ids of targets, and tag:NAME for all targets with a tag',
    COMMENT COLUMN start 'Begin of the first time, UTC',
    COMMENT COLUMN duration_ms 'Length of each time, in ms',
    COMMENT COLUMN rrule 'Rule of repetition (RFC 5545); empty: once',
    COMMENT COLUMN begins 'All begins, UTC: the rule unrolled for ten years, 5,000 at most',
    COMMENT COLUMN log_partition 'Partition of the topic policy that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';

ALTER TABLE {database}.pauses
    MODIFY COMMENT 'Every pause of every target, one row a change, kept for ever. Those that are on: pauses_current',
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN removed '1: the pause was ended by hand, or was removed a day after its end; 0: a pause',
    COMMENT COLUMN paused_at 'Begin, UTC; of a removal: when it was written',
    COMMENT COLUMN paused_until 'End, UTC; null: until somebody resumes it',
    COMMENT COLUMN paused_by 'Who paused it; empty: a removal',
    COMMENT COLUMN reason 'Why; empty: a removal',
    COMMENT COLUMN log_partition 'Partition of the topic policy that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';

ALTER TABLE {database}.deadletter
    MODIFY COMMENT 'Messages, and lines of messages, that could not be read, one row each, kept for ever',
    COMMENT COLUMN id 'Id: topic:partition:offset:line',
    COMMENT COLUMN topic 'Topic of the unreadable message',
    COMMENT COLUMN `partition` 'Its partition',
    COMMENT COLUMN `offset` 'Its offset',
    COMMENT COLUMN line 'Line of a batch, from 0; -1: the whole message',
    COMMENT COLUMN part 'Part of the message that could not be read',
    COMMENT COLUMN error 'Why not',
    COMMENT COLUMN at 'Time when the broker appended the unreadable message, UTC',
    COMMENT COLUMN size 'Size of the whole message or line, in bytes',
    COMMENT COLUMN raw 'The first 64 KB of it, base64',
    COMMENT COLUMN log_partition 'Partition of the topic deadletter that the row came from',
    COMMENT COLUMN log_offset 'Offset of its message in that partition',
    COMMENT COLUMN appended_at 'Time when the broker appended the message to the log, UTC';

ALTER TABLE {database}.gaps
    MODIFY COMMENT 'Messages that were gone from the log before the sink read them (retention), one row a gap; empty: nothing was ever missed',
    COMMENT COLUMN topic 'Topic',
    COMMENT COLUMN `partition` 'Partition',
    COMMENT COLUMN expected 'Offset that was due',
    COMMENT COLUMN found 'Offset that the log had next: expected to found - 1 are missing',
    COMMENT COLUMN at 'Time when the gap was found, UTC';

ALTER TABLE {database}.migrations
    MODIFY COMMENT 'Versions of this schema that were applied, one row each: for portquorum itself',
    COMMENT COLUMN version 'Number of the migration',
    COMMENT COLUMN name 'Name of its file',
    COMMENT COLUMN applied_at 'Time when it was applied, UTC';

ALTER TABLE {internal}.results_hourly MODIFY COMMENT 'Checks of a target and region in an hour (UTC)';
ALTER TABLE {internal}.results_daily MODIFY COMMENT 'Checks of a target and region on a day (UTC)';
ALTER TABLE {internal}.regions_hourly MODIFY COMMENT 'Checks of a region in an hour (UTC)';
ALTER TABLE {internal}.failures_daily MODIFY COMMENT 'Failed checks of a target and region by reason on a day (UTC)';
ALTER TABLE {internal}.certificates MODIFY COMMENT 'The certificate that a target showed a region last';
ALTER TABLE {internal}.uptime_days MODIFY COMMENT 'The view uptime_now, kept: one row a target, day and reckoning, the newest counts';
ALTER TABLE {internal}.latency_week MODIFY COMMENT 'Latencies of a target in the last 7 days, reckoned every 15 minutes';
-- Not of the views that feed: an ALTER of one changes the ids of its blocks until the next start
-- (ClickHouse 26.9), and a block that is sent again after it would be counted twice.
