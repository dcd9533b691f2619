"""What people are told when Kafka did not take a change."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from portquorum.changing.errors import ChangeError

AWAY: Final = "Kafka is away, so nobody knows whether this was done: look again in a moment"
REFUSED: Final = (
    "Kafka does not let this process write the topic [web]; docs/access.md names the rights"
)
# The second: an idempotent producer needs the right to write some topic.
_NO_RIGHT: Final = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)


@contextmanager
def kafka_errors_said() -> Iterator[None]:
    """Turns the errors of a `Journal` into a sentence.

    Raises:
        ChangeError: 503.
    """
    try:
        yield
    except _NO_RIGHT as error:
        raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, REFUSED) from error
    except (KafkaError, OSError) as error:
        raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, AWAY) from error
