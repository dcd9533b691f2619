"""The attempts of the matrix: every kind, with every way of TLS that it knows."""

import asyncio
import time
from typing import Any, Final

from msgspec import Struct

from portquorum.inventory.probes import ProbeError, probe_of
from producers.checks.model import CheckOutcome
from producers.engine.loop_lag import TICK_S
from producers.engine.single_check import check_once
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe, Probe

# Whether it speaks HTTP is asked, not whether a page is there.
_ANY_STATUS: Final = {"status": [200, 301, 302, 400, 401, 403, 404, 405, 426, 500, 501, 502, 503]}
_OTHERS: Final[dict[str, tuple[str, dict[str, Any] | None]]] = {
    "tcp": ("tcp", None),
    "tls": ("tls", {}),
    "http": ("http", {"tls": False, "redirects": 0, **_ANY_STATUS}),
    "http/tls": ("http", {"tls": True, "redirects": 0, **_ANY_STATUS}),
    "websocket": ("websocket", {"tls": False}),
    "websocket/tls": ("websocket", {"tls": True}),
    "grpc": ("grpc", {"tls": False}),
    "grpc/tls": ("grpc", {"tls": True}),
    "dns": ("dns", {"name": "example.test"}),
    "udp/dns": ("udp", {"protocol": "dns"}),
    "udp/ntp": ("udp", {"protocol": "ntp"}),
    "ntp": ("ntp", {}),
    "snmp": ("snmp", {}),
    "snmp/3": ("snmp", {"version": "3"}),
    "amqp/1.0": ("amqp", {"version": "1.0"}),
}
_TELLS_NO_PORT: Final = 1
"""A port that is nobody's usual one: nothing is decided by it."""


class Attempt(Struct, frozen=True):
    """A check to make: `name` is the kind, with `/` and the way of TLS or the protocol."""

    name: str
    kind: str
    probe: Probe | None


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
    return found


ATTEMPTS: Final = _all()
"""All attempts by name: each dialogue of the registry, and the other kinds but `icmp`."""


class Judged(Struct, frozen=True):
    """The outcome of an attempt, and by how much of our own it was late (ms; negative: in time)."""

    attempt: Attempt
    outcome: CheckOutcome
    late_ms: float


async def judged(attempt: Attempt, port: int, timeout_s: float, host: str = "127.0.0.1") -> Judged:
    """One check; the time for which this machine held up the loop is not counted."""
    lag = Lag()
    lag.begin()
    began = time.monotonic()
    outcome = await check_once(host, port, attempt.kind, timeout_s, probe=attempt.probe)
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
