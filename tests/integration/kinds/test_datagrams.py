"""`udp` and `dns`, against dnsmasq, chronyd, and sockets that say anything."""

import asyncio
import contextlib
import itertools
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import dns.message
import pytest

from portquorum.inventory.probes import ProbeError, probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.servers import folder, free_port, program, running

NAMES = """
no-resolv
no-hosts
local=/test/
host-record=db.test,192.0.2.10,2001:db8::10
address=/many.test/192.0.2.1
cname=alias.test,db.test
mx-host=mail.test,mx1.test,10
txt-record=note.test,"two words"
"""


async def check(
    kind: str, port: int | None, *, host: str = "127.0.0.1", timeout_s: float = 5, **probe: Any
) -> CheckOutcome:
    options = probe_of(kind, probe or None, port)
    return await check_once(host, port, kind, timeout_s, probe=options)


@pytest.fixture(scope="module")
def names() -> Iterator[int]:
    dnsmasq, port = program("dnsmasq"), free_port()
    with folder() as home:
        long = "".join(f"txt-record=long.test,{'x' * 200}{n}\n" for n in range(30))
        (home / "conf").write_text(NAMES + long)
        command = [dnsmasq, "--keep-in-foreground", f"--port={port}", f"--conf-file={home}/conf"]
        command += ["--listen-address=127.0.0.1", "--bind-interfaces", "--user=", "--group="]
        command += [f"--pid-file={home}/pid", "--log-facility=-"]
        with running(command, port, home / "log"):
            yield port


@pytest.mark.parametrize(
    ("probe", "banner"),
    [
        ({"name": "db.test"}, "192.0.2.10"),
        ({"name": "db.test", "expect": ["192.0.2.10"]}, "192.0.2.10"),
        ({"name": "db.test", "record": "AAAA", "expect": ["2001:DB8:0::10"]}, "2001:db8::10"),
        ({"name": "alias.test", "expect": ["192.0.2.10"]}, "192.0.2.10"),
        ({"name": "alias.test", "record": "CNAME", "expect": ["db.test."]}, "db.test."),
        ({"name": "mail.test", "record": "MX", "expect": ["10 mx1.test."]}, "10 mx1.test."),
        ({"name": "note.test", "record": "TXT", "expect": ['"two words"']}, '"two words"'),
        ({"name": "db.test", "transport": "tcp"}, "192.0.2.10"),
        ({"name": "db.test", "expect_regex": r"^192\.0\.2\."}, "192.0.2.10"),
        ({"name": "note.test", "record": "TXT", "expect_regex": "TWO|two"}, '"two words"'),
        ({"name": "db.test", "rcode": "NOERROR"}, "192.0.2.10"),
        ({"name": "db.test", "record": "MX", "rcode": "NOERROR"}, None),
        ({"name": "none.test", "rcode": "NXDOMAIN"}, None),
        ({"name": "none.test", "rcode": "NXDOMAIN", "transport": "tcp"}, None),
        ({"name": "example.com", "rcode": "REFUSED"}, None),
    ],
    ids=str,
)
async def test_a_record_that_is_there(
    names: int, probe: dict[str, Any], banner: str | None
) -> None:
    outcome = await check("dns", names, **probe)
    assert (outcome.status, outcome.detail, outcome.banner) == ("up", None, banner)
    assert outcome.total_ms is not None
    assert (outcome.connect_ms is not None) == (probe.get("transport") == "tcp")


async def test_an_answer_that_is_cut_short_is_asked_for_over_tcp(names: int) -> None:
    outcome = await check("dns", names, name="long.test", record="TXT")
    assert (outcome.status, outcome.detail) == ("up", None)
    assert outcome.connect_ms is not None


@pytest.mark.parametrize(
    ("probe", "detail"),
    [
        ({"name": "none.test"}, "none.test A: NXDOMAIN"),
        ({"name": "db.test", "record": "MX"}, "db.test MX: no such record"),
        ({"name": "db.test", "expect": ["192.0.2.11"]}, "expected 192.0.2.11, found 192.0.2.10"),
        ({"name": "example.com"}, "example.com A: REFUSED"),
        ({"name": "none.test", "transport": "tcp"}, "none.test A: NXDOMAIN"),
        (
            {"name": "db.test", "expect_regex": "^10[.]"},
            "db.test A: expected a match of '^10[.]', found 192.0.2.10",
        ),
        (
            {"name": "db.test", "rcode": "NXDOMAIN"},
            "db.test A: expected NXDOMAIN, found NOERROR with 192.0.2.10",
        ),
        (
            {"name": "none.test", "rcode": "NOERROR"},
            "none.test A: expected NOERROR, found NXDOMAIN (no such name)",
        ),
        (
            {"name": "db.test", "record": "MX", "rcode": "NOERROR", "expect_regex": "x"},
            "db.test MX: no such record",
        ),
    ],
    ids=str,
)
async def test_a_record_that_is_not(names: int, probe: dict[str, Any], detail: str) -> None:
    assert_down(await check("dns", names, **probe), "unexpected_response", detail)


async def test_a_name_server_that_is_not_there_over_tcp() -> None:
    outcome = await check("dns", free_port(), name="a.test", transport="tcp")
    assert_down(outcome, "connection_refused", "DNS over TCP: 127.0.0.1: Connection refused")


async def test_a_name_server_over_udp_needs_no_name(names: int) -> None:
    outcome = await check("udp", names, protocol="dns")
    assert (outcome.status, outcome.reason, outcome.banner) == ("up", None, "REFUSED")


@pytest.fixture
def clock() -> Iterator[int]:
    chronyd, port = program("chronyd"), free_port()
    with folder() as home:
        (home / "conf").write_text(
            f"local stratum 5\nallow\nport {port}\nbindaddress 127.0.0.1\ncmdport 0\n"
            f"pidfile {home}/pid\nbindcmdaddress /\n"
        )
        command = [chronyd, "-x", "-d", "-U", "-u", "root", "-f", str(home / "conf")]
        with running(command, port, home / "log", ready=bound):
            yield port


def bound(port: int) -> bool:
    """Whether somebody has the UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.mark.root
async def test_a_time_server(clock: int) -> None:
    outcome = await check("udp", clock, protocol="ntp")
    assert (outcome.status, outcome.detail, outcome.banner) == ("up", None, "stratum 5")


@pytest.mark.root
async def test_a_time_server_and_its_clock(clock: int) -> None:
    outcome = await check("ntp", clock, max_stratum=5, max_offset_ms=500)
    assert (outcome.status, outcome.detail) == ("up", None)
    assert outcome.banner is not None
    assert outcome.banner.startswith("stratum 5, offset ")
    far = await check("ntp", clock, max_stratum=4)
    assert_down(far, "unexpected_response", "expected a stratum of at most 4, found stratum 5")


def told_time(
    ahead_s: float, stratum: int = 2, took_s: float = 0.0
) -> Callable[[bytes], list[bytes]]:
    """The answers of a server whose clock is so much ahead, and that takes so long."""

    def answer(data: bytes) -> list[bytes]:
        now = time.time() + 2_208_988_800 + ahead_s
        stamps = (now, now + took_s)
        ticks = b"".join((int(stamp * 2**32) % 2**64).to_bytes(8, "big") for stamp in stamps)
        return [b"\x24" + bytes([stratum]) + bytes(22) + data[40:48] + ticks]

    return answer


@pytest.mark.parametrize("ahead_s", [-2.0, 2.0, 86_400.0 * 365 * 30])
async def test_a_clock_that_is_wrong(ahead_s: float) -> None:
    async with saying(told_time(ahead_s)) as port:
        outcome = await check("ntp", port, max_offset_ms=1_000)
        anyhow = await check("ntp", port)
    assert_down(outcome, "unexpected_response", "expected an offset of at most 1000 ms")
    sign = "+" if ahead_s > 0 else "-"
    assert f"found {sign}{str(abs(ahead_s))[:2].rstrip('.')}" in (outcome.detail or "") or "+9" in (
        outcome.detail or ""
    )
    assert anyhow.status == "up"


class _Saying(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], list[bytes]]) -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for answer in self._answer(data):
            self._transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def saying(answer: Callable[[bytes], list[bytes]]) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Saying(answer), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@pytest.mark.parametrize(
    "probe",
    [
        {"send": "ping"},
        {"send": "ping", "expect": "pong:ping"},
        {"send_hex": "70 69 6e 67", "expect_hex": "3a70"},
        {"send": "ping", "expect_regex": "^pong:[a-z]+$"},
    ],
    ids=str,
)
async def test_an_answer_of_ones_own(probe: dict[str, Any]) -> None:
    async with saying(lambda data: [b"pong:" + data]) as port:
        outcome = await check("udp", port, **probe)
    assert (outcome.status, outcome.banner) == ("up", "pong:ping")


async def test_another_answer_than_the_expected_one() -> None:
    async with saying(lambda _: [b"what?"]) as port:
        outcome = await check("udp", port, send="ping", expect="pong")
    assert_down(outcome, "unexpected_response", "expected 'pong', found 'what?'")


async def test_a_port_that_nobody_has_is_refused() -> None:
    outcome = await check("udp", free_port(), send="ping")
    assert_down(outcome, "connection_refused", "127.0.0.1: Connection refused")


async def test_silence_is_no_success_and_what_was_lost_is_sent_again() -> None:
    got: list[bytes] = []

    def third(data: bytes) -> list[bytes]:
        got.append(data)
        return [b"pong"] if len(got) == 3 else []

    async with saying(third) as port:
        assert (await check("udp", port, send="ping", timeout_s=3)).status == "up"
        silent = await check("udp", port, send="ping", timeout_s=0.6)
    assert_down(silent, "timed_out", "127.0.0.1: timed out after")
    assert got == [b"ping"] * 6


async def test_an_answer_to_another_question_is_none() -> None:
    def another(data: bytes) -> list[bytes]:
        answer = dns.message.make_response(dns.message.from_wire(data))
        answer.id ^= 1
        return [answer.to_wire()]

    async with saying(another) as port:
        outcome = await check("udp", port, protocol="dns", timeout_s=0.6)
        assert_down(outcome, "unexpected_response", "3 answers to something else came, the last")
    async with saying(lambda _: [bytes([0x24, 5]) + bytes(46)]) as port:
        outcome = await check("udp", port, protocol="ntp", timeout_s=0.6)
        assert_down(outcome, "unexpected_response", "3 answers to something else came, the last")


@pytest.mark.parametrize(
    ("protocol", "answer", "reason", "detail"),
    [
        ("dns", lambda _: b"pong", "protocol_mismatch", "expected a DNS answer, found 'pong'"),
        ("ntp", lambda _: b"pong", "protocol_mismatch", "expected an NTP answer, found 'pong'"),
        (
            "ntp",
            lambda data: b"\x24\0" + bytes(10) + b"RATE" + bytes(8) + data[40:48] + bytes(16),
            "unexpected_response",
            "NTP: the server declines: RATE",
        ),
        (
            "ntp",
            lambda data: b"\xe4\1" + bytes(22) + data[40:48] + bytes(16),
            "unexpected_response",
            "NTP: the server's clock is not set",
        ),
    ],
)
async def test_what_speaks_otherwise(
    protocol: str, answer: Callable[[bytes], bytes], reason: str, detail: str
) -> None:
    async with saying(lambda data: [answer(data)]) as port:
        assert_down(await check("udp", port, protocol=protocol), reason, detail)


def _costly(question: bytes) -> bytes:
    """4 kB of records, each with the same name of 120 labels: dnspython needs a second or two."""
    name = b"\x01a" * 120 + b"\0"
    place = 0xC000 | len(question)
    fields = struct.pack(">HHIH", 2, 1, 60, 2) + struct.pack(">H", place)
    records = [name + fields, *[struct.pack(">H", place) + fields] * 250]
    head = question[:2] + b"\x81\x80\0\1" + struct.pack(">HHH", len(records), 0, 0)
    return head + question[12:] + b"".join(records)


@pytest.mark.parametrize(
    ("kind", "probe"), [("dns", {"name": "a.test", "record": "NS"}), ("udp", {"protocol": "dns"})]
)
async def test_a_costly_answer_is_judged_beside_the_prober(kind: str, probe: Any) -> None:
    async with saying(lambda question: [_costly(question)]) as port:

        async def begin() -> CheckOutcome:
            nonlocal spent_s
            began_s = time.process_time()
            outcome = await check(kind, port, **probe)
            spent_s = time.process_time() - began_s
            return outcome

        spent_s = 0.0
        outcome = await measured(begin)
    assert outcome.status in {"up", "down"}, outcome
    if outcome.status == "down":
        assert_down(outcome, "unexpected_response", "judging the answer took more than 200 ms")
    assert spent_s < 0.6


async def test_garbage_of_any_length_breaks_nothing() -> None:
    """Some of it looks like an answer to something else, and is waited beyond."""
    random = (os.urandom(n % 600) for n in itertools.count())
    wrong = {"protocol_mismatch", "unexpected_response"}

    async def judged(kind: str, **options: Any) -> str | None:
        """The reason of a check while which the machine ran: one that stood still has none."""
        while True:
            outcome = await check(kind, port, timeout_s=0.3, **options)
            if "the prober stood still" not in (outcome.detail or ""):
                return outcome.reason

    async with saying(lambda _: [next(random)]) as port:
        for _ in range(50):
            assert await judged("udp", protocol="dns") in wrong
            assert await judged("udp", protocol="ntp") in wrong
            assert await judged("dns", name="a.test") in wrong


@pytest.mark.parametrize(
    ("kind", "port", "probe", "message"),
    [
        ("udp", 9999, None, "found neither"),
        ("udp", 53, {"send": "x", "protocol": "dns"}, "found both"),
        ("udp", 53, {"expect": "x", "protocol": "dns"}, "found an expect"),
        ("udp", 9, {"send": "x", "expect_regex": "("}, "regular expression"),
        ("udp", 9, {"protocol": "snmp"}, "snmp"),
        ("dns", 53, None, "expected name"),
        ("dns", 53, {"name": "a..b"}, "expected a name"),
        ("dns", 53, {"name": "a", "record": "NOPE"}, "NOPE"),
        ("dns", 53, {"name": "a", "expect": ["x"]}, "expected a record of type A"),
        ("dns", 53, {"name": "a", "expect_regex": "("}, "expect_regex: expected a regular expr"),
        (
            *("dns", 53, {"name": "a", "rcode": "NXDOMAIN", "expect": ["192.0.2.1"]}),
            "expected no records beside rcode: NXDOMAIN",
        ),
        ("icmp", None, {"count": 0}, "count"),
    ],
)
def test_wrong_options_are_refused(
    kind: str, port: int | None, probe: dict[str, Any] | None, message: str
) -> None:
    with pytest.raises(ProbeError) as found:
        probe_of(kind, probe, port)
    assert message in f"{found.value.path} {found.value}"


def test_the_usual_ports_need_no_options() -> None:
    assert probe_of("udp", None, 53) == probe_of("udp", {"protocol": "dns"}, 53)
    assert probe_of("udp", None, 123) == probe_of("udp", {"protocol": "ntp"}, 123)
