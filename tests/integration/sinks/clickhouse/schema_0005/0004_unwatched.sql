-- Targets that nobody can judge (rule 12): the stream's events, and how each target is now.
CREATE TABLE IF NOT EXISTS {database}.targets_events
(
    event_id       String,
    event          LowCardinality(String) COMMENT 'targets.unwatched, targets.watched',
    cause_id       String COMMENT 'the same in all partitions that one cause blinds',
    severity       LowCardinality(String),
    count          UInt32 COMMENT 'unwatched targets of the partition',
    most_critical  Array(String) COMMENT 'the ids of a few of them',
    silent_regions Array(LowCardinality(String)),
    since          DateTime64(3, 'UTC'),
    at             DateTime64(3, 'UTC'),
    summary        String,
    log_partition  UInt16,
    log_offset     UInt64,
    appended_at    DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (log_partition, at, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- How each target is now. `unwatched`: for 5 min fewer of its regions than a majority had a result
-- that was fresh (2.5 times the interval and the timeout), by the clock of ClickHouse. Where checks
-- are so seldom that the last hour may have none the roll-up tells them, to the hour.
CREATE VIEW IF NOT EXISTS {database}.status_now AS
SELECT
    target,
    name,
    kind,
    host,
    port,
    team,
    criticality,
    multiIf(
        has(types, 'unreachable'), 'down',
        has(types, 'flapping'), 'flapping',
        seen_until_ms <= now_ms - 300000, 'unwatched',
        has(types, 'slow'), 'slow',
        newest_ms = 0, 'pending',
        'up'
    ) AS status,
    multiIf(
        status IN ('down', 'flapping', 'slow'), opened_at,
        status = 'unwatched', fromUnixTimestamp64Milli(seen_until_ms, 'UTC'),
        NULL
    ) AS since,
    if(newest_ms = 0, NULL, fromUnixTimestamp64Milli(newest_ms, 'UTC')) AS newest_result_at
FROM
(
    SELECT
        t.target AS target,
        t.name AS name,
        t.kind AS kind,
        t.host AS host,
        t.port AS port,
        t.team AS team,
        t.criticality AS criticality,
        i.types AS types,
        i.opened_at AS opened_at,
        toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms,
        arrayDistinct(t.regions) AS regions,
        arrayMap(region -> arrayMax(arrayMap((name, ms) -> if(name = region, ms, 0), r.regions, r.newest)), regions) AS seen,
        arrayMax(seen) AS newest_ms,
        arrayReverseSort(
            arrayMap(
                ms -> if(ms = 0, toUnixTimestamp64Milli(t.appended_at), ms) + intDiv(t.interval_ms * 5, 2) + t.timeout_ms,
                seen
            )
        )[intDiv(length(regions), 2) + 1] AS seen_until_ms
    FROM {database}.targets_current AS t
    LEFT JOIN
    (
        SELECT target, groupArray(region) AS regions, groupArray(newest_ms) AS newest
        FROM
        (
            SELECT target, region, max(ms) AS newest_ms
            FROM
            (
                SELECT toString(target) AS target, toString(region) AS region, toUnixTimestamp64Milli(least(started_at, appended_at)) AS ms
                FROM {database}.results
                WHERE appended_at > now64(3, 'UTC') - toIntervalHour(1)
                    AND status != 'missed'
                    AND reason NOT IN ('prober_error', 'address_blocked')
                UNION ALL
                SELECT toString(target) AS target, toString(region) AS region, least(toInt64(toUnixTimestamp(hour)) + 3600, toInt64(toUnixTimestamp(now()))) * 1000 AS ms
                FROM {database}.results_hourly AS h
                WHERE h.checks > 0
                    AND hour > now('UTC') - toIntervalHour(64)
                    AND target IN (SELECT target FROM {database}.targets_current WHERE intDiv(interval_ms * 5, 2) + timeout_ms > 3300000)
            )
            GROUP BY target, region
        )
        GROUP BY target
    ) AS r ON r.target = t.target
    LEFT JOIN
    (
        SELECT toString(target) AS target, groupArray(toString(incident_type)) AS types, toNullable(min(c.opened_at)) AS opened_at
        FROM {database}.incidents_current AS c
        WHERE c.status = 'open'
        GROUP BY target
    ) AS i ON i.target = t.target
);
