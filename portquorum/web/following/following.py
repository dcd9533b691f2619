"""Keeps the fleet up to date: topics, beats, the stream's progress, `status_now`, the clock."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka.errors import KafkaConnectionError, KafkaError

from foundation.kafka import RightsWatch
from foundation.kafka.rights import rights_of
from foundation.kafka.trouble import why_not
from foundation.lifecycle import cancelled
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import logger
from portquorum.editing.published import Published
from portquorum.web.fleet import Fleet
from portquorum.web.fleet.freshness import Senses
from portquorum.web.following import pulse, status_poll
from portquorum.web.following.announcer import Announcer
from portquorum.web.following.followed_topics import FollowedTopics
from portquorum.web.following.hub import Hub
from portquorum.web.following.pulse import Pulse, Sign
from portquorum.web.following.status_poll import StatusPoll
from portquorum.web.following.topic_feed import TopicFeed
from schemas.incident import RegionEvent
from sinks.clickhouse.errors import FAILURES, in_words

TICK_S: Final = 1.0
SIGHT_S: Final = 5.0
"""How often viewers are told how old the data are."""

SAID_S: Final = 60.0
"""How often it is said that Kafka does not answer."""

_log = logger(__name__)


def wall_ms() -> int:
    """This machine's time, UTC ms."""
    return time.time_ns() // 1_000_000


class Following:
    """The fleet and its viewers, fed until `run` is cancelled.

    `fleet` answers from the beginning on: blind, until the topics have been read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        status_every_s: float = status_poll.EVERY_S,
        pulse_every_s: float = pulse.EVERY_S,
        now: Callable[[], int] = wall_ms,
    ) -> None:
        """`now` gives UTC ms."""
        self._settings = settings
        self._now = now
        self._status_every_s = status_every_s
        self._pulse_every_s = pulse_every_s
        self.fleet = Fleet(Senses(pulse.stopped_ms(settings)))
        self.hub = Hub()
        self._announcer = Announcer(self.fleet, self.hub, now)
        self._feed = TopicFeed(settings, self.fleet, self._announcer, now)
        self._throttle: LogThrottle[str] = LogThrottle()
        self._said: LogThrottle[str] = LogThrottle(SAID_S)
        self._telling: asyncio.Task[None] | None = None
        self._has_past = False
        self.fleet.tick(now())

    @property
    def is_present(self) -> asyncio.Event:
        """Set once all topics have been read up to their ends."""
        return self._feed.is_present

    @property
    def published(self) -> Published:
        """[targets] and [policy], as those see them who change something."""
        return FollowedTopics(self.fleet, self._feed)

    async def run(self) -> None:
        """Feeds the fleet; cancel the task to stop. An absent Kafka or ClickHouse is waited for.

        Raises:
            foundation.kafka.TopicMismatchError: the topics are not those of the settings.
            aiokafka.errors.KafkaError: the cluster refuses, or a topic was deleted meanwhile: the
                fleet is not what is there any more, and the process must begin anew.
            FeedEndedError: nothing is read any more; likewise.
        """
        library = logging.getLogger("aiokafka")
        level = library.level
        library.setLevel(logging.CRITICAL)  # it reports each refused connection; we log it once
        tasks = [
            asyncio.ensure_future(part)
            for part in (self._ticks(), self._announcer.run(), self._follow(), self._status())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await cancelled(*tasks, *filter(None, (self._telling,)))
            self.hub.close()
            library.setLevel(level)

    async def _follow(self) -> None:
        rights = RightsWatch(self._settings, rights_of("web", self._settings))
        await rights.ready()
        watching = asyncio.ensure_future(rights.run())
        looking = asyncio.ensure_future(self._looks())
        present = asyncio.ensure_future(self._when_present())
        try:
            await self._feed.run()
        finally:
            await cancelled(watching, looking, present)

    async def _when_present(self) -> None:
        await self._feed.is_present.wait()
        self.fleet.loaded(self._now())
        self._feed.apply_beats()
        self.hub.begin(self.fleet.vector())
        # A full collection would visit each target: 100 ms of a large fleet, again and again.
        gc.collect()
        gc.freeze()
        self._announcer.tell_sight()
        _log.info("the topics are read", targets=len(self.fleet.inventory))

    async def _looks(self) -> None:
        """Whether Kafka answers and the stream goes on, without end."""
        looker = Pulse(self._settings, self._feed.beats.clock, self._now)
        try:
            while True:
                await self._look(looker)
                await asyncio.sleep(self._pulse_every_s)
        finally:
            await looker.close()

    async def _look(self, looker: Pulse) -> None:
        before = self.fleet.senses.version
        try:
            sign = await _sign(looker)
        except (KafkaError, OSError, TimeoutError) as error:
            self.fleet.kafka_away(self._now())
            if self._said.times("kafka"):
                self._find_out(error)
        else:
            self.fleet.heard(self._now(), stream_at=sign.stream_at, log_at=sign.log_at)
            if self._said.forget("kafka"):
                _log.info("Kafka answers again")
        if self.fleet.senses.version != before:
            self._announcer.tell_sight()

    def _find_out(self, error: BaseException | None) -> None:
        """Tells viewers why Kafka does not answer, as soon as that is found out.

        Logs it, too, if there is an `error`.
        """

        async def find_out() -> None:
            trouble = await why_not(self._settings)
            if error is not None:
                why = str(error) if trouble is None else trouble.sentence
                _log.warning("Kafka does not answer", error=why, again_in_s=round(SAID_S))
            if self._is_kafka_away():
                self.fleet.kafka_told(None if trouble is None else trouble.short)
                self._announcer.tell_sight()

        if self._telling is None or self._telling.done():
            self._telling = asyncio.ensure_future(find_out())

    def _is_kafka_away(self) -> bool:
        return self.fleet.freshness().blind_because == "kafka_away"

    async def _status(self) -> None:
        """What `status_now` says, without end."""
        asking = StatusPoll(self._settings)
        try:
            while True:
                began = time.monotonic()
                is_told = self._feed.is_present.is_set() and await self._ask(asking)
                # What a failure took says nothing of how much a question costs.
                took = time.monotonic() - began if is_told else 0.0
                await asyncio.sleep(status_poll.pause_s(took, self._status_every_s))
        finally:
            asking.close()

    async def _ask(self, asking: StatusPoll) -> bool:
        """Asks once; True if ClickHouse answered."""
        before = self.fleet.senses.version
        at = self._now()
        try:
            if not self._has_past:
                self._regions_of_past(await asking.region_trouble())
            groups = await asking.ask()
        except FAILURES as error:
            self.fleet.history_away(at)
            if self._throttle.times("clickhouse"):
                _log.warning("ClickHouse does not answer", error=in_words(error))
        else:
            changed = False
            for step in self.fleet.status_steps(groups, at):
                changed |= step
                await asyncio.sleep(0)
            if changed:
                self._announcer.changed("status", "")
            if self._throttle.forget("clickhouse"):
                _log.info("ClickHouse answers again")
        if self.fleet.senses.version != before:
            self._announcer.tell_sight()
        return self.fleet.senses.history_away_since is None

    def _regions_of_past(self, events: Sequence[RegionEvent]) -> None:
        """Regions that fell silent before the day that the topics were read for."""
        self._has_past = True
        for event in events:
            if self.fleet.apply_region(event):
                self._announcer.changed("region", event.region)

    async def _ticks(self) -> None:
        """Moves the fleet's time each second, and tells viewers how old the data are."""
        told = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            sight = self.fleet.senses.version
            changed = self.fleet.tick(self._now())
            is_new = self.fleet.senses.version != sight
            if not self.is_present.is_set() and self._is_kafka_away() and self._said.times("start"):
                self._find_out(None)  # who waits for Kafka says why in the log
            if changed and not is_new:
                self._announcer.changed("status", "")
            if is_new or time.monotonic() - told >= SIGHT_S:
                told = time.monotonic()
                self._announcer.tell_sight()


async def _sign(looker: Pulse) -> Sign:
    """A look; a second one if the connections had ended, as brokers end idle and old ones."""
    try:
        return await looker.look()
    except KafkaConnectionError:
        return await looker.look()
