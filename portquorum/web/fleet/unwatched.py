"""The targets that nobody can judge, as the stream tells it: a number a partition, and why.

An event does not list the targets. Which they are follows from its silent regions: those of the
partition of whose regions fewer than a majority are heard (rule 12 of docs/rules.md).
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from portquorum.web.fleet.incident_book import SUMMARY_CHARS
from schemas.incident import Severity, TargetsEvent
from schemas.result import RECEIVER

MOST_PARTITIONS: Final = 1024
"""As many as the settings allow: a forger must not fill the memory."""


class UnwatchedCause(Struct, frozen=True, kw_only=True):
    """What blinds targets, over all partitions; `targets` is the stream's number."""

    cause_id: str
    severity: Severity
    targets: int
    since: int
    summary: str
    names: tuple[str, ...]
    partitions: frozenset[int]
    silent_regions: tuple[str, ...]


class UnwatchedBook:
    """The newest event of each partition."""

    def __init__(self) -> None:
        self.version = 0
        self._of: dict[int, TargetsEvent] = {}

    def apply(self, event: TargetsEvent) -> bool:
        """The newest event of its partition; True if it is news."""
        if event.partition >= MOST_PARTITIONS:
            return False
        known = self._of.get(event.partition)
        if known is not None and (event.at < known.at or event.event_id == known.event_id):
            return False
        self._of[event.partition] = event
        self.version += 1
        return True

    def says(self, partition: int) -> bool | None:
        """True: some targets of the partition are unwatched; None: nothing was heard of it."""
        known = self._of.get(partition)
        return None if known is None else known.count > 0

    def since(self, target: str, regions: tuple[str, ...], partition: int) -> int | None:
        """From when on a target cannot be judged; None: it can, or the event does not tell.

        A heartbeat is never unwatched (rule 16).
        """
        known = self._of.get(partition)
        if known is None or not known.count or regions == (RECEIVER,):
            return None
        heard = sum(1 for region in regions if region not in known.silent_regions)
        majority = len(regions) // 2 + 1
        if heard < majority or any(one.target == target for one in known.most_critical):
            return known.since
        return None

    def summary(self, partition: int) -> str:
        """What the stream says of a partition with unwatched targets; else empty."""
        known = self._of.get(partition)
        return known.summary[:SUMMARY_CHARS] if known is not None and known.count else ""

    def causes(self) -> Iterator[UnwatchedCause]:
        """The causes that hold now, each once, the largest first."""
        by_cause: dict[str, list[TargetsEvent]] = {}
        for event in self._of.values():
            if event.count:
                by_cause.setdefault(event.cause_id, []).append(event)
        found = [_cause(events) for events in by_cause.values()]
        yield from sorted(found, key=lambda one: (-one.targets, one.cause_id))


def _cause(events: list[TargetsEvent]) -> UnwatchedCause:
    newest = max(events, key=lambda one: (one.at, one.partition))
    critical = any(one.severity == "critical" for one in events)
    return UnwatchedCause(
        cause_id=newest.cause_id,
        severity="critical" if critical else newest.severity,
        targets=sum(one.count for one in events),
        since=min(one.since for one in events),
        summary=newest.summary[:SUMMARY_CHARS],
        names=tuple(one.name for event in events for one in event.most_critical)[:5],
        partitions=frozenset(one.partition for one in events),
        silent_regions=tuple(sorted({name for one in events for name in one.silent_regions})),
    )
