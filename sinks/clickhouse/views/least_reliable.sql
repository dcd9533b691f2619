-- The last 30 days, the worst first. An outage that began before counts with its part in them.
CREATE OR REPLACE VIEW {database}.least_reliable AS
WITH toInt64(toUInt16(toDate(now('UTC')) - 29)) * 86400000 AS since_ms
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
    SELECT target, count() AS outages, max(end_ms - greatest(begin_ms, since_ms)) / 1000 AS longest_s
    FROM {database}.outages
    WHERE end_ms > since_ms
    GROUP BY target
) AS o USING (target)
ORDER BY uptime_percent, target
COMMENT 'Targets of the last 30 days (UTC, today included), the worst first; an outage that began before counts with its part in them; removed targets, too. Uptime is as old as uptime_daily, outages are those of now';

ALTER TABLE {database}.least_reliable
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Name of the target',
    COMMENT COLUMN team 'Team of the target, empty: none',
    COMMENT COLUMN uptime_percent '100 × (1 - down_s / measured_s), in percent, 0 to 100; null: nothing measured',
    COMMENT COLUMN down_s 'Time down in these days, in s: outages of the types unreachable and flapping, overlapping ones once',
    COMMENT COLUMN outages 'Outages of which any part is in these days, overlapping ones each for itself',
    COMMENT COLUMN longest_s 'The longest part of an outage in these days, in s; 0: no outage',
    COMMENT COLUMN mean_time_to_recover_s 'down_s / outages, in s; null: no outage',
    COMMENT COLUMN mean_time_between_s 'Time up / outages, in s; null: no outage';
