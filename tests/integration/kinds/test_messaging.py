"""Kafka, RabbitMQ (AMQP), Mosquitto (MQTT) and NATS themselves."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator

import pytest

from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import assert_down, assert_up, check, check_until_up
from tests.integration.kinds.servers import as_user, folder, free_port, program, running


async def test_kafka_answers_apiversions(kafka: str) -> None:
    port = int(kafka.rpartition(":")[2])
    assert_up(await check("kafka", port))
    assert (await check("amqp", port, timeout_s=1)).status == "down"


@contextlib.contextmanager
def mosquitto(*settings: str) -> Iterator[int]:
    server = program("mosquitto")
    port = free_port()
    with folder() as path:
        config = path / "mosquitto.conf"
        lines = (f"listener {port} 127.0.0.1", *settings)
        config.write_text("\n".join(lines) + "\n")
        with running([server, "-c", str(config)], port, path / "log"):
            yield port


async def test_mqtt_accepts_us() -> None:
    with mosquitto("allow_anonymous true") as port:
        assert_up(await check("mqtt", port))
        wrong = await check("redis", port, timeout_s=1)
    assert wrong.status == "down"


async def test_mqtt_that_wants_a_login_is_alive() -> None:
    with mosquitto("allow_anonymous false") as port:
        assert_up(await check("mqtt", port))


async def test_mqtt_in_tls(certificates: Certificates) -> None:
    pair = certificates.good
    with folder() as path:
        # It reads them as a user of its own.
        for name, file in (("certificate", pair.certificate), ("key", pair.key)):
            shutil.copy(file, path / name)
            (path / name).chmod(0o644)
        files = (f"certfile {path}/certificate", f"keyfile {path}/key", "allow_anonymous true")
        with mosquitto(*files) as port:
            outcome = await check("mqtt", port, tls="implicit")
            plain = await check("mqtt", port, timeout_s=1)
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == pair.until_ms
    assert plain.status == "down"


@pytest.mark.root
async def test_amqp_starts_a_connection() -> None:
    # Not the one in /usr/sbin: what that starts is not ours to end.
    server = program("/usr/lib/rabbitmq/bin/rabbitmq-server")
    epmd = program("epmd", "/usr/lib/erlang/erts-*/bin/epmd")
    port, names = free_port(), free_port()
    with folder("rabbitmq") as path:
        (path / "plugins").write_text("[rabbitmq_amqp1_0].")
        env = {
            "RABBITMQ_NODENAME": f"pq{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(path / "mnesia"),
            "RABBITMQ_LOG_BASE": str(path / "log.d"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(path / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(path / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(names),
            "HOME": str(path),
        }
        # Erlang's name server first, or it would be started beside us and stay.
        with (
            running([epmd, "-address", "127.0.0.1", "-port", str(names)], names, path / "names"),
            running([*as_user("rabbitmq"), server], port, path / "log", env=env),
        ):
            outcome = await check_until_up("amqp", port)
            other = await check("amqp", port, version="1.0")
            wrong = await check("mqtt", port, timeout_s=1)
    assert_up(outcome)
    assert outcome.banner is not None
    assert outcome.banner.startswith("RabbitMQ 3.")
    assert_up(other)
    assert other.banner is not None
    assert other.banner.startswith("SASL ")
    assert "PLAIN" in other.banner
    assert_down(wrong, "protocol_mismatch", "MQTT CONNACK")


@contextlib.contextmanager
def nats(*settings: str) -> Iterator[int]:
    server, port = program("nats-server"), free_port()
    with folder() as path:
        lines = (f"listen: 127.0.0.1:{port}", *settings)
        (path / "conf").write_text("\n".join(lines) + "\n")
        with running([server, "-c", str(path / "conf")], port, path / "log"):
            yield port


async def test_nats_answers_ping() -> None:
    with nats() as port:
        outcome = await check("nats", port)
        without = await check("nats", port, tls="starttls")
        wrong = await check("redis", port, timeout_s=1)
    assert_up(outcome)
    assert outcome.banner is not None
    assert outcome.banner.startswith("version 2.")
    assert_down(without, "tls_failed", "NATS: the server offers no TLS")
    assert wrong.status == "down"


async def test_nats_that_wants_a_login_is_alive() -> None:
    with nats("authorization { user: a, password: b }") as port:
        assert_up(await check("nats", port))


async def test_nats_at_its_limit() -> None:
    with nats("max_connections: 1") as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        outcome = await check("nats", port)
        writer.close()
    assert_down(outcome, "too_many_connections", "maximum connections exceeded")


async def test_nats_in_tls(certificates: Certificates) -> None:
    pair = certificates.good
    files = f"cert_file: '{pair.certificate}', key_file: '{pair.key}'"
    with nats(f"tls {{ {files} }}") as port:
        outcome = await check("nats", port, tls="starttls")
        ending = await check("nats", port, tls="starttls", critical_days=30)
        plain = await check("nats", port)
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == pair.until_ms
    assert_down(ending, "certificate_ending", "less than 30 days")
    assert (plain.status, plain.reason) == ("up", None)
    assert plain.detail == "the server wants TLS (tls: starttls): nothing was asked of it"
