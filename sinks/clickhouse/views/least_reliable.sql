-- The last 30 days, the worst first. An outage counts for the day on which it began.
CREATE OR REPLACE VIEW {database}.least_reliable AS
SELECT
    u.target AS target,
    u.name AS name,
    u.team AS team,
    if(u.measured_s > 0, 100 * (1 - u.down_s / u.measured_s), NULL) AS uptime_percent,
    u.down_s AS down_s,
    o.outages AS outages,
    o.longest_s AS longest_s,
    if(o.outages > 0, u.down_s / o.outages, NULL) AS mean_time_to_recover_s,
    if(o.outages > 0, (u.measured_s - u.down_s) / o.outages, NULL) AS mean_time_between_s
FROM
(
    SELECT
        target,
        argMax(d.name, day) AS name,
        argMax(d.team, day) AS team,
        sum(d.down_s) AS down_s,
        sum(d.measured_s) AS measured_s
    FROM {database}.uptime_daily AS d
    WHERE day > toDate(now('UTC')) - 30
    GROUP BY target
) AS u
LEFT JOIN
(
    SELECT toString(target) AS target, count() AS outages, max(end_ms - begin_ms) / 1000 AS longest_s
    FROM {database}.outages
    WHERE intDiv(begin_ms, 86400000) > toUInt16(toDate(now('UTC'))) - 30
    GROUP BY target
) AS o USING (target)
ORDER BY uptime_percent, target;
