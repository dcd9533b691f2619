"""DNS: a question to the target (a name server) and the expected records of the answer."""

import ipaddress
import time
from collections.abc import Callable
from typing import Final

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
from msgspec.structs import replace

from producers.checks.errors import CheckFailedError
from producers.judging.conditions import AnyMatch, pattern
from producers.judging.dns_records import read
from producers.judging.jobs import DnsAnswer, DnsSummary, first
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from producers.kinds.udp import exchange, question_for, read_answer, understood
from schemas.probe import DnsProbe, Probe

_NO_ERROR: Final = dns.rcode.to_text(dns.rcode.NOERROR)
_MEANT: Final = {
    "FORMERR": "the server does not understand the question",
    "NXDOMAIN": "no such name",
    "REFUSED": "the server does not answer us, or not for this name",
    "SERVFAIL": "the server could not find out",
}


async def check(context: CheckContext) -> None:
    """Asks over UDP, and over TCP after a truncated answer; or over TCP alone.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` for an error of the server and
            for an answer without a record that is expected.
    """
    probe, port = context.target.probe, context.target.port
    if not isinstance(probe, DnsProbe) or port is None:
        raise CheckFailedError("prober_error", "the target does not say what to ask")
    query = question_for(probe.name, probe.record)
    if probe.transport == "tcp":
        await _judge(context, probe, await _over_tcp(context, query, probe, "DNS over TCP"))
        return
    found: list[DnsSummary] = []

    async def judge(data: bytes) -> str | None:
        answer = await read_answer(context, query, probe.record, data, probe.expect)
        if answer is None:
            return None
        found.append(answer)
        return ""

    await exchange(context, port, query, judge)
    answer = found[-1]
    if answer.truncated:
        began = time.monotonic()
        after = "DNS over TCP, after an answer that was cut short"
        answer = await _over_tcp(context, query, probe, after)
        # Who asks waits for both.
        context.total_ms = (context.total_ms or 0.0) + (time.monotonic() - began) * 1000
    await _judge(context, probe, answer)


async def _over_tcp(context: CheckContext, query: bytes, probe: DnsProbe, way: str) -> DnsSummary:
    """The answer over TCP; `way` says for people why it is asked for there."""
    context.waiting_for = f"answer of {way}"
    try:
        stream = await context.connect()
    except CheckFailedError as error:
        raise CheckFailedError(error.reason, f"{way}: {error.detail}") from error
    context.silence = "no_answer"
    await stream.send(len(query).to_bytes(2, "big") + query)
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        more = await stream.receive()
        if not more:
            raise CheckFailedError("unexpected_response", "DNS over TCP: closed without an answer")
        data += more
        context.silence, context.came = "unexpected_response", _came(len(data))
    data = data[2 : 2 + int.from_bytes(data[:2], "big")]
    found = await context.verdict(DnsAnswer(query, probe.record, data, probe.expect))
    answer = understood(found, data)
    if not answer.matches:
        raise CheckFailedError("unexpected_response", "DNS over TCP: an answer to something else")
    return answer


def _came(count: int) -> Callable[[], str]:
    return lambda: f"{count} bytes of it came"


async def _judge(context: CheckContext, probe: DnsProbe, answer: DnsSummary) -> None:
    what = f"{probe.name} {probe.record}"
    beside = f", {answer.beside}" if answer.beside else ""
    if answer.rcode != (probe.rcode or _NO_ERROR):
        meant = _MEANT.get(answer.rcode)
        words = f"{answer.rcode} ({meant})" if meant else answer.rcode
        if probe.rcode is not None:
            had = f" with {first(answer.records)}" if answer.records else ""
            words = f"expected {probe.rcode}, found {words}{had}"
        raise CheckFailedError("unexpected_response", f"{what}: {words}{beside}")
    context.banner = first(answer.records) or None
    if not answer.records and (probe.rcode is None or probe.expect or probe.expect_regex):
        raise CheckFailedError("unexpected_response", f"{what}: no such record{beside}")
    if answer.missing:
        text = f"{what}: expected {', '.join(answer.missing)}, found {first(answer.records)}"
        raise CheckFailedError("unexpected_response", text)
    if probe.expect_regex is not None:
        found = await context.verdict(AnyMatch(probe.expect_regex, answer.records))
        if found is None:
            text = f"{what}: expected a match of {probe.expect_regex!r}"
            raise CheckFailedError("unexpected_response", f"{text}, found {first(answer.records)}")


def _settle(probe: Probe | None, _: int | None) -> Probe:
    if not isinstance(probe, DnsProbe):
        text = "expected name: what is asked of the name server, found no probe"
        raise ValueError(text)  # noqa: TRY004  (it is what a user wrote)
    name = _reverse(probe.name) if probe.record == "PTR" else probe.name
    try:
        dns.name.from_text(name)
        kind = dns.rdatatype.from_text(probe.record)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(
            f"expected a name and a record such as A, found {probe.name!r} and "
            f"{probe.record!r}: {error}"
        ) from error
    if dns.rdatatype.is_metatype(kind) or kind == dns.rdatatype.NONE:
        raise ValueError(
            f"expected a record that a zone can have, such as A, found {probe.record}: no answer "
            "has it"
        )
    values = []
    for value in probe.expect:
        try:
            values.append(read(probe.record, value).to_text())
        except ValueError as error:
            raise ValueError(
                f"expect: expected a record of type {probe.record}, written as in a zone, found "
                f"{value!r}: {error}"
            ) from error
    if probe.rcode not in {None, _NO_ERROR} and (values or probe.expect_regex is not None):
        text = f"expected no records beside rcode: {probe.rcode}, for such an answer has none"
        raise ValueError(f"{text}, found {'expect' if values else 'expect_regex'}")
    if probe.expect_regex is not None:
        try:
            pattern(probe.expect_regex)
        except ValueError as error:
            raise ValueError(f"expect_regex: {error}") from error
    return replace(probe, name=name, expect=tuple(values))


def _reverse(name: str) -> str:
    """The name that has the PTR of an address (RFC 1035, section 3.5; RFC 3596, section 2.5).

    A name that is no address is returned as it is.
    """
    try:
        return dns.reversename.from_address(str(ipaddress.ip_address(name))).to_text()
    except ValueError:
        return name


KIND: Final = Kind(check=check, port=53, options=DnsProbe, settle=_settle, latency_of="total")
