"""The heartbeats of the fleet, for the receiver in the role `web`."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from portquorum.receiver.jobs import JobBook
from portquorum.receiver.report import Job
from portquorum.web.fleet.inventory import Inventory
from portquorum.web.fleet.kept_target import KeptTarget

REBUILD_S: Final = 1.0
"""Longest age of the names, if jobs change all the time."""
_KIND: Final = "heartbeat"


class FleetJobs:
    """See `portquorum.receiver.jobs.Jobs`.

    A job is found by its id at once; names are collected when somebody asks for one.
    """

    def __init__(
        self,
        inventory: Inventory,
        is_present: asyncio.Event,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` gives seconds."""
        self._inventory = inventory
        self._is_present = is_present
        self._now = now
        self._book = JobBook()
        self._version = 0
        self._counted = (0, 0)
        self._built_at = -REBUILD_S

    @property
    def is_present(self) -> bool:
        return self._is_present.is_set()

    @property
    def enabled(self) -> int:
        version = self._inventory.member_version("kind", _KIND)
        if version != self._counted[0]:
            count = sum(record.shared.enabled for record in self._records())
            self._counted = (version, count)
        return self._counted[1]

    def get(self, job_id: str) -> Job | None:
        record = self._inventory.get(job_id)
        return None if record is None or record.kind != _KIND else _job(record)

    def named(self, slug: str) -> Sequence[Job]:
        return self._names().named(slug)

    def keyed(self, key: str) -> Sequence[Job]:
        return self._names().keyed(key)

    def _names(self) -> JobBook:
        version, now = self._inventory.member_version("kind", _KIND), self._now()
        if version != self._version and now - self._built_at >= REBUILD_S:
            self._book = JobBook(map(_job, self._records()))
            self._version, self._built_at = version, now
        return self._book

    def _records(self) -> Iterator[KeptTarget]:
        rows = self._inventory.with_value("kind", _KIND)
        return iter(()) if rows is None else map(self._inventory.record, rows)


def _job(record: KeptTarget) -> Job:
    shared = record.shared
    return Job(
        id=record.id,
        name=record.name,
        team=shared.team,
        tags=shared.tags,
        version=record.version,
        enabled=shared.enabled,
    )
