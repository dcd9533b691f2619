"""Maintenance windows of the page's own: their edits in [web], published in [policy].

The edit is the truth; the entry of the source `web` in [policy] is derived from it. Every process
repairs what differs: one may have been killed in between.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from aiokafka.errors import KafkaError

from foundation.telemetry import logger
from portquorum.changing.errors import FieldError
from portquorum.inventory.decode import Entry
from portquorum.inventory.document import MaintenanceEntry
from portquorum.inventory.errors import Problem, path_text
from portquorum.inventory.tree import Root
from portquorum.inventory.windows import WindowResolver
from portquorum.journal.protocol import Journal
from schemas import policy
from schemas.policy import WEB, Maintenance
from schemas.web import WrittenMaintenance

REPAIR_S: Final = 30.0

Write = Callable[[Mapping[bytes, bytes | None]], Awaitable[None]]
"""Writes entries of [policy]; None removes one. All are confirmed when it returns."""
Present = Callable[[], Mapping[str, Maintenance]]
"""The windows of the source `web` in [policy], by name, as far as it was read."""

_ROOT: Final = Root(WEB, None, 0)
_AWAY: Final = (KafkaError, OSError)
_log = logger(__name__)


class WindowError(ValueError):
    """An entry that is no window; `errors` name its fields."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{one.field}: {one.message}" for one in self.errors))


class AnyTarget(Collection[str]):
    """The ids of targets that may be: what was right once is published, whoever is gone."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def resolved(entry: MaintenanceEntry, ids: Collection[str]) -> Maintenance:
    """The window of an entry; `ids` are those of the targets that there are.

    Raises:
        WindowError: what is wrong with it.
    """
    problems: list[Problem] = []
    found = WindowResolver(ids, problems, []).resolve([Entry(entry, _ROOT, ())])
    if problems or not found:
        raise WindowError(
            FieldError(field=path_text(one.where.path), message=one.message) for one in problems
        )
    return found[0]


def encoded(entry: MaintenanceEntry) -> str:
    """An entry as [web] has it: the fields that were written."""
    plain = msgspec.to_builtins(entry)
    return msgspec.json.encode({k: v for k, v in plain.items() if v is not None}).decode()


def stored(text: str) -> MaintenanceEntry | None:
    """The entry of a text of [web]; None if it is none (somebody else wrote it)."""
    try:
        return msgspec.json.decode(text, type=MaintenanceEntry)
    except msgspec.DecodeError:
        return None


def key_of(name: str) -> bytes:
    """The message key in [policy]."""
    return f"{WEB}/maintenance/{name}".encode()


class WindowPublisher:
    """Publishes the newest edits of windows, one at a time."""

    def __init__(
        self, journal: Journal, present: Present, write: Write, *, repair_s: float = REPAIR_S
    ) -> None:
        """`repair_s` is the time between two looks for what differs."""
        self._journal = journal
        self._present = present
        self._write = write
        self._repair_s = repair_s
        self._lock = asyncio.Lock()

    async def publish(self, names: Collection[str]) -> None:
        """Publishes what counts of these windows; on return it is confirmed.

        The last publication is always of the newest edit: what came meanwhile is published, too.

        Raises:
            KafkaError, OSError: Kafka is away; it is done by a repair once it is back.
        """
        async with self._lock:
            left = frozenset(names)
            while left:
                before = {name: self._version(name) for name in left}
                await self._write({key_of(name): self._value(name) for name in left})
                await self._journal.caught_up()
                left = frozenset(name for name in left if self._version(name) != before[name])

    async def run(self) -> None:
        """Repairs without end; cancel the task to stop."""
        await self._journal.is_present.wait()
        while True:
            try:
                await self.repair()
            except _AWAY as error:
                _log.warning("windows of the page are not published", error=repr(error))
            await asyncio.sleep(self._repair_s)

    async def repair(self) -> int:
        """Publishes what differs; returns how many windows that were.

        Raises:
            KafkaError, OSError: Kafka is away.
        """
        there = self._present()
        names = {*there, *self._journal.book.all(WrittenMaintenance)}
        differing = [name for name in names if self._value(name) != _encoded(there.get(name))]
        await self.publish(differing)
        return len(differing)

    def _version(self, name: str) -> int:
        return self._journal.book.version(WrittenMaintenance, name)

    def _value(self, name: str) -> bytes | None:
        record = self._journal.book.get(WrittenMaintenance, name)
        entry = None if record is None else stored(record.entry)
        if entry is None:
            return None
        try:
            return policy.encode(resolved(entry, AnyTarget()))
        except WindowError:
            return None  # of a later version, or of somebody else


def _encoded(window: Maintenance | None) -> bytes | None:
    return None if window is None else policy.encode(window)
