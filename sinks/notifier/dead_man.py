"""The dead man's switch: calls a URL while beats go prober → stream → notifier, and then no more.

A service elsewhere alarms at its silence. It is called from the active notifier alone, which is the
end of the way: whatever stands still before it ends the calls (sinks/notifier/beat_path.py).
"""

import asyncio
import contextlib
import http.client
import threading
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import Counter, Gauge

from foundation import kafka, telemetry
from foundation.lifecycle import ends_within
from foundation.settings import Settings
from schemas import control, topics
from schemas.control import Beat
from schemas.topics import Topic
from sinks.notifier.beat_path import (
    BEAT_WITHIN_S,
    INCIDENTS_WITHIN_S,
    BeatSearch,
    EndsHistory,
    LogEnds,
    interruption,
    stretches,
)
from sinks.notifier.secrets import MissingSecretError, fill_in, scrub

CALLS: Final = Counter(
    "portquorum_notifier_watchdog_calls", "Calls of the watchdog's URL.", ("outcome",)
)
FLOWING: Final = Gauge(
    "portquorum_notifier_watchdog_flowing",
    "1 while beats go from prober to this notifier and the watchdog is called.",
)

EVERY_S: Final = 60.0
"""Seconds between two calls."""

CALL_LIMIT_S: Final = 10.0
"""Longest call."""

_LOOKS: Final = 4
"""Looks at the ends of the logs for each call: how exact their age is known."""

_SEARCH_SHARE: Final = 0.3
"""Longest search for beats, as a share of the time between two calls."""

_POLL_MS: Final = 200
_FETCH_BYTES: Final = 64 * 1024
"""Of one partition at a time: a beat is to be found within 5 s of its log."""

_CLOSE_WITHIN_S: Final = 1.0
_ERROR_LENGTH: Final = 300

_log = telemetry.logger(__name__)


class DeadMansSwitch:
    """Calls the setting `watchdog`; one for a process, also in a notifier that stands by.

    `every_s` shortens all times alike, for tests; `call_limit_s` is the longest call.
    """

    def __init__(
        self, settings: Settings, every_s: float = EVERY_S, call_limit_s: float = CALL_LIMIT_S
    ) -> None:
        self._settings = settings
        self._every_s = every_s
        self._call_limit_s = call_limit_s
        self._beat_within_s = BEAT_WITHIN_S * every_s / EVERY_S
        self._incidents_within_s = INCIDENTS_WITHIN_S * every_s / EVERY_S
        self._history = EndsHistory(self._beat_within_s)
        self._caller: threading.Thread | None = None
        self._said: str | None = None
        self._failing = False

    async def run(
        self, active: Callable[[], bool], decided: Callable[[], Mapping[int, int]]
    ) -> None:
        """Watches and calls until it is cancelled; returns at once if there is nothing to call.

        Args:
            active: whether this notifier is active and its lease is fresh.
            decided: the next offset to decide of each partition of [incidents]; all before it are
                decided and recorded.
        """
        if not self._settings.watchdog:
            return
        try:
            url = fill_in(self._settings.watchdog)
        except MissingSecretError as error:
            _log.error("the watchdog is never called", why=str(error))
            return
        try:
            while True:
                await self._watched(url, active, decided)
                await asyncio.sleep(self._every_s / _LOOKS)
        finally:
            FLOWING.set(0)

    async def _watched(
        self, url: str, active: Callable[[], bool], decided: Callable[[], Mapping[int, int]]
    ) -> None:
        """Watches until something fails, and says so."""
        try:
            await self._watch(url, active, decided)
        except Exception as error:  # noqa: BLE001 - nothing of it may end the notifier
            if active():
                self._silent("kafka", f"Kafka can't be asked: {error!r}")

    async def _watch(
        self, url: str, active: Callable[[], bool], decided: Callable[[], Mapping[int, int]]
    ) -> None:
        reader = kafka.consumer(self._settings, max_partition_fetch_bytes=_FETCH_BYTES)
        client = kafka.admin(self._settings)
        try:
            await reader.start()
            await client.start()
            loop = asyncio.get_running_loop()
            next_at, looks = loop.time(), 0
            while True:
                await self._look(reader)
                looks += 1
                if not active():
                    self._stand_by()
                elif looks % _LOOKS == 0:
                    await self._turn(url, reader, client, active, decided)
                next_at = max(next_at + self._every_s / _LOOKS, loop.time())
                await asyncio.sleep(next_at - loop.time())
        finally:
            await kafka.leave(reader, _CLOSE_WITHIN_S)
            await ends_within(_CLOSE_WITHIN_S, client.close())

    async def _look(self, reader: AIOKafkaConsumer) -> None:
        """Notes where the logs end."""
        at = asyncio.get_running_loop().time()  # before the question: no end is older than that
        parts = [*self._parts(topics.RESULTS), *self._parts(topics.INCIDENTS)]
        ends = await reader.end_offsets(parts)
        self._history.add(
            LogEnds(
                at,
                _of(ends, self._settings.topic(topics.RESULTS.name)),
                _of(ends, self._settings.topic(topics.INCIDENTS.name)),
            )
        )

    async def _turn(
        self,
        url: str,
        reader: AIOKafkaConsumer,
        client: AIOKafkaAdminClient,
        active: Callable[[], bool],
        decided: Callable[[], Mapping[int, int]],
    ) -> None:
        now = asyncio.get_running_loop().time()
        old = self._history.oldest(now, self._beat_within_s)
        found = interruption(
            None if old is None else await self._search(reader, client, old.results),
            self._history.oldest(now, self._incidents_within_s),
            decided(),
            beat_within_s=self._beat_within_s,
            incidents_within_s=self._incidents_within_s,
        )
        if not active():  # the lease may have ended during the search
            self._stand_by()
        elif found is not None:
            self._silent(found.cause, found.text)
        else:
            self._flowing()
            await self._call(url)

    async def _search(
        self, reader: AIOKafkaConsumer, client: AIOKafkaAdminClient, ends: Mapping[int, int]
    ) -> BeatSearch:
        """Looks for a beat between each old end and what the stream has committed."""
        topic = self._settings.topic(topics.RESULTS.name)
        parts = [TopicPartition(topic, number) for number in ends]
        commits = await kafka.commits(client, self._settings.group("stream"), parts)
        committed = {part.partition: commit.offset for part, commit in commits.items()}
        left, behind = stretches(ends, committed)
        beatless: list[int] = []
        if left:
            reader.assign([TopicPartition(topic, number) for number in left])
        for number, (first, _) in left.items():
            reader.seek(TopicPartition(topic, number), first)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._every_s * _SEARCH_SHARE
        while left and loop.time() < until:
            asked = [TopicPartition(topic, number) for number in left]
            batches = await reader.getmany(*asked, timeout_ms=_POLL_MS)
            for part in asked:
                _, end = left[part.partition]
                records = batches.get(part, ())
                if any(record.offset < end and _is_beat(record) for record in records):
                    del left[part.partition]
                elif await reader.position(part) >= end:
                    del left[part.partition]
                    beatless.append(part.partition)
        return BeatSearch(behind=behind, beatless=[*beatless, *left])

    async def _call(self, url: str) -> None:
        error = await self._get(url)
        CALLS.labels("failed" if error else "answered").inc()
        if error and not self._failing:
            _log.error("the watchdog does not answer; calling on", error=error)
        elif self._failing and not error:
            _log.info("the watchdog answers again")
        self._failing = bool(error)

    async def _get(self, url: str) -> str | None:
        """Calls the URL in a thread of its own; what went wrong, without secrets."""
        if self._caller is not None and self._caller.is_alive():
            return "the call before has not ended"
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def answered(error: str | None) -> None:
            if not answer.done():
                answer.set_result(error)

        def work() -> None:
            error = _fetch(url, self._call_limit_s)
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(answered, error)

        # A daemon: a server that drips its answer does not hold up the end of the process.
        self._caller = threading.Thread(target=work, name="watchdog-call", daemon=True)
        self._caller.start()
        try:
            async with asyncio.timeout(self._call_limit_s):
                return await answer
        except TimeoutError:
            return f"no answer within {self._call_limit_s:g} s"

    def _parts(self, topic: Topic) -> list[TopicPartition]:
        name = self._settings.topic(topic.name)
        count = topic.partition_count(self._settings.partitions)
        return [TopicPartition(name, number) for number in range(count)]

    def _flowing(self) -> None:
        FLOWING.set(1)
        if self._said != "":
            _log.info("a beat went from prober to notifier: the watchdog is called")
        self._said = ""

    def _silent(self, cause: str, text: str) -> None:
        """Says once for each cause why the calls have ended."""
        FLOWING.set(0)
        starting = self._said is None and cause == "starting"
        if self._said != cause and not starting:
            _log.error("the watchdog is not called, and alarms if that lasts", why=text)
            self._said = cause

    def _stand_by(self) -> None:
        FLOWING.set(0)
        if self._said is not None:
            _log.info("the watchdog is called by the active notifier, no longer by this one")
        self._said = None


def _of(ends: Mapping[TopicPartition, int], topic: str) -> dict[int, int]:
    return {part.partition: end for part, end in ends.items() if part.topic == topic}


def _is_beat(record: ConsumerRecord) -> bool:
    raw = None if record.value else control.body(record.headers)
    try:
        return raw is not None and isinstance(control.decode(raw), Beat)
    except msgspec.DecodeError:
        return False


def _fetch(url: str, limit_s: float) -> str | None:
    request = urllib.request.Request(url, headers={"User-Agent": "portquorum"})  # noqa: S310 - settings
    try:
        with urllib.request.urlopen(request, timeout=limit_s) as answer:  # noqa: S310 - settings
            answer.read(1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return " ".join(scrub(f"{type(error).__name__}: {error}", url).split())[:_ERROR_LENGTH]
    return None
