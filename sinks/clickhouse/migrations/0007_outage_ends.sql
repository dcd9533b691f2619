-- Ends of outages that no incident says. Of those whose incident was closed by hand while they went
-- on: found in the results, which expire, so it is kept for ever.
CREATE TABLE IF NOT EXISTS {internal}.outage_ends
(
    incident_id String COMMENT 'incident of the outage, closed by hand',
    ended_at    DateTime64(3, 'UTC') COMMENT 'when most regions had reached the target again, or it was removed or moved',
    reckoned_at DateTime64(3, 'UTC') COMMENT 'the newest row of an incident counts'
)
ENGINE = ReplacingMergeTree(reckoned_at)
ORDER BY incident_id
COMMENT 'ends of outages whose incident was closed by hand while they went on; every 5 minutes';

-- Of those that flap and are up just now; replaced as a whole.
CREATE TABLE IF NOT EXISTS {internal}.flapping_ends
(
    incident_id String COMMENT 'open incident of the type flapping',
    ended_at    DateTime64(3, 'UTC') COMMENT 'since when most regions reach the target'
)
ENGINE = MergeTree
ORDER BY incident_id
COMMENT 'open flapping incidents whose target is up now; every minute';
