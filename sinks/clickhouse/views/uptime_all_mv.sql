DROP VIEW IF EXISTS {internal}.uptime_all_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS {internal}.uptime_all_mv
REFRESH EVERY 1 DAY OFFSET 3 HOUR RANDOMIZE FOR 1 HOUR APPEND TO {internal}.uptime_days EMPTY AS
SELECT *, now64(3, 'UTC') AS reckoned_at
FROM {internal}.uptime_now
COMMENT 'Reckons all days of uptime_days';
