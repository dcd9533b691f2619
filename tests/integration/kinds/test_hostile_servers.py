"""Servers of every kind that send what costs most to read: never our fault, and soon over."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import dns.message
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from producers.kinds.connection import Connection
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe, Probe
from tests.integration.kinds.checking import measured

TIMEOUT_S = 2.0
SLACK_S = 10.0

FREE_READS = 50
"""So many reads of a connection may be as fast as the bytes come."""
MOST_READS_A_SECOND = 100

DIALOGUES = sorted(name for name, kind in KINDS.items() if kind.options is HandshakeProbe)

SPEECHES = {
    "line feeds": b"\n" * 65_537,
    "more line feeds": b"\r\n" * 500_000,
    "a reply that goes on": b"220-\r\n" * 12_000,
    "lines that are none of it": b"SSH\r\n" * 12_000,
    "messages of nothing": b"S\0\0\0\x04" * 13_200,
    "authenticated, again and again": b"R\0\0\0\x08\0\0\0\0" * 7_300,
    "one endless line": b"220 " + b"x" * 900_000,
    "an endless length": b"\xff" * 70_000,
    "the largest message there may be": struct.pack(">I", 65_532) + b"\0" * 65_532,
    "the same the other way round": struct.pack("<I", 65_532) + b"\x02errmsg\0" * 8_000,
    "MySQL's largest packet": b"\xff\xff\xff\0\x0a" + b"8" * 65_000,
    "letters of errors": b"E\0\0\xff\xf0" + b"\0C53300" * 9_000,
    "half an UTF-8": b"\xe2\x82" * 30_000,
    "marks and commands": "220 \x1b[2J\u202e\x07\r\n".encode(),
}


@pytest.fixture(autouse=True)
def quiet() -> "contextlib.Generator[None]":
    """Nothing is logged as an error."""
    with structlog.testing.capture_logs() as logged:
        yield
    assert [entry for entry in logged if entry["log_level"] == "error"] == []


@contextlib.asynccontextmanager
async def saying(speech: bytes, *, at_the_end_bytes: int = 0) -> AsyncIterator[int]:
    """A server that says all of it at once, and the last bytes one by one, as fast as it can."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = len(speech) - at_the_end_bytes
        with contextlib.suppress(OSError):
            writer.write(speech[:cut])
            for at in range(cut, len(speech)):
                writer.write(speech[at : at + 1])
                await writer.drain()
                await asyncio.sleep(0)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def checked(kind: str, port: int, probe: Probe | None) -> CheckOutcome:
    async def once() -> CheckOutcome:
        async with asyncio.timeout(TIMEOUT_S + SLACK_S):
            return await check_once("127.0.0.1", port, kind, TIMEOUT_S, probe=probe)

    outcome = await measured(once)
    assert outcome.reason != "prober_error", outcome
    for text in (outcome.detail, outcome.banner):
        assert text is None or (text.isprintable() and len(text) <= 300)
    return outcome


@pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES.keys())
async def test_dialogues(speech: bytes) -> None:
    async with saying(speech) as port:
        await asyncio.gather(*(checked(kind, port, HandshakeProbe()) for kind in DIALOGUES))
        steps = {"steps": [{"expect_regex": "x.{300}y"}]}
        await checked("tcp", port, probe_of("tcp", steps, port))
        await checked("tls", port, None)


async def test_a_server_that_sends_byte_by_byte_is_not_read_as_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each read looks at all that came: the processor time for it is bounded by their number.

    Not by a measured time: a busy machine, of which the servers here are a part, changes it.
    """
    reads: Counter[str] = Counter()
    receive = Connection.receive

    async def counted(connection: Connection, most: int = 16_384) -> bytes:
        reads[kind_of[connection.sock.getpeername()[1]]] += 1
        return await receive(connection, most)

    monkeypatch.setattr(Connection, "receive", counted)
    kind_of: dict[int, str] = {}

    async def once(kind: str) -> None:
        first = b"S\0\0\0\x04" * 6_000 if kind == "postgres" else b"220-x\r\n" * 5_000
        steps = {"steps": [{"expect_regex": "z.{300}y"}]}
        probe = probe_of("tcp", steps, 1) if kind == "tcp" else HandshakeProbe()
        async with saying(first + b"x" * 20_000, at_the_end_bytes=20_000) as port:
            kind_of[port] = kind
            began = time.monotonic()
            outcome = await check_once("127.0.0.1", port, kind, TIMEOUT_S, probe=probe)
            took_s = time.monotonic() - began
        stood_still = (outcome.detail or "").startswith("the prober stood still")
        assert stood_still or outcome.reason != "prober_error", outcome
        assert reads[kind] <= FREE_READS + took_s * MOST_READS_A_SECOND, (kind, took_s)

    await asyncio.gather(*map(once, ["ssh", "smtp", "postgres", "redis", "tcp"]))
    assert reads.keys() == set(kind_of.values())


async def test_a_read_that_brings_a_byte_waits_though_the_next_one_is_there() -> None:
    """100 times a second at most, when everything is there at once: a lower bound of time."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(b"x" * 200)
        connection = Connection(ours)
        for _ in range(FREE_READS):
            assert await connection.receive(1) == b"x"
        began = time.monotonic()
        for _ in range(20):
            assert await connection.receive(1) == b"x"
        assert time.monotonic() - began >= 20 / MOST_READS_A_SECOND


def certificate(folder: Path, names: int) -> tuple[Path, Path]:
    """A certificate of its own authority with so many names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x" * 64)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=90))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), *(x509.DNSName(f"n{n}.test") for n in range(names))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "names.pem", folder / "names.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, private


@pytest.mark.parametrize("names", [5_000, 20_000])
@pytest.mark.parametrize("verify", [True, False])
async def test_a_certificate_of_thousands_of_names(
    tmp_path: Path, names: int, verify: bool
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate(tmp_path, names))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        outcome = await checked("tls", port, probe_of("tls", {"verify": verify}, port))
    finally:
        server.close()
    # OpenSSL takes a chain of at most 100 KiB.
    small = names == 5_000
    expected = ("certificate_invalid" if verify else None) if small else "tls_failed"
    assert outcome.reason == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"\x81\x80\0\0\x13\x88\0\0\0\0" + b"\xc0\x0c" * 2_000,
        b"\x81\x80\0\0\x01\x00\0\0\0\0" + (b"\x01a" * 127 + b"\0\0\x01\0\x01\0\0\0\0\0\0") * 14,
        b"\x83\x80\0\x01\xff\xff\xff\xff\xff\xff" + b"\0\0\x02\0\x01",
        b"\x81\x80\0\0\0\x01\0\0\0\0\0\0\x01\0\x01\0\0\0\0\xff\xff",
        b"\x81\x80" + b"\xff" * 60_000,
        b"",
    ],
    ids=lambda answer: answer[:12].hex(),
)
async def test_dns_over_udp_and_tcp(answer: bytes) -> None:
    over = ["TCP", "UDP"]

    class Answering(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            cut_short = dns.message.make_response(dns.message.from_wire(data))
            cut_short.flags |= dns.flags.TC
            self.transport.sendto(
                data[:2] + answer if over[-1] == "UDP" else cut_short.to_wire(), addr
            )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(4)
        whole = question[2:4] + answer
        writer.write(len(whole).to_bytes(2, "big") + whole)
        writer.close()

    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(Answering, local_addr=("127.0.0.1", port))
    try:
        probe = probe_of("dns", {"name": "a.example"}, port)
        while over:
            outcome = await checked("dns", port, probe)
            assert outcome.status == "down"
            over.pop()
    finally:
        transport.close()
        server.close()


async def test_a_flood_of_answers_to_something_else_ends_the_check() -> None:
    class Flooding(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            other = bytes([data[0] ^ 1]) + data[1:]
            for _ in range(100):
                self.transport.sendto(other, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Flooding, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    try:
        outcome = await checked("dns", port, probe_of("dns", {"name": "a.example"}, port))
    finally:
        transport.close()
    assert outcome.reason == "unexpected_response"
    assert outcome.detail == "17 answers to something else"
