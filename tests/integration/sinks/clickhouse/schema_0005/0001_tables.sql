-- The tables. Partitioned and expired by the log's time (the broker's clock), never by a time that
-- a prober wrote. non_replicated_deduplication_window: an insert that is repeated with its token
-- is dropped while its block is among so many newest ones; one hour of blocks is the least.

-- Latencies are stored as whole µs (T64 packs them: 2.1 bytes where a Float32 takes 3.6) and read
-- as ms.
CREATE TABLE IF NOT EXISTS {database}.results
(
    target         LowCardinality(String),
    kind           LowCardinality(String),
    host           LowCardinality(String) COMMENT 'empty: a target without a host',
    port           UInt16 COMMENT '0: none',
    region         LowCardinality(String),
    prober         LowCardinality(String),
    scheduled_at   DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    started_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    status         LowCardinality(String) COMMENT 'up, down, missed',
    reason         LowCardinality(String) COMMENT 'empty: up',
    attempt        UInt8 CODEC(ZSTD(1)),
    cause          LowCardinality(String) COMMENT 'schedule, retry, recheck, manual',
    target_version DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    detail         String CODEC(ZSTD(1)),
    address        LowCardinality(String),
    dns_us         Nullable(UInt32) CODEC(T64('bit'), ZSTD(1)),
    connect_us     Nullable(UInt32) CODEC(T64('bit'), ZSTD(1)),
    tls_us         Nullable(UInt32) CODEC(T64('bit'), ZSTD(1)),
    total_us       Nullable(UInt32) CODEC(T64('bit'), ZSTD(1)),
    cert_expires_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    http_status    UInt16 CODEC(ZSTD(1)) COMMENT '0: none',
    banner         String CODEC(ZSTD(1)),
    log_partition  UInt16 CODEC(ZSTD(1)),
    log_offset     UInt64 CODEC(Delta, ZSTD(1)),
    appended_at    DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'by the broker',
    log_line       UInt32 CODEC(T64, ZSTD(1)),
    dns_ms         Nullable(Float32) ALIAS dns_us / 1000,
    connect_ms     Nullable(Float32) ALIAS connect_us / 1000,
    tls_ms         Nullable(Float32) ALIAS tls_us / 1000,
    total_ms       Nullable(Float32) ALIAS total_us / 1000,
    INDEX by_started_at started_at TYPE minmax GRANULARITY 1,
    INDEX by_log_offset log_offset TYPE minmax GRANULARITY 4
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(appended_at)
ORDER BY (target, region, scheduled_at, started_at, prober, attempt)
TTL toDateTime(appended_at) + toIntervalDay({results_ttl_days})
SETTINGS non_replicated_deduplication_window = 500000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS {database}.incidents
(
    event_id         String,
    event            LowCardinality(String) COMMENT 'opened, updated, closed',
    incident_id      String,
    incident_type    LowCardinality(String),
    severity         LowCardinality(String),
    target           LowCardinality(String),
    name             String,
    kind             LowCardinality(String),
    host             String,
    port             UInt16,
    team             LowCardinality(String),
    tags             Array(LowCardinality(String)),
    criticality      LowCardinality(String),
    depends_on       Array(String),
    verdicts         Map(String, String) COMMENT 'by region',
    reasons          Map(String, String) COMMENT 'by region',
    votes_down       UInt16,
    votes_need       UInt16,
    votes_fresh      UInt16,
    votes_configured UInt16,
    first_failed_at  DateTime64(3, 'UTC'),
    opened_at        DateTime64(3, 'UTC'),
    closed_at        Nullable(DateTime64(3, 'UTC')),
    closed_because   LowCardinality(String),
    at               DateTime64(3, 'UTC'),
    summary          String,
    changes          Array(String),
    acknowledged_by  String,
    raw              String CODEC(ZSTD(3)) COMMENT 'the event as it was published',
    log_partition    UInt16,
    log_offset       UInt64,
    appended_at      DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (target, incident_id, at, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.region_events
(
    event_id      String,
    event         LowCardinality(String),
    region        LowCardinality(String),
    at            DateTime64(3, 'UTC'),
    summary       String,
    last_beat_at  Nullable(DateTime64(3, 'UTC')),
    log_partition UInt16,
    log_offset    UInt64,
    appended_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (region, at, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.notifications
(
    event_id      String,
    incident_id   String,
    event         LowCardinality(String),
    target        LowCardinality(String),
    team          LowCardinality(String),
    route         LowCardinality(String),
    channel       LowCardinality(String),
    severity      LowCardinality(String),
    status        LowCardinality(String) COMMENT 'sent, retrying, dead',
    attempt       UInt32,
    at            DateTime64(3, 'UTC'),
    event_at      DateTime64(3, 'UTC'),
    subject       String,
    `group`       String,
    error         String,
    log_partition UInt16,
    log_offset    UInt64,
    appended_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (event_at, event_id, channel, log_partition, log_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.targets
(
    target        String,
    removed       UInt8,
    version       DateTime64(3, 'UTC') COMMENT 'of a removal: when it was written',
    source        LowCardinality(String),
    name          String,
    kind          LowCardinality(String),
    host          String,
    port          UInt16,
    regions       Array(LowCardinality(String)),
    interval_ms   UInt32,
    timeout_ms    UInt32,
    criticality   LowCardinality(String),
    team          LowCardinality(String),
    purpose       String,
    tags          Array(LowCardinality(String)),
    depends_on    Array(String),
    runbook       String,
    slo           Nullable(Float64) COMMENT 'percent',
    downtime_cost_per_hour Nullable(Float64),
    raw           String CODEC(ZSTD(3)),
    log_partition UInt16,
    log_offset    UInt64,
    appended_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (target, version, log_partition, log_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.maintenance
(
    key           String,
    removed       UInt8,
    source        String,
    name          String,
    targets       Array(String),
    start         DateTime64(3, 'UTC'),
    duration_ms   UInt64,
    rrule         String,
    begins        Array(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'rrule written out',
    log_partition UInt16,
    log_offset    UInt64,
    appended_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (key, log_partition, log_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.deadletter
(
    id            String COMMENT 'topic:partition:offset:line',
    topic         LowCardinality(String),
    partition     UInt32,
    offset        UInt64,
    line          Int64 COMMENT 'from 0; -1: the whole message',
    part          LowCardinality(String),
    error         String,
    at            DateTime64(3, 'UTC'),
    size          UInt64,
    raw           String CODEC(ZSTD(3)) COMMENT 'base64, the first 64 KB',
    log_partition UInt16,
    log_offset    UInt64,
    appended_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.gaps
(
    topic    LowCardinality(String),
    partition UInt32,
    expected UInt64 COMMENT 'the offset that was due',
    found    UInt64 COMMENT 'the offset that the log had next',
    at       DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, expected, found)
SETTINGS non_replicated_deduplication_window = 10000;
