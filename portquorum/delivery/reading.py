"""Reads the notifier's topics: its state and the send log."""

import msgspec

from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.delivery.memory import NotifierMemory, remember
from schemas import notification, topics
from schemas.notification import Notification


async def read_memory(settings: Settings) -> NotifierMemory:
    """The notifier's memory; an empty one if the topic does not exist yet.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    try:
        async with Follower(settings, settings.topic(topics.NOTIFIER_STATE.name)) as follower:
            records = [
                (record.key, record.value, record.headers) async for record in follower.present()
            ]
    except LookupError:
        return NotifierMemory()
    return remember(records)


async def read_sent(settings: Settings) -> list[Notification]:
    """Each confirmation that the log has: of one event and channel an opening and its reminders.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        LookupError: the topic does not exist.
    """
    found: list[Notification] = []
    async with Follower(settings, settings.topic(topics.NOTIFICATIONS.name)) as follower:
        async for record in follower.present():
            try:
                row = notification.decode(record.value or b"")
            except msgspec.DecodeError:
                continue
            if row.status == "sent":
                found.append(row)
    return sorted(found, key=lambda one: one.at)


async def read_send_log(settings: Settings) -> list[Notification]:
    """The newest entry of each event and channel, by the notifier's clock; none of reminders.

    Skips entries that can't be decoded (the sink dead-letters them).

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        LookupError: the topic does not exist.
    """
    newest: dict[bytes, Notification] = {}
    async with Follower(settings, settings.topic(topics.NOTIFICATIONS.name)) as follower:
        async for record in follower.present():
            if record.key is None or not record.value:
                continue
            try:
                row = notification.decode(record.value)
            except msgspec.DecodeError:
                continue
            before = newest.get(record.key)
            # When it was told is what the row is asked for, not when it was told again.
            again = row.status == "sent" and row.action == "reminder"
            if not (again and before is not None and before.status == "sent"):
                newest[record.key] = row
    return sorted(newest.values(), key=lambda one: one.at)
