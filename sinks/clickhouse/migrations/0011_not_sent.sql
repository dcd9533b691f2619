-- Why an event was not sent, and what a channel was given.
ALTER TABLE {database}.notifications
    ADD COLUMN IF NOT EXISTS why String
        COMMENT 'of an event that was not sent: why, empty otherwise'
        AFTER error,
    ADD COLUMN IF NOT EXISTS action LowCardinality(String)
        COMMENT 'what the channel was given: opened, worsened, improved, updated, closed or missed in words; trigger, acknowledge or resolve in an on-call system; empty if not sent, and in rows of 0.1'
        AFTER why;
