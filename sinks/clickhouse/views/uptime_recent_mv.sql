DROP VIEW IF EXISTS {internal}.uptime_recent_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.uptime_recent_mv
REFRESH AFTER 5 MINUTE APPEND TO {internal}.uptime_days EMPTY AS
SELECT *, now64(3, 'UTC') AS reckoned_at
FROM {internal}.uptime_now
WHERE day > toDate(now('UTC')) - 3
COMMENT 'Reckons the last three days of uptime_days';
