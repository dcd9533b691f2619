"""Questions about the whole fleet as it is now, each in one pass, whatever its size."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from schemas.result import RECEIVER

T = TypeVar("T", bound=Struct)

STATUSES: Final = (
    "down",
    "flapping",
    "unwatched",
    "failing",
    "late",
    "slow",
    "pending",
    "paused",
    "up",
)
"""What `status_now` says of a target, the worst first."""

REGION_STATUSES: Final = ("down", "stale", "blocked", "pending", "up")
"""What `region_status_now` says, the worst first."""

NEVER_LATE_MS: Final = 15_000
"""Age of the newest result in ms that is no sign of trouble, whatever the fleet."""

_MISSED_IN_A_ROW: Final = 5
"""Mean distances between two results without any, after which something stands still."""

_NAMED_MOST: Final = 200
"""Number of ids that a request may name."""

_MOST: Final = 2**24 - 1
"""More targets than anybody has: a limit that ClickHouse still accepts."""

_CRITICALITIES: Final = ("critical", "important", "normal")


class FleetFilter(Struct, frozen=True, kw_only=True):
    """Which targets a question is about; empty: all of them.

    `text` is the id of a target, or else a part of an id, a name or a host, in any case. Names in
    one tuple are alternatives. With `regions`, `statuses` are what one of these regions says,
    where it is one of `REGION_STATUSES`.
    """

    text: str = ""
    teams: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def where(self, *, is_id: bool) -> str:
        """The condition; names only columns that it needs, which are all that is then read."""
        conditions = (
            (self.text, _ID if is_id else _PART),
            (self.teams, "has({teams:Array(String)}, toString(team))"),
            (self.tags, "hasAny({tags:Array(String)}, arrayMap(one -> toString(one), tags))"),
            (self.regions, "hasAny({regions:Array(String)}, mapKeys(regions))"),
            (self.statuses, _BY_STATUS),
        )
        return " WHERE " + " AND ".join(["1", *(sql for used, sql in conditions if used)])

    def parameters(self) -> dict[str, Any]:
        """Parameters of the queries."""
        by_region = self.regions and [one for one in self.statuses if one in REGION_STATUSES]
        return {
            "text": self.text,
            "teams": list(self.teams),
            "regions": list(self.regions),
            "tags": list(self.tags),
            "statuses": list(set(self.statuses) - set(by_region)),
            "region_statuses": list(by_region),
        }


class InventoryNow(Struct, frozen=True, kw_only=True):
    """What the inventory has, as the sink wrote it; the empty team is that of targets without one.

    `jobs` of them report themselves: they have no region, and are never late for what this says.

    `gap_ms` is the mean distance between two results of the fleet, `longest_ms` the time after
    which a result of the target with the shortest interval is stale. `now` (UTC ms) is
    ClickHouse's.
    """

    now: int
    targets: int
    teams: tuple[str, ...]
    regions: tuple[str, ...]
    tags: tuple[str, ...]
    gap_ms: float
    longest_ms: float
    jobs: int = 0

    def is_late(self, age_ms: float) -> bool:
        """True if the newest result of the fleet is older than checks on time can leave it."""
        return age_ms > NEVER_LATE_MS + min(_MISSED_IN_A_ROW * self.gap_ms, self.longest_ms)


class FleetSummary(Struct, frozen=True, kw_only=True):
    """Numbers of targets by status; of each team (empty: none) and, by its own word, each region.

    `newest_result_at` (UTC ms) is the start of the newest check of these targets that counts, None
    if there is none.
    """

    targets: int
    by_status: dict[str, int]
    by_team: dict[str, dict[str, int]]
    by_region: dict[str, dict[str, int]]
    newest_result_at: int | None


class RegionNow(Struct, frozen=True, gc=False, kw_only=True):
    """How a region sees a target; see the view `region_status_now`. `checked_at`: UTC ms."""

    region: str
    status: str
    reason: str | None
    detail: str
    latency_ms: float | None
    checked_at: int | None


class TargetNow(Struct, frozen=True, kw_only=True):
    """How a target is; see the view `status_now`. Times: UTC ms.

    `is_resolved`: down without an open incident, since somebody resolved it by hand. `expect` is
    `closed` of a port that must not be reachable: `down` is open, and `up` is closed.
    `paused_by` is empty with the status `paused` if its inventory says that it is not enabled;
    `paused_until` None: until somebody resumes it.
    """

    target: str
    name: str
    kind: str
    host: str
    port: int | None
    team: str | None
    criticality: str
    status: str
    since: int | None
    is_resolved: bool
    newest_result_at: int | None
    expect: str = "open"
    paused_by: str = ""
    paused_until: int | None = None
    pause_reason: str = ""
    regions: tuple[RegionNow, ...]


class RegionTrouble(Struct, frozen=True, kw_only=True):
    """The last event of a region that tells of trouble which is not known to be over."""

    event: str
    region: str
    at: int
    last_beat_at: int | None
    summary: str


_INVENTORY: Final = """
SELECT toUnixTimestamp64Milli(now64(3)), count(), arraySort(groupUniqArray(toString(team))),
       arraySort(groupUniqArrayArrayIf(arrayMap(one -> toString(one), regions), NOT is_job)),
       arraySort(groupUniqArrayArray(arrayMap(one -> toString(one), tags))),
       1 / greatest(sumIf(length(regions) / interval_ms, is_checked), 1e-12),
       min(if(is_checked, interval_ms * 2.5 + timeout_ms, 1e12)),
       countIf(is_job)
FROM
(
    SELECT *, kind = 'heartbeat' AS is_job,
        enabled AND NOT is_job AND target NOT IN (SELECT target FROM pauses_current) AS is_checked
    FROM targets_current
)
"""

_IS_ID: Final = "SELECT count() FROM targets_current WHERE target = {text:String}"
_ID: Final = "target = {text:String}"
_PART: Final = """
(positionCaseInsensitiveUTF8(target, {text:String}) > 0
    OR positionCaseInsensitiveUTF8(name, {text:String}) > 0
    OR positionCaseInsensitiveUTF8(host, {text:String}) > 0)
"""
_BY_STATUS: Final = """
(has({statuses:Array(String)}, status)
    OR arrayExists((one, word) -> has({regions:Array(String)}, one)
        AND has({region_statuses:Array(String)}, word), mapKeys(regions), mapValues(regions)))
"""

# One pass gives the numbers and the ids: the view is the dear part. The words of the regions are
# the key of a group as one text, of which there are few, and a text is quicker than an array.
_SUMMARY: Final = """
SELECT status, toString(team), arrayStringConcat(mapKeys(regions), '\n') AS names,
       arrayStringConcat(mapValues(regions), '\n') AS words, toString(criticality), count(),
       toUnixTimestamp64Milli(max(newest_result_at)),
       groupArraySorted({most:UInt32})(target)
FROM status_now
"""
_GROUPS: Final = " GROUP BY status, toString(team), names, words, toString(criticality)"

_STATUS: Final = """
SELECT target, name, toString(kind), host, nullIf(port, 0), nullIf(toString(team), ''),
       toString(criticality), status, toUnixTimestamp64Milli(since), toBool(is_resolved),
       toUnixTimestamp64Milli(newest_result_at), toString(expect), paused_by,
       toUnixTimestamp64Milli(paused_until), pause_reason
FROM status_now
"""
_REGIONS: Final = """
SELECT target, region, status, nullIf(reason, ''), detail, latency_ms,
       toUnixTimestamp64Milli(checked_at)
FROM region_status_now
"""
_NAMED: Final = "WHERE has({targets:Array(String)}, target) AND target IN {targets:Array(String)}"

_REGION_TROUBLE: Final = """
SELECT event, region, toUnixTimestamp64Milli(at), toUnixTimestamp64Milli(last_beat_at), summary
FROM
(
    SELECT toString(event) AS event, toString(region) AS region, at, last_beat_at, summary
    FROM region_events
    ORDER BY at DESC, log_offset DESC
    LIMIT 1 BY region, multiIf(event IN ('region.silent', 'region.returned'), 0,
                               event IN ('region.suspect', 'region.cleared'), 1,
                               event IN ('region.secrets_missing', 'region.secrets_found'), 2, 3)
)
WHERE event IN ('region.silent', 'region.suspect', 'region.secrets_missing')
    OR (event = 'region.clock_skewed' AND at > now() - toIntervalHour(1))
ORDER BY at DESC, region
"""


def inventory_now(client: Client) -> InventoryNow:
    """What there is to ask for. `client` is from `foundation.clickhouse`."""
    (found,) = client.query(_INVENTORY).result_rows
    now, count, teams, regions, tags, gap_ms, longest_ms, jobs = found
    return InventoryNow(
        now=now,
        targets=count,
        teams=tuple(teams),
        regions=tuple(regions),
        tags=tuple(tags),
        gap_ms=gap_ms,
        longest_ms=longest_ms,
        jobs=jobs,
    )


def fleet_summary(
    client: Client, wanted: FleetFilter, most: int
) -> tuple[FleetSummary, list[tuple[str, str]]]:
    """The numbers of the wanted targets, and ids with their status, the worst first.

    At most `most` ids (0: all), within a status the critical ones first.
    """
    asked = wanted.parameters() | {"most": most or _MOST}
    is_id = bool(wanted.text) and bool(client.query(_IS_ID, parameters=asked).result_rows[0][0])
    sql = _SUMMARY + wanted.where(is_id=is_id) + _GROUPS
    found = client.query(sql, parameters=asked).result_rows
    by_status: Counter[str] = Counter()
    by_team: dict[str, Counter[str]] = {}
    by_region: dict[str, Counter[str]] = {}
    newest = None
    ranked: list[tuple[int, int, str, str]] = []
    for status, team, names, words, criticality, count, newest_at, ids in found:
        by_status[status] += count
        by_team.setdefault(team, Counter())[status] += count
        for region, word in zip(names.split("\n"), words.split("\n"), strict=True):
            # What the regions said last of what nobody checks is of no interest, and the place of
            # jobs is none.
            if status == "paused" or region == RECEIVER:
                continue
            if not wanted.regions or region in wanted.regions:
                by_region.setdefault(region, Counter())[word] += count
        if newest_at is not None:
            newest = max(newest or 0, newest_at)
        matters = _CRITICALITIES.index(criticality) if criticality in _CRITICALITIES else 9
        ranked += [(STATUSES.index(status), matters, one, status) for one in ids]
    told = FleetSummary(
        targets=by_status.total(),
        by_status=_ordered(by_status, STATUSES),
        by_team={team: _ordered(by_team[team], STATUSES) for team in sorted(by_team)},
        by_region={one: _ordered(by_region[one], REGION_STATUSES) for one in sorted(by_region)},
        newest_result_at=newest,
    )
    return told, [(one, status) for _, _, one, status in sorted(ranked)[: most or _MOST]]


def targets_now(client: Client, ids: Sequence[str]) -> list[TargetNow]:
    """The targets of these ids, in this order; without those that are gone meanwhile."""
    if not ids:
        return []
    # Many ids are too long for a request: then everything is read, of which they are a large part.
    named, asked = (_NAMED, {"targets": list(ids)}) if len(ids) <= _NAMED_MOST else ("", {})
    wanted = set(ids)
    regions: dict[str, list[RegionNow]] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        of_regions, of_targets = (
            pool.submit(client.query, sql + named, parameters=asked) for sql in (_REGIONS, _STATUS)
        )
    for target, *row in of_regions.result().result_rows:
        if target in wanted:
            regions.setdefault(target, []).append(_struct(RegionNow, row))
    found = {
        row[0]: _struct(TargetNow, (*row, tuple(regions.get(row[0], ()))))
        for row in of_targets.result().result_rows
        if row[0] in wanted
    }
    return [found[one] for one in ids if one in found]


def region_trouble(client: Client) -> list[RegionTrouble]:
    """What the stream last said of each region, if it is trouble; the newest first."""
    return [_struct(RegionTrouble, row) for row in client.query(_REGION_TROUBLE).result_rows]


def _ordered(counts: Mapping[str, int], order: Sequence[str]) -> dict[str, int]:
    return {one: counts[one] for one in order if counts.get(one)}


def _struct(kind: type[T], row: Sequence[Any]) -> T:
    return kind(**dict(zip(kind.__struct_fields__, row, strict=True)))
