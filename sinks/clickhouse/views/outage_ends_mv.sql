DROP VIEW IF EXISTS {internal}.outage_ends_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.outage_ends_mv
REFRESH AFTER 5 MINUTE APPEND TO {internal}.outage_ends EMPTY AS
SELECT incident_id, ended_at, now64(3, 'UTC') AS reckoned_at
FROM {internal}.outage_ends_now
COMMENT 'Adds to outage_ends every 5 minutes';
