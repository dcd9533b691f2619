"""Targets and maintenance windows of a made-up history: moved, renamed, removed and back again."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.truth.records import DAY, HOUR, MINUTE, Row
from tests.truth.spans import Span

REGIONS: Final = ("eu", "us", "ap")
_TEAMS: Final = ("db", "web", "")
_SLOS: Final = (None, 99.0, 99.9, 95.0, 100.0)
_PRICES: Final = (None, 60.0, 1200.5, 0.01)


class Log:
    """Places in the log: every row has one of its own."""

    def __init__(self) -> None:
        self._offset = 0

    def place(self, at: int) -> dict[str, int]:
        self._offset += 1
        return {"log_partition": 0, "log_offset": self._offset, "appended_at": at}


@dataclass(kw_only=True)
class MadeTarget:
    """A target: its rows, the oldest first, and what happened to it that closes incidents."""

    name: str
    regions: list[str]
    interval_ms: int
    rows: list[Row]
    breaks: list[tuple[int, str]]
    """When it was removed or moved, and what an incident says that closes for it."""

    @property
    def begin(self) -> int:
        return int(self.rows[0]["appended_at"])


def made_target(random: Random, log: Log, number: int, time: Span, often_ms: int) -> MadeTarget:
    """A target that is there from about the begin of `time` on; each fourth one comes later."""
    begin, now = time
    name = f"t{number:02}"
    late = random.randrange(begin, now - DAY) if number % 4 == 3 else begin
    at = late + random.randrange(6 * HOUR)
    regions = list(REGIONS if number % 5 else REGIONS[: random.randint(1, 2)])
    interval = 2 * HOUR if number % 6 == 1 else DAY if number % 6 == 4 else often_ms
    fields: dict[str, Any] = {
        "name": f"Target {number}",
        "kind": "domain" if number % 12 == 6 else "tls" if number % 3 == 0 else "tcp",
        "host": f"{name}.example.com",
        "port": 443,
        "team": random.choice(_TEAMS),
        "tags": random.sample(["prod", "test", "old"], random.randint(0, 2)),
        "slo": random.choice(_SLOS),
        "downtime_cost_per_hour": random.choice(_PRICES),
        "criticality": random.choice(["critical", "important", "normal"]),
    }
    made = MadeTarget(name=name, regions=regions, interval_ms=interval, rows=[], breaks=[])
    made.rows.append(_row(made, log, at, fields))
    for change in sorted(random.randrange(at + 1, now) for _ in range(random.randint(0, 4))):
        if change > made.rows[-1]["appended_at"]:
            _change(random, log, made, fields, at=change, now=now)
    last = max(made.rows[-1]["appended_at"] + MINUTE, now - 2 * DAY)
    if number % 6 == 3 and last < now:
        made.rows.append(_row(made, log, last, fields | {"regions": made.regions[:1]}))
    elif number % 6 == 5 and last < now:
        made.breaks.append((last, "target_removed"))
        made.rows.append(_row(made, log, last, {}, removed=1))
    return made


def _change(
    random: Random, log: Log, made: MadeTarget, fields: dict[str, Any], *, at: int, now: int
) -> None:
    what = random.choice(["name", "team", "slo", "price", "tags", "move", "remove", "regions"])
    if what == "remove":
        made.breaks.append((at, "target_removed"))
        made.rows.append(_row(made, log, at, {}, removed=1))
        at += random.choice([MINUTE, 5 * HOUR, 3 * DAY, 400 * DAY])
        if at >= now:
            return
    elif what == "move":
        made.breaks.append((at, "target_changed"))
        fields.update(random.choice([{"port": fields["port"] + 1}, {"host": f"moved-{at}"}]))
    elif what == "regions":
        # The others go on to look for a while, as probers do that have not heard of it.
        fields["regions"] = random.sample(made.regions, random.randint(1, len(made.regions)))
    elif what == "name":
        fields["name"] += "!"
    elif what == "team":
        fields["team"] = random.choice(_TEAMS)
    elif what == "slo":
        fields["slo"] = random.choice(_SLOS)
    elif what == "price":
        fields["downtime_cost_per_hour"] = random.choice(_PRICES)
    elif what == "tags":
        fields["tags"] = random.sample(["prod", "test", "old"], random.randint(0, 2))
    made.rows.append(_row(made, log, at, fields))


def _row(made: MadeTarget, log: Log, at: int, fields: dict[str, Any], *, removed: int = 0) -> Row:
    definition = {
        "regions": list(made.regions),
        "interval_ms": made.interval_ms,
        "enabled": True,
        "timeout_ms": 3_000,
        "source": "inventory",
    }
    empty: Row = {
        "name": "",
        "kind": "",
        "host": "",
        "port": 0,
        "team": "",
        "tags": [],
        "slo": None,
        "downtime_cost_per_hour": None,
        "criticality": "",
        "regions": [],
        "interval_ms": 0,
        "timeout_ms": 0,
    }
    row = empty | ({} if removed else definition | fields)
    return row | {"target": made.name, "removed": removed, "version": at, **log.place(at)}


def made_windows(
    random: Random, log: Log, targets: list[MadeTarget], begin: int, now: int
) -> list[Row]:
    """Maintenance windows: once and by rule, by tag and by target, late, removed, changed."""
    rows: list[Row] = []
    for number in range(8):
        selectors = (
            [f"tag:{random.choice(['prod', 'test', 'nobody'])}"]
            if random.random() < 0.5
            else [one.name for one in random.sample(targets, min(2, len(targets)))]
        )
        start = random.randrange(begin, now)
        length = random.choice([20 * MINUTE, 3 * HOUR, 30 * HOUR])
        every = random.choice([0, DAY, 7 * DAY])
        begins = [start + place * every for place in range(60)] if every > length else [start]
        applied = start + random.choice([-DAY, -DAY, length // 3])
        row: Row = {
            "key": f"inventory/maintenance/w{number}",
            "removed": 0,
            "source": "inventory",
            "name": f"w{number}",
            "targets": selectors,
            "start": start,
            "duration_ms": length,
            "rrule": "FREQ=DAILY" if every else "",
            "begins": begins,
        }
        if applied < now:
            rows.append(row | log.place(applied))
        ended = start + random.choice([length // 2, 2 * DAY + length // 2, 400 * DAY])
        if applied < ended < now:
            gone = row | {"removed": 1, "begins": [], "targets": [], "duration_ms": 0}
            changed = row | {"duration_ms": length + 10 * MINUTE}
            rows.append((gone if random.random() < 0.5 else changed) | log.place(ended))
    return rows
