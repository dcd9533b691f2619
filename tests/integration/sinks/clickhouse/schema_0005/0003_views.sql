-- Ready-made answers. docs/analytics.md explains them, with examples and the formulas.

-- The newest event of each incident. A duplicate of an older event (the stream may write one
-- again) is older by `at`, so it never wins.
CREATE VIEW IF NOT EXISTS {database}.incidents_current AS
SELECT
    incident_id,
    if(closed_at IS NULL, 'open', 'closed') AS status,
    incident_type,
    severity,
    target,
    name,
    kind,
    host,
    port,
    team,
    tags,
    criticality,
    verdicts,
    reasons,
    first_failed_at,
    opened_at,
    closed_at,
    closed_because,
    (toUnixTimestamp64Milli(opened_at) - toUnixTimestamp64Milli(first_failed_at)) / 1000 AS time_to_detect_s,
    (toUnixTimestamp64Milli(ifNull(closed_at, now64(3, 'UTC'))) - toUnixTimestamp64Milli(opened_at)) / 1000 AS duration_s,
    summary,
    acknowledged_by,
    at AS changed_at
FROM
(
    SELECT *
    FROM {database}.incidents
    ORDER BY at DESC, log_offset DESC
    LIMIT 1 BY incident_id
);

-- The newest definition of each target that was not removed.
CREATE VIEW IF NOT EXISTS {database}.targets_current AS
SELECT * EXCEPT removed
FROM
(
    SELECT *
    FROM {database}.targets
    ORDER BY appended_at DESC, removed ASC, version DESC
    LIMIT 1 BY target
)
WHERE removed = 0;

-- The newest definition of each target that ever was.
CREATE VIEW IF NOT EXISTS {database}.targets_known AS
SELECT * EXCEPT removed
FROM {database}.targets
WHERE removed = 0
ORDER BY appended_at DESC, version DESC
LIMIT 1 BY target;

-- When each target was in the inventory, and as what: from a definition to the next one, or its
-- removal, or now.
CREATE VIEW IF NOT EXISTS {database}.watched AS
SELECT
    target,
    begin_ms,
    least(next_ms, now_ms) AS end_ms,
    name,
    team,
    slo AS slo_percent,
    downtime_cost_per_hour AS cost_per_hour,
    interval_ms,
    arrayMap(tag -> concat('tag:', tag), tags) AS selectors
FROM
(
    SELECT
        target,
        removed,
        name,
        team,
        slo,
        downtime_cost_per_hour,
        interval_ms,
        tags,
        toUnixTimestamp64Milli(appended_at) AS begin_ms,
        toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms,
        leadInFrame(toUnixTimestamp64Milli(appended_at), 1, now_ms) OVER (
            PARTITION BY target ORDER BY appended_at, removed DESC, version
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_ms
    FROM {database}.targets
)
WHERE removed = 0 AND begin_ms < end_ms;

-- When each target was down. A flapping incident is over when the target has been steady for
-- 30 minutes: the last recovery was 30 minutes before it closed.
CREATE VIEW IF NOT EXISTS {database}.outages AS
SELECT
    target,
    incident_id,
    incident_type,
    team,
    first_failed_ms AS begin_ms,
    least(
        multiIf(
            closed_ms = 0, now_ms,
            incident_type = 'flapping' AND closed_because IN ('recovered', 'steady'),
            greatest(first_failed_ms, closed_ms - 1800000),
            closed_ms
        ),
        now_ms
    ) AS end_ms,
    closed_ms = 0 AS is_open
FROM
(
    SELECT
        incident_id,
        any(i.target) AS target,
        any(i.incident_type) AS incident_type,
        any(i.team) AS team,
        min(toUnixTimestamp64Milli(i.first_failed_at)) AS first_failed_ms,
        max(ifNull(toUnixTimestamp64Milli(i.closed_at), 0)) AS closed_ms,
        max(toString(i.closed_because)) AS closed_because,
        toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms
    FROM {database}.incidents AS i
    WHERE i.incident_type IN ('unreachable', 'flapping')
    GROUP BY incident_id
)
WHERE begin_ms < end_ms;

-- Each time a maintenance window is on, past and to come, while its definition stood in the
-- inventory: one that is removed while it is on ends there, one that is applied late begins there.
CREATE VIEW IF NOT EXISTS {database}.maintenance_windows AS
SELECT
    source,
    name,
    selectors,
    fromUnixTimestamp64Milli(begin_ms, 'UTC') AS begin_at,
    fromUnixTimestamp64Milli(end_ms, 'UTC') AS end_at,
    greatest(toUnixTimestamp64Milli(begun), from_ms) AS begin_ms,
    least(toUnixTimestamp64Milli(begun) + toInt64(duration_ms), until_ms) AS end_ms
FROM
(
    SELECT
        source,
        name,
        removed,
        targets AS selectors,
        duration_ms,
        begins,
        toUnixTimestamp64Milli(appended_at) AS from_ms,
        leadInFrame(toUnixTimestamp64Milli(appended_at), 1, toInt64(9999999999999)) OVER (
            PARTITION BY key ORDER BY log_partition, log_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS until_ms
    FROM {database}.maintenance
)
ARRAY JOIN begins AS begun
WHERE removed = 0 AND begin_ms < end_ms;

-- Per target and day the spans of each sort, cut at midnight (UTC): watched (in the inventory) and
-- in maintenance, as its definition then was; down; measured: the hours with a check.
CREATE VIEW IF NOT EXISTS {database}.spans_daily AS
WITH
(
    SELECT groupArray((selector, spans))
    FROM
    (
        SELECT selector, groupArray(('maintenance', begin_ms, end_ms)) AS spans
        FROM {database}.maintenance_windows
        ARRAY JOIN selectors AS selector
        WHERE begin_ms < toUnixTimestamp64Milli(now64(3, 'UTC'))
        GROUP BY selector
    )
) AS windows
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
            arrayFilter(s -> s.2 < s.3, arrayMap(
                s -> (s.1, greatest(s.2, begin_ms), least(s.3, end_ms)),
                arrayFlatten(arrayMap(w -> w.2, arrayFilter(w -> w.1 = target OR has(selectors, w.1), windows)))
            )),
            ('watched', begin_ms, end_ms)
        )) AS span
    FROM {database}.watched
    UNION ALL
    SELECT toString(target), ('', '', NULL, NULL, 0), ('down', begin_ms, end_ms)
    FROM {database}.outages
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
    FROM {database}.results_daily
    GROUP BY target, day
)
ARRAY JOIN if(
    all_hours = 16777215,
    [(0, 24)],
    arrayMap(h -> (h, h + 1), arrayFilter(h -> bitTest(all_hours, h), range(24)))
) AS span;

-- Uptime by time: what was not down of what was measured; unknown time counts neither way. A target
-- that is checked less than once an hour was measured all day if it was checked at all. What
-- several sorts of spans have in common follows from the lengths of their unions (inclusion and
-- exclusion). Name, team, SLO and price are those of the day. Reckoned anew each time it is asked.
CREATE VIEW IF NOT EXISTS {database}.uptime_now AS
SELECT
    target,
    day,
    definition.1 AS name,
    definition.2 AS team,
    definition.3 AS slo_percent,
    definition.4 AS cost_per_hour,
    w / 1000 AS watched_s,
    if(rarely, w, x + w - xw) / 1000 AS measured_s,
    d / 1000 AS down_s,
    if(rarely, w + m - wm, x + w + m - xw - xm - wm + xwm) / 1000 AS maintenance_s,
    (d + m - dm) / 1000 AS down_in_maintenance_s
FROM
(
    SELECT
        target,
        day,
        argMaxIf(s.definition, from_ms, sort = 'watched') AS definition,
        definition.5 > 3600000 AND countIf(sort = 'measured') > 0 AS rarely,
        intervalLengthSumIf(from_ms, to_ms, sort = 'watched') AS w,
        intervalLengthSumIf(from_ms, to_ms, sort = 'down') AS d,
        intervalLengthSumIf(from_ms, to_ms, sort = 'maintenance') AS m,
        intervalLengthSumIf(from_ms, to_ms, sort IN ('down', 'measured')) AS x,
        intervalLengthSumIf(from_ms, to_ms, sort IN ('down', 'maintenance')) AS dm,
        intervalLengthSumIf(from_ms, to_ms, sort IN ('watched', 'maintenance')) AS wm,
        intervalLengthSumIf(from_ms, to_ms, sort != 'maintenance') AS xw,
        intervalLengthSumIf(from_ms, to_ms, sort != 'watched') AS xm,
        intervalLengthSum(from_ms, to_ms) AS xwm
    FROM {database}.spans_daily AS s
    GROUP BY target, day
    HAVING w > 0
);

-- The same, reckoned in the background and kept: the last three days every 5 minutes, all days once
-- a day (results that come late change days that are over).
CREATE TABLE IF NOT EXISTS {database}.uptime_days
(
    target                String,
    day                   Date,
    name                  String,
    team                  LowCardinality(String),
    slo_percent           Nullable(Float64),
    cost_per_hour         Nullable(Float64),
    watched_s             Float64,
    measured_s            Float64,
    down_s                Float64,
    maintenance_s         Float64,
    down_in_maintenance_s Float64,
    reckoned_at           DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(reckoned_at)
PARTITION BY toYYYYMM(day)
ORDER BY (target, day)
TTL day + toIntervalDay({rollups_ttl_days});

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.uptime_recent_mv
REFRESH AFTER 5 MINUTE APPEND TO {database}.uptime_days EMPTY AS
SELECT *, now64(3, 'UTC') AS reckoned_at
FROM {database}.uptime_now
WHERE day > toDate(now('UTC')) - 3;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.uptime_all_mv
REFRESH EVERY 1 DAY OFFSET 3 HOUR RANDOMIZE FOR 1 HOUR APPEND TO {database}.uptime_days EMPTY AS
SELECT *, now64(3, 'UTC') AS reckoned_at
FROM {database}.uptime_now;

CREATE VIEW IF NOT EXISTS {database}.uptime_daily AS
SELECT
    * EXCEPT reckoned_at,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * (1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.uptime_days FINAL;

CREATE VIEW IF NOT EXISTS {database}.uptime_monthly AS
SELECT
    target,
    toStartOfMonth(day) AS month,
    argMax(u.name, day) AS name,
    argMax(u.team, day) AS team,
    argMax(tuple(u.slo_percent), day).1 AS slo_percent,
    sum(u.watched_s) AS watched_s,
    sum(u.measured_s) AS measured_s,
    sum(u.down_s) AS down_s,
    sum(u.maintenance_s) AS maintenance_s,
    sum(u.down_in_maintenance_s) AS down_in_maintenance_s,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * (1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.uptime_daily AS u
GROUP BY target, month;

-- A team's uptime is that of all the time of its targets together.
CREATE VIEW IF NOT EXISTS {database}.team_uptime_daily AS
SELECT
    team,
    day,
    count() AS targets,
    sum(u.watched_s) AS watched_s,
    sum(u.measured_s) AS measured_s,
    sum(u.down_s) AS down_s,
    sum(u.maintenance_s) AS maintenance_s,
    sum(u.down_in_maintenance_s) AS down_in_maintenance_s,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * (1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.uptime_daily AS u
GROUP BY team, day;

CREATE VIEW IF NOT EXISTS {database}.team_uptime_monthly AS
SELECT
    team,
    toStartOfMonth(day) AS month,
    max(u.targets) AS targets,
    sum(u.watched_s) AS watched_s,
    sum(u.measured_s) AS measured_s,
    sum(u.down_s) AS down_s,
    sum(u.maintenance_s) AS maintenance_s,
    sum(u.down_in_maintenance_s) AS down_in_maintenance_s,
    if(measured_s > 0, 100 * (1 - down_s / measured_s), NULL) AS uptime_percent,
    if(measured_s > maintenance_s, 100 * (1 - (down_s - down_in_maintenance_s) / (measured_s - maintenance_s)), NULL) AS uptime_without_maintenance_percent
FROM {database}.team_uptime_daily AS u
GROUP BY team, month;

-- What a region sees is a share of checks: incidents are not a region's, but a quorum's.
CREATE VIEW IF NOT EXISTS {database}.region_uptime_hourly AS
SELECT
    region,
    hour,
    sum(r.checks) AS checks,
    sum(r.up) AS up,
    sum(r.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent
FROM {database}.regions_hourly AS r
GROUP BY region, hour;

CREATE VIEW IF NOT EXISTS {database}.region_uptime_daily AS
SELECT
    region,
    toDate(hour) AS day,
    sum(r.checks) AS checks,
    sum(r.up) AS up,
    sum(r.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent
FROM {database}.regions_hourly AS r
GROUP BY region, day;

CREATE VIEW IF NOT EXISTS {database}.region_uptime_monthly AS
SELECT
    region,
    toStartOfMonth(hour) AS month,
    sum(r.checks) AS checks,
    sum(r.up) AS up,
    sum(r.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent
FROM {database}.regions_hourly AS r
GROUP BY region, month;

-- The same by target, and how fast it answered there.
CREATE VIEW IF NOT EXISTS {database}.target_checks_hourly AS
SELECT
    target,
    region,
    hour,
    sum(h.checks) AS checks,
    sum(h.up) AS up,
    sum(h.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(h.latency_us) AS us,
    if(up = 0, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0, NULL, max(h.max_us) / 1000) AS max_ms
FROM {database}.results_hourly AS h
GROUP BY target, region, hour;

CREATE VIEW IF NOT EXISTS {database}.target_checks_daily AS
SELECT
    target,
    region,
    day,
    sum(d.checks) AS checks,
    sum(d.up) AS up,
    sum(d.missed) AS missed,
    if(checks = 0, NULL, 100 * up / checks) AS up_percent,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us) AS us,
    if(up = 0, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0, NULL, max(d.max_us) / 1000) AS max_ms
FROM {database}.results_daily AS d
GROUP BY target, region, day;

CREATE VIEW IF NOT EXISTS {database}.region_latency_hourly AS
SELECT
    region,
    hour,
    sum(r.up) AS up,
    quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(r.latency_us) AS us,
    if(up = 0, NULL, us[1] / 1000) AS p50_ms,
    if(up = 0, NULL, us[2] / 1000) AS p95_ms,
    if(up = 0, NULL, us[3] / 1000) AS p99_ms,
    if(up = 0, NULL, max(r.max_us) / 1000) AS max_ms
FROM {database}.regions_hourly AS r
GROUP BY region, hour;

-- Latencies of the last 7 days, today included, reckoned every 15 minutes.
CREATE TABLE IF NOT EXISTS {database}.latency_week
(
    target String,
    up     UInt64,
    p50_ms Float64,
    p95_ms Float64,
    p99_ms Float64,
    max_ms Float64
)
ENGINE = MergeTree
ORDER BY target;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.latency_week_mv
REFRESH AFTER 15 MINUTE TO {database}.latency_week EMPTY AS
SELECT
    toString(target) AS target,
    sum(d.up) AS up,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)[1] / 1000 AS p50_ms,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)[2] / 1000 AS p95_ms,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(d.latency_us)[3] / 1000 AS p99_ms,
    max(d.max_us) / 1000 AS max_ms
FROM {database}.results_daily AS d
WHERE day > toDate(now('UTC')) - 7
GROUP BY target
HAVING up > 0;

-- The slowest first.
CREATE VIEW IF NOT EXISTS {database}.slowest AS
SELECT target, t.name AS name, t.team AS team, up, p50_ms, p95_ms, p99_ms, max_ms
FROM {database}.latency_week AS s
INNER JOIN (SELECT target, name, team FROM {database}.targets_current) AS t USING (target)
ORDER BY p95_ms DESC, target;

-- How much of the downtime that the SLO allows is left: the last 30 days, today included, by the
-- SLO that the target has now. Without maintenance on either side.
CREATE VIEW IF NOT EXISTS {database}.error_budget AS
SELECT
    target,
    name,
    team,
    slo_percent,
    100 * (1 - spent_s / measured_s) AS uptime_percent,
    measured_s * (1 - slo_percent / 100) AS budget_s,
    spent_s,
    budget_s - spent_s AS left_s,
    if(budget_s > 0, 100 * left_s / budget_s, NULL) AS left_percent,
    spent_s <= budget_s AS met
FROM
(
    SELECT
        target,
        argMax(u.name, day) AS name,
        argMax(u.team, day) AS team,
        assumeNotNull(argMax(tuple(u.slo_percent), day).1) AS slo_percent,
        sum(u.down_s - u.down_in_maintenance_s) AS spent_s,
        sum(u.measured_s - u.maintenance_s) AS measured_s
    FROM {database}.uptime_daily AS u
    WHERE day > toDate(now('UTC')) - 30
    GROUP BY target
    HAVING measured_s > 0 AND argMax(tuple(u.slo_percent), day).1 IS NOT NULL
)
ORDER BY left_percent, target;

CREATE VIEW IF NOT EXISTS {database}.error_budget_monthly AS
SELECT
    target,
    name,
    team,
    month,
    assumeNotNull(slo_percent) AS slo_percent,
    uptime_without_maintenance_percent AS uptime_percent,
    (measured_s - maintenance_s) * (1 - slo_percent / 100) AS budget_s,
    down_s - down_in_maintenance_s AS spent_s,
    budget_s - spent_s AS left_s,
    spent_s <= budget_s AS met
FROM {database}.uptime_monthly AS u
WHERE u.slo_percent IS NOT NULL;

-- The last 30 days, the worst first. An outage counts for the day on which it began.
CREATE VIEW IF NOT EXISTS {database}.least_reliable AS
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

-- The last 7 days: what went down more than once, the most often first.
CREATE VIEW IF NOT EXISTS {database}.flappers AS
SELECT
    o.target AS target,
    t.name AS name,
    t.team AS team,
    o.outages AS outages,
    o.flapping AS flapping,
    o.down_s AS down_s,
    o.median_s AS median_s,
    fromUnixTimestamp64Milli(o.last_ms, 'UTC') AS last_at
FROM
(
    SELECT
        toString(target) AS target,
        countIf(incident_type = 'unreachable') AS outages,
        countIf(incident_type = 'flapping') AS flapping,
        intervalLengthSum(begin_ms, end_ms) / 1000 AS down_s,
        medianExact(end_ms - begin_ms) / 1000 AS median_s,
        max(begin_ms) AS last_ms
    FROM {database}.outages
    WHERE begin_ms > toUnixTimestamp64Milli(now64(3, 'UTC')) - 7 * 86400000
    GROUP BY target
    HAVING outages > 1 OR flapping > 0
) AS o
LEFT JOIN (SELECT target, name, team FROM {database}.targets_known) AS t USING (target)
ORDER BY flapping DESC, outages DESC, target;

-- How long it took to detect an incident, to acknowledge it, and until it was over; the last two
-- are null while nobody has, and while it is open.
CREATE VIEW IF NOT EXISTS {database}.incident_times AS
SELECT
    incident_id,
    incident_type,
    target,
    team,
    opened_at,
    (opened_ms - first_failed_ms) / 1000 AS detect_s,
    if(acknowledged_ms = 0, NULL, (acknowledged_ms - opened_ms) / 1000) AS acknowledge_s,
    if(closed_ms = 0, NULL, (closed_ms - first_failed_ms) / 1000) AS recover_s,
    acknowledged_by
FROM
(
    SELECT
        incident_id,
        any(i.incident_type) AS incident_type,
        any(i.target) AS target,
        argMax(i.team, i.at) AS team,
        min(i.opened_at) AS opened_at,
        toUnixTimestamp64Milli(opened_at) AS opened_ms,
        min(toUnixTimestamp64Milli(i.first_failed_at)) AS first_failed_ms,
        max(ifNull(toUnixTimestamp64Milli(i.closed_at), 0)) AS closed_ms,
        minIf(toUnixTimestamp64Milli(i.at), i.acknowledged_by != '') AS acknowledged_ms,
        argMinIf(i.acknowledged_by, i.at, i.acknowledged_by != '') AS acknowledged_by
    FROM {database}.incidents AS i
    GROUP BY incident_id
);

CREATE VIEW IF NOT EXISTS {database}.response_monthly AS
SELECT
    toStartOfMonth(i.opened_at) AS month,
    team,
    count() AS incidents,
    quantileExactInclusive(0.5)(i.detect_s) AS detect_p50_s,
    quantileExactInclusive(0.95)(i.detect_s) AS detect_p95_s,
    100 * count(i.acknowledge_s) / incidents AS acknowledged_percent,
    quantileExactInclusive(0.5)(i.acknowledge_s) AS acknowledge_p50_s,
    quantileExactInclusive(0.95)(i.acknowledge_s) AS acknowledge_p95_s,
    quantileExactInclusive(0.5)(i.recover_s) AS recover_p50_s,
    quantileExactInclusive(0.95)(i.recover_s) AS recover_p95_s
FROM {database}.incident_times AS i
WHERE i.incident_type NOT IN ('slow', 'expiring')
GROUP BY month, team;

CREATE VIEW IF NOT EXISTS {database}.failure_reasons_daily AS
SELECT
    day,
    region,
    reason,
    sum(f.failures) AS failures,
    uniqExact(target) AS targets
FROM {database}.failures_daily AS f
GROUP BY day, region, reason;

-- The certificate that each target showed last; where regions see different ones, that which ends
-- first.
CREATE VIEW IF NOT EXISTS {database}.certificates_ending AS
SELECT
    t.target AS target,
    t.name AS name,
    t.team AS team,
    t.host AS host,
    t.port AS port,
    min(c.expires_at) AS expires_at,
    dateDiff('second', now('UTC'), min(c.expires_at)) / 86400 AS days_left,
    max(c.seen_at) AS seen_at
FROM
(
    SELECT toString(target) AS target, region, argMaxMerge(k.expires_at) AS expires_at, max(k.seen_at) AS seen_at
    FROM {database}.certificates AS k
    GROUP BY target, region
) AS c
INNER JOIN (SELECT target, name, team, host, port, regions FROM {database}.targets_current) AS t USING (target)
WHERE has(t.regions, c.region)
GROUP BY target, name, team, host, port
ORDER BY expires_at, target;

-- Checks that could not start in time: a prober that is overloaded, or was away.
CREATE VIEW IF NOT EXISTS {database}.missed_daily AS
SELECT
    toDate(hour) AS day,
    region,
    sum(r.missed) AS missed,
    sum(r.checks) AS checks,
    if(missed + checks = 0, NULL, 100 * missed / (missed + checks)) AS missed_percent
FROM {database}.regions_hourly AS r
GROUP BY day, region;

-- Hours down outside of maintenance, times the price that an hour had on that day.
CREATE VIEW IF NOT EXISTS {database}.downtime_cost_daily AS
SELECT
    target,
    name,
    team,
    day,
    assumeNotNull(cost_per_hour) AS cost_per_hour,
    down_s - down_in_maintenance_s AS unplanned_s,
    down_in_maintenance_s AS planned_s,
    unplanned_s / 3600 * cost_per_hour AS cost
FROM {database}.uptime_daily AS u
WHERE u.cost_per_hour IS NOT NULL;

CREATE VIEW IF NOT EXISTS {database}.downtime_cost_monthly AS
SELECT
    target,
    argMax(c.name, day) AS name,
    argMax(c.team, day) AS team,
    toStartOfMonth(day) AS month,
    sum(c.unplanned_s) AS unplanned_s,
    sum(c.planned_s) AS planned_s,
    sum(c.cost) AS cost
FROM {database}.downtime_cost_daily AS c
GROUP BY target, month;
