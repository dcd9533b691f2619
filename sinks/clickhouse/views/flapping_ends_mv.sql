DROP VIEW IF EXISTS {internal}.flapping_ends_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.flapping_ends_mv
REFRESH AFTER 1 MINUTE TO {internal}.flapping_ends EMPTY AS
SELECT incident_id, ended_at
FROM {internal}.flapping_ends_now
COMMENT 'Fills flapping_ends every minute';
