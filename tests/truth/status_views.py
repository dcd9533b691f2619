"""The views that tell how things are now."""

from typing import Any

from tests.truth.expected import Expected
from tests.truth.inventory import rows_by_target, standing
from tests.truth.outages import NEVER_COUNTED, Case
from tests.truth.records import MINUTE, History, Row, moment

_UNWATCHED_AFTER_MS = 5 * MINUTE


def status_views(history: History, cases: list[Case]) -> dict[str, Expected]:
    """By name of the view: only targets that are in the inventory."""
    targets = Expected(key=("target",))
    regions = Expected(key=("target", "region"))
    results: dict[str, list[Row]] = {}
    for row in history.results:
        results.setdefault(row["target"], []).append(row)
    of_target: dict[str, list[Case]] = {}
    for case in cases:
        of_target.setdefault(case.newest["target"], []).append(case)
    for target, rows in rows_by_target(history).items():
        stands = standing(rows, history.now)
        if stands is None:
            continue
        about = {name: stands[name] for name in ("name", "kind", "host", "port", "team")}
        seen = {
            region: _Seen(stands, region, results.get(target, []), history.now)
            for region in stands["regions"]
        }
        for region, one in seen.items():
            regions.rows[target, region] = about | one.columns
        said = _status(stands, list(seen.values()), of_target.get(target, []), history.now)
        targets.rows[(target,)] = about | said
    return {"status_now": targets, "region_status_now": regions}


class _Seen:
    """What a region says of a target: by results about its kind, host and port alone."""

    def __init__(self, stands: Row, region: str, results: list[Row], now: int) -> None:
        there = [
            row
            for row in results
            if row["region"] == region
            and all(row[name] == stands[name] for name in ("kind", "host", "port"))
        ]
        counted = [
            row for row in there if row["status"] != "missed" and row["reason"] not in NEVER_COUNTED
        ]
        blocked = [row for row in there if row["reason"] == "address_blocked"]
        self.newest = max(counted, key=lambda row: row["started_at"], default=None)
        self.blocked = max(blocked, key=lambda row: row["started_at"], default=None)
        fresh_ms = stands["interval_ms"] * 5 // 2 + stands["timeout_ms"]
        since = stands["appended_at"] if self.newest is None else self.newest["started_at"]
        self.until = since + fresh_ms
        self.fresh = self.newest is not None and self.until > now

    @property
    def status(self) -> str:
        newest, blocked = self.newest, self.blocked
        if newest is not None and self.fresh:
            return str(newest["status"])
        if blocked is not None and (newest is None or blocked["started_at"] > newest["started_at"]):
            return "blocked"
        return "pending" if newest is None else "stale"

    @property
    def columns(self) -> dict[str, Any]:
        """As the view names them."""
        status = self.status
        told = self.blocked if status == "blocked" else self.newest
        latency = None
        reason = "address_blocked" if status == "blocked" else ""
        if told is not None and status in {"up", "down"}:
            reason = told["reason"]
            took = told["connect_us"] if told["connect_us"] is not None else told["total_us"]
            latency = None if took is None else took / 1000
        return {
            "status": status,
            "reason": reason,
            "latency_ms": latency,
            "checked_at": None if told is None else moment(told["started_at"]),
        }


def _status(stands: Row, seen: list[_Seen], cases: list[Case], now: int) -> dict[str, Any]:
    majority = len(seen) // 2
    until = sorted((one.until for one in seen), reverse=True)[majority]
    newest = [one.newest["started_at"] for one in seen if one.newest is not None]
    open_ = {
        kind: min(case.begin for case in cases if case.is_open and case.type == kind)
        for kind in {case.type for case in cases if case.is_open}
    }
    resolved = [case for case in cases if case.is_outage and case.end is None and not case.is_open]
    since: int | None = None
    if "unreachable" in open_:
        status, since = "down", open_["unreachable"]
    elif "flapping" in open_:
        status, since = "flapping", open_["flapping"]
    elif until <= now - _UNWATCHED_AFTER_MS:
        status, since = "unwatched", until
    elif resolved:
        status, since = "down", min(case.begin for case in resolved)
    elif sum(one.status == "down" for one in seen) > majority:
        status = "failing"
    elif "slow" in open_:
        status, since = "slow", open_["slow"]
    else:
        status = "up" if newest else "pending"
    return {
        "criticality": stands["criticality"],
        "status": status,
        "since": None if since is None else moment(since),
        "newest_result_at": moment(max(newest)) if newest else None,
    }
