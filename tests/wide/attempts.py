"""The attempts of the matrix: every kind, with every way of TLS and what options make of it."""

import asyncio
import time
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from portquorum.inventory.probes import ProbeError, probe_of
from producers.checks.model import CheckOutcome
from producers.engine.loop_lag import TICK_S
from producers.engine.single_check import check_once
from producers.kinds.registry import KINDS
from schemas._types import ExpectedState
from schemas.probe import DomainProbe, HandshakeProbe, HttpProbe, Probe
from tests.wide.page_behind import TEXT, PageBehind

CERTIFICATE: Final = "PORTQUORUM_SECRET_WIDE_CERTIFICATE"
KEY: Final = "PORTQUORUM_SECRET_WIDE_KEY"
"""The variables with the client's certificate that `…/certificate` shows."""

DOMAIN: Final = "example.test"
"""The domain that registries of the matrix know."""

# Whether it speaks HTTP is asked, not whether a page is there.
_ANY_STATUS: Final = {"status": [200, 301, 302, 400, 401, 403, 404, 405, 426, 500, 501, 502, 503]}
_SHOWN: Final = {"client_certificate": {"certificate": f"${{{CERTIFICATE}}}", "key": f"${{{KEY}}}"}}
_SMTP_STEPS: Final = [
    {"expect_regex": "^220[ -][^\\n]*\\n"},
    {"send": "EHLO portquorum.invalid\r\n", "expect_regex": "(^|\\n)250 [^\\n]*\\n"},
    {"send": "STARTTLS\r\n", "expect_regex": "^220 [^\\n]*\\n", "starttls": True},
    {"send": "QUIT\r\n", "expect_regex": "^221 "},
]
_SIEVE_STEPS: Final = [
    {"expect_regex": "(^|\\n)OK [^\\n]*\\n"},
    {"send": "STARTTLS\r\n", "expect_regex": "^OK [^\\n]*\\n", "starttls": True},
    {"expect_regex": "(^|\\n)OK [^\\n]*\\n"},
    {"send": "LOGOUT\r\n", "expect": "OK"},
]
_GET_STEPS: Final = [
    {
        "send": "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
        "expect_regex": "^HTTP/1\\.[01] 200 ",
    }
]
_UNKNOWN_ZONE: Final = {"name": "www.elsewhere.invalid", "rcode": "REFUSED"}
_OTHERS: Final[dict[str, tuple[str, dict[str, Any] | None]]] = {
    "tcp": ("tcp", None),
    "tcp/starttls": ("tcp", {"steps": _SMTP_STEPS}),
    "tcp/sieve": ("tcp", {"steps": _SIEVE_STEPS}),
    "tcp/certificate": ("tcp", {"tls": "implicit", "steps": _GET_STEPS, **_SHOWN}),
    "tls": ("tls", {}),
    "tls/certificate": ("tls", _SHOWN),
    "http": ("http", {"tls": False, "redirects": 0, **_ANY_STATUS}),
    "http/tls": ("http", {"tls": True, "redirects": 0, **_ANY_STATUS}),
    "http/certificate": ("http", {"tls": True, "redirects": 0, **_ANY_STATUS, **_SHOWN}),
    "websocket": ("websocket", {"tls": False}),
    "websocket/tls": ("websocket", {"tls": True}),
    "grpc": ("grpc", {"tls": False}),
    "grpc/tls": ("grpc", {"tls": True}),
    "dns": ("dns", {"name": DOMAIN}),
    "dns/tcp": ("dns", {"name": DOMAIN, "transport": "tcp"}),
    "dns/rcode": ("dns", _UNKNOWN_ZONE),
    "udp/dns": ("udp", {"protocol": "dns"}),
    "udp/ntp": ("udp", {"protocol": "ntp"}),
    "ntp": ("ntp", {}),
    "snmp/1": ("snmp", {"version": "1"}),
    "snmp": ("snmp", {}),
    "snmp/3": ("snmp", {"version": "3"}),
    "amqp/1.0": ("amqp", {"version": "1.0"}),
    "amqp/1.0/implicit": ("amqp", {"version": "1.0", "tls": "implicit"}),
}
_TELLS_NO_PORT: Final = 1
"""A port that is nobody's usual one: nothing is decided by it."""

Role = Literal["target", "proxy", "registry"]
"""What the server is to the check."""


class Attempt(Struct, frozen=True):
    """A check to make: `name` is the kind, with `/` and the way of TLS or the option.

    `role`: as a `proxy` the server is asked for the page behind (tests/wide/page_behind.py), as a
    `registry` for the end of a domain. Of `expect` `closed` the port must be closed.
    """

    name: str
    kind: str
    probe: Probe | None
    role: Role = "target"
    expect: ExpectedState = "open"

    @property
    def refused(self) -> str:
        """The status where the server is not what is looked for.

        What a registry does not say is no word about its domain: nothing was measured.
        """
        return "missed" if self.role == "registry" else "down"

    @property
    def waits_for_silence(self) -> bool:
        """Whether it is up only after the whole timeout where nothing answers."""
        return self.expect == "closed"


def _all() -> dict[str, Attempt]:
    found: dict[str, Attempt] = {}
    for kind, what in KINDS.items():
        if what.options is not HandshakeProbe:
            continue
        for tls in ("none", "starttls", "implicit"):
            try:
                probe = probe_of(kind, {"tls": tls}, _TELLS_NO_PORT)
            except ProbeError:
                continue
            name = kind if tls == "none" else f"{kind}/{tls}"
            found[name] = Attempt(name, kind, probe)
    for name, (kind, options) in _OTHERS.items():
        found[name] = Attempt(name, kind, probe_of(kind, options, _TELLS_NO_PORT))
    question = probe_of("udp", {"protocol": "dns"}, _TELLS_NO_PORT)
    page = {"redirects": 0, "expect": TEXT}
    through = probe_of("http", {"tls": False, **page}, _TELLS_NO_PORT)
    tunnelled = probe_of("http", {"tls": True, **page}, _TELLS_NO_PORT)
    for attempt in (
        Attempt("tcp/closed", "tcp", None, expect="closed"),
        Attempt("udp/closed", "udp", question, expect="closed"),
        Attempt("http/proxy", "http", through, role="proxy"),
        Attempt("http/tunnel", "http", tunnelled, role="proxy"),
        Attempt("domain", "domain", probe_of("domain", {}, None), role="registry"),
    ):
        found[attempt.name] = attempt
    return found


ATTEMPTS: Final = _all()
"""All attempts by name: each dialogue of the registry, and the other kinds but `icmp`."""


WITHOUT_CERTIFICATE: Final = frozenset(
    name
    for name, attempt in ATTEMPTS.items()
    if name.endswith("/implicit") or name in {"websocket/tls", "grpc/tls"}
)
"""Those that are up, with a remark, where nobody comes beyond TLS without a client's certificate:
what the server speaks can't be told, and it is alive. `http` expects statuses here."""


class Judged(Struct, frozen=True):
    """The outcome of an attempt, and by how much of our own it was late (ms; negative: in time)."""

    attempt: Attempt
    outcome: CheckOutcome
    late_ms: float


class Asked(Struct, frozen=True):
    """What the check of an attempt has as its target."""

    host: str
    port: int | None
    probe: Probe | None


def asked(attempt: Attempt, port: int, behind: PageBehind, host: str = "127.0.0.1") -> Asked:
    """The target of the attempt at a server on `port`."""
    probe = attempt.probe
    match attempt.role:
        case "proxy":
            assert isinstance(probe, HttpProbe)
            there = behind.tls if probe.tls else behind.plain
            return Asked("127.0.0.1", there, replace(probe, proxy=f"http://{host}:{port}"))
        case "registry":
            assert isinstance(probe, DomainProbe)
            return Asked(DOMAIN, None, replace(probe, rdap=f"http://{host}:{port}/rdap/"))
        case "target":
            return Asked(host, port, probe)


async def judged(attempt: Attempt, port: int, timeout_s: float, behind: PageBehind) -> Judged:
    """One check; the time for which this machine held up the loop is not counted."""
    it = asked(attempt, port, behind)
    lag = Lag()
    lag.begin()
    began = time.monotonic()
    outcome = await check_once(
        it.host, it.port, attempt.kind, timeout_s, probe=it.probe, expect=attempt.expect
    )
    spent_s = time.monotonic() - began
    return Judged(attempt, outcome, (spent_s - timeout_s - lag.end()) * 1000)


class Lag:
    """How late the loop has run a timer, all delays summed up.

    Not `LoopLag`, which overlooks delays below 100 ms: those of a busy machine add up.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._late_s = 0.0

    def begin(self) -> None:
        self._next()

    def end(self) -> float:
        """The sum, in seconds; the measurement ends."""
        self._timer.cancel()
        return self._late_s + max(0.0, time.monotonic() - self._due)

    def _next(self) -> None:
        self._due = time.monotonic() + TICK_S
        self._timer = self._loop.call_at(self._loop.time() + TICK_S, self._tick)

    def _tick(self) -> None:
        self._late_s += max(0.0, time.monotonic() - self._due)
        self._next()
