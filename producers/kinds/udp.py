"""UDP: a datagram and its answer. Silence is `timed_out`, never "probably up"."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import dns.message

from producers.checks.addresses import os_failure, timed_out
from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import answer_of, shown, text_of
from producers.checks.resolved_address import Address
from producers.judging.jobs import DnsAnswer, DnsSummary, Verdict
from producers.judging.search import expected
from producers.kinds import ntp_packet
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from producers.kinds.tcp import sent, settle_step
from schemas.probe import Probe, UdpProbe

SENDS: Final = 3
"""Sends of the datagram, since one may be lost; spread over the timeout."""

_MOST_BYTES: Final = 65_535
_MOST_DNS_BYTES: Final = 4_096
"""The most bytes accepted; without EDNS the limit over UDP is 512 (RFC 1035, section 2.3.4)."""
_DNS_HEADER_BYTES: Final = 12
_MOST_STRAYS: Final = 16
"""The most answers to something else (for example late ones of earlier checks)."""
_BY_PORT: Final = {53: UdpProbe(protocol="dns"), 123: UdpProbe(protocol="ntp")}

Judge = Callable[[bytes], Awaitable[str | None]]
"""The banner of an answer, None for an answer to something else.

Raises `CheckFailedError` for a wrong answer.
"""


Made = Callable[[], bytes]
"""The datagram to send, made anew for each send."""


async def exchange(context: CheckContext, port: int, data: bytes | Made, judge: Judge) -> None:
    """Sends `data` to the target until `judge` accepts an answer.

    Raises:
        CheckFailedError: refused (ICMP port unreachable), no answer, a wrong answer.
    """

    async def attempt(address: Address, within_s: float) -> None:
        try:
            with _connected(address, port, context.vantage.source) as sock:
                await _until_answered(context, sock, data, judge, within_s)
        except OSError as error:
            raise os_failure(error.errno or 0, address.ip).error() from error

    await context.first_success(attempt)


@contextlib.contextmanager
def _connected(address: Address, port: int, source: str | None) -> Iterator[socket.socket]:
    with socket.socket(address.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        if source is not None:
            sock.bind((source, 0))
        # The socket receives only datagrams of this address and port, and ICMP errors.
        sock.connect(address.endpoint(port))
        yield sock


async def _until_answered(
    context: CheckContext, sock: socket.socket, data: bytes | Made, judge: Judge, within_s: float
) -> None:
    began, strays, last = time.monotonic(), 0, b""
    context.silence, context.came = "timed_out", None

    def came() -> str:
        return f"{strays} answers to something else came, the last one {shown(last)!r}"

    for number in range(1, SENDS + 1):
        sock.send(data if isinstance(data, bytes) else data())
        until = began + within_s * number / SENDS
        while (answer := await _received_until(sock, until)) is not None:
            context.hear()
            context.ended_at = time.monotonic()  # our own time for judging is not the target's
            said = await judge(answer)
            if said is not None:
                context.total_ms = (context.ended_at - began) * 1000 + (context.dns_ms or 0.0)
                context.banner = said or None
                return
            context.ended_at = None
            strays, last = strays + 1, answer
            # Not silence: who answers is no packet filter.
            context.silence, context.came = "unexpected_response", came
            if strays > _MOST_STRAYS:
                text = f"{strays} answers to something else"
                raise CheckFailedError("unexpected_response", text)
            await asyncio.sleep(0)  # sock_recv does not wait for what is there already
    if strays:
        text = f"{context.address}: no answer within {within_s * 1000:.0f} ms: {came()}"
        raise CheckFailedError("unexpected_response", text)
    raise timed_out(context.address or "", within_s * 1000).error()


async def _received_until(sock: socket.socket, until: float) -> bytes | None:
    """The next datagram; None if none has come by then (monotonic seconds)."""
    try:
        async with asyncio.timeout(max(0.0, until - time.monotonic())):
            return await asyncio.get_running_loop().sock_recv(sock, _MOST_BYTES)
    except TimeoutError:
        return None
    except OSError as error:
        number = answer_of(error.errno or 0)
        raise OSError(number, text_of(number)) from error


def question_for(name: str, record: str) -> bytes:
    """A DNS question in wire format."""
    return dns.message.make_query(name, record).to_wire()


async def read_answer(
    context: CheckContext, query: bytes, record: str, data: bytes, expect: tuple[str, ...] = ()
) -> DnsSummary | None:
    """The content of a datagram as an answer to `query`; None for an answer to something else.

    Raises:
        CheckFailedError: it is not DNS, or can't be judged.
    """
    # The id, before unpacking; data shorter than a header is not DNS.
    if len(data) >= _DNS_HEADER_BYTES and data[:2] != query[:2]:
        return None
    if len(data) > _MOST_DNS_BYTES:
        text = f"expected a DNS answer of at most {_MOST_DNS_BYTES} bytes, found {len(data)}"
        raise CheckFailedError("protocol_mismatch", text)
    answer = understood(await context.verdict(DnsAnswer(query, record, data, expect)), data)
    return answer if answer.matches else None


def understood(answer: Verdict, data: bytes) -> DnsSummary:
    """The decoded answer of `data`.

    Raises:
        CheckFailedError: it can't be decoded.
    """
    if not isinstance(answer, DnsSummary) or answer.wrong is not None:
        why = answer.wrong if isinstance(answer, DnsSummary) else "no answer"
        text = f"expected a DNS answer, found {shown(data)!r} ({why})"
        raise CheckFailedError("protocol_mismatch", text)
    return answer


def _dns(context: CheckContext) -> tuple[bytes, Judge]:
    """The question for the root's name servers: any answer, even a refusal, is a DNS server's."""
    query = question_for(".", "NS")

    async def judge(data: bytes) -> str | None:
        answer = await read_answer(context, query, "NS", data)
        return None if answer is None else answer.rcode

    return query, judge


def _ntp() -> tuple[bytes, Judge]:
    """A time server's answer, whatever its clock is compared with ours."""
    question = ntp_packet.Question()

    async def judge(answer: bytes) -> str | None:
        found = question.read(answer)
        return None if found is None else f"stratum {found.stratum}"

    return question.packet(), judge


def _own(context: CheckContext, probe: UdpProbe) -> tuple[bytes, Judge]:
    wanted = expected(probe)

    async def judge(answer: bytes) -> str | None:
        if wanted is not None and wanted.end_in(answer) is None:
            text = f"expected {wanted.words}, found {shown(answer)!r}"
            raise CheckFailedError("unexpected_response", text)
        return shown(answer)

    return sent(context, probe, "send"), judge


async def check(context: CheckContext) -> None:
    """One datagram, sent up to three times, and its answer.

    Raises:
        CheckFailedError: as for all kinds.
    """
    probe, port = context.target.probe, context.target.port
    if not isinstance(probe, UdpProbe) or port is None:
        raise CheckFailedError("prober_error", "the target does not say what to send")
    if probe.protocol is None:
        data, judge = _own(context, probe)
    else:
        data, judge = _dns(context) if probe.protocol == "dns" else _ntp()
    await exchange(context, port, data, judge)


def _settle(probe: Probe | None, port: int | None) -> Probe:
    if (probe is None or probe == UdpProbe()) and port in _BY_PORT:
        return _BY_PORT[port]
    written = probe if isinstance(probe, UdpProbe) else UdpProbe()
    sends = written.send is not None or written.send_hex is not None
    if sends == (written.protocol is not None):
        raise ValueError(
            "a UDP port answers only what it understands: expected either protocol (dns, ntp) or "
            f"what to send, found {'both' if sends else 'neither'}"
        )
    if written.protocol is None:
        settle_step(written)
    elif written.expect or written.expect_hex or written.expect_regex:
        raise ValueError(f"expected nothing beside protocol: {written.protocol}, found an expect")
    return written


KIND: Final = Kind(check=check, options=UdpProbe, settle=_settle)
