"""One TCP check: the lookup, then one address after the other within one timeout.

The logic of all engines is here; they differ only in their way to wait.
"""

import asyncio
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from foundation.telemetry import logger
from producers.checks import expected_closed, tcp_socket
from producers.checks.addresses import (
    IN_A_ROW,
    Failure,
    lookup_failure,
    most_telling,
    os_failure,
    permitted,
    share,
    timed_out,
)
from producers.checks.model import CheckOutcome, OnDone, PlannedCheck, Vantage
from producers.checks.name_server import NameServers, asked
from producers.checks.os_errors import clean
from producers.checks.resolved_address import Address
from producers.checks.resolver import Lookup, Resolver, literal
from producers.engine.total_limit import limited

LATE_S: Final = 1.0
"""After a longer delay a timeout proves nothing: the machine may have been suspended."""

KINDS: Final = frozenset({"tcp"})
"""The kinds that can be checked."""


class WaitingEngine(ABC):
    """The common part of all engines; see `producers.checks.model.Engine`.

    Made inside a running loop. A subclass implements the wait.
    """

    def __init__(self, vantage: Vantage) -> None:
        self.vantage = vantage
        self.resolver = Resolver()
        self.name_servers = NameServers(self.resolver)
        self._loop = asyncio.get_running_loop()
        self._checks: set[TcpAttempt] = set()
        self._beginning = False

    @property
    def in_flight(self) -> int:
        """The number of checks in flight."""
        return len(self._checks)

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Begins the check; see the protocol."""
        begun = TcpAttempt(self, check, on_done)
        self._checks.add(begun)
        self._beginning = True
        try:
            begun.begin()
        finally:
            self._beginning = False

    def close(self) -> None:
        """Ends all checks in flight without an outcome."""
        for check in self._checks:
            self.release(check)
            check.over = True
        self._checks.clear()
        self.name_servers.close()

    @abstractmethod
    def wait(self, check: "TcpAttempt") -> None:
        """Waits for the socket of `check`, if it has one, and for `check.due`.

        Calls `check.answered` when the socket has an answer, `check.overdue` at `check.due` or
        soon after, whichever is first. The check must not wait already.

        Raises:
            OSError: the system can't watch so many sockets.
        """

    @abstractmethod
    def release(self, check: "TcpAttempt") -> None:
        """Ends the wait and closes the socket, if there are such."""

    def soon(self, go_on: Callable[[], None]) -> None:
        """Calls `go_on` after the other work of the loop."""
        self._loop.call_soon(go_on)

    def done(self, check: "TcpAttempt", outcome: CheckOutcome) -> None:
        """Reports the outcome of a released check, but not before `submit` has returned."""
        if self._beginning:
            self._loop.call_soon(self._tell, check, outcome)
        else:
            self._tell(check, outcome)

    def _tell(self, check: "TcpAttempt", outcome: CheckOutcome) -> None:
        if check not in self._checks:
            return
        self._checks.remove(check)
        try:
            check.on_done(check.planned, outcome)
        except Exception as error:  # noqa: BLE001  (other checks wait behind this one)
            # The loop treats it like any other failed callback.
            self._loop.call_soon(_raise, error)


class TcpAttempt:
    """A TCP check in flight.

    `sock` is connecting, None during the lookup; `due` is in monotonic seconds; `place` is for the
    engine's own use (the position of the wait).
    """

    __slots__ = (
        "_addresses",
        "_deadline",
        "_dns_ms",
        "_engine",
        "_failures",
        "_lookup",
        "_next",
        "_started_at",
        "_tried",
        "_tried_at",
        "_vantage",
        "due",
        "on_done",
        "over",
        "place",
        "planned",
        "sock",
    )

    def __init__(self, engine: WaitingEngine, planned: PlannedCheck, on_done: OnDone) -> None:
        self.planned = planned
        self.on_done = on_done
        self.sock: socket.SocketType | None = None
        self.due = 0.0
        self.place: Any = None
        self.over = False
        self._engine = engine
        self._vantage = engine.vantage
        self._started_at = time.monotonic()
        self._deadline = self._started_at + planned.target.timeout_ms / 1000
        self._addresses: tuple[Address, ...] = ()
        self._failures: list[Failure] = []
        self._dns_ms: float | None = None
        self._lookup: Lookup | None = None
        self._next = 0
        self._tried = ""
        self._tried_at = 0.0

    # Entry points: the check has an outcome after every exception.

    def begin(self) -> None:
        """Begins the check; called once. The check may be done on return."""
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001
            self._broke(error)

    def answered(self, *, fine: bool = False) -> None:
        """The socket has an answer; `fine`: it is known to be a connection."""
        try:
            self._take_answer(fine=fine)
        except Exception as error:  # noqa: BLE001
            self._broke(error)

    def overdue(self) -> None:
        """The time `due` has passed."""
        try:
            self._take_silence()
        except Exception as error:  # noqa: BLE001
            self._broke(error)

    def _looked_up(self, lookup: Lookup) -> None:
        try:
            self._take_lookup(lookup)
        except Exception as error:  # noqa: BLE001
            self._broke(error)

    def _broke(self, error: Exception) -> None:
        logger(__name__).error("a check failed by our fault", exc_info=error)
        if not self.over:
            self._fail(Failure("prober_error", f"{type(error).__name__}: {error}"))

    def _begin(self) -> None:
        target = self.planned.target
        if target.kind not in KINDS or target.host is None or target.port is None:
            self._fail(Failure("prober_error", f"this prober can't check kind {target.kind!r}"))
        elif (address := literal(target.host)) is not None:
            self._connect((address,))
        else:
            self._look_up(target.host)

    def _take_answer(self, *, fine: bool) -> None:
        sock = self.sock
        if sock is None:
            return
        number = 0 if fine else tcp_socket.error_of(sock)
        now = time.monotonic()
        late_s = now - self.due
        if number == 0:
            took_ms = tcp_socket.connect_ms(sock, (now - self._tried_at) * 1000)
            if late_s > LATE_S and took_ms > (self.due - self._tried_at) * 1000:
                # A late banner renews the time of the last ACK: the number is not reliable.
                self._fail(_late(late_s, self._tried))
            else:
                self._succeed(took_ms)
            return
        self._engine.release(self)
        failure = os_failure(number, self._tried)
        if late_s > LATE_S and failure.reason == "timed_out":
            failure = _late(late_s, self._tried)
        if self.planned.target.expect == "closed" and expected_closed.opened(failure):
            self._fail(failure)
            return
        self._failures.append(failure)
        self._next_address()

    def _take_silence(self) -> None:
        if self.over:
            return
        if self.sock is None:
            self._lookup_timed_out()
        elif tcp_socket.answered(self.sock):
            # The loop was busy: there is an unprocessed answer.
            self._take_answer(fine=False)
        else:
            self._timed_out()

    # Lookup

    def _look_up(self, host: str) -> None:
        named = self.planned.target.resolver
        resolver: Resolver | Failure = self._engine.resolver
        if named is not None:
            resolver = self._engine.name_servers.of(named, self._vantage)
        if isinstance(resolver, Failure):
            self._fail(resolver)
        elif (known := resolver.known(host)) is not None:
            self._go_on(known)
        else:
            self.due = self._deadline
            self._engine.wait(self)
            self._lookup = resolver.lookup(host, self._looked_up)

    def _take_lookup(self, lookup: Lookup) -> None:
        if self.over:
            return  # it came after the timeout
        self._engine.release(self)
        self._dns_ms = lookup.took_ms
        self._go_on(lookup)

    def _go_on(self, lookup: Lookup) -> None:
        failure = lookup_failure(lookup)
        if failure is None:
            self._connect(lookup.addresses)
        else:
            self._fail(failure)

    def _lookup_timed_out(self) -> None:
        lookup = self._lookup
        now = time.monotonic()
        if now - self._deadline > LATE_S:
            self._fail(_late(now - self._deadline))
        elif lookup is None or lookup.began_at is None or lookup.ended_at is not None:
            # No thread was free in time, or the answer lay there and we did not come to it.
            self._fail(Failure("prober_error", "the prober did not come to the lookup in time"))
        else:
            waited = (now - max(lookup.began_at, self._started_at)) * 1000
            self._dns_ms = waited
            text = f"no answer to the lookup within {waited:.0f} ms"
            text += asked(self.planned.target.resolver)
            self._fail(Failure("dns_failed", text))

    # Connect

    def _connect(self, found: tuple[Address, ...]) -> None:
        vantage = self._vantage
        if vantage.internal and vantage.source is None and not vantage.deny:
            self._addresses = found  # as in `permitted`, which costs a call
        else:
            self._addresses, refused = permitted(found, vantage)
            self._failures.extend(refused)
        self._next_address()

    def _next_address(self) -> None:
        addresses = self._addresses
        place, most = self._next, self._next + IN_A_ROW
        while waiting := len(addresses) - place:
            now = time.monotonic()
            left = self._deadline - now
            if left <= 0:
                if -left > LATE_S:
                    self._failures.append(_late(-left))
                break
            if place == most:
                self._engine.soon(self._resume)
                return
            self.due = self._deadline if waiting == 1 else now + share(left, waiting)
            address = addresses[place]
            self._next = place = place + 1
            self._tried, self._tried_at = address.ip, now
            try:
                self.sock = tcp_socket.begin(
                    address, self.planned.target.port or 0, self._vantage.source
                )
                self._engine.wait(self)
            except OSError as error:
                self._engine.release(self)
                self._failures.append(os_failure(error.errno or 0, address.ip))
            else:
                return
        if not self._failures:
            self._failures.append(Failure("prober_error", "no time was left to connect"))
        untried = len(addresses) - place
        failure = most_telling(self._failures, untried)
        if self.planned.target.expect == "closed":
            failure = expected_closed.conclusive(failure, untried)
        self._fail(failure)

    def _resume(self) -> None:
        if self.over:
            return
        try:
            self._next_address()
        except Exception as error:  # noqa: BLE001
            self._broke(error)

    def _timed_out(self) -> None:
        late_s = time.monotonic() - self.due
        waited_ms = (self.due - self._tried_at) * 1000
        self._engine.release(self)
        if late_s > LATE_S:
            self._fail(_late(late_s, self._tried))
            return
        self._failures.append(timed_out(self._tried, waited_ms))
        self._next_address()

    # The end

    def _succeed(self, took_ms: float) -> None:
        connect_ms = round(took_ms, 3)
        dns_ms = _rounded(self._dns_ms)
        outcome = CheckOutcome(
            status="up",
            reason=None,
            started_at=self._started_at,
            address=self._tried,
            dns_ms=dns_ms,
            connect_ms=connect_ms,
            total_ms=connect_ms if dns_ms is None else round(dns_ms + connect_ms, 3),
        )
        target = self.planned.target
        self._finish(outcome if target.max_ms is None else limited(target, outcome))

    def _fail(self, failure: Failure) -> None:
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
        if self.planned.target.expect == "closed":
            outcome = expected_closed.turned(outcome, "tcp")
        self._engine.release(self)
        self.over = True
        self._engine.done(self, outcome)


def _raise(error: Exception) -> None:
    raise error


def _late(late_s: float, ip: str | None = None) -> Failure:
    text = f"the prober looked {late_s:.1f} s too late to know whether there was an answer"
    return Failure("prober_error", text, ip)


def _rounded(span_ms: float | None) -> float | None:
    return None if span_ms is None else round(span_ms, 3)
