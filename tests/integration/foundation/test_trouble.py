"""Each way in which a client of a real Kafka goes wrong has its own sentence."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from foundation import kafka
from foundation.kafka.trouble import why_not
from foundation.settings import Settings
from portquorum.health.gather import look
from tests.integration.foundation.listeners import PASSWORD, Listeners, kafka_with_listeners

pytestmark = pytest.mark.timeout(240)

LIBRARIES = {"aiokafka", "faust", "mode", "asyncio"}
OTHER_PASSWORD = "Another-Password-That-Is-Wrong"  # noqa: S105 - of this test alone


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Listeners]:
    with kafka_with_listeners(tmp_path_factory.mktemp("listeners")) as listeners:
        async with asyncio.timeout(120):
            while await why_not(listeners.settings("plain")):  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.2)
        yield listeners


@pytest.mark.parametrize("listener", ["plain", "users", "scram", "tls", "secure", "mutual"])
async def test_what_fits_is_no_trouble(broker: Listeners, listener: str) -> None:
    assert await why_not(broker.settings(listener)) is None


@pytest.mark.parametrize(
    ("listener", "others", "kind", "words"),
    [
        ("users", {"kafka_password": OTHER_PASSWORD}, "password_refused", "KAFKA_PASSWORD"),
        ("secure", {"kafka_password": OTHER_PASSWORD}, "password_refused", "KAFKA_PASSWORD"),
        ("scram", {"kafka_password": OTHER_PASSWORD}, "password_refused", "SCRAM-SHA-512"),
        ("scram", {"kafka_password": f"{PASSWORD}\n"}, "password_refused", "line end"),
        ("users", {"kafka_username": "who"}, "password_refused", "not know the user who"),
        ("scram", {"kafka_username": "who"}, "password_refused", "KAFKA_USERNAME"),
        ("scram", {"kafka_sasl_mechanism": "PLAIN"}, "mechanism_off", "offers SCRAM-SHA-512"),
        ("users", {"kafka_sasl_mechanism": "SCRAM-SHA-256"}, "mechanism_off", "SASL_MECHANISM"),
        ("plain", {"kafka_security_protocol": "SSL"}, "tls_not_spoken", "to PLAINTEXT"),
        ("users", {"kafka_security_protocol": "SASL_SSL"}, "tls_not_spoken", "SASL_PLAINTEXT"),
        ("tls", {"kafka_security_protocol": "PLAINTEXT"}, "tls_expected", "to SSL"),
        ("secure", {"kafka_security_protocol": "SASL_PLAINTEXT"}, "tls_expected", "to SASL_SSL"),
        ("users", {"kafka_security_protocol": "PLAINTEXT"}, "user_expected", "offers (PLAIN)"),
        ("secure", {"kafka_security_protocol": "SSL"}, "user_expected", "to SASL_SSL"),
        ("plain", {"kafka_security_protocol": "SASL_PLAINTEXT"}, "user_not_expected", "PLAINTEXT"),
        ("expired", {}, "certificate_expired", "has expired on 20"),
        ("early", {}, "certificate_not_yet_valid", "clock"),
        ("other", {}, "certificate_other_name", "not for localhost (it has kafka1.example)"),
        ("secure", {"kafka_ca_file": None}, "certificate_unknown_issuer", "KAFKA_CA_FILE"),
        ("mutual", {"kafka_cert_file": None}, "client_certificate_required", "KAFKA_CERT_FILE"),
        ("astray", {}, "advertised_unreachable", "advertised.listeners"),
    ],
)
async def test_each_trouble_has_its_own_sentence(
    broker: Listeners, listener: str, others: dict[str, Any], kind: str, words: str
) -> None:
    users = {"kafka_username": "someone", "kafka_password": OTHER_PASSWORD}
    settings = broker.settings(listener, **({} if broker_knows(listener) else users), **others)
    found = await why_not(settings)
    assert found is not None
    assert found.kind == kind
    assert words in found.sentence
    assert settings.kafka in found.sentence
    assert "PORTQUORUM_" in found.sentence or listener in {"expired", "early", "astray"}
    assert not [one for one in (PASSWORD, OTHER_PASSWORD) if one in found.sentence]


def broker_knows(listener: str) -> bool:
    return listener in {"users", "scram", "secure"}


async def test_an_authority_of_others_is_named_with_its_file(broker: Listeners) -> None:
    file = str(broker.strange_ca_file)
    found = await why_not(broker.settings("secure", kafka_ca_file=file))
    assert found is not None
    assert found.kind == "certificate_unknown_issuer"
    assert file in found.sentence


async def test_a_certificate_of_ours_that_the_broker_refuses_is_named(broker: Listeners) -> None:
    file = str(broker.strange_client_file)
    found = await why_not(broker.settings("mutual", kafka_cert_file=file, kafka_key_file=file))
    assert found is not None
    assert found.kind == "client_certificate_refused"
    assert file in found.sentence


async def test_a_controller_is_no_broker(broker: Listeners) -> None:
    found = await why_not(broker.settings("plain", kafka=str(broker.controller)))
    assert found is not None
    assert found.kind == "controller_port"


async def test_a_role_says_why_it_waits_and_that_it_is_over(broker: Listeners) -> None:
    wrong = broker.settings("users", kafka_password=OTHER_PASSWORD)
    with capture_logs() as logs:
        waiting = asyncio.create_task(kafka.topics_ready(wrong))
        async with asyncio.timeout(60):
            while not logs:  # noqa: ASYNC110 - of another task
                await asyncio.sleep(0.05)
        waiting.cancel()
    assert logs[0]["event"] == "waiting for Kafka"
    assert "PORTQUORUM_KAFKA_PASSWORD" in logs[0]["error"]
    assert OTHER_PASSWORD not in str(logs)


async def test_health_says_why(broker: Listeners) -> None:
    wrong = broker.settings("secure", kafka_ca_file=str(broker.strange_ca_file))
    report = await look(wrong, 10)
    assert "PORTQUORUM_KAFKA_CA_FILE" in report.summary


def environment(settings: Settings) -> dict[str, str]:
    names = ("kafka", "kafka_security_protocol", "kafka_username", "kafka_password")
    given = {f"PORTQUORUM_{name.upper()}": getattr(settings, name) or "" for name in names}
    return {k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")} | given


def command(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portquorum", *words],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_a_command_says_why(broker: Listeners) -> None:
    wrong = broker.settings("users", kafka_password=OTHER_PASSWORD)
    done = await asyncio.to_thread(command, wrong, "user", "list")
    assert done.returncode == 1
    assert "refuses the password; PORTQUORUM_KAFKA_USERNAME" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert OTHER_PASSWORD not in done.stderr


class Role:
    """A running role, and the lines of its log."""

    def __init__(self, folder: Path, settings: Settings, *words: str) -> None:
        self._file = folder / "role.log"
        names = {"METRICS": "127.0.0.1:0", "DATA_DIR": str(folder), "PARTITIONS": "2"}
        own = {f"PORTQUORUM_{name}": value for name, value in names.items()}
        with self._file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portquorum", *words],
                env=environment(settings)
                | {f"PORTQUORUM_{name}": one for name, one in own.items()},
                stderr=log,
            )

    def lines(self) -> list[dict[str, Any]]:
        whole = self._file.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    async def says(self, event: str) -> dict[str, Any]:
        async with asyncio.timeout(90):
            while True:
                for line in self.lines():
                    if event in line["event"]:
                        return line
                assert self.process.poll() is None, self._file.read_text()
                await asyncio.sleep(0.1)


# The last test: it kills the broker.
async def test_a_role_says_what_is_the_matter_in_our_words(
    broker: Listeners, tmp_path: Path
) -> None:
    role = Role(tmp_path, broker.settings("users"), "stream")
    try:
        await role.says("stream started")
        # The broker ends its connections, each after 2 s.
        await role.says("connections to Kafka were made anew")
        broker.process.kill()
        said = await role.says("Kafka can't be used")
        assert "nothing listens there" in said["error"]
        assert said["again_in_s"] == 60
        loud = [one for one in role.lines() if one["level"] in {"warning", "error"}]
        libraries = [one for one in loud if one["logger"].partition(".")[0] in LIBRARIES]
        assert [one["event"] for one in libraries] == ["Sending username and password in the clear"]
        assert PASSWORD not in str(role.lines())
    finally:
        role.process.kill()
        role.process.wait(60)
