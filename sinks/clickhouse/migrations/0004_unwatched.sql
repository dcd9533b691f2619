-- Targets that nobody can judge (rule 12): the stream's events.
CREATE TABLE IF NOT EXISTS {database}.targets_events
(
    event_id       String,
    event          LowCardinality(String) COMMENT 'targets.unwatched, targets.watched',
    cause_id       String COMMENT 'the same in all partitions that one cause blinds',
    severity       LowCardinality(String),
    count          UInt32 COMMENT 'unwatched targets of the partition',
    most_critical  Array(String) COMMENT 'the ids of a few of them',
    silent_regions Array(LowCardinality(String)),
    since          DateTime64(3, 'UTC'),
    at             DateTime64(3, 'UTC'),
    summary        String,
    log_partition  UInt16,
    log_offset     UInt64,
    appended_at    DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (log_partition, at, event_id)
SETTINGS non_replicated_deduplication_window = 10000;
