"""Writes to the topic [web] that a request waits for."""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final, TypeVar

from aiokafka.errors import KafkaError

from portquorum.changing.errors import ChangeError

T = TypeVar("T")

KAFKA_AWAY: Final = (
    "nobody can sign in while Kafka is away; who has signed in before goes on, and so do tokens"
)


async def written(write: Awaitable[T]) -> T:
    """What a write answers.

    Raises:
        ChangeError: 503, Kafka is away.
    """
    try:
        return await write
    except (KafkaError, OSError, TimeoutError) as error:
        raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, KAFKA_AWAY) from error
