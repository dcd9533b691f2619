-- Targets that nobody checks: paused for a while, or not enabled by their inventory.
ALTER TABLE {database}.targets
    ADD COLUMN IF NOT EXISTS enabled Bool DEFAULT true
        COMMENT 'false: nobody checks it'
        AFTER expect;
CREATE TABLE IF NOT EXISTS {database}.pauses
(
    target        String,
    removed       UInt8,
    paused_at     DateTime64(3, 'UTC'),
    paused_until  Nullable(DateTime64(3, 'UTC')),
    paused_by     String,
    reason        String,
    log_partition UInt16,
    log_offset    UInt64,
    appended_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (target, log_partition, log_offset)
SETTINGS non_replicated_deduplication_window = 10000;
