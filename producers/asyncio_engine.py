"""The plain engine: callbacks on the asyncio loop, one timer and one writer a check, no tasks."""

import asyncio
import socket
import time
from typing import Final

from producers import guard
from producers.checks import tcp
from producers.engine import CheckOutcome, OnDone, PlannedCheck, Vantage
from producers.reasons import clean, reason_of, reason_of_lookup, text_of
from producers.resolver import Address, Lookup, Resolver, literal
from schemas.result import Reason

LATE_S: Final = 1.0
"""If we look at a timeout later than this, silence proves nothing: the machine may have slept."""

KINDS: Final = frozenset({"tcp"})
"""The kinds that this engine knows."""

_MOST_ADDRESSES: Final = 4
# Of the failures of several addresses the one is told that says most of the target.
_WEIGHT: Final[dict[Reason, int]] = {
    "network_unreachable": 1,
    "prober_error": 2,
    "address_blocked": 3,
}


class AsyncioEngine:
    """See `producers.engine.Engine`. Made inside a running loop."""

    def __init__(self, vantage: Vantage) -> None:
        self.vantage = vantage
        self._loop = asyncio.get_running_loop()
        self.resolver = Resolver()
        self.runs: set[_Run] = set()

    @property
    def in_flight(self) -> int:
        """How many checks have begun and are not done."""
        return len(self.runs)

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Begins the check; see the protocol."""
        run = _Run(self, check, on_done)
        self.runs.add(run)
        run.begin()

    def close(self) -> None:
        """Ends all checks in flight without an outcome."""
        for run in tuple(self.runs):
            run.release()
        self.runs.clear()
        self.resolver.close()


class _Failure(Exception):  # noqa: N818  (an outcome that unwinds, not a fault)
    def __init__(self, reason: Reason, detail: str, address: str | None = None) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
        self.address = address


class _Run:
    """One check on its way: lookup, then one address after the other within the one timeout."""

    __slots__ = (
        "_addresses",
        "_beginning",
        "_check",
        "_deadline",
        "_dns_ms",
        "_due",
        "_failures",
        "_lookup",
        "_loop",
        "_on_done",
        "_resolver",
        "_runs",
        "_sock",
        "_started_at",
        "_timer",
        "_tried",
        "_tried_at",
        "_vantage",
    )

    def __init__(self, engine: AsyncioEngine, check: PlannedCheck, on_done: OnDone) -> None:
        self._loop = asyncio.get_running_loop()
        self._resolver = engine.resolver
        self._runs = engine.runs
        self._vantage = engine.vantage
        self._check = check
        self._on_done = on_done
        self._started_at = time.monotonic()
        self._deadline = self._started_at + check.target.timeout_ms / 1000
        self._addresses: list[Address] = []
        self._failures: list[_Failure] = []
        self._dns_ms: float | None = None
        self._lookup: Lookup | None = None
        self._sock: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tried: Address | None = None
        self._tried_at = 0.0
        self._due = 0.0
        self._beginning = True

    def begin(self) -> None:
        target = self._check.target
        if target.kind not in KINDS or target.host is None or target.port is None:
            self._fail(_Failure("prober_error", f"this prober can't check kind {target.kind!r}"))
        elif (address := literal(target.host)) is not None:
            self._connect((address,))
        else:
            self._wait_until(self._deadline, self._lookup_timed_out)
            self._lookup = self._resolver.lookup(target.host, self._looked_up)
        self._beginning = False

    def release(self) -> None:
        """Lets go of timer and socket."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sock is not None:
            self._loop.remove_writer(self._sock.fileno())
            self._sock.close()
            self._sock = None

    # Lookup

    def _looked_up(self, lookup: Lookup) -> None:
        if self not in self._runs:
            return  # it came after the timeout
        self._dns_ms = lookup.took_ms
        if lookup.error is not None:
            reason = reason_of_lookup(lookup.error)
            text = lookup.error.strerror if isinstance(lookup.error, OSError) else None
            self._fail(_Failure(reason, text or str(lookup.error)))
        else:
            self._connect(lookup.addresses)

    def _lookup_timed_out(self) -> None:
        lookup = self._lookup
        now = time.monotonic()
        if now - self._deadline > LATE_S:
            self._fail(_late(now - self._deadline))
        elif lookup is None or lookup.began_at is None or lookup.ended_at is not None:
            # No thread was free in time, or the answer lay there and we did not come to it.
            self._fail(_Failure("prober_error", "the prober did not come to the lookup in time"))
        else:
            waited = (now - max(lookup.began_at, self._started_at)) * 1000
            self._dns_ms = waited
            self._fail(_Failure("dns_failed", f"no answer to the lookup within {waited:.0f} ms"))

    # Connect

    def _connect(self, found: tuple[Address, ...]) -> None:
        source = self._vantage.source
        family = None if source is None else _family(source)
        for address in found:
            if family not in {None, address.family}:
                text = f"{address.ip} can't be reached from the source address {source}"
                self._failures.append(_Failure("prober_error", text, address.ip))
                continue
            why = None if self._vantage.internal else guard.blocked_because(address.ip)
            if why is None:
                self._addresses.append(address)
            else:
                self._failures.append(_Failure("address_blocked", why, address.ip))
        del self._addresses[_MOST_ADDRESSES:]
        self._addresses.reverse()
        self._next_address()

    def _next_address(self) -> None:
        while self._addresses:
            now = time.monotonic()
            left = self._deadline - now
            if left <= 0:
                if now - self._deadline > LATE_S:
                    self._failures.append(_late(now - self._deadline))
                break
            address = self._addresses.pop()
            try:
                port = self._check.target.port or 0
                self._sock = tcp.begin(address, port, self._vantage.source)
            except OSError as error:
                self._failures.append(_os_failure(error.errno or 0, address.ip))
                continue
            self._tried, self._tried_at = address, now
            self._loop.add_writer(self._sock.fileno(), self._answered)
            # Each address has its share, so that one that swallows packets leaves time.
            self._wait_until(now + left / (len(self._addresses) + 1), self._timed_out)
            return
        if not self._failures:
            self._failures.append(_Failure("prober_error", "no time was left to connect"))
        self._fail(min(self._failures, key=lambda failure: _WEIGHT.get(failure.reason, 0)))

    def _answered(self) -> None:
        sock, tried = self._sock, self._tried
        if sock is None or tried is None:
            return
        number = tcp.error_of(sock)
        now = time.monotonic()
        late_s = now - self._due
        user_ms = (now - self._tried_at) * 1000
        if number == 0:
            took_ms = tcp.connect_ms(sock, user_ms)
            if late_s > LATE_S and took_ms > (self._due - self._tried_at) * 1000:
                # A late banner renews the time of the last ACK: this number can't be trusted.
                self._fail(_late(late_s, tried.ip))
            else:
                self._succeed(tried.ip, took_ms)
            return
        self.release()
        failure = _os_failure(number, tried.ip)
        if late_s > LATE_S and failure.reason == "timed_out":
            failure = _late(late_s, tried.ip)
        self._failures.append(failure)
        self._next_address()

    def _timed_out(self) -> None:
        sock, tried = self._sock, self._tried
        if sock is None or tried is None:
            return
        if tcp.answered(sock):
            # The loop was busy: the answer is here and has not been looked at.
            self._answered()
            return
        late_s = time.monotonic() - self._due
        waited_ms = (self._due - self._tried_at) * 1000
        self.release()
        if late_s > LATE_S:
            self._fail(_late(late_s, tried.ip))
            return
        text = f"{tried.ip}: no answer within {waited_ms:.0f} ms"
        self._failures.append(_Failure("timed_out", text, tried.ip))
        self._next_address()

    # The end

    def _succeed(self, ip: str, took_ms: float) -> None:
        self._finish(
            CheckOutcome(
                status="up",
                reason=None,
                started_at=self._started_at,
                address=ip,
                dns_ms=_rounded(self._dns_ms),
                connect_ms=_rounded(took_ms),
                total_ms=_rounded((self._dns_ms or 0.0) + took_ms),
            )
        )

    def _fail(self, failure: _Failure) -> None:
        ours = failure.reason in {"prober_error", "address_blocked"}
        total_ms = None if ours else (time.monotonic() - self._started_at) * 1000
        self._finish(
            CheckOutcome(
                status="missed" if ours else "down",
                reason=failure.reason,
                started_at=self._started_at,
                detail=clean(failure.detail),
                address=failure.address,
                dns_ms=_rounded(self._dns_ms),
                total_ms=_rounded(total_ms),
            )
        )

    def _finish(self, outcome: CheckOutcome) -> None:
        self.release()
        if self._beginning:
            self._loop.call_soon(self._deliver, outcome)
        else:
            self._deliver(outcome)

    def _deliver(self, outcome: CheckOutcome) -> None:
        if self in self._runs:
            self._runs.remove(self)
            self._on_done(self._check, outcome)

    def _wait_until(self, due: float, then: "asyncio._Callback") -> None:  # type: ignore[name-defined]
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_later(max(0.0, due - time.monotonic()), then)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _os_failure(number: int, ip: str) -> _Failure:
    return _Failure(reason_of(number), f"{ip}: {text_of(number)}", ip)


def _late(late_s: float, ip: str | None = None) -> _Failure:
    text = f"the prober looked {late_s:.1f} s too late to know whether there was an answer"
    return _Failure("prober_error", text, ip)


def _rounded(span_ms: float | None) -> float | None:
    return None if span_ms is None else round(span_ms, 3)
