"""A journal whose topic is in memory: any number of journals of one log are processes of it."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence

from portquorum.journal.book import PageBook, single_key
from portquorum.journal.protocol import Outcome
from schemas import web
from schemas.web import Single, Versioned, Web

AT = 1_796_000_000_000


class MemoryLog:
    """The topic: all who read it have each record at once. `is_away`: nothing can be written."""

    def __init__(self) -> None:
        self.readers: list[PageBook] = []
        self.size = 0
        self.is_away = False

    def write(self, key: bytes, value: bytes | None) -> None:
        if self.is_away:
            raise TimeoutError("Kafka is away")
        for book in self.readers:
            book.apply(key, value, self.size, AT)
        self.size += 1


class MemoryJournal:
    """`portquorum.journal.protocol.Journal`, read up."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        self.book = PageBook()
        self.log.readers.append(self.book)
        self.is_present = asyncio.Event()
        self.is_present.set()

    def on_change(self, told: Callable[[Web | None, str], None]) -> None:
        """Tells nothing."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def caught_up(self) -> None:
        await asyncio.sleep(0)

    async def edit(self, edits: Sequence[Versioned]) -> tuple[Outcome, ...]:
        await asyncio.sleep(0)
        found = []
        for one in edits:
            key = web.key(one, secrets.token_hex(8))
            self.log.write(key, web.encode(one))
            found.append(
                Outcome(
                    accepted=self.book.counts(key),
                    version=self.book.version_of(web.identity(one)),
                )
            )
        return tuple(found)

    async def put(self, records: Sequence[Single]) -> None:
        await asyncio.sleep(0)
        for one in records:
            self.log.write(web.key(one), web.encode(one))

    async def drop(self, records: Iterable[tuple[type[Single], str]]) -> None:
        await asyncio.sleep(0)
        for kind, name in records:
            self.log.write(single_key(kind, name), None)
