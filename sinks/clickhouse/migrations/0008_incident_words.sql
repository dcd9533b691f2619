-- What people said of an incident by hand, and when a flapping one recovered last.
ALTER TABLE {database}.incidents
    ADD COLUMN IF NOT EXISTS acknowledged_note String
        COMMENT 'what acknowledged_by wrote with the acknowledgement, empty if nothing'
        AFTER acknowledged_by,
    ADD COLUMN IF NOT EXISTS resolved_by String
        COMMENT 'of the closing event of an incident that was resolved by hand: by whom'
        AFTER acknowledged_note,
    ADD COLUMN IF NOT EXISTS resolved_note String
        COMMENT 'what resolved_by wrote with it, empty if nothing'
        AFTER resolved_by,
    ADD COLUMN IF NOT EXISTS recovered_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'of the closing event of a flapping incident: its last recovery (UTC, ms), null if unknown'
        AFTER resolved_note;
