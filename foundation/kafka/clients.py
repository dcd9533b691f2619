"""aiokafka clients with the settings' address and security, and our delivery promises."""

import random
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NodeNotReadyError

from foundation.kafka_security import context_of
from foundation.settings import Settings, SettingsError
from schemas.topics import Compression

SESSION_TIMEOUT_MS: Final = 6_000
"""A member that is silent for so long is taken for dead: the least that brokers allow by default
(`group.min.session.timeout.ms`)."""

HEARTBEAT_INTERVAL_MS: Final = 500
"""A member learns by its next heartbeat that its group changes, and all wait for the last one."""

SOON_MS: Final = 20
"""`fetch_max_wait_ms` of a reader of what is there already."""

LATER_MS: Final = 500
"""`fetch_max_wait_ms` of a reader that waits for news; Kafka's own default."""

COMPRESSION: Final[Compression] = "gzip"
"""The codec of a producer that does not ask for another one: every client reads it.

aiokafka's LZ4 is out of the question: its frames have block checksums, at which kafka-go and sarama
end (docs/decisions/0018-codecs-that-strangers-read.md).
"""


def client_options(settings: Settings) -> dict[str, Any]:
    """The options of every aiokafka client: servers and security.

    Raises:
        SettingsError: a file of the settings can't be used; the text names its variable.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        try:
            options["ssl_context"] = context_of(settings.kafka_security)
        except ValueError as error:
            raise SettingsError(str(error)) from error
    if settings.kafka_security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password,
        }
    return options


def producer(settings: Settings, **options: Any) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas.

    Its batches are gzip. One that writes to no topic but those with another codec asks for that:
    `compression_type=RESULTS.compression`.
    """
    return AIOKafkaProducer(
        **(
            client_options(settings)
            | {"acks": "all", "enable_idempotence": True, "compression_type": COMPRESSION}
            | options
        )
    )


def consumer(settings: Settings, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """A consumer without automatic commits; its group notices a dead member after 6 s."""
    return AIOKafkaConsumer(
        *topics,
        **(
            client_options(settings)
            | {
                "enable_auto_commit": False,
                "auto_offset_reset": "earliest",
                "session_timeout_ms": SESSION_TIMEOUT_MS,
                "heartbeat_interval_ms": HEARTBEAT_INTERVAL_MS,
            }
            | options
        ),
    )


def set_fetch_wait(client: AIOKafkaConsumer, wait_ms: int) -> None:
    """Changes how long the broker holds back an empty answer, from the next fetch on.

    aiokafka (0.14) has no public way. A broker answers the requests of a connection one after the
    other: a question for the end of a topic waits behind a fetch that waits for records.
    """
    client._fetcher._fetch_max_wait_ms = wait_ms  # noqa: SLF001


class _AdminClient(AIOKafkaAdminClient):  # type: ignore[misc]  # aiokafka has no types
    """An admin client that asks a broker that is there.

    aiokafka's (0.14) asks any of those that the metadata names, and fails if that one is away: for
    some seconds others still name it. For a controller that is away it waits 40 s. Every broker
    (KRaft) hands on what is the controller's.
    """

    async def _send_request(self, request: Any, node_id: int | None = None) -> Any:
        node = await self._ready_node() if node_id is None else node_id
        return await super()._send_request(request, node)

    async def _send_to_controller(self, request: Any) -> Any:
        controller = self._client.cluster.controller
        if controller is not None and await self._client.ready(controller.nodeId):
            return await super()._send_to_controller(request)
        return await self._client.send(await self._ready_node(), request)

    async def _ready_node(self) -> int:
        nodes = [broker.nodeId for broker in self._client.cluster.brokers()]
        random.shuffle(nodes)
        for node in nodes:
            if await self._client.ready(node):
                return int(node)
        raise NodeNotReadyError("no broker that the cluster names can be reached")


def admin(settings: Settings) -> AIOKafkaAdminClient:
    """An admin client."""
    return _AdminClient(**client_options(settings))
