"""The cluster: its brokers, users, rights and certificates, for tests that break them.

Each broker has four listeners: for users with passwords (SASL_SSL, SCRAM-SHA-512), for clients with
certificates (mTLS), for the other brokers and for the controllers (mTLS both). The authorizer knows
users as `User:NAME`, clients with certificates by the common name.
"""

import asyncio
import hashlib
import os
import shutil
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, Response

from foundation import kafka
from foundation.settings import Settings
from portquorum.embedded.kafka.broker import cluster_id
from tests.kafka_cluster import requests
from tests.kafka_cluster.authority import Authority
from tests.kafka_cluster.broker import Broker, java_command
from tests.kafka_cluster.places import Place, on_loopback
from tests.kafka_cluster.properties import properties

OWNER: Final = "owner"
"""The user who may do anything."""

PASSWORD: Final = "a word that no one guesses"  # noqa: S105 - of tests alone

START_S: Final = 240.0
_ITERATIONS: Final = 4096
_RESOURCES: Final = {"topic": 2, "group": 3, "cluster": 4}
_OPERATIONS: Final = {
    "ALL": 2,
    "READ": 3,
    "WRITE": 4,
    "CREATE": 5,
    "DELETE": 6,
    "ALTER": 7,
    "DESCRIBE": 8,
    "DESCRIBE_CONFIGS": 10,
    "ALTER_CONFIGS": 11,
}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3


class Right(Protocol):
    """What `foundation.kafka.rights.Right` has; `resource` is `topic`, `group` or `cluster`."""

    @property
    def resource(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def prefixed(self) -> bool: ...


class Cluster:
    """A running cluster."""

    def __init__(self, folder: Path, brokers: Sequence[Broker], authority: Authority) -> None:
        self.folder = folder
        self.brokers = list(brokers)
        self.authority = authority
        self._passwords = {OWNER: PASSWORD}
        self._issued = 0

    @property
    def address(self) -> str:
        """The bootstrap servers for users with passwords."""
        return ",".join(broker.address for broker in self.brokers)

    def settings(self, user: str = OWNER, **more: Any) -> Settings:
        """The settings of a user with its password; `more` are any other settings."""
        given: dict[str, Any] = {
            "kafka": self.address,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_username": user,
            "kafka_password": self._passwords[user],
            "kafka_ca_file": str(self.authority.file),
            "replication_factor": 3,
        }
        return Settings(**(given | more))

    def certificate_settings(self, user: str, **more: Any) -> Settings:
        """The settings of a client whose certificate says who it is (mTLS, no password)."""
        pem = str(self.authority.issue(f"client-{user}.pem", user))
        given: dict[str, Any] = {
            "kafka": ",".join(str(broker.place.certificates) for broker in self.brokers),
            "kafka_security_protocol": "SSL",
            "kafka_ca_file": str(self.authority.file),
            "kafka_cert_file": pem,
            "kafka_key_file": pem,
            "replication_factor": 3,
        }
        return Settings(**(given | more))

    async def user(self, name: str, password: str = PASSWORD) -> None:
        """Makes a user, or gives it another password; returns when each broker knows of it."""
        salt = os.urandom(16)
        salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
        answer = await self._ask(requests.AlterUser(name, _ITERATIONS, salt, salted))
        assert [code for _, code, *_ in answer.results] == [0], answer
        self._passwords[name] = password

        async def known() -> bool:
            return all(await asyncio.gather(*map(self._lets_in(name), self._alive())))

        await _eventually(f"{name} may come in", known, START_S)

    async def grant(self, user: str, rights: Iterable[Right]) -> None:
        """Gives a user rights."""
        entries = [_entry(user, right) for right in rights]
        answer = await self._ask(requests.CreateAcls(entries))
        assert [code for code, _ in answer.results] == [0] * len(entries), answer

    async def revoke(self, user: str, rights: Iterable[Right]) -> None:
        """Takes rights from a user."""
        entries = [_entry(user, right) for right in rights]
        answer = await self._ask(requests.DeleteAcls(entries))
        assert [code for code, *_ in answer.results] == [0] * len(entries), answer

    async def renew_certificate(
        self, broker: Broker, *, ends_in: timedelta = timedelta(days=30)
    ) -> None:
        """Gives a running broker another certificate for users with passwords.

        Connections that are there stay; with a negative `ends_in` no new one will do. Returns when
        the broker shows it.
        """
        self._issued += 1
        pem = self.authority.issue(
            f"broker-{broker.number}-{self._issued}.pem",
            f"broker-{broker.number}",
            broker.place.clients.host,
            ends_in=ends_in,
        )
        name = "listener.name.clients.ssl.keystore.location"
        request = requests.SetBrokerConfig(broker.number, name, str(pem))
        # A broker checks what concerns itself; it is asked by its certificates' listener, which
        # does not change.
        answer = await self._ask(request, node=broker.number)
        assert [code for code, *_ in answer.results] == [0], answer
        address = (broker.place.clients.host, broker.place.clients.port)

        async def shown() -> bool:
            # Its network threads take turns and change one after the other.
            seen = [await asyncio.to_thread(ssl.get_server_certificate, address) for _ in "1234"]
            return all(text in pem.read_text() for text in seen)

        await _eventually("the broker shows its new certificate", shown, START_S)

    async def settled(self, deadline_s: float = START_S) -> None:
        """Returns when each partition has all its replicas in sync, of brokers that are alive."""
        wanted = {broker.number for broker in self._alive()}

        async def look() -> bool:
            async with self.admin() as client:
                known = {node.nodeId for node in client._client.cluster.brokers()}
                described = await client.describe_topics()
            parts = [part for topic in described for part in topic["partitions"]]
            return known == wanted and all(
                set(part["isr"]) >= set(part["replicas"]) & wanted for part in parts
            )

        await _eventually("all replicas are in sync", look, deadline_s)

    def answers(self, broker: Broker) -> None:
        """Returns when a broker that was started lets its owner in."""

        async def look() -> bool:
            assert broker.alive, broker.said()
            return await self._lets_in(OWNER)(broker)

        _in_a_thread(lambda: _eventually(f"broker {broker.number} answers", look, START_S))

    @asynccontextmanager
    async def admin(self) -> Any:
        """aiokafka's admin client, of one who may do anything, over mTLS."""
        alive = ",".join(str(broker.place.certificates) for broker in self._alive())
        client = kafka.admin(self.certificate_settings(OWNER, kafka=alive))
        await client.start()
        try:
            yield client
        finally:
            await client.close()

    def _alive(self) -> list[Broker]:
        return [broker for broker in self.brokers if broker.alive]

    async def _ask(self, request: Request[Any], node: int | None = None) -> Response:
        async with self.admin() as client:
            if node is None:
                return await client._send_to_controller(request)
            return await client._send_request_to_node(node, request)

    def _lets_in(self, user: str) -> Callable[[Broker], Awaitable[bool]]:
        async def look(broker: Broker) -> bool:
            client: AIOKafkaAdminClient = kafka.admin(self.settings(user, kafka=broker.address))
            try:
                await client.start()
            except (KafkaError, OSError):
                return False
            else:
                return True
            finally:
                await client.close()

        return look


@contextmanager
def running_cluster(
    folder: Path,
    *,
    places: Sequence[Place] | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """Starts three brokers (on loopback, unless `places` says where); ends them.

    Args:
        folder: for their files; a new folder is made in it.
        places: one for each broker.
        more: settings of all brokers, over those of properties.py.
    """
    folder = folder / "cluster"
    folder.mkdir()
    authority = Authority(folder)
    command = java_command()
    where = list(places) if places else on_loopback(3)
    brokers = []
    for number, place in enumerate(where, 1):
        (folder / f"broker-{number}").mkdir()
        broker = Broker(number, place, folder / f"broker-{number}", command)
        name = f"broker-{number}"
        pem = authority.issue(f"{name}.pem", name, place.clients.host)
        broker.write(properties(number, where, pem, authority.file, OWNER) | (more or {}))
        brokers.append(broker)
    _format(brokers)
    cluster = Cluster(folder, brokers, authority)
    try:
        for broker in brokers:
            broker.start()
        for broker in brokers:
            cluster.answers(broker)
        yield cluster
    finally:
        for broker in brokers:
            broker.kill()


def _format(brokers: Sequence[Broker]) -> None:
    """Makes all storages; by one JVM, as only the names of the nodes differ."""
    first = brokers[0]
    login = f"SCRAM-SHA-512=[name={OWNER},password={PASSWORD},iterations={_ITERATIONS}]"
    first.format(cluster_id(), "--add-scram", login)
    for broker in brokers[1:]:
        shutil.copytree(first.folder / "log", broker.folder / "log")
        meta = broker.folder / "log" / "meta.properties"
        changed = {"node.id": str(broker.number), "directory.id": cluster_id()}
        lines = []
        for line in meta.read_text(encoding="ascii").splitlines():
            key = line.partition("=")[0]
            lines.append(f"{key}={changed[key]}" if key in changed else line)
        meta.write_text("\n".join([*lines, ""]), encoding="ascii")


def _entry(user: str, right: Right) -> requests.RightEntry:
    return (
        _RESOURCES[right.resource],
        right.name,
        _PREFIXED if right.prefixed else _LITERAL,
        f"User:{user}",
        "*",
        _OPERATIONS[right.operation],
        _ALLOW,
    )


async def _eventually(what: str, look: Callable[[], Awaitable[bool]], deadline_s: float) -> None:
    end = time.monotonic() + deadline_s
    while True:
        try:
            if await look():
                return
        except (KafkaError, OSError) as error:
            what = f"{what} ({error!r})" if repr(error) not in what else what
        assert time.monotonic() < end, f"not within {deadline_s:.0f} s: {what}"
        await asyncio.sleep(0.2)


def _in_a_thread(work: Callable[[], Awaitable[None]]) -> None:
    """Waits for it also where a loop runs already."""
    failed: list[BaseException] = []

    async def run() -> None:
        await work()

    def begin() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - raised in the other thread
            failed.append(error)

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
