"""One Kafka with a listener for each way in which a client can go wrong (KRaft)."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import trustme
from cryptography.hazmat.primitives import serialization

from foundation.settings import Settings
from portquorum.embedded.kafka import jars, java
from portquorum.embedded.kafka.broker import cluster_id
from portquorum.embedded.service.addresses import ListenAddress, reserve

USER: Final = "portquorum-stream"
PASSWORD: Final = "a-password-that-no-text-may-have"  # noqa: S105 - of this test alone

REAUTHENTICATE_MS: Final = 2_000

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]

LISTENERS: Final[Mapping[str, Protocol]] = {
    "plain": "PLAINTEXT",
    "users": "SASL_PLAINTEXT",
    "scram": "SASL_PLAINTEXT",
    "tls": "SSL",
    "secure": "SASL_SSL",
    "expired": "SSL",
    "early": "SSL",
    "other": "SSL",
    "mutual": "SSL",
    "astray": "PLAINTEXT",
}
"""The protocol of each listener; `expired` to `mutual` are about certificates, and `astray` names
an address for the broker where nothing listens."""


class Listeners:
    """The broker's addresses, its process, and the files of its clients."""

    process: "subprocess.Popen[bytes]"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = {name: reserve(ListenAddress("127.0.0.1", 0)) for name in LISTENERS}
        self.controller, self.nowhere = (reserve(ListenAddress("127.0.0.1", 0)) for _ in range(2))
        authority, strange = trustme.CA(), trustme.CA()
        self.ca_file, self.strange_ca_file = folder / "ca.pem", folder / "strange.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        strange.cert_pem.write_to_path(self.strange_ca_file)
        now, day = datetime.now(UTC), timedelta(days=1)
        self._holders = {
            "expired": _issued(folder / "expired.pem", authority, now - 9 * day, now - day),
            "early": _issued(folder / "early.pem", authority, now + day, now + 9 * day),
            "other": _issued(
                folder / "other.pem", authority, now - day, now + day, "kafka1.example"
            ),
        }
        self._good = _issued(folder / "good.pem", authority, now - day, now + day)
        self.client_file = _issued(folder / "client.pem", authority, now - day, now + day, "client")
        self.strange_client_file = _issued(
            folder / "own.pem", strange, now - day, now + day, "client"
        )

    def settings(self, name: str, **others: object) -> Settings:
        """What a client needs for a listener; `others` are settings that differ."""
        protocol = LISTENERS[name]
        values: dict[str, object] = {
            "kafka": f"localhost:{self.address[name].port}",
            "kafka_security_protocol": protocol,
        }
        if protocol.startswith("SASL"):
            values |= {"kafka_username": USER, "kafka_password": PASSWORD}
            values["kafka_sasl_mechanism"] = "SCRAM-SHA-512" if name == "scram" else "PLAIN"
        if protocol.endswith("SSL"):
            values["kafka_ca_file"] = str(self.ca_file)
        if name == "mutual":
            values |= dict.fromkeys(("kafka_cert_file", "kafka_key_file"), str(self.client_file))
        return Settings(**(values | others))  # type: ignore[arg-type]

    @property
    def properties(self) -> dict[str, str]:
        """The broker's settings."""
        names = {name: name.upper() for name in LISTENERS}
        bound = [f"{names[name]}://{address}" for name, address in self.address.items()]
        told = [
            f"{names[name]}://localhost:{(self.nowhere if name == 'astray' else address).port}"
            for name, address in self.address.items()
        ]
        protocols = [f"{names[name]}:{protocol}" for name, protocol in LISTENERS.items()]
        login = (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{USER}" password="{PASSWORD}" user_{USER}="{PASSWORD}";'
        )
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        values = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{self.controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join([*bound, f"CONTROLLER://{self.controller}"]),
            "advertised.listeners": ",".join(told),
            "listener.security.protocol.map": ",".join([*protocols, "CONTROLLER:PLAINTEXT"]),
            "inter.broker.listener.name": "PLAIN",
            "log.dirs": str(self.folder / "log"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "2",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            "listener.name.mutual.ssl.client.auth": "required",
            # Connections of `users` end all the time, as others do each hour.
            "listener.name.users.plain.connections.max.reauth.ms": str(REAUTHENTICATE_MS),
        }
        for name, protocol in LISTENERS.items():
            if protocol.endswith("SSL"):
                key = self._holders.get(name, self._good)
                values |= {
                    f"listener.name.{name}.ssl.keystore.type": "PEM",
                    f"listener.name.{name}.ssl.keystore.location": str(key),
                    f"listener.name.{name}.ssl.truststore.type": "PEM",
                    f"listener.name.{name}.ssl.truststore.location": str(self.ca_file),
                }
        for name in ("users", "secure"):
            values[f"listener.name.{name}.sasl.enabled.mechanisms"] = "PLAIN"
            values[f"listener.name.{name}.plain.sasl.jaas.config"] = login
        values["listener.name.scram.sasl.enabled.mechanisms"] = "SCRAM-SHA-512"
        values["listener.name.scram.scram-sha-512.sasl.jaas.config"] = scram
        return values


@contextmanager
def kafka_with_listeners(folder: Path) -> Iterator[Listeners]:
    """Starts the broker; who uses it waits until it answers at `plain`."""
    listeners = Listeners(folder)
    file = folder / "server.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in listeners.properties.items()))
    classes = ":".join(map(str, jars.class_path(jars.cache_dir(), lambda _: None)))
    run = [str(java.find()), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    run += ["-cp", classes]
    with (folder / "kafka.log").open("wb") as log:
        subprocess.run(
            [
                *(*run, "kafka.tools.StorageTool", "format"),
                *("--cluster-id", cluster_id(), "--config", str(file)),
                *("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"),
            ],
            check=True,
            stdout=log,
            stderr=log,
            timeout=60,
        )
        process = subprocess.Popen([*run, "kafka.Kafka", str(file)], stdout=log, stderr=log)
    listeners.process = process
    try:
        yield listeners
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)


def _issued(
    file: Path,
    authority: trustme.CA,
    begin: datetime,
    end: datetime,
    host: str = "localhost",
) -> Path:
    """A PEM file with a PKCS #8 key and the certificate for `host`."""
    made = authority.issue_cert(
        host, not_before=begin, not_after=end, key_type=trustme.KeyType.ECDSA
    )
    made.private_key_and_cert_chain_pem.write_to_path(file)
    text = file.read_text()
    if "BEGIN EC PRIVATE KEY" in text:
        file.write_bytes(_pkcs8(text.encode()))
    return file


def _pkcs8(pem: bytes) -> bytes:
    """The form of a key that Kafka reads."""
    begin = pem.index(b"-----BEGIN CERTIFICATE")
    key = serialization.load_pem_private_key(pem[:begin], None)
    written = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return written + pem[begin:]
