"""Results of a made-up history: by the incidents, with gaps, misses, odd latencies, late rows."""

from random import Random
from typing import Final

from tests.truth.made_targets import Log, MadeTarget
from tests.truth.records import DAY, HOUR, Row
from tests.truth.spans import Span

_ODD_US: Final = (0, 1, 2, 255, 256, 257, 511, 100_000, 999_999, 60_000_000, 4_294_967_295)
_MISSED: Final = ("", "prober_error", "address_blocked")
_DOWN: Final = ("timed_out", "connection_refused", "dns_failed")


class Results:
    """Makes the results of one target until `now`."""

    def __init__(self, random: Random, log: Log, target: MadeTarget, now: int) -> None:
        self._random = random
        self._log = log
        self._target = target
        self._now = now

    def all(self, failing: dict[str, list[Span]], gaps: list[Span]) -> list[Row]:
        """Nobody checks within a gap; a region fails in its spans."""
        rows: list[Row] = []
        interval = self._target.interval_ms
        for region in self._target.regions:
            usual_us = self._random.choice([300, 4_000, 27_000, 250_000])
            spans = failing.get(region, [])
            at = self._target.begin + self._random.randrange(interval)
            while at < self._now - 5_000:
                if not any(begin <= at < end for begin, end in gaps):
                    row = self._measured(region, at)
                    down = any(begin <= at < end for begin, end in spans)
                    rows.append(row | self._said(row, usual_us, down=down))
                at += interval + self._random.randrange(-interval // 8, interval // 8)
        return rows

    def _measured(self, region: str, at: int) -> Row:
        random = self._random
        stood = [row for row in self._target.rows if not row["removed"]]
        definition = next((row for row in reversed(stood) if row["appended_at"] <= at), stood[0])
        late = random.choice([5 * HOUR, 30 * HOUR]) if random.random() < 0.01 else 400
        started = at + random.randrange(1_000)
        return {
            "target": self._target.name,
            "kind": definition["kind"],
            "host": definition["host"],
            "port": definition["port"],
            "region": region,
            "prober": f"{region}-1",
            "scheduled_at": at,
            "started_at": started,
            "cause": "schedule",
            **self._log.place(min(self._now, started + late)),
        }

    def _said(self, row: Row, usual_us: int, *, down: bool) -> Row:
        random = self._random
        nothing = {"reason": "", "connect_us": None, "total_us": None, "cert_expires_at": None}
        chance = random.random()
        if chance < 0.01:
            return nothing | {"status": "missed", "reason": random.choice(_MISSED)}
        if down or chance < 0.015:
            return nothing | {"status": "down", "reason": random.choice(_DOWN)}
        usual = int(random.lognormvariate(0, 0.4) * usual_us)
        connect = random.choice(_ODD_US) if chance > 0.98 else usual
        found = nothing | {"status": "up", "total_us": min(4_294_967_295, connect + 700)}
        if random.random() > 0.02:
            found["connect_us"] = connect
        if row["kind"] in {"tls", "domain"}:
            ends = random.choice([-2, 20, 90]) * DAY + 7
            found["cert_expires_at"] = row["scheduled_at"] // DAY * DAY + ends
        return found
