"""The send log [notifications]: sends by channel, read at start, written after each send."""

import time
from typing import Final

import msgspec

from foundation.kafka import Follower
from foundation.kafka.reconnecting_producer import KeyedMessage
from foundation.settings import Settings
from schemas import notification, topics
from schemas.notification import Notification
from sinks.notifier.log_writer import LogWriter

KEPT_MS: Final = topics.NOTIFICATIONS.retention_ms or 0
"""Retention in memory, in ms; Kafka may keep older sends: it removes whole segments."""


class SendLog:
    """Remembers the newest entry for each event and channel."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic(topics.NOTIFICATIONS.name)
        self._writer = LogWriter(settings, self._topic)
        self._done: set[bytes] = set()
        self._attempts: dict[bytes, int] = {}

    async def load(self) -> None:
        """Reads the log to its present end; this process's own sends are known already.

        Raises:
            aiokafka.errors.KafkaError: the cluster can't be reached.
        """
        oldest = _now_ms() - KEPT_MS
        async with Follower(self._settings, self._topic) as follower:
            async for record in follower.present():
                if not record.value:
                    continue
                try:
                    sent = notification.decode(record.value)
                except msgspec.DecodeError:
                    continue
                if sent.at >= oldest:
                    self._remember(sent)

    def done(self, event_id: str, channel: str) -> bool:
        """True if the channel confirmed the event, or the event was given up."""
        return notification.notification_key(event_id, channel) in self._done

    def attempts(self, event_id: str, channel: str) -> int:
        """Number of failed attempts, across restarts."""
        return self._attempts.get(notification.notification_key(event_id, channel), 0)

    async def record(self, notifications: list[Notification]) -> None:
        """Writes the outcome of one message; on return the broker has confirmed it.

        It counts as known as soon as the call starts, so that nothing is sent again while the
        broker is away. A broker failure raises nothing: it tries without a time limit. Cancel it to
        give up (then the next process may send again).
        """
        for sent in notifications:
            self._remember(sent)
        await self._writer.write(
            [KeyedMessage(sent.key, msgspec.json.encode(sent)) for sent in notifications]
        )

    async def close(self, within_s: float) -> None:
        """Closes the log; waits up to the given time for unconfirmed entries."""
        await self._writer.close(within_s)

    def _remember(self, sent: Notification) -> None:
        key = sent.key
        if sent.status == "retrying":
            if key not in self._done:
                self._attempts[key] = sent.attempt
            return
        self._done.add(key)
        self._attempts.pop(key, None)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
