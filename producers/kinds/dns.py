"""DNS: a question to the target, which is a name server, and what must be in its answer."""

from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from producers.kinds.kind import Kind
from producers.kinds.trial import Trial
from producers.kinds.udp import Judge, exchange, question_for
from producers.outcome import CheckFailedError
from schemas.probe import DnsProbe, Probe

_SHOWN: Final = 5


async def check(trial: Trial) -> None:
    """Asks over UDP, and over TCP when the answer was cut short.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` for an error of the server and
            for an answer without a record that is expected.
    """
    probe, port = trial.target.probe, trial.target.port
    if not isinstance(probe, DnsProbe) or port is None:
        raise CheckFailedError("prober_error", "the target does not say what to ask")
    data, read = question_for(probe.name, probe.record)
    found: list[dns.message.Message] = []

    def judge(answer: bytes) -> str | None:
        message = read(answer)
        if message is None:
            return None
        found.append(message)
        return ""

    await exchange(trial, port, data, judge)
    message = found[-1]
    if message.flags & dns.flags.TC:
        message = await _over_tcp(trial, data, judge, found)
    _judge(trial, probe, message)


async def _over_tcp(
    trial: Trial, data: bytes, judge: Judge, found: list[dns.message.Message]
) -> dns.message.Message:
    trial.waiting_for = "DNS answer over TCP"
    stream = await trial.connect()
    await stream.send(len(data).to_bytes(2, "big") + data)
    answer = b""
    while len(answer) < 2 or len(answer) < 2 + int.from_bytes(answer[:2], "big"):
        more = await stream.receive()
        if not more:
            raise CheckFailedError("unexpected_response", "DNS over TCP: closed without an answer")
        answer += more
    if judge(answer[2:]) is None:
        raise CheckFailedError("unexpected_response", "DNS over TCP: an answer to something else")
    return found[-1]


def _judge(trial: Trial, probe: DnsProbe, message: dns.message.Message) -> None:
    what = f"{probe.name} {probe.record}"
    if message.rcode() != dns.rcode.NOERROR:
        code = dns.rcode.to_text(message.rcode())
        raise CheckFailedError("unexpected_response", f"{what}: {code}")
    wanted_type = dns.rdatatype.from_text(probe.record)
    texts = [
        record.to_text()
        for rrset in message.answer
        if rrset.rdtype == wanted_type
        for record in rrset
    ]
    trial.banner = ", ".join(texts[:_SHOWN]) or None
    if not texts:
        raise CheckFailedError("unexpected_response", f"{what}: no such record")
    missing = [value for value in probe.expect if value not in texts]
    if missing:
        text = f"{what}: expected {', '.join(missing)}, found {', '.join(texts[:_SHOWN])}"
        raise CheckFailedError("unexpected_response", text)


def _settle(probe: Probe | None, _: int | None) -> Probe:
    if not isinstance(probe, DnsProbe):
        text = "expected name: what is asked of the name server, found no probe"
        raise ValueError(text)  # noqa: TRY004  (it is what a user wrote)
    try:
        dns.name.from_text(probe.name)
        kind = dns.rdatatype.from_text(probe.record)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(
            f"expected a name and a record such as A, found {probe.name!r} and "
            f"{probe.record!r}: {error}"
        ) from error
    values = []
    for value in probe.expect:
        try:
            values.append(dns.rdata.from_text(dns.rdataclass.IN, kind, value).to_text())
        except (dns.exception.DNSException, ValueError) as error:
            raise ValueError(
                f"expect: expected a {probe.record} record, found {value!r}"
            ) from error
    return DnsProbe(name=probe.name, record=probe.record, expect=tuple(values))


KIND: Final = Kind(check=check, port=53, options=DnsProbe, settle=_settle)
