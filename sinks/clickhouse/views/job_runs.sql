-- The runs of jobs: a success or a failure is the end of one, and a start before it that names the same
-- run, with no other end between, its begin. A start that another start of its run replaced is left out.
CREATE OR REPLACE VIEW {database}.job_runs AS
SELECT
    target,
    run,
    multiIf(signal = 'start', started_at, before.1 = 'start', before.2, NULL) AS began_at,
    if(signal = 'start', NULL, started_at) AS ended_at,
    if(signal = 'start', 'no end', signal) AS end,
    multiIf(
        signal = 'start', NULL,
        total_us IS NOT NULL AND total_us < 4294967295, total_us / 1000,
        began_at IS NOT NULL, toFloat64(toUnixTimestamp64Milli(started_at) - toUnixTimestamp64Milli(began_at)),
        NULL
    ) AS duration_ms,
    exit_code,
    output,
    detail,
    prober AS receiver
FROM
(
    SELECT
        toString(target) AS target,
        run,
        toString(signal) AS signal,
        started_at,
        prober,
        attempt,
        total_us,
        exit_code,
        output,
        detail,
        lagInFrame((toString(signal), started_at, prober, attempt)) OVER one AS before,
        leadInFrame((toString(signal), started_at, prober, attempt)) OVER one AS after
    FROM {database}.results
    WHERE region = 'receiver' AND signal IN ('start', 'success', 'fail')
    WINDOW one AS (
        PARTITION BY target, run ORDER BY started_at, attempt, prober
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)
WHERE before != (signal, started_at, prober, attempt)
    AND (signal != 'start' OR after.1 = '')
COMMENT 'The runs of each job, as far back as results are kept: SELECT * FROM job_runs WHERE target = ''…'' ORDER BY ifNull(ended_at, began_at) DESC. A run without an end goes on, or nobody said how it ended';

ALTER TABLE {database}.job_runs
    COMMENT COLUMN target 'Id of the job',
    COMMENT COLUMN run 'What the job calls its run; empty: it named none',
    COMMENT COLUMN began_at 'Start of the run, UTC; null: it reported none',
    COMMENT COLUMN ended_at 'End of the run, UTC; null: none was reported',
    COMMENT COLUMN end 'success, fail, or no end',
    COMMENT COLUMN duration_ms 'How long it took, in ms: as it measured itself (up to 71 min), or else from the start to the end of the same run; null: nobody knows',
    COMMENT COLUMN exit_code 'Exit code of its command; null: it said none',
    COMMENT COLUMN output 'Last lines of what it said, up to 4,000 characters; empty: nothing',
    COMMENT COLUMN detail 'The end in words; empty: nothing more to say',
    COMMENT COLUMN receiver 'Receiver that took the report';
