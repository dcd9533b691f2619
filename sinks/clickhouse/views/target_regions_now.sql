-- Each target of the inventory with what its regions say of it now, in parallel arrays in the order
-- of `regions`. Only results about what the target is now: its kind, host and port may have been
-- others. A result is fresh for 2.5 times the interval and the timeout (docs/rules.md, 4), by the
-- clock of ClickHouse; the newest success or failure of a job always is.
CREATE OR REPLACE VIEW {internal}.target_regions_now AS
SELECT
    t.target AS target,
    t.name AS name,
    t.kind AS kind,
    t.host AS host,
    t.port AS port,
    t.team AS team,
    t.tags AS tags,
    t.criticality AS criticality,
    t.expect AS expect,
    t.enabled AS enabled,
    t.interval_ms AS interval_ms,
    t.kind = 'heartbeat' AS is_job,
    t.job_interval_ms AS job_interval_ms,
    arrayDistinct(t.regions) AS regions,
    toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms,
    toUnixTimestamp64Milli(t.appended_at) AS defined_ms,
    if(is_job, now_ms, toInt64(intDiv(toUInt64(t.interval_ms) * 5, 2) + t.timeout_ms)) AS fresh_for_ms,
    cityHash64(t.kind, t.host, t.port) AS about_now,
    arrayMap(one -> arrayFirstIndex((region, about, blocked) -> region = one AND about = about_now AND blocked = 0, r.region, r.about, r.blocked), regions) AS counted,
    arrayMap(one -> arrayFirstIndex((region, about, blocked) -> region = one AND about = about_now AND blocked = 1, r.region, r.about, r.blocked), regions) AS blocked,
    arrayMap(place -> r.checked_ms[place], counted) AS counted_ms,
    arrayMap(place -> r.checked_ms[place], blocked) AS blocked_ms,
    arrayMap(
        (place, ms, not_measured_ms) -> multiIf(
            ms > now_ms - fresh_for_ms, r.status[place],
            not_measured_ms > ms, 'blocked',
            ms > 0, 'stale',
            'pending'
        ),
        counted, counted_ms, blocked_ms
    ) AS statuses,
    arrayMap((said, place) -> multiIf(said = 'blocked', 'address_blocked', said IN ('up', 'down'), r.reason[place], ''), statuses, counted) AS reasons,
    arrayMap((said, place, other) -> multiIf(said = 'blocked', r.detail[other], said IN ('up', 'down'), r.detail[place], ''), statuses, counted, blocked) AS details,
    arrayMap((said, place) -> if(NOT is_job AND said IN ('up', 'down') AND r.latency_us[place] >= 0, r.latency_us[place] / 1000, NULL), statuses, counted) AS latencies_ms,
    arrayMap((said, ms, not_measured_ms) -> if(said = 'blocked', not_measured_ms, ms), statuses, counted_ms, blocked_ms) AS checked_ms
FROM {database}.targets_current AS t
LEFT JOIN
(
    SELECT
        target,
        groupArray(toString(n.region)) AS region,
        groupArray(n.about) AS about,
        groupArray(n.is_blocked) AS blocked,
        groupArray(toString(n.status)) AS status,
        groupArray(toString(n.reason)) AS reason,
        groupArray(n.detail) AS detail,
        groupArray(n.latency_us) AS latency_us,
        groupArray(toUnixTimestamp64Milli(n.checked_at)) AS checked_ms
    FROM {internal}.newest_results AS n FINAL
    GROUP BY target
) AS r ON r.target = t.target
COMMENT 'each target with what its regions say of it now';
