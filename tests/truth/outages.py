"""Incidents from their events, and the outages that they were."""

from dataclasses import dataclass
from typing import Final

from tests.truth.inventory import rows_by_target, standing
from tests.truth.records import HOUR, MINUTE, History, Row
from tests.truth.spans import Span

DOWN_TYPES: Final = ("unreachable", "flapping")
NEVER_COUNTED: Final = ("prober_error", "address_blocked")


@dataclass(frozen=True, kw_only=True)
class Case:
    """An incident: its events in order, and its span. `end` is None while it goes on.

    Of the types `unreachable` and `flapping` the span is an outage, from the first failure to the
    end of the outage; of the others it lasts until the incident closed.
    """

    events: list[Row]
    begin: int
    end: int | None

    @property
    def newest(self) -> Row:
        return self.events[-1]

    @property
    def type(self) -> str:
        return str(self.newest["incident_type"])

    @property
    def is_open(self) -> bool:
        """Whether the incident is open; its outage may be over, or go on after it."""
        return self.newest["closed_at"] is None

    @property
    def is_outage(self) -> bool:
        return self.newest["incident_type"] in DOWN_TYPES

    @property
    def acknowledgement(self) -> Row | None:
        """The first event that has somebody who acknowledged."""
        return next((row for row in self.events if row["acknowledged_by"]), None)

    def span(self, now: int) -> Span:
        """Begin and end, and now for the end of what goes on."""
        return (self.begin, min(now, self.end if self.end is not None else now))


def cases(history: History) -> list[Case]:
    """All incidents, with the end of what each was."""
    events: dict[str, dict[str, Row]] = {}
    for row in history.incidents:
        events.setdefault(row["incident_id"], {})[row["event_id"]] = row
    inventory = rows_by_target(history)
    results: dict[str, list[Row]] = {}
    for row in history.results:
        results.setdefault(row["target"], []).append(row)
    for rows in results.values():
        rows.sort(key=lambda row: row["started_at"])
    found = []
    for of_one in events.values():
        rows = sorted(of_one.values(), key=lambda row: (row["at"], row["log_offset"]))
        target = rows[0]["target"]
        begin = min(row["first_failed_at"] for row in rows)
        end = _end(rows, begin, inventory.get(target, []), results.get(target, []), history.now)
        found.append(Case(events=rows, begin=begin, end=end))
    return found


def _end(
    events: list[Row], begin: int, definitions: list[Row], results: list[Row], now: int
) -> int | None:
    newest = events[-1]
    kind, closed = newest["incident_type"], newest["closed_at"]
    if kind not in DOWN_TYPES:
        return closed  # type: ignore[no-any-return]
    if closed is not None:
        return _end_of_closed(events, begin, definitions, results)
    return _steady_since(begin, definitions, results, now) if kind == "flapping" else None


def _end_of_closed(
    events: list[Row], begin: int, definitions: list[Row], results: list[Row]
) -> int | None:
    newest = events[-1]
    because, closed = newest["closed_because"], newest["closed_at"]
    said = [row["event"] for row in events if row["event"] in {"opened", "worsened", "improved"}]
    if because == "resolved" and said[-1] != "improved":
        return _answered(newest, definitions, results)
    if newest["incident_type"] == "flapping" and because in {"recovered", "steady"}:
        if newest.get("recovered_at") is not None:
            return max(begin, newest["recovered_at"])
        slowly = any("steadily reachable for two hours" in row["summary"] for row in events)
        return max(begin, closed - (2 * HOUR if slowly else 30 * MINUTE))
    return closed  # type: ignore[no-any-return]


def _answered(newest: Row, definitions: list[Row], results: list[Row]) -> int | None:
    """The end of an outage that somebody resolved by hand while nothing answered.

    It ends with the success that makes a majority of the regions, or when the target left the
    inventory or went to another place, whatever came first. Where no definition of that time is
    known the regions are those that the event names.
    """
    closed = newest["closed_at"]
    was = standing(definitions, closed)
    ends = []
    for row in definitions:
        moved = was is not None and any(row[name] != was[name] for name in ("kind", "host", "port"))
        if row["appended_at"] > closed and (row["removed"] or moved):
            ends.append(row["appended_at"])
            break
    regions = set(was["regions"] if was is not None else newest["verdicts"])
    answered: set[str] = set()
    for row in results:
        if row["started_at"] > closed and row["status"] == "up" and row["region"] in regions:
            answered.add(row["region"])
            if 2 * len(answered) > len(regions):
                ends.append(row["started_at"])
                break
    return min(ends, default=None)


def _steady_since(begin: int, definitions: list[Row], results: list[Row], now: int) -> int | None:
    """The last recovery of a target that flaps, if most of its regions see it up; else None.

    A region that has not looked since the incident began does not say that it is up.
    """
    is_now = standing(definitions, now)
    if is_now is None:
        return None
    regions = set(is_now["regions"])
    since: dict[str, int] = {}
    has_looked: set[str] = set()
    for row in results:
        if row["region"] not in regions:
            continue
        if row["status"] == "missed" or row["reason"] in NEVER_COUNTED:
            continue
        if row["started_at"] >= begin:
            has_looked.add(row["region"])
        if row["status"] == "down":
            since.pop(row["region"], None)
        else:
            since.setdefault(row["region"], row["started_at"])
    since = {region: at for region, at in since.items() if region in has_looked}
    if 2 * len(since) <= len(regions):
        return None
    return max(begin, sorted(since.values())[len(regions) // 2])
