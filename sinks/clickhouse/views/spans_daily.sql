-- Per target and day the spans of each sort, cut at midnight (UTC): watched (in the inventory) and
-- in maintenance, as its definition then was; down; measured: the hours with a check, of a job the time
-- in which it would have been heard.
CREATE OR REPLACE VIEW {internal}.spans_daily AS
SELECT
    target,
    span.1 AS sort,
    toDate(toUInt16(day_number)) AS day,
    greatest(span.2, day_number * 86400000) AS from_ms,
    least(span.3, (day_number + 1) * 86400000) AS to_ms,
    definition
FROM
(
    SELECT
        target,
        (name, toString(team), slo_percent, cost_per_hour, interval_ms)::Tuple(String, String, Nullable(Float64), Nullable(Float64), UInt32) AS definition,
        arrayJoin(arrayPushBack(
            arrayMap(s -> ('maintenance', s.1, s.2), maintenance),
            ('watched', begin_ms, end_ms)
        )) AS span
    FROM {internal}.watched_maintenance
    UNION ALL
    SELECT target, ('', '', NULL, NULL, 0), ('down', begin_ms, end_ms)
    FROM {database}.outages
    UNION ALL
    SELECT target, ('', '', NULL, NULL, 0), ('measured', begin_ms, end_ms)
    FROM {internal}.jobs_heard
)
ARRAY JOIN range(intDiv(span.2, 86400000), intDiv(span.3 - 1, 86400000) + 1) AS day_number
UNION ALL
SELECT
    target,
    'measured',
    day,
    day_ms + span.1 * 3600000,
    day_ms + span.2 * 3600000,
    ('', '', NULL, NULL, 0)
FROM
(
    SELECT
        toString(target) AS target,
        day,
        toInt64(toUInt16(day)) * 86400000 AS day_ms,
        groupBitOr(hours) AS all_hours
    FROM {internal}.results_daily
    WHERE region != 'receiver'
    GROUP BY target, day
)
ARRAY JOIN if(
    all_hours = 16777215,
    [(0, 24)],
    arrayMap(h -> (h, h + 1), arrayFilter(h -> bitTest(all_hours, h), range(24)))
) AS span
COMMENT 'Spans in which a target was watched, measured, down, in maintenance, cut at midnight (UTC)';
