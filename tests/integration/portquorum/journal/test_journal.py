"""The journal on a real broker: many writers in two processes, kill -9, compaction, an outage."""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from foundation import kafka as clients
from foundation.kafka import Follower, TopicMismatchError, create_topics
from foundation.kafka.topics import topic_config
from foundation.settings import Settings
from portquorum.embedded.kafka.main import EmbeddedKafka
from portquorum.journal.book import PageBook
from portquorum.journal.journal import KafkaJournal, opened
from schemas import topics
from schemas.web import Audit, Bulk, TokenSeen, User, Web, WrittenTarget

DEADLINE_S: Final = 120
EDITOR: Final = Path(__file__).with_name("editor.py")
CHANGE: Final = "0" * 16


@pytest.fixture
def settings(kafka: str, request: pytest.FixtureRequest) -> Settings:
    return Settings(kafka=kafka, topic_prefix=request.node.name[:80], partitions=1)


def target(
    version: int, text: str = "", *, name: str = "db", removed: bool = False
) -> WrittenTarget:
    return WrittenTarget(
        version=version, change=CHANGE, at=0, by="ann", id=name, entry=text, removed=removed
    )


@asynccontextmanager
async def journal_of(
    settings: Settings, *, cleans: bool = True, answer_s: float = DEADLINE_S
) -> AsyncIterator[KafkaJournal]:
    made = KafkaJournal(settings, cleans=cleans, answer_s=answer_s)
    running = asyncio.create_task(made.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            await made.is_present.wait()
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def stored(settings: Settings) -> list[tuple[bytes, bytes | None]]:
    """Key and value of every record that the topic still has."""
    async with Follower(settings, settings.topic("web")) as follower:
        return [(one.key, one.value) async for one in follower.present()]


async def fresh(settings: Settings) -> PageBook:
    book = PageBook()
    async with Follower(settings, settings.topic("web")) as follower:
        async for one in follower.present():
            book.apply(one.key, one.value, one.offset, one.timestamp)
    return book


class Editor:
    """A process of editor.py, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def said(self, word: str) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not any(line.startswith(word) for line in self.lines):
                assert await self.next_line(), self.lines[-5:]

    async def next_line(self) -> bool:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        self.lines.append(line.decode().strip())
        return bool(line)

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    def accepted(self) -> dict[int, str]:
        words = [line.split() for line in self.lines if line.startswith("answered")]
        return {int(version): text for _, version, word, text in words if word == "accepted"}


@asynccontextmanager
async def editor(settings: Settings, name: str, edits: int) -> AsyncIterator[Editor]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EDITOR), settings.kafka, settings.topic_prefix, name, str(edits),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Editor(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_hundred_editors_in_two_processes_lose_nothing(settings: Settings) -> None:
    await create_topics(settings)
    async with editor(settings, "one", 50) as one, editor(settings, "two", 50) as two:
        await asyncio.gather(one.said("ready"), two.said("ready"))
        one.go()
        two.go()
        await asyncio.gather(one.said("done"), two.said("done"))
    assert not any(line.startswith("error") for line in one.lines + two.lines)
    for process in (one, two):
        tried = [line for line in process.lines if line.startswith("tried")]
        answered = [line for line in process.lines if line.startswith("answered")]
        assert len(tried) == len(answered)
        assert len(process.accepted()) == 50
    assert not one.accepted().keys() & two.accepted().keys()
    accepted = one.accepted() | two.accepted()
    assert sorted(accepted) == list(range(1, 101))
    book = await fresh(settings)
    assert book.get(WrittenTarget, "db") is not None
    assert book.version(WrittenTarget, "db") == 100
    assert book.all(WrittenTarget)["db"].entry == accepted[100]


async def test_what_was_answered_stays_after_a_kill_and_compaction(settings: Settings) -> None:
    await create_compacted(settings)
    async with editor(settings, "one", 40) as one, editor(settings, "two", 40) as two:
        await asyncio.gather(one.said("ready"), two.said("ready"))
        one.go()
        two.go()
        async with asyncio.timeout(DEADLINE_S):
            while len(one.accepted()) < 15:
                assert await one.next_line()
        one.process.send_signal(signal.SIGKILL)
        while await one.next_line():
            pass
        await two.said("done")
    accepted = one.accepted() | two.accepted()
    assert len(accepted) == len(one.accepted()) + len(two.accepted())
    last = await checked(settings, accepted)
    # The next process removes what the killed one left, and Kafka compacts it away.
    async with journal_of(settings) as journal:
        await until(lambda: one_key_is_left(settings, journal))
        assert journal.book.version(WrittenTarget, "db") == last.version
        assert journal.book.get(WrittenTarget, "db") == last
    assert await checked(settings, accepted) == last


async def checked(settings: Settings, accepted: dict[int, str]) -> WrittenTarget:
    """The target as a fresh reader has it: what was answered last, or what the dead one wrote."""
    found = (await fresh(settings)).get(WrittenTarget, "db")
    assert found is not None
    newest = max(accepted)
    if found.version == newest:
        assert found.entry == accepted[newest]
    assert found.version >= newest
    return found


async def create_compacted(settings: Settings) -> None:
    """[web] with segments of a moment, so that Kafka compacts at once."""
    name = settings.topic("web")
    config = topic_config(topics.WEB) | {
        "segment.ms": "500",
        "min.cleanable.dirty.ratio": "0.01",
        "min.compaction.lag.ms": "2000",
        "max.compaction.lag.ms": "4000",
        "delete.retention.ms": "2000",
    }
    client = clients.admin(settings)
    await client.start()
    try:
        made = await client.create_topics([NewTopic(name, 1, 1, topic_configs=config)])
        assert [error[1] for error in made.topic_errors] == [0], made
    finally:
        await client.close()
    await create_topics(settings)


async def one_key_is_left(settings: Settings, journal: KafkaJournal) -> bool:
    """True if compaction has removed all edits but the one that counts.

    A record is written each time: the active segment is never compacted.
    """
    await journal.put([TokenSeen(id="f" * 8, at=0)])
    edits = {key for key, value in await stored(settings) if value is not None}
    return sum(key.startswith(b"written_target/") for key in edits) == 1


async def test_edits_of_one_call_lie_together_and_each_is_answered(settings: Settings) -> None:
    async with journal_of(settings, cleans=False) as journal:
        many = [target(1, name=f"t{number}") for number in range(300)]
        others = [target(1, name=f"u{number}") for number in range(300)]
        outcomes, _ = await asyncio.gather(journal.edit(many), journal.edit(others))
        assert [one.accepted for one in outcomes] == [True] * 300
        again = await journal.edit([target(1, name="t0"), target(2, name="t1"), target(7)])
        assert [(one.accepted, one.version) for one in again] == [(False, 1), (True, 2), (True, 7)]
        keys = [key.split(b"/")[1] for key, _ in await stored(settings)]
    assert keys.index(b"t299") - keys.index(b"t0") == 299
    assert keys.index(b"u299") - keys.index(b"u0") == 299


async def test_single_records_are_put_dropped_and_told(settings: Settings) -> None:
    entry = Audit(id="1" * 16, at=1, by="ann", action="x", about="y")
    told: list[tuple[Web | None, str]] = []
    async with journal_of(settings) as journal, opened(settings, DEADLINE_S) as other:
        journal.on_change(lambda record, identity: told.append((record, identity)))
        await other.put([entry])
        await journal.caught_up()
        assert journal.book.one(Audit, "1" * 16) == entry
        await other.drop([(Audit, "1" * 16)])
        await journal.caught_up()
        assert journal.book.one(Audit, "1" * 16) is None
    assert told == [(entry, "audit/" + "1" * 16), (None, "audit/" + "1" * 16)]


async def test_a_record_of_8_mb_is_written_and_read(settings: Settings) -> None:
    names = tuple(f"target-{number}" for number in range(10_000))
    before = tuple(secrets.token_hex(400) for _ in names)  # 8 MB that no codec makes smaller
    record = Bulk(id=CHANGE, at=0, by="ann", action="patch", targets=names, before=before)
    async with journal_of(settings) as journal, journal_of(settings) as other:
        await journal.put([record])
        await other.caught_up()
        assert other.book.one(Bulk, f"{CHANGE}.0") == record
    assert (await fresh(settings)).one(Bulk, f"{CHANGE}.0") == record


async def test_a_topic_that_is_made_anew_is_read_anew(settings: Settings) -> None:
    told: list[tuple[Web | None, str]] = []
    async with journal_of(settings, answer_s=5) as journal:
        await journal.edit([target(1, "before")])
        journal.on_change(lambda record, identity: told.append((record, identity)))
        client = clients.admin(settings)
        await client.start()
        try:
            await client.delete_topics([settings.topic("web")])
        finally:
            await client.close()

        async def is_made() -> bool:
            try:
                await create_topics(settings)
                await journal.caught_up()
                (outcome,) = await journal.edit([target(1, "after")])
            except (KafkaError, OSError, TopicMismatchError):
                return False
            return outcome.accepted

        await until(is_made)
        assert journal.book.get(WrittenTarget, "db") == target(1, "after")
    assert told[-1] == (target(1, "after"), "written_target/db")


async def test_a_cleaner_leaves_what_counts(settings: Settings) -> None:
    async with journal_of(settings, cleans=False) as journal:
        await journal.edit([target(1, "a"), target(1, "b"), target(2, "c"), target(3, "d")])
    async with journal_of(settings) as journal:

        async def is_clean() -> bool:
            book = await fresh(settings)
            return not list(book.stale())

        await until(is_clean)
        assert journal.book.get(WrittenTarget, "db") == target(3, "d")
    assert (await fresh(settings)).get(WrittenTarget, "db") == target(3, "d")


async def test_bad_records_are_skipped(settings: Settings) -> None:
    await create_topics(settings)
    producer = clients.producer(settings)
    await producer.start()
    try:
        for key, value in ((b"user/ann/1/" + b"0" * 16, b"{"), (b"\xff", b"\xff"), (None, b"x")):
            await producer.send_and_wait(settings.topic("web"), value, key=key, partition=0)
    except KafkaError:  # a compacted topic takes no record without a key
        pass
    finally:
        await producer.stop()
    async with journal_of(settings) as journal:
        assert journal.bad_records == 2
        user = User(
            version=1, change=CHANGE, at=0, by="up", name="ann", scope="admin", created_at=0
        )
        (outcome,) = await journal.edit([user])
        assert outcome.accepted


async def test_who_stops_waiting_does_not_stop_the_write(settings: Settings) -> None:
    async with journal_of(settings) as journal:
        editing = asyncio.create_task(journal.edit([target(1, "a")]))
        await asyncio.sleep(0)
        editing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await editing

        async def is_there() -> bool:
            return journal.book.get(WrittenTarget, "db") is not None

        await until(is_there)


async def test_a_broker_that_went_away_is_an_error_and_comes_back(tmp_path: Path) -> None:
    service = EmbeddedKafka(tmp_path, "127.0.0.1:0")
    await asyncio.to_thread(service.start)
    settings = Settings(kafka=service.bootstrap_servers, topic_prefix="away", partitions=1)
    try:
        async with journal_of(settings) as journal:
            await journal.edit([target(1, "before")])
        async with journal_of(settings, answer_s=1) as journal:
            await asyncio.to_thread(service.stop)
            with pytest.raises((KafkaError, OSError)):
                await journal.edit([target(2, "lost or not")])
            with pytest.raises((KafkaError, OSError)):
                await journal.caught_up()
            service = EmbeddedKafka(tmp_path, settings.kafka)
            await asyncio.to_thread(service.start)

            async def takes_edits() -> bool:
                try:
                    await journal.caught_up()
                    version = journal.book.version(WrittenTarget, "db") + 1
                    (outcome,) = await journal.edit([target(version, "after")])
                except (KafkaError, OSError):
                    return False
                return outcome.accepted

            await until(takes_edits)
            assert journal.book.all(WrittenTarget)["db"].entry == "after"
    finally:
        service.stop()
