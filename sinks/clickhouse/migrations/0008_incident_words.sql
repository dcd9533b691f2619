-- What the closing event of an incident says of its last recovery.
ALTER TABLE {database}.incidents
    ADD COLUMN IF NOT EXISTS recovered_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'of the closing event of a flapping incident: its last recovery (UTC, ms), null if unknown'
        AFTER acknowledged_by;
