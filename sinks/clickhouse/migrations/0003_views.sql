-- Tables that are reckoned in the background, from views (the folder `views`).

-- The view `uptime_now`, kept: the last three days are reckoned every 5 minutes, all days once a day
-- (results that come late change days that are over).
CREATE TABLE IF NOT EXISTS {internal}.uptime_days
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

-- Latencies of the last 7 days, today included, reckoned every 15 minutes.
CREATE TABLE IF NOT EXISTS {internal}.latency_week
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
