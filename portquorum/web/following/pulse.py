"""Whether Kafka answers, and whether the stream goes on: asked every few seconds.

On a quiet night [incidents] has no new event for hours, whether the stream lives or not. But its
commits follow the log: it acknowledges what a checkpoint covers, and writes one every 15 s. What
is older than that and not acknowledged was not judged.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from msgspec import Struct

from foundation import kafka
from foundation.lifecycle import ends_within
from foundation.settings import Settings
from portquorum.health.reading import REFUSED, first_at
from portquorum.web.following.log_clock import LogClock
from schemas import topics

EVERY_S: Final = 5.0
ANSWER_S: Final = 4.0
"""Longest wait for all answers of one look."""

GRACE_S: Final = 10.0
"""How much longer than the interval of checkpoints the stream may take."""

MOST_PEEKS: Final = 16
"""Partitions whose first record that is not acknowledged is read, for its age."""

_CLOSE_S: Final = 1.0
_NOT_TOLD: Final = (*REFUSED, GroupCoordinatorNotAvailableError)
"""A right is missing, or no group has ever committed in this cluster."""


class Sign(Struct, frozen=True):
    """One look: how far the stream is known to have judged, and the log's newest record.

    Both are UTC ms on this machine's clock; None: never, or not visible.
    """

    stream_at: int | None
    log_at: int | None


class Pulse:
    """Looks at the log of results and the commits of the stream. `now` gives UTC ms."""

    def __init__(self, settings: Settings, clock: LogClock, now: Callable[[], int]) -> None:
        self._settings = settings
        self._clock = clock
        self._now = now
        self._group = settings.group("stream")
        topic = settings.topic(topics.RESULTS.name)
        self._parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
        self._stopped_ms = stopped_ms(settings)
        self._client: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._waiting: tuple[dict[TopicPartition, int], int | None] = ({}, None)

    async def look(self) -> Sign:
        """Asks once.

        Raises:
            aiokafka.errors.KafkaError: the cluster does not answer.
            TimeoutError: it does not within `ANSWER_S`.
            OSError: as above.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._look()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Closes the clients; the next look makes new ones."""
        client, self._client = self._client, None
        admin, self._admin = self._admin, None
        if client is not None:
            await kafka.leave(client, _CLOSE_S)
        if admin is not None:
            await ends_within(_CLOSE_S, admin.close())

    async def _look(self) -> Sign:
        client, admin = await self._clients()
        since = self._now() + self._clock.offset_ms - self._stopped_ms
        places = await client.offsets_for_times(dict.fromkeys(self._parts, max(since, 0)))
        ends = await client.end_offsets(self._parts)
        newest = self._clock.newest
        log_at = None if newest is None else newest - self._clock.offset_ms
        try:
            done = await kafka.commits(admin, self._group, self._parts)
        except _NOT_TOLD:
            return Sign(None, log_at)
        behind: dict[TopicPartition, int] = {}
        for part in self._parts:
            place = places.get(part)
            judged = done[part].offset if part in done else 0
            if judged < (ends[part] if place is None else place.offset):
                behind[part] = judged
        if behind:
            return Sign(await self._oldest(behind, ends), log_at)
        # A stream that lives writes a tick when nobody else writes.
        is_silent = log_at is not None and log_at < self._now() - self._stopped_ms
        return Sign(log_at if is_silent or log_at is None else self._now(), log_at)

    async def _oldest(
        self, behind: dict[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> int | None:
        """When the oldest record came that the stream has not acknowledged, on our clock."""
        if behind != self._waiting[0]:
            most = sorted(behind, key=lambda part: ends[part] - behind[part])[-MOST_PEEKS:]
            found = await first_at(
                self._settings, {part: (behind[part], ends[part]) for part in most}
            )
            times = [int(record.timestamp) for record in found.values()]
            self._waiting = behind, min(times, default=None)
        oldest = self._waiting[1]
        return None if oldest is None else oldest - self._clock.offset_ms

    async def _clients(self) -> tuple[AIOKafkaConsumer, AIOKafkaAdminClient]:
        if self._client is None:
            self._client = kafka.consumer(self._settings)
            await self._client.start()
        if self._admin is None:
            self._admin = kafka.admin(self._settings)
            await self._admin.start()
        return self._client, self._admin


def stopped_ms(settings: Settings) -> int:
    """Time without progress after which the stream counts as stopped."""
    return round((settings.checkpoint_interval_s + GRACE_S) * 1000)
