"""The Journal without Kafka: a log in memory that any number of "processes" share."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence

from portquorum.journal.book import Change, PageBook, identity_of, single_key
from portquorum.journal.protocol import Book, Outcome
from schemas import web
from schemas.web import Single, Versioned, Web


class MemoryLog:
    """Records in order, and who follows them."""

    def __init__(self) -> None:
        self.at = 0
        """The time of the records that are written next."""
        self.records: list[tuple[bytes, bytes | None, int]] = []
        self.followers: list[MemoryJournal] = []

    def append(self, key: bytes, value: bytes | None) -> None:
        self.records.append((key, value, self.at))
        for one in self.followers:
            one.take()

    def texts(self) -> str:
        """All that was ever written."""
        return "\n".join(f"{key!r} {value!r}" for key, value, _ in self.records)


class MemoryJournal:
    """One process. `is_away`: its writes and barriers fail, as if the broker were away.

    `before_write` is called once before the next write: what others do just then.
    """

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        self.is_away = False
        self.before_write: Callable[[], None] | None = None
        self._book = PageBook()
        self._read = 0
        self._present = asyncio.Event()
        self._present.set()
        self._told: list[Callable[[Web | None, str], None]] = []
        self.log.followers.append(self)
        self.take()

    @property
    def book(self) -> Book:
        return self._book

    @property
    def is_present(self) -> asyncio.Event:
        return self._present

    def on_change(self, told: Callable[[Web | None, str], None]) -> None:
        self._told.append(told)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def caught_up(self) -> None:
        self._expect_broker()
        self.take()

    async def edit(self, edits: Sequence[Versioned]) -> tuple[Outcome, ...]:
        await self._turn()
        outcomes = []
        for one in edits:
            key = web.key(one, secrets.token_hex(8))
            self.log.append(key, web.encode(one))
            version = self._book.version_of(identity_of(key))
            outcomes.append(Outcome(accepted=self._book.counts(key), version=version))
        return tuple(outcomes)

    async def put(self, records: Sequence[Single]) -> None:
        await self._turn()
        for one in records:
            self.log.append(web.key(one), web.encode(one))

    async def drop(self, records: Iterable[tuple[type[Single], str]]) -> None:
        await self._turn()
        for one in records:
            self.log.append(single_key(*one), None)

    async def _turn(self) -> None:
        self._expect_broker()
        await asyncio.sleep(0)
        before, self.before_write = self.before_write, None
        if before is not None:
            before()

    def _expect_broker(self) -> None:
        if self.is_away:
            raise TimeoutError("the broker is away")

    def take(self) -> None:
        """Reads what it has not read yet."""
        for offset in range(self._read, len(self.log.records)):
            key, value, at = self.log.records[offset]
            self._read = offset + 1
            change = self._book.apply(key, value, offset, at)
            if change is not None:
                self._tell(change)

    def _tell(self, change: Change) -> None:
        for told in self._told:
            told(change.record, change.identity)
