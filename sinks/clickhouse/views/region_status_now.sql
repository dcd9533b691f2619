-- How each region sees each of its targets now.
CREATE OR REPLACE VIEW {database}.region_status_now AS
SELECT
    target,
    name,
    kind,
    host,
    port,
    team,
    criticality,
    said.1 AS region,
    said.2 AS status,
    said.3 AS reason,
    said.4 AS detail,
    said.5 AS latency_ms,
    if(said.6 = 0, NULL, fromUnixTimestamp64Milli(said.6, 'UTC')) AS checked_at
FROM {internal}.target_regions_now
ARRAY JOIN arrayZip(regions, statuses, reasons, details, latencies_ms, checked_ms) AS said
COMMENT 'Each target as each of its regions sees it now, a row a target and region. Read from the newest results';

ALTER TABLE {database}.region_status_now
    COMMENT COLUMN target 'Id of the target',
    COMMENT COLUMN name 'Its name',
    COMMENT COLUMN kind 'Kind of check: tcp, http, postgres, …',
    COMMENT COLUMN host 'Host that is checked; empty: a target without one',
    COMMENT COLUMN port 'Port that is checked; 0: none',
    COMMENT COLUMN team 'Team; empty: none',
    COMMENT COLUMN criticality 'critical, important or normal',
    COMMENT COLUMN region 'Region that checks it',
    COMMENT COLUMN status 'up, down: of the newest check that measured something; stale: that is older than 2.5 intervals and the timeout; blocked: the policy of the region forbids the address, nothing is measured; pending: no result yet',
    COMMENT COLUMN reason 'Why it is down or blocked: a reason of docs/kinds.md; empty otherwise',
    COMMENT COLUMN detail 'The rest in words, of up too (a certificate that ends soon); empty: none',
    COMMENT COLUMN latency_ms 'Time to connect in ms, or of the whole check of a kind without a connection; null: none, or stale',
    COMMENT COLUMN checked_at 'Start (UTC) of that check; of blocked: of the newest attempt; null: pending';
