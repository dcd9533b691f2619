"""The beats of probers, from one partition of [results]: each beat comes in every partition."""

from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka import ConsumerRecord
from msgspec import structs

from portquorum.health.facts import ProberFacts
from portquorum.health.regions import beats_of
from portquorum.web.answers import ProberRow
from portquorum.web.following.log_clock import LogClock
from schemas.duration import HOUR_MS

MOST: Final = 20_000
"""Probers that are kept: a forger must not fill the memory."""


class BeatBook:
    """The newest beat of each prober, and the newest record of the log."""

    def __init__(self) -> None:
        self.clock = LogClock()
        self._rows: dict[tuple[str, str], ProberRow] = {}

    def take(self, records: Iterable[ConsumerRecord], live_at: int | None) -> bool:
        """Takes records of the partition; True if a beat was among them.

        `live_at`: our time (UTC ms) if they have just been written, so that the clocks can be
        compared; None: they may be old.
        """
        kept = list(records)
        for record in kept:
            self.clock.newest = max(self.clock.newest or 0, int(record.timestamp))
        if live_at is not None and kept:
            self.clock.offset_ms = int(kept[-1].timestamp) - live_at
        found = beats_of(kept)
        for region, probers in found.items():
            for name, facts in probers.items():
                if (region, name) in self._rows or len(self._rows) < MOST:
                    self._rows[region, name] = _row(facts)
        return bool(found)

    def by_region(self) -> Mapping[str, list[ProberRow]]:
        """The probers of each region; one that was not heard for an hour is forgotten."""
        least = (self.clock.newest or 0) - HOUR_MS
        self._rows = {key: row for key, row in self._rows.items() if row.at >= least}
        found: dict[str, list[ProberRow]] = {}
        for (region, _), row in self._rows.items():
            found.setdefault(region, []).append(row)
        return found


def _row(facts: ProberFacts) -> ProberRow:
    fields = structs.asdict(facts)
    return ProberRow(name=fields.pop("prober"), **fields)
