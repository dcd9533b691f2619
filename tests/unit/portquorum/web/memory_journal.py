"""The topic [web] in memory, and journals of several processes that read it."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence

from aiokafka.errors import KafkaError

from portquorum.journal.book import PageBook, single_key
from portquorum.journal.protocol import Outcome
from schemas import web
from schemas.web import Single, Versioned, Web


class MemoryLog:
    """Every journal reads a record before its writer goes on."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes | None]] = []
        self.journals: list[MemoryJournal] = []
        self.at = 1_796_000_000_000

    def write(self, key: bytes, value: bytes | None) -> None:
        self.records.append((key, value))
        for one in self.journals:
            one.read()

    def text(self) -> str:
        """All that was ever written."""
        return "\n".join(f"{key!r} {value!r}" for key, value in self.records)


class MemoryJournal:
    """One process."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        self.book = PageBook()
        self.is_present = asyncio.Event()
        self.is_present.set()
        self.is_away = False
        self._told: list[Callable[[Web | None, str], None]] = []
        self._position = 0
        self.read()
        self.log.journals.append(self)

    def on_change(self, told: Callable[[Web | None, str], None]) -> None:
        self._told.append(told)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def caught_up(self) -> None:
        self._refuse()

    async def edit(self, edits: Sequence[Versioned]) -> tuple[Outcome, ...]:
        self._refuse()
        await asyncio.sleep(0)
        keys = [web.key(one, secrets.token_hex(8)) for one in edits]
        for key, one in zip(keys, edits, strict=True):
            self.log.write(key, web.encode(one))
        return tuple(
            Outcome(accepted=self.book.counts(key), version=self.book.version_of(web.identity(one)))
            for key, one in zip(keys, edits, strict=True)
        )

    async def put(self, records: Sequence[Single]) -> None:
        self._refuse()
        await asyncio.sleep(0)
        for one in records:
            self.log.write(web.key(one), web.encode(one))

    async def drop(self, records: Iterable[tuple[type[Single], str]]) -> None:
        self._refuse()
        for one in records:
            self.log.write(single_key(*one), None)

    def read(self) -> None:
        for offset in range(self._position, len(self.log.records)):
            change = self.book.apply(*self.log.records[offset], offset, self.log.at + offset)
            if change is not None:
                for told in self._told:
                    told(change.record, change.identity)
        self._position = len(self.log.records)

    def _refuse(self) -> None:
        if self.is_away:
            raise KafkaError("away")
