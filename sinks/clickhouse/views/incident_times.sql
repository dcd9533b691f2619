-- How long it took to detect an incident, to acknowledge it, and until it was over; the last two
-- are null while nobody has, and while it is open.
CREATE OR REPLACE VIEW {database}.incident_times AS
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
