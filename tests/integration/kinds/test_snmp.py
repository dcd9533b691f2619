"""`snmp`, against Net-SNMP's agent and sockets that say anything."""

from collections.abc import Iterator
from typing import Any

import pytest

from portquorum.inventory.probes import ProbeError, probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.servers import folder, free_port, program, running
from tests.integration.kinds.test_datagrams import bound, saying
from tests.unit.producers.answers import snmp_answer, snmp_report

NAME = "1.3.6.1.2.1.1.5.0"


async def check(port: int, *, timeout_s: float = 5, **probe: Any) -> CheckOutcome:
    options = probe_of("snmp", probe or None, port)
    return await measured(
        lambda: check_once("127.0.0.1", port, "snmp", timeout_s, probe=options), tries=5
    )


@pytest.fixture(scope="module")
def agent() -> Iterator[int]:
    snmpd, port = program("snmpd"), free_port()
    with folder() as home:
        (home / "conf").write_text(
            f"agentaddress udp:127.0.0.1:{port}\nrocommunity public 127.0.0.1\n"
            "rocommunity other 127.0.0.1\nsysName router.example.com\nagentXSocket\n"
            "createUser watcher SHA portquorum-1\nrouser watcher auth\n"
        )
        command = [snmpd, "-f", "-Lo", "-C", "-c", str(home / "conf"), "-p", str(home / "pid")]
        env = {"SNMP_PERSISTENT_DIR": str(home), "MIBS": ""}
        with running(command, port, home / "log", ready=bound, env=env):
            yield port


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_the_time_since_the_agent_began(agent: int, version: str) -> None:
    outcome = await check(agent, version=version)
    assert (outcome.status, outcome.detail) == ("up", None)
    assert outcome.banner is not None
    assert outcome.banner.isdecimal()
    assert outcome.total_ms is not None


async def test_a_value_that_is_as_expected(agent: int) -> None:
    outcome = await check(agent, community="other", oid=NAME, expect_regex=r"^router\.")
    assert (outcome.status, outcome.banner) == ("up", "router.example.com")
    other = await check(agent, oid=NAME, expect_regex="^switch")
    assert_down(
        other, "unexpected_response", f"a match of '^switch' in {NAME}, found 'router.example.com'"
    )
    # sysObjectID: an identifier of Net-SNMP's
    identity = await check(agent, oid="1.3.6.1.2.1.1.2.0", expect_regex=r"^1\.3\.6\.1\.4\.1\.8072")
    assert identity.status == "up", identity


async def test_an_engine_tells_its_id_without_a_user(agent: int) -> None:
    outcome = await check(agent, version="3")
    assert (outcome.status, outcome.detail) == ("up", None)
    assert outcome.banner is not None
    assert outcome.banner.startswith("engine 80001f88")


async def test_another_community_gets_no_answer(agent: int) -> None:
    outcome = await check(agent, community="wrong", timeout_s=0.6)
    assert_down(outcome, "timed_out", "127.0.0.1: timed out after")


@pytest.mark.parametrize(("version", "words"), [("1", "noSuchName"), ("2c", "noSuchObject")])
async def test_a_value_that_the_agent_does_not_have(agent: int, version: str, words: str) -> None:
    outcome = await check(agent, version=version, oid="1.3.6.1.4.1.99999.1.0")
    assert_down(
        outcome, "unexpected_response", f"expected a value of 1.3.6.1.4.1.99999.1.0, found {words}"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x02\x01\xff", "-1"),
        (b"\x46\x09\0\xff\xff\xff\xff\xff\xff\xff\xff", str(2**64 - 1)),
        (b"\x42\x04\xff\xff\xff\xff", str(2**32 - 1)),
        (b"\x40\x04\xc0\0\x02\x01", "192.0.2.1"),
        (b"\x04\x06\0\x1b\x21\xff\xfe\x01", "0x001b21fffe01"),
        (b"\x04\x07Z\xc3\xbcrich", "Zürich"),
        (b"\x06\x02\x2b\x86", None),
        (b"\x06\x04\x2b\x06\x01\x02", "1.3.6.1.2"),
    ],
)
async def test_values_as_text(value: bytes, text: str | None) -> None:
    async with saying(lambda data: [snmp_answer(data, value)]) as port:
        outcome = await check(port)
    if text is None:
        assert_down(outcome, "protocol_mismatch", "a part of one")
    else:
        assert (outcome.status, outcome.banner) == ("up", text)


@pytest.mark.parametrize("version", ["1", "2c", "3"])
async def test_what_is_no_agent(version: str) -> None:
    async with saying(lambda data: [data]) as port:
        assert_down(await check(port, version=version), "protocol_mismatch", "an answer of SNMP")
    async with saying(lambda _: [b"pong"]) as port:
        assert_down(await check(port, version=version), "protocol_mismatch", "found 'pong'")
    async with saying(lambda _: [b"\x30\x84\xff\xff\xff\xff" + bytes(60_000)]) as port:
        assert_down(await check(port, version=version), "protocol_mismatch", "an answer of SNMP")
    other = snmp_report if version != "3" else snmp_answer
    good = snmp_answer if version != "3" else snmp_report

    def late(data: bytes) -> list[bytes]:
        """The answer to a question before this one, whose number was another."""
        answer = bytearray(good(data))
        at = answer.index(data[data.index(b"\x02\x04") : data.index(b"\x02\x04") + 6])
        answer[at + 5] ^= 1
        return [bytes(answer)]

    async with saying(late) as port:
        outcome = await check(port, version=version, timeout_s=0.6)
        assert_down(outcome, "unexpected_response", "answers to something else came")
    assert other is not good


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"version": "4"}, "4"),
        ({"version": "3", "community": "x"}, "expected it only with version 1 or 2c"),
        ({"oid": "1.40.1"}, "expected numbers of at most 32 bits"),
        ({"oid": "1.3.9999999999"}, "expected numbers of at most 32 bits"),
        ({"expect_regex": "("}, "regular expression"),
    ],
)
def test_options_that_mean_nothing(probe: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbeError, match=message):
        probe_of("snmp", probe, 161)
