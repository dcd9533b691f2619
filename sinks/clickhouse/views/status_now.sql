-- How each target is now: by its open incidents, and by the newest results of its regions.
-- `paused`: nobody checks it, so that nobody knows how it is.
-- `unwatched`: for 5 min fewer of its regions than a majority had a result that was fresh, by the
-- clock of ClickHouse. A word by hand does not make a port answer: what was resolved is down until
-- more than half of its regions have reached it again, which is seen here before `outages` has it.
-- A job is never `unwatched`, and what was resolved of it is over: each run is another one.
CREATE OR REPLACE VIEW {database}.status_now AS
SELECT
    n.target AS target,
    n.name AS name,
    n.kind AS kind,
    n.host AS host,
    n.port AS port,
    n.team AS team,
    n.tags AS tags,
    n.criticality AS criticality,
    n.expect AS expect,
    multiIf(
        NOT n.enabled OR p.target != '', 'paused',
        has(i.open.1, 'unreachable'), 'down',
        has(i.open.1, 'flapping'), 'flapping',
        n.seen_until_ms <= n.now_ms - 300000, 'unwatched',
        i.is_resolved AND 2 * arrayCount((said, ms) -> said = 'up' AND ms > i.resolved_ms, n.statuses, n.counted_ms) <= length(n.statuses), 'down',
        n.fails, 'failing',
        has(i.open.1, 'slow'), 'slow',
        n.newest_ms = 0, 'pending',
        n.due_ms > 0 AND n.due_ms < n.now_ms, 'late',
        'up'
    ) AS status,
    multiIf(
        status = 'paused', if(p.target != '', p.paused_at, NULL),
        status = 'unwatched', fromUnixTimestamp64Milli(n.seen_until_ms, 'UTC'),
        status = 'down' AND has(i.open.1, 'unreachable'), arrayMin(one -> one.2, arrayFilter(one -> one.1 = 'unreachable', i.open)),
        status IN ('flapping', 'slow'), arrayMin(one -> one.2, arrayFilter(one -> one.1 = status, i.open)),
        status = 'down', i.resolved_began_at,
        status = 'late', fromUnixTimestamp64Milli(n.due_ms, 'UTC'),
        NULL
    ) AS since,
    toBool(status = 'down' AND NOT has(i.open.1, 'unreachable')) AS is_resolved,
    if(n.newest_ms = 0, NULL, fromUnixTimestamp64Milli(n.newest_ms, 'UTC')) AS newest_result_at,
    mapFromArrays(n.regions, n.statuses) AS regions,
    toUInt16(countEqual(n.statuses, 'up')) AS regions_up,
    toUInt16(countEqual(n.statuses, 'down')) AS regions_down,
    toUInt16(countEqual(n.statuses, 'stale')) AS regions_stale,
    toUInt16(countEqual(n.statuses, 'pending')) AS regions_pending,
    toUInt16(countEqual(n.statuses, 'blocked')) AS regions_blocked,
    p.paused_until AS paused_until,
    p.paused_by AS paused_by,
    p.reason AS pause_reason
FROM
(
    SELECT
        target,
        name,
        kind,
        host,
        port,
        team,
        tags,
        criticality,
        expect,
        enabled,
        now_ms,
        regions,
        statuses,
        counted_ms,
        arrayMax(counted_ms) AS newest_ms,
        if(newest_ms > 0 AND job_interval_ms IS NOT NULL, newest_ms + toInt64(assumeNotNull(job_interval_ms)), 0) AS due_ms,
        countEqual(statuses, 'down') * 2 > length(statuses) AS fails,
        arrayReverseSort(
            arrayMap(ms -> if(ms = 0, defined_ms, ms) + fresh_for_ms, counted_ms)
        )[intDiv(length(counted_ms), 2) + 1] AS seen_until_ms
    FROM {internal}.target_regions_now
) AS n
LEFT JOIN {internal}.incidents_by_target AS i ON i.target = n.target
LEFT JOIN {database}.pauses_current AS p ON p.target = n.target
COMMENT 'Each target of the inventory as it is now, a row a target: SELECT * FROM status_now WHERE status != ''up''. Read from the newest results and the open incidents';

ALTER TABLE {database}.status_now
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Its name',
    COMMENT COLUMN kind 'Kind of check: tcp, http, postgres, …',
    COMMENT COLUMN host 'Host that is checked; empty: a target without one',
    COMMENT COLUMN port 'Port that is checked; 0: none',
    COMMENT COLUMN team 'Team; empty: none',
    COMMENT COLUMN tags 'Tags',
    COMMENT COLUMN criticality 'critical, important or normal',
    COMMENT COLUMN expect 'What the port should be: open, or closed (down then means that it is open, up that it is closed)',
    COMMENT COLUMN status 'paused (nobody checks it: paused for a while, or not enabled by its inventory), down (an incident unreachable is open, or one was resolved by hand and not more than half of the regions have reached it since), flapping, unwatched (for 5 min too few regions have results: nobody can judge it), failing (more than half of the regions fail, no incident is open yet), slow, pending (no result yet), late (a job with an interval whose report is due and not there, no incident is open; of one with a schedule this view does not know it), up',
    COMMENT COLUMN since 'Time (UTC) from which it is down, flapping or slow: first failure of the incident; or unwatched, or paused; late: when the report was due. Null: up, pending, failing, not enabled',
    COMMENT COLUMN is_resolved 'true: down without an open incident, since somebody resolved it by hand',
    COMMENT COLUMN newest_result_at 'Start (UTC) of the newest check of any region that measured something, of a job: its newest success or failure; null: none yet',
    COMMENT COLUMN regions 'What each region says, see status of region_status_now',
    COMMENT COLUMN regions_up 'Number of regions in which it is up',
    COMMENT COLUMN regions_down 'Number of regions whose newest result is a failure',
    COMMENT COLUMN regions_stale 'Number of regions whose newest result is too old: 2.5 intervals and the timeout',
    COMMENT COLUMN regions_pending 'Number of regions without a result',
    COMMENT COLUMN regions_blocked 'Number of regions whose policy forbids the address',
    COMMENT COLUMN paused_until 'End of its pause, UTC; null: until somebody resumes it, or it is not paused',
    COMMENT COLUMN paused_by 'Who paused it; empty: it is not paused (with the status paused: it is not enabled by its inventory)',
    COMMENT COLUMN pause_reason 'Why it is paused; empty: it is not';
