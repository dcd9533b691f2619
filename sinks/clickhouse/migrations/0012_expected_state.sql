-- Ports that must be closed: what is down is open.
ALTER TABLE {database}.targets
    ADD COLUMN IF NOT EXISTS expect LowCardinality(String) DEFAULT 'open'
        COMMENT 'what the port should be: open, or closed (it is down when it is open)'
        AFTER downtime_cost_per_hour;
ALTER TABLE {database}.incidents
    ADD COLUMN IF NOT EXISTS expect LowCardinality(String) DEFAULT 'open'
        COMMENT 'what the port should be: open, or closed (unreachable then means that it is open)'
        AFTER recovered_at;
