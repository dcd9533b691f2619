-- What each outage cost: as downtime_cost_daily, of one outage.
CREATE OR REPLACE VIEW {database}.outage_costs AS
SELECT
    p.target AS target,
    p.incident_id AS incident_id,
    p.incident_type AS incident_type,
    p.team AS team,
    p.began_at AS began_at,
    p.ended_at AS ended_at,
    p.duration_s AS duration_s,
    p.is_open AS is_open,
    sum(p.down_ms - p.planned_ms) / 1000 AS unplanned_s,
    sum(p.planned_ms) / 1000 AS planned_s,
    sum((p.down_ms - p.planned_ms) / 3600000 * d.cost_per_hour) AS cost
FROM
(
    SELECT
        target,
        incident_id,
        incident_type,
        team,
        began_at,
        ended_at,
        duration_s,
        is_open,
        toDate(toUInt16(day_number)) AS day,
        intervalLengthSumIf(
            greatest(span.2, day_number * 86400000), least(span.3, (day_number + 1) * 86400000), span.1 = 'down'
        ) AS down_ms,
        intervalLengthSumIf(
            greatest(span.2, day_number * 86400000), least(span.3, (day_number + 1) * 86400000), span.1 = 'maintenance'
        ) AS planned_ms
    FROM
    (
        SELECT
            o.target AS target,
            o.incident_id AS incident_id,
            o.incident_type AS incident_type,
            o.team AS team,
            o.began_at AS began_at,
            o.ended_at AS ended_at,
            o.duration_s AS duration_s,
            o.is_open AS is_open,
            greatest(o.begin_ms, w.begin_ms) AS from_ms,
            least(o.end_ms, w.end_ms) AS to_ms,
            arrayJoin(arrayFilter(s -> s.2 < s.3, arrayPushBack(
                arrayMap(s -> ('maintenance', greatest(s.1, from_ms), least(s.2, to_ms)), w.maintenance),
                ('down', from_ms, to_ms)
            ))) AS span
        FROM {database}.outages AS o
        INNER JOIN {internal}.watched_maintenance AS w ON w.target = o.target
    )
    ARRAY JOIN range(intDiv(span.2, 86400000), intDiv(span.3 - 1, 86400000) + 1) AS day_number
    GROUP BY ALL
) AS p
INNER JOIN (SELECT target, day, assumeNotNull(u.cost_per_hour) AS cost_per_hour FROM {database}.uptime_daily AS u WHERE u.cost_per_hour IS NOT NULL) AS d
    ON d.target = p.target AND d.day = p.day
GROUP BY ALL
ORDER BY cost DESC, target, began_at
COMMENT 'What each outage of a target with a price cost, the dearest first: its hours outside of maintenance × the price that an hour had on the day of each. Where outages of a target overlap each has the whole; without that their sum is that of downtime_cost_daily';

ALTER TABLE {database}.outage_costs
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN incident_id 'Id of the incident',
    COMMENT COLUMN incident_type 'unreachable, flapping',
    COMMENT COLUMN team 'Team that the incident names, empty: none',
    COMMENT COLUMN began_at 'First failure (UTC)',
    COMMENT COLUMN ended_at 'End (UTC); null: it goes on',
    COMMENT COLUMN duration_s 'Whole length from the first failure to the end, or now, in s',
    COMMENT COLUMN is_open '1: the outage goes on',
    COMMENT COLUMN unplanned_s 'Part of it outside of maintenance windows, in s, on days with a price and while the target was in the inventory',
    COMMENT COLUMN planned_s 'Part of it within maintenance windows, in s, likewise; costs nothing',
    COMMENT COLUMN cost 'Sum over its days of the unplanned hours × the price that an hour had on that day';
