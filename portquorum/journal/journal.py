"""The Journal over Kafka: follows [web], writes to it, and removes what no longer counts."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from foundation import kafka
from foundation.backoff import Backoff
from foundation.kafka.reconnecting_producer import SEND_ERRORS, KeyedMessage, ReconnectingProducer
from foundation.kafka.topics import WEB_MESSAGE_BYTES
from foundation.lifecycle import cancelled, set_within
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import logger
from portquorum.journal.book import Change, PageBook, identity_of, single_key
from portquorum.journal.overdue import overdue
from portquorum.journal.protocol import Book, Outcome
from schemas import topics, web
from schemas.web import Single, Versioned, Web

POLL_MS: Final = 200
STEP: Final = 200
"""Records that are applied before others have a turn."""

ANSWER_S: Final = 20.0
"""Longest wait of a person for an answer."""

RECORDS_A_SECOND: Final = 500
STALLED_S: Final = 60.0
"""Longest wait for the next record while the topic is read up."""

CONNECT_S: Final = 10.0
FLUSH_S: Final = 2.0
AWAY_MS: Final = 3_600_000
"""A reader that was away for longer begins anew: Kafka forgets after a day what was removed."""

CLEAN_AFTER_S: Final = 1.0
"""Time from an edit to the removal of what it replaced: one write for many edits."""

SWEEP_S: Final = 600.0
"""Time between two looks for what is over; each process waits up to half of it longer."""

TOMBSTONES: Final = 500
"""Keys that are removed by one write: edits wait for no longer than for that."""

_BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)

T = TypeVar("T")
_Waiting = tuple[bytes, bytes | None]
"""Key and value of a record that somebody waits to read."""


class JournalEndedError(RuntimeError):
    """The reader has to begin anew; `run` does."""


class KafkaJournal:
    """The Journal of one process (`portquorum.journal.protocol`).

    Any number of tasks of one event loop may write. A write that fails may be in the topic all the
    same: `caught_up`, and look. Nothing is written twice under one key, so that no edit takes the
    place of another one by a repetition.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        cleans: bool = True,
        goes_on: bool = True,
        answer_s: float = ANSWER_S,
    ) -> None:
        """Connects to nothing yet.

        `cleans`: this process also removes what no longer counts. `goes_on`: a reader that has an
        error begins anew, else `run` ends with it. `answer_s`: the longest wait for
        a write to be confirmed and read back; for many records longer (`RECORDS_A_SECOND`).
        """
        self._answer_s = answer_s
        self._settings = settings
        self._cleans = cleans
        self._goes_on = goes_on
        self._topic = settings.topic(topics.WEB.name)
        self._part = TopicPartition(self._topic, 0)
        self._producer = ReconnectingProducer(
            settings, start_s=CONNECT_S, max_request_size=WEB_MESSAGE_BYTES
        )
        self._book = PageBook()
        self._present = asyncio.Event()
        self._live = asyncio.Event()
        self._writing = asyncio.Lock()
        self._client: AIOKafkaConsumer | None = None
        self._asking: AIOKafkaConsumer | None = None
        self._position = 0
        self._told: list[Callable[[Web | None, str], None]] = []
        self._expected: dict[_Waiting, list[asyncio.Future[Outcome]]] = {}
        self._reaching: list[tuple[int, asyncio.Future[None]]] = []
        self._works: set[asyncio.Task[Any]] = set()
        self._dirty: set[str] = set()
        self._to_clean = asyncio.Event()
        self._seldom: LogThrottle[str] = LogThrottle()

    @property
    def book(self) -> Book:
        return self._book

    @property
    def is_present(self) -> asyncio.Event:
        return self._present

    @property
    def bad_records(self) -> int:
        """Records of the topic that were none."""
        return self._book.bad

    def on_change(self, told: Callable[[Web | None, str], None]) -> None:
        self._told.append(told)

    async def run(self) -> None:
        """As of the protocol.

        Raises:
            foundation.kafka.TopicMismatchError: the topics are not those of the settings.
            KafkaError, OSError: Kafka is away, and this journal does not go on.
        """
        await kafka.topics_ready(self._settings)
        cleaner = asyncio.create_task(self._clean()) if self._cleans else None
        try:
            await self._follow_for_ever()
        finally:
            self._stop_waiting(KafkaError("the journal ends"))
            await cancelled(*([cleaner] if cleaner else []), *self._works)
            await self._producer.close(FLUSH_S)

    async def caught_up(self) -> None:
        async with asyncio.timeout(self._answer_s):
            await self._live.wait()
            client, asking = self._client, self._asking
            if client is None or asking is None:
                raise KafkaError("the reader of [web] has lost Kafka")
            end = (await asking.end_offsets([self._part]))[self._part]
            if not self._live.is_set() or client is not self._client:
                raise KafkaError("the reader of [web] has lost Kafka")
            if self._position >= end:
                return
            reached = asyncio.get_running_loop().create_future()
            self._reaching.append((end, reached))
            await reached

    async def edit(self, edits: Sequence[Versioned]) -> tuple[Outcome, ...]:
        messages = [
            KeyedMessage(web.key(one, secrets.token_hex(8)), web.encode(one)) for one in edits
        ]
        outcomes = await self._whole(self._write_and_read(messages))
        self._dirty.update(web.identity(one) for one in edits)
        self._to_clean.set()
        return outcomes

    async def put(self, records: Sequence[Single]) -> None:
        await self._whole(
            self._write_and_read([KeyedMessage(web.key(one), web.encode(one)) for one in records])
        )

    async def drop(self, records: Iterable[tuple[type[Single], str]]) -> None:
        await self._whole(
            self._write_and_read([KeyedMessage(single_key(*one), None) for one in records])
        )

    # --- writing

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """The work goes on to its end if who waits for it is cancelled."""
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._has_ended)
        return await asyncio.shield(task)

    def _has_ended(self, task: "asyncio.Task[Any]") -> None:
        self._works.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits has it; nobody may

    async def _write_and_read(self, messages: Sequence[KeyedMessage]) -> tuple[Outcome, ...]:
        if not messages:
            return ()
        limit_s = self._answer_s + len(messages) / RECORDS_A_SECOND
        async with asyncio.timeout(limit_s):
            await self._live.wait()
            read = [self._expect(one) for one in messages]
            try:
                async with self._writing:
                    await self._write(messages)
                return tuple(await asyncio.gather(*read))
            finally:
                _forget(read)

    def _expect(self, message: KeyedMessage) -> "asyncio.Future[Outcome]":
        read: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._expected.setdefault((message.key, message.value), []).append(read)
        return read

    async def _write(self, messages: Sequence[KeyedMessage]) -> None:
        try:
            await self._producer.write(self._topic, messages, partition=0)
        except asyncio.CancelledError:
            # What it holds would be written when the broker is back, long after the answer.
            await self._producer.give_up()
            raise

    # --- following

    async def _follow_for_ever(self) -> None:
        wait_s: float | None = None
        while True:
            try:
                await self._follow()
            except (*SEND_ERRORS, JournalEndedError) as error:
                if not self._goes_on:
                    raise
                wait_s = _BACKOFF.next(None if self._live.is_set() else wait_s)
                self._stop_waiting(KafkaError(f"the reader of [web] begins anew: {error}"))
                if self._seldom.times("reader"):
                    logger(__name__).warning("the reader of [web] begins anew", error=str(error))
            await asyncio.sleep(wait_s or 0)

    async def _follow(self) -> None:
        """Reads up into a new book, then follows; ends only by an error."""
        # Never again from the beginning without a word: what was removed meanwhile would stay.
        consumer = kafka.consumer(self._settings, auto_offset_reset="none")
        # Its own connections: a broker answers one after the other, and a fetch waits for 500 ms.
        asking = kafka.consumer(self._settings)
        async with kafka.started(consumer) as client, kafka.started(asking) as self._asking:
            begin = (await client.beginning_offsets([self._part]))[self._part]
            client.assign([self._part])
            client.seek(self._part, begin)
            book = PageBook()
            # Twice: what was compacted while it was read may be explained by records that were
            # written meanwhile. Compaction leaves alone what is younger than WEB_LAG_MS.
            for _ in range(2):
                await self._read_up(client, book)
            self._begin(client, book, await client.position(self._part))
            heard_ms = _now_ms()
            while True:
                batches = await client.getmany(timeout_ms=POLL_MS)
                if _now_ms() - heard_ms > AWAY_MS:
                    raise JournalEndedError("this machine was suspended")
                heard_ms = _now_ms()
                for records in batches.values():
                    await self._take(records)
                self._has_reached(await client.position(self._part))
                await asyncio.sleep(0)
                if any(task.done() for task in kafka.vital_tasks(client)):
                    raise JournalEndedError("its consumer has ended")

    async def _read_up(self, client: AIOKafkaConsumer, book: PageBook) -> None:
        end = (await client.end_offsets([self._part]))[self._part]
        while await client.position(self._part) < end:
            async with asyncio.timeout(STALLED_S):
                batches = await client.getmany(timeout_ms=POLL_MS)
                while not batches and await client.position(self._part) < end:
                    batches = await client.getmany(timeout_ms=POLL_MS)
            for records in batches.values():
                for begin in range(0, len(records), STEP):
                    for record in records[begin : begin + STEP]:
                        _apply(book, record)
                    await asyncio.sleep(0)

    def _begin(self, client: AIOKafkaConsumer, book: PageBook, position: int) -> None:
        before, was_present = self._book, self._present.is_set()
        # An edit that was read up, not followed, may lie behind one that compaction has removed.
        self._stop_waiting(KafkaError("the reader of [web] has begun anew"))
        self._book, self._client, self._position = book, client, position
        self._present.set()
        self._live.set()
        if book.bad:
            self._say_bad()
        if was_present:
            for change in book.changes_since(before):
                self._tell(change)

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        for begin in range(0, len(records), STEP):
            for record in records[begin : begin + STEP]:
                self._take_one(record)
            await asyncio.sleep(0)

    def _take_one(self, record: ConsumerRecord) -> None:
        bad = self._book.bad
        change = _apply(self._book, record)
        if self._book.bad > bad:
            self._say_bad()
        if record.key is None:
            return
        key = bytes(record.key)
        waiting = self._expected.pop((key, record.value), ())
        if waiting:
            version = self._book.version_of(identity_of(key))
            outcome = Outcome(accepted=self._book.counts(key), version=version)
            for read in waiting:
                if not read.done():
                    read.set_result(outcome)
        if change is not None:
            self._tell(change)

    def _tell(self, change: Change) -> None:
        for told in self._told:
            told(change.record, change.identity)

    def _has_reached(self, position: int) -> None:
        self._position = position
        for end, reached in self._reaching:
            if end <= position and not reached.done():
                reached.set_result(None)
        self._reaching = [one for one in self._reaching if not one[1].done()]

    def _stop_waiting(self, error: KafkaError) -> None:
        """Nobody is told that an edit counts which was not seen to."""
        self._live.clear()
        self._client = None
        for reads in self._expected.values():
            for read in reads:
                if not read.done():
                    read.set_exception(error)
        self._expected.clear()
        for _, reached in self._reaching:
            if not reached.done():
                reached.set_exception(error)
        self._reaching.clear()

    def _say_bad(self) -> None:
        if self._seldom.times("bad"):
            logger(__name__).warning("records of [web] can't be read", count=self._book.bad)

    # --- cleaning

    async def _clean(self) -> None:
        """Removes what no longer counts: of one's own edits soon, of all others now and then."""
        now = asyncio.get_running_loop().time
        while True:
            await self._live.wait()
            try:
                await self._remove([*self._book.stale(), *overdue(self._book)])
                sweep_at = now() + SWEEP_S * (1 + random.random() / 2)  # noqa: S311 - no secret
                while now() < sweep_at and await set_within(sweep_at - now(), self._to_clean):
                    await asyncio.sleep(CLEAN_AFTER_S)
                    await self._clean_own()
            except SEND_ERRORS as error:
                if self._seldom.times("cleaner"):
                    logger(__name__).warning("old records of [web] stay", error=str(error))
                await asyncio.sleep(CLEAN_AFTER_S)

    async def _clean_own(self) -> None:
        self._to_clean.clear()
        dirty, self._dirty = self._dirty, set()
        await self._remove(list(self._book.stale(dirty)))

    async def _remove(self, keys: Sequence[bytes]) -> None:
        for begin in range(0, len(keys), TOMBSTONES):
            some = [KeyedMessage(key, None) for key in keys[begin : begin + TOMBSTONES]]
            async with self._writing:
                await self._write(some)


@asynccontextmanager
async def opened(settings: Settings, within_s: float = ANSWER_S) -> AsyncIterator[KafkaJournal]:
    """A journal for a command: read up on entering, closed on leaving.

    Raises:
        TimeoutError: the topic was not read up within `within_s`; Kafka is away or slow.
        KafkaError, OSError: Kafka refuses.
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
    """
    journal = KafkaJournal(settings, cleans=False, goes_on=False)
    running = asyncio.create_task(journal.run())
    running.add_done_callback(lambda _: journal.is_present.set())
    try:
        if not await set_within(within_s, journal.is_present):
            raise TimeoutError(f"the topic [web] was not read up within {within_s:g} s")
        if running.done():
            running.result()
        yield journal
    finally:
        await cancelled(running)


def _apply(book: PageBook, record: ConsumerRecord) -> Change | None:
    if record.key is None:
        return None
    value = None if record.value is None else bytes(record.value)
    return book.apply(bytes(record.key), value, record.offset, max(record.timestamp, 0))


def _forget(reads: Sequence["asyncio.Future[Outcome]"]) -> None:
    for read in reads:
        if not read.cancel() and not read.cancelled():
            read.exception()


def _now_ms() -> int:
    """The wall clock: it goes on while a machine is suspended."""
    return time.time_ns() // 1_000_000
