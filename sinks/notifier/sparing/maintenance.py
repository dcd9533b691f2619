"""Maintenance windows: what is planned is not told. Pure."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from schemas.occurrences import Window
from schemas.policy import Maintenance
from sinks.notifier.sparing.model import Outage, Spared, day_and_time, latest

_TAG: Final = "tag:"

_unrolled: Final = lru_cache(maxsize=10_000)(Window)
"""A rule of ten years takes 10 ms: it is unrolled once, whatever else of the policy is edited."""


class MaintenanceWindows:
    """The maintenance windows of the policy."""

    def __init__(self, windows: Iterable[Maintenance]) -> None:
        self._covering: dict[str, list[Window]] = {}
        """By a target's id or `tag:NAME`: its windows by name; two inventories may share one."""
        for window in sorted(windows, key=lambda one: one.name):
            unrolled = _unrolled(window)
            for name in dict.fromkeys(window.targets):
                self._covering.setdefault(name, []).append(unrolled)

    def spared(self, outage: Outage, at: int) -> Spared | None:
        """The window that spares an outage at `at` (UTC ms); of several the one that ends last.

        After its end it spares what began before that until the target's next results are in.
        """
        if not self._covering or not outage.target:
            return None
        names = (outage.target, *(_TAG + tag for tag in outage.tags))
        found = {id(one): one for name in names for one in self._covering.get(name, ())}
        reasons = []
        for window in sorted(found.values(), key=lambda one: one.maintenance.name):
            span = window.at(at)
            end = window.ended(at) if span is None else span[1]
            if end is not None and (span is not None or outage.began < end):
                until = end + outage.settle_ms
                if at < until:
                    reasons.append(Spared("maintenance", _why(window.maintenance, end), until))
        return latest(reasons)


def _why(window: Maintenance, end: int) -> str:
    return f"maintenance: {window.name} until {day_and_time(end, window.timezone)}"
