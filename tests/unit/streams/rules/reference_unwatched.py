"""Rule 12 in the reference: what a partition says of targets that nobody can judge."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from schemas.incident import Severity
from schemas.result import RECEIVER
from tests.unit.streams.rules.reference_target import Watched
from tests.unit.streams.rules.reference_words import (
    Returned,
    Seen,
    Silent,
    Told,
    Unwatched,
    majority,
    span,
)

MINUTES_5: Final = 300_000
ORDER: Final = ("critical", "important", "normal")


class Moment(Struct, frozen=True):
    """The log's time, the running time, the last beats (log time), and the silent regions.

    `aside` are the regions that are set aside, and since when (running time). `respite`: no region
    is told to be silent. `jobs`: there are some, which receivers should know of.
    """

    now: int
    running: int
    beats: Mapping[str, int]
    silent: Collection[str]
    aside: Mapping[str, int]
    respite: bool
    jobs: bool


class Lookout:
    def __init__(self) -> None:
        self.looked_at = 0
        self.told: Unwatched | None = None
        self.told_at = 0
        self.better_since: int | None = None
        self.awaited: dict[str, int] = {}
        self.said_silent: set[str] = set()

    def heard(self, region: str, now: int) -> list[Told]:
        """The first beat of a region ends the wait for it."""
        self.awaited.pop(region, None)
        if region in self.said_silent:
            self.said_silent.remove(region)
            return [Returned(region, now, None)]
        return []

    def look(self, targets: Iterable[Watched], at: Moment) -> list[Told]:
        if at.running - at.running % 10_000 <= self.looked_at:
            return []
        self.looked_at = at.running
        all_targets = list(targets)
        told = self._never_heard(all_targets, at)
        return told + self._unwatched([one for one in all_targets if unwatched(one, at)], at)

    def _never_heard(self, targets: list[Watched], at: Moment) -> list[Told]:
        wanted = {region for one in targets for region in one.target.regions}
        wanted = (wanted | ({RECEIVER} if at.jobs else set())) - at.beats.keys()
        self.awaited = {region: self.awaited.get(region, at.running) for region in wanted}
        self.said_silent &= wanted
        long = {name for name, since in self.awaited.items() if at.running - since >= MINUTES_5}
        new = set() if at.respite else long - self.said_silent
        self.said_silent |= new
        return [Silent(region, at.now, None) for region in sorted(new)]

    def _unwatched(self, found: list[Watched], at: Moment) -> list[Told]:
        before = self.told
        if not found:
            self.told = self.better_since = None
            return [] if before is None else [Seen(at.now, before.severity)]
        new = self._all_of(found, at)
        if before is not None and not self._worth_telling(before, new, at.running):
            return []
        self.told, self.told_at, self.better_since = new, at.running, None
        return [new]

    def _all_of(self, found: list[Watched], at: Moment) -> Unwatched:
        targets = [one.target for one in found]
        regions = sorted({region for one in targets for region in one.regions})
        ranked = sorted(targets, key=lambda one: (ORDER.index(one.criticality), one.id))
        severity: Severity = "critical" if ranked[0].criticality == "critical" else "warning"
        return Unwatched(
            at.now,
            severity,
            len(targets),
            tuple(one.id for one in ranked[:3]),
            tuple(
                (region, at.beats.get(region))
                for region in regions
                if region in at.silent or region not in at.beats
            ),
        )

    def _worth_telling(self, before: Unwatched, new: Unwatched, running: int) -> bool:
        named, silent = {name for name, _ in before.silent}, {name for name, _ in new.silent}
        if new.count <= before.count / 2 or named - silent:
            if self.better_since is None:
                self.better_since = running
        else:
            self.better_since = None
        if new.severity == "critical" and before.severity == "warning":
            return True
        if self.better_since is not None and running - self.better_since >= MINUTES_5:
            return True
        worse = new.count >= 2 * before.count or bool(silent - named)
        return worse and running - self.told_at >= MINUTES_5


def unwatched(watched: Watched, at: Moment) -> bool:
    """Whether too few regions have seen the target within the last 5 min."""
    said = watched.said(at.running)
    seen = 0
    for region, configured in watched.configured.items():
        pending = configured + span(watched.target)
        until = said[region].fresh_until if region in said else pending
        until = min(until, at.aside.get(region, until))
        seen += at.running - until < MINUTES_5
    return seen < majority(len(watched.configured))
