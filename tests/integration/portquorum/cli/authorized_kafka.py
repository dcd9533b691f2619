"""A Kafka whose users have only the rights that a test gives them (KRaft, SASL/PLAIN)."""

import asyncio
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from foundation.kafka import admin
from foundation.settings import Settings
from portquorum.embedded.kafka import jars, java
from portquorum.embedded.kafka.broker import cluster_id
from portquorum.embedded.service.addresses import ListenAddress, reserve

OWNER: Final = "owner"
PASSWORD: Final = "a word that no one guesses"  # noqa: S105 - of this test alone

TOPIC: Final = 2
GROUP: Final = 3
READ: Final = 3
DESCRIBE: Final = 8
_PREFIXED: Final = 4
_ALLOW: Final = 3
_DEADLINE_S: Final = 60.0

AUDIT: Final = "audit.log"
"""The file in the broker's folder with each answer of the authorizer, if it was asked for."""

_LOGGING: Final = """\
status = warn
appender.all.type = Console
appender.all.name = all
appender.all.layout.type = PatternLayout
appender.all.layout.pattern = %d{HH:mm:ss,SSS} %p %m (%c{1})%n
appender.audit.type = File
appender.audit.name = audit
appender.audit.fileName = FILE
appender.audit.layout.type = PatternLayout
appender.audit.layout.pattern = %m%n
logger.authorizer.name = kafka.authorizer.logger
logger.authorizer.level = debug
logger.authorizer.additivity = false
logger.authorizer.appenderRef.audit.ref = audit
rootLogger.level = warn
rootLogger.appenderRef.all.ref = all
"""


class _CreateAclsResponse(Response):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", Array(("error_code", Int16), ("error_message", String("utf-8")))),
    )


class _CreateAclsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = _CreateAclsResponse
    SCHEMA = Schema(
        (
            "creations",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                ("resource_pattern_type", Int8),
                ("principal", String("utf-8")),
                ("host", String("utf-8")),
                ("operation", Int8),
                ("permission_type", Int8),
            ),
        )
    )


class _CreateAcls(Request[_CreateAclsStruct]):  # type: ignore[misc]
    """aiokafka (0.14) has no request of its own for it."""

    API_KEY = 30

    def __init__(self, rights: Sequence[tuple[int, str, int]], user: str) -> None:
        self._entries = [
            (resource, name, _PREFIXED, f"User:{user}", "*", operation, _ALLOW)
            for resource, name, operation in rights
        ]

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        return request_struct_class(self._entries)


async def answers(owner: Settings) -> None:
    """Returns when the broker has started.

    Raises:
        aiokafka.errors.KafkaError: it does not answer within a minute.
    """
    end = time.monotonic() + _DEADLINE_S
    while True:
        client = admin(owner)
        try:
            await client.start()
        except KafkaError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)
        else:
            return
        finally:
            await client.close()


async def grant(owner: Settings, user: str, rights: Sequence[tuple[int, str, int]]) -> None:
    """Gives `user` rights: resource type, prefix of the name, operation."""
    client: AIOKafkaAdminClient = admin(owner)
    await client.start()
    try:
        answer = await client._send_to_controller(_CreateAcls(rights, user))
        assert [code for code, _ in answer.results] == [0] * len(rights), answer
    finally:
        await client.close()


@contextmanager
def authorized_kafka(
    folder: Path,
    users: Sequence[str],
    tls: Path | None = None,
    *,
    audit: bool = False,
    supers: Sequence[str] = (),
) -> Iterator[str]:
    """Starts the broker; yields its address. `OWNER` may do anything, others nothing at first.

    With `tls`, a PEM file of a PKCS #8 key and its certificates, clients come by SASL_SSL. With
    `audit` each answer of the authorizer is a line of `AUDIT`. `supers` may do anything, too.
    """
    protocol = "SASL_SSL" if tls else "SASL_PLAINTEXT"
    broker, controller = (reserve(ListenAddress("127.0.0.1", 0)) for _ in range(2))
    names = "".join(f' user_{name}="{PASSWORD}"' for name in (OWNER, *users))
    login = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{OWNER}" password="{PASSWORD}"{names};'
    )
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"CLIENTS://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"CLIENTS://{broker}",
        "listener.security.protocol.map": f"CLIENTS:{protocol},CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.clients.plain.sasl.jaas.config": login,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The controller's listener, on loopback, is the broker's own and has no users.
        "super.users": ";".join(f"User:{name}" for name in (OWNER, "ANONYMOUS", *supers)),
        "log.dirs": str(folder / "log"),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "2",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
    }
    if tls:
        # The broker is a client of itself.
        properties |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(tls),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(tls),
        }
    file = folder / "server.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    classes = ":".join(map(str, jars.class_path(jars.cache_dir(), lambda _: None)))
    run = [str(java.find()), "-Xmx256m", "-XX:+UseSerialGC", "-cp", classes]
    if audit:
        logging = folder / "log4j2.properties"
        logging.write_text(_LOGGING.replace("FILE", str(folder / AUDIT)))
        run[1:1] = [f"-Dlog4j2.configurationFile={logging}"]
    with (folder / "kafka.log").open("wb") as log:
        subprocess.run(
            [
                *(*run, "kafka.tools.StorageTool", "format"),
                *("--cluster-id", cluster_id(), "--config", str(file)),
            ],
            check=True,
            stdout=log,
            stderr=log,
            timeout=60,
        )
        process = subprocess.Popen([*run, "kafka.Kafka", str(file)], stdout=log, stderr=log)
    try:
        yield str(broker)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)
