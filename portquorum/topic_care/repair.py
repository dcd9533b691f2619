"""Sets settings of topics, and makes those that are missing."""

import asyncio
import time
from typing import Final

from aiokafka.errors import KafkaError, TopicAuthorizationFailedError, for_code
from msgspec import Struct

from foundation.kafka import admin
from foundation.kafka.topics import make_missing
from foundation.settings import Settings
from portquorum.topic_care.incremental_alter_configs import IncrementalAlterConfigs
from portquorum.topic_care.look import look
from portquorum.topic_care.model import Difference
from portquorum.topic_care.rules import differences, missing, repairs

SHOWN_WITHIN_S: Final = 30.0
_AGAIN_S: Final = 0.05


class Refused(Struct, frozen=True):
    """A topic that the brokers left as it was, and why."""

    topic: str
    why: str


async def repair(settings: Settings, found: list[Difference]) -> list[Refused]:
    """Does what `found` names as repairs, and returns what was refused.

    A topic's settings are changed together or not at all. On return the brokers show what was
    changed.

    Raises:
        TopicMismatchError: the brokers refuse to make a topic.
        aiokafka.errors.KafkaError, OSError: the cluster can't be asked.
    """
    refused = await _alter(settings, found)
    if missing(found):
        await make_missing(settings)
    no = {one.topic for one in refused}
    await _shown(settings, [one for one in found if one.repair and one.topic not in no])
    return refused


async def _shown(settings: Settings, done: list[Difference]) -> None:
    """Waits until the brokers show what the controller has confirmed, not for ever."""
    end = time.monotonic() + SHOWN_WITHIN_S
    wanted = {(one.topic, one.setting) for one in done}
    while time.monotonic() < end:
        left = differences(settings, await look(settings))
        if wanted.isdisjoint((one.topic, one.setting) for one in left):
            return
        await asyncio.sleep(_AGAIN_S)


async def _alter(settings: Settings, found: list[Difference]) -> list[Refused]:
    wanted = repairs(found)
    if not wanted:
        return []
    client = admin(settings)
    await client.start()
    try:
        # aiokafka has no method for it.
        answer = await client._send_to_controller(IncrementalAlterConfigs(wanted))  # noqa: SLF001
    finally:
        await client.close()
    return [
        Refused(name, _why(for_code(code), text))
        for code, text, _kind, name in answer.responses
        if code
    ]


def _why(error: type[KafkaError], text: str | None) -> str:
    if error is TopicAuthorizationFailedError:
        return (
            "the right ALTER_CONFIGS is missing; `portquorum acl --role admin` prints the line "
            "that grants it"
        )
    return " ".join(f"{error.__name__} {text or ''}".split())
