"""Every kind that hears a server, and what the server says when all is well."""

from collections.abc import Callable
from typing import Final

import dns.message
import dns.rrset
from msgspec import Struct

from producers.kinds.registry import KINDS
from schemas.probe import (
    DnsProbe,
    HandshakeProbe,
    HttpProbe,
    NtpProbe,
    Probe,
    SnmpProbe,
    Step,
    TcpProbe,
    TlsProbe,
    UdpProbe,
)
from tests.soak.prober_speeches import flights
from tests.unit.producers.answers import GOOD, GREETING, snmp_answer, snmp_report

SIDE_BY_SIDE: Final = 8
"""So many copies of a lane whose checks often wait."""


class Lane(Struct, frozen=True, kw_only=True):
    """Checks of one kind with the same options. `weight`: of how many it has its share.

    `good`: what a server says when all is well. `tls`: it is said in TLS. `datagrams` makes the
    good answer from the question; `copies` go side by side, for a lane that often has to wait.
    """

    name: str
    kind: str
    weight: float
    good: tuple[tuple[bytes, ...], ...] = ()
    probe: Probe | None = None
    tls: bool = False
    datagrams: Callable[[bytes], bytes] | None = None
    copies: int = 1


def lanes() -> list[Lane]:
    """Every kind that hears something, save ICMP (the kernel's answers)."""
    found = []
    for dialogue, good in GOOD.items():
        kind = next(name for name, one in KINDS.items() if _protocol(one) == dialogue.protocol)
        parts = _AS_PARTS.get(kind, (good,))
        found.append(
            Lane(
                name=kind,
                kind=kind,
                weight=3,
                good=(parts, (good,)),
                probe=HandshakeProbe(),
                copies=SIDE_BY_SIDE if len(parts) > 1 else 1,
            )
        )
        if kind in _BEFORE_TLS:
            way = HandshakeProbe(tls="starttls", verify=False)
            speeches = tuple((*_BEFORE_TLS[kind], flight) for flight in flights())
            found.append(
                Lane(
                    name=f"{kind}, STARTTLS",
                    kind=kind,
                    weight=1,
                    good=speeches,
                    probe=way,
                    copies=SIDE_BY_SIDE,
                )
            )
    implicit = HandshakeProbe(tls="implicit", verify=False)
    handshakes = tuple((flight,) for flight in flights())
    smtp = (_AS_PARTS["smtp"],)
    web = HttpProbe(tls=False, redirects=0)
    demanding = HttpProbe(
        tls=False,
        redirects=0,
        expect="ok",
        expect_regex="[a-z]+.*1",
        expect_json="$.a.b",
        json_value="1",
        expect_headers={"content-type": "json"},
    )
    steps = TcpProbe(
        steps=(
            Step(expect_regex="^220[ -][a-z]+"),
            Step(send="HELO x\r\n", expect="250 "),
            Step(send_hex="00 ff", expect_hex="0d 0a"),
        )
    )
    asked = DnsProbe(name="portquorum.example", record="A", expect=("192.0.2.1",))
    own = UdpProbe(send="ping", expect_regex="pong [0-9]+")
    return [
        *found,
        Lane(name="tls", kind="tls", weight=2, good=handshakes, probe=TlsProbe(verify=False)),
        Lane(name="smtp, TLS", kind="smtp", weight=1, good=handshakes, probe=implicit),
        Lane(
            name="smtp within TLS",
            kind="smtp",
            weight=0.3,
            good=smtp,
            probe=implicit,
            tls=True,
            copies=SIDE_BY_SIDE,
        ),
        Lane(
            name="tcp, steps",
            kind="tcp",
            weight=3,
            good=_STEPS,
            probe=steps,
            copies=SIDE_BY_SIDE,
        ),
        Lane(name="http", kind="http", weight=3, good=_WEB, probe=web),
        Lane(name="http, expectations", kind="http", weight=3, good=_WEB, probe=demanding),
        _datagrams("udp, DNS", "udp", UdpProbe(protocol="dns"), _dns_answer),
        _datagrams("udp, NTP", "udp", UdpProbe(protocol="ntp"), _ntp_answer),
        _datagrams("udp, own", "udp", own, lambda _: b"pong 17"),
        _datagrams("dns", "dns", asked, _dns_answer),
        _datagrams("ntp", "ntp", NtpProbe(), _ntp_answer),
        # Of a short message that is all structure hardly a change leaves an answer.
        _datagrams("snmp", "snmp", SnmpProbe(expect_regex="."), snmp_answer, weight=2),
        _datagrams("snmp, version 3", "snmp", SnmpProbe(version="3"), snmp_report, weight=2),
    ]


def _datagrams(
    name: str, kind: str, probe: Probe, good: Callable[[bytes], bytes], weight: float = 0.4
) -> Lane:
    return Lane(
        name=name, kind=kind, weight=weight, probe=probe, datagrams=good, copies=SIDE_BY_SIDE
    )


def _dns_answer(question: bytes) -> bytes:
    answer = dns.message.make_response(dns.message.from_wire(question))
    name = answer.question[0].name
    answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1", "192.0.2.2"))
    answer.additional.append(dns.rrset.from_text(name, 60, "IN", "TXT", '"two" "words"'))
    return answer.to_wire()


def _ntp_answer(question: bytes) -> bytes:
    """Version 4, mode 4 (server), stratum 2; the question's mark comes back (RFC 5905, 7.3)."""
    return b"\x24\x02\0\0" + bytes(20) + question[40:48] + bytes(16)


def _protocol(kind: object) -> str | None:
    """The protocol of a kind that is a dialogue."""
    arguments = getattr(getattr(kind, "check", None), "args", ())
    return arguments[0].protocol if arguments else None


_AS_PARTS: Final[dict[str, tuple[bytes, ...]]] = {
    "smtp": (b"220-one\r\n220 two\r\n", b"250-a\r\n250 b\r\n"),
    "imap": (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", b"a1 OK done\r\n"),
}
_BEFORE_TLS: Final[dict[str, tuple[bytes, ...]]] = {
    "smtp": (b"220 one\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go on\r\n"),
    "imap": (b"* OK ready\r\n", b"a2 OK begin\r\n"),
    "pop3": (b"+OK ready\r\n", b"+OK begin\r\n"),
    "ftp": (b"220 ready\r\n", b"234 begin\r\n"),
    "postgres": (b"", b"S"),
    "mysql": (GREETING,),
    "ldap": (b"", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"),
    "nats": (b'INFO {"version":"2.9.10","tls_required":true} \r\n',),
}
_STEPS: Final = (
    (b"220 mail\r\n", b"250 hello\r\n", b"..\r\n"),
    (b"220-mail\r\n250 hello\r\n\r\n",),
)
_BODY: Final = b'{"a": {"b": 1}, "ok": "yes 1"}'
_WEB: Final = (
    (
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
        + str(len(_BODY)).encode()
        + b"\r\n\r\n"
        + _BODY,
    ),
    (
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
        + f"{len(_BODY):x}".encode()
        + b"\r\n"
        + _BODY
        + b"\r\n0\r\n\r\n",
    ),
    (b"", b"HTTP/1.1 302 Found\r\nlocation: /elsewhere?a=b\r\ncontent-length: 0\r\n\r\n"),
)
