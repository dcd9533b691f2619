CREATE OR REPLACE VIEW {database}.uptime_daily AS
SELECT
    * EXCEPT reckoned_at,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * (1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {internal}.uptime_days FINAL;
