"""The context of one check of any kind: target, vantage, deadline, measurements."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

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
from producers.checks.errors import CheckFailedError
from producers.checks.model import LOST_SHARE, Hop, Vantage
from producers.checks.name_server import NameServers, asked
from producers.checks.os_errors import is_no_way_to, text_of
from producers.checks.resolved_address import Address
from producers.checks.resolver import Lookup, Resolver, literal
from producers.judging.jobs import Job, Verdict
from producers.judging.judges import Judges
from producers.kinds.certificate_end import CertificateEnd
from producers.kinds.closing import Closer, Peer
from producers.kinds.connection import Connection
from producers.kinds.pace import Pace, Turns
from producers.kinds.rdap_memory import Registries
from producers.kinds.readiness import Readiness
from producers.kinds.revealing import Revealer
from producers.kinds.scrubbing import Scrubber
from schemas.result import Reason
from schemas.target import Target

T = TypeVar("T")


class _Trying(NamedTuple):
    """The address that is tried: since when, and what became of those before it.

    `waiting` is the number of addresses that are left, with this one.
    """

    ip: str
    began_at: float
    failures: list[Failure]
    waiting: int


class CheckContext:
    """The argument of a kind's `check`, which also stores its measurements here.

    `deadline` is in monotonic seconds; a kind is cancelled then. `silence` is the reason of a
    timeout at this moment, `waiting_for` is for people (`no {waiting_for} within 3000 ms`). All
    `_ms` are the phases of the result; `connected_at` (monotonic seconds) is the time at which we
    saw the connection; `total_ms` replaces DNS + connect + the time since then in kinds that
    measure better. `ended_at` (monotonic seconds) is for kinds that continue after their result is
    known. `earlier_ms` is the time of connections before the last one, from when each was seen
    until its end. `came` tells for people what has come so far, if the deadline passes then.
    `closer` ends connections in order; without it they are reset. `notice` are remarks for people
    on a target that is up (see `note`). `hops`: see `Hop`. `certificate_end` is that of the last
    TLS handshake, `cert_expires_at` that of the result. `pace` is that of the connections,
    by `turns`; `limit` ends the check at its deadline. `proxy_host` is that of the target's proxy.
    `registries`: what the prober knows of registries of domains.
    """

    __slots__ = (
        "_closer",
        "_heard",
        "_judged_late_at",
        "_judges",
        "_lookup",
        "_name_servers",
        "_port",
        "_readiness",
        "_resolver",
        "_revealer",
        "_streams",
        "_trying",
        "_turns",
        "address",
        "banner",
        "came",
        "cert_expires_at",
        "certificate_end",
        "connect_ms",
        "connected_at",
        "deadline",
        "dns_ms",
        "earlier_ms",
        "ended_at",
        "hops",
        "http_status",
        "limit",
        "notice",
        "pace",
        "proxy_host",
        "registries",
        "silence",
        "started_at",
        "target",
        "tls_ms",
        "total_ms",
        "vantage",
        "waiting_for",
    )

    def __init__(
        self,
        target: Target,
        vantage: Vantage,
        resolver: Resolver,
        judges: Judges,
        *,
        closer: Closer | None = None,
        turns: Turns | None = None,
        readiness: Readiness | None = None,
        revealer: Revealer | None = None,
        name_servers: NameServers | None = None,
    ) -> None:
        self.target = target
        self.vantage = vantage
        self.started_at = time.monotonic()
        self.deadline = self.started_at + target.timeout_ms / 1000
        self.silence: Reason = "timed_out"
        self.waiting_for = "answer"
        self.address: str | None = None
        self.dns_ms: float | None = None
        self.connect_ms: float | None = None
        self.connected_at: float | None = None
        self.tls_ms: float | None = None
        self.cert_expires_at: int | None = None
        self.certificate_end: CertificateEnd | None = None
        self.http_status: int | None = None
        self.banner: str | None = None
        self.notice: str | None = None
        self.hops: list[Hop] = []
        self.total_ms: float | None = None
        self.earlier_ms = 0.0
        self.came: Callable[[], str] | None = None
        self.ended_at: float | None = None
        self.pace: Pace | None = None
        self.proxy_host: str | None = None
        self.registries: Registries | None = None
        self.limit: asyncio.Timeout | None = None
        self._resolver = resolver
        self._name_servers = name_servers
        self._judges = judges
        self._closer = closer
        self._turns = turns
        self._readiness = readiness
        self._revealer = Revealer(target) if revealer is None else revealer
        self._judged_late_at: float | None = None
        self._heard = False
        self._port: int | None = None
        self._lookup: Lookup | None = None
        self._streams: list[Connection] = []
        self._trying: _Trying | None = None

    @property
    def scrubber(self) -> Scrubber:
        """Masks the secrets of the check in a text that leaves it."""
        return self._revealer.scrubber

    @property
    def left_s(self) -> float:
        """The time until the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def heard(self) -> bool:
        """Whether a byte of the server has come: later errors are caused by its data."""
        return self._heard or any(stream.received for stream in self._streams)

    def note(self, remark: str) -> None:
        """Adds a remark for people: the target is up, and something of it is to be known."""
        self.notice = remark if self.notice is None else f"{self.notice}; {remark}"

    def hear(self) -> None:
        """To be called when a byte has come by another way than a `Connection`."""
        self._heard = True

    def reveal(self, text: str, field: str, *, to: str | None = None) -> str:
        """The text of the option `field` with its secrets in it, at the moment of use.

        To be used for each option that may have secrets, and for nothing but what is sent to the
        target's own origin, or to the host `to` (a proxy). The secrets are masked in all that the
        check tells. `$$` becomes `$`. In `json`, `path` and `proxy` the values are escaped as
        needed there (see `secrets.filled_in`).

        Raises:
            CheckFailedError: `secret_missing`, if a variable is not set, or not for this host, or
                would go in clear.
        """
        return self._revealer.reveal(text, field, to)

    async def verdict(self, job: Job, *, on_more: bool = False) -> Verdict:
        """The verdict on data of the server; it does not block the loop.

        `on_more`: a shorter part of the same answer was judged before and did not match, so that a
        timeout soon after has the same meaning as before.

        Raises:
            CheckFailedError: there is no verdict, because of the data or of the prober.
        """
        waits_s = LOST_SHARE * self.target.timeout_ms / 1000 if on_more else 0.0
        self._judged_late_at = time.monotonic() + waits_s
        try:
            verdict = await self._judges.verdict(self.target.id, job, self.left_s)
        except CheckFailedError:
            self._judged_late_at = None
            raise
        # Not after a cancellation: its handler needs the meaning of the silence.
        self._judged_late_at = None
        return verdict

    async def connect(self, host: str | None = None, port: int | None = None) -> Connection:
        """A connection to the target, or to another host and port, closed at the end of the check.

        The addresses are tried one after the other, each with its share of the time; the address
        policy judges all of them.

        Raises:
            CheckFailedError: no address could be connected to.
        """
        port = self.target.port if port is None else port
        if port is None:
            raise CheckFailedError("prober_error", "the target has no port")

        async def attempt(address: Address, within_s: float) -> Connection:
            return await self._connect_to(address, port, within_s, chosen=self._chosen(host))

        return await self.first_success(attempt, host)

    async def first_success(
        self, attempt: Callable[[Address, float], Awaitable[T]], host: str | None = None
    ) -> T:
        """The result of `attempt` at the first address of the host at which it succeeds.

        `attempt` gets an address and its share of the time that is left, in seconds; it fails with
        a `CheckFailedError`. `address` is the one that succeeded, or that the error is about.

        Raises:
            CheckFailedError: the name can't be resolved, or the failure of the addresses that says
                most of the target.
        """
        addresses, refused = await self.addresses(host)
        failures = list(refused)
        for position, address in enumerate(addresses):
            left_s = self.left_s
            if left_s <= 0 and position:
                raise self.most_telling(failures, len(addresses) - position)
            self.address = address.ip
            self._trying = _Trying(
                address.ip, time.monotonic(), failures, len(addresses) - position
            )
            try:
                found = await attempt(address, share(left_s, len(addresses) - position))
            except CheckFailedError as error:
                failures.append(Failure(error.reason, error.detail, address.ip, error.no_way))
            else:
                self._trying = None
                return found
            if position % IN_A_ROW == IN_A_ROW - 1:
                await asyncio.sleep(0)  # many may fail at once: others have their turn
        self._trying = None
        raise self.most_telling(failures)

    def another(self) -> "CheckContext":
        """A second context for the same target that is not part of the result.

        The caller must close it. It has the same deadline, but is not cancelled then.
        """
        other = CheckContext(
            self.target,
            self.vantage,
            self._resolver,
            self._judges,
            closer=self._closer,
            turns=self._turns,
            readiness=self._readiness,
            revealer=self._revealer,
            name_servers=self._name_servers,
        )
        other.pace = self.pace
        other.deadline = self.deadline
        return other

    async def connect_as(self, other: "CheckContext") -> Connection:
        """A connection to the last address of `other`.

        Raises:
            CheckFailedError: it could not be made.
        """
        return await self.connect(other.address, other._port)  # noqa: SLF001  (of the same class)

    async def addresses(
        self, host: str | None = None
    ) -> tuple[tuple[Address, ...], tuple[Failure, ...]]:
        """The addresses of the target's host, or of another, that may be connected to.

        At least one of the two is not empty.

        Raises:
            CheckFailedError: the name can't be resolved.
        """
        host = self.target.host if host is None else host
        if host is None:
            raise CheckFailedError("prober_error", "the target has no host")
        address = literal(host)
        found = (address,) if address is not None else await self._look_up(host)
        return permitted(found, self.vantage, redirected=self._chosen(host))

    def most_telling(self, failures: Sequence[Failure], untried: int = 0) -> CheckFailedError:
        """One failure for all addresses, as an error; `address` is that of the failure.

        Raises:
            ValueError: there are no failures.
        """
        found = most_telling(failures, untried)
        if self.target.expect == "closed":
            found = expected_closed.conclusive(found, untried)
        self.address = found.address
        return found.error()

    def out_of_time(self) -> CheckFailedError:
        """The failure for a deadline that passes now."""
        spent = f"within {self.target.timeout_ms} ms"
        lookup = self._lookup
        if lookup is not None:
            if lookup.began_at is None or lookup.ended_at is not None:
                text = "the prober did not come to the lookup in time"
                return CheckFailedError("prober_error", text)
            text = f"no answer to the lookup {spent}{asked(self.target.resolver)}"
            return CheckFailedError("dns_failed", text)
        if self._judged_late_at is not None and self._judged_late_at <= time.monotonic():
            text = f"no verdict on the answer {spent}"
            ours = not self._judges.expects_too_much(self.target.id)
            return CheckFailedError("prober_error" if ours else "unexpected_response", text)
        trying = self._trying
        if trying is not None and self.silence == "timed_out":
            waited_ms = (time.monotonic() - trying.began_at) * 1000
            silent = timed_out(trying.ip, waited_ms)
            return self.most_telling([*trying.failures, silent], trying.waiting - 1)
        where = f"{self.address}: " if self.address else ""
        if where and self.proxy_host is not None and "proxy" not in self.waiting_for:
            where = f"by the proxy {where}"
        came = "" if self.came is None else f": {self.came()}"
        return CheckFailedError(self.silence, f"{where}no {self.waiting_for} {spent}{came}")

    def close(self) -> None:
        """Closes all connections of the check."""
        for stream in self._streams:
            stream.close()

    async def _look_up(self, host: str) -> tuple[Address, ...]:
        resolver = self._resolver_of_target()
        lookup = resolver.known(host)
        if lookup is None:
            lookup = await self._asked(resolver, host)
            took_ms = lookup.took_ms or 0.0
            self.dns_ms = took_ms if self.dns_ms is None else self.dns_ms + took_ms
        failure = lookup_failure(lookup)
        if failure is not None:
            raise failure.error()
        return lookup.addresses

    def _resolver_of_target(self) -> Resolver:
        """The resolver for all names of the check, also for those that a redirect leads to."""
        if self.target.resolver is None:
            return self._resolver
        names = self._name_servers or NameServers(self._resolver)
        found = names.of(self.target.resolver, self.vantage)
        if isinstance(found, Failure):
            raise found.error()
        return found

    async def _asked(self, resolver: Resolver, host: str) -> Lookup:
        done: asyncio.Future[Lookup] = asyncio.get_running_loop().create_future()

        def answered(lookup: Lookup) -> None:
            if not done.done():
                done.set_result(lookup)

        self._lookup = resolver.lookup(host, answered)
        lookup = await done
        self._lookup = None
        return lookup

    async def _wait_for_turn(self, peer: Peer) -> None:
        """Waits as the pace wants it: the check begins later, with its whole timeout."""
        if self.pace is None or self._turns is None:
            return
        most_s = self.target.interval_ms / 1000
        wait_s = self._turns.wait_s(peer, self.pace, time.monotonic(), most_s)
        if wait_s is None:
            text = (
                f"{peer[0]}: expected a turn within {most_s:g} s, found too many checks of port "
                f"{peer[1]} before this one: such servers lock out whoever comes more often than "
                f"every {self.pace.every_s:g} s, so check it less often"
            )
            raise CheckFailedError("prober_error", text)
        if wait_s:
            self.started_at += wait_s
            self.deadline += wait_s
            if self.limit is not None:
                self.limit.reschedule(self.deadline)
            await asyncio.sleep(wait_s)

    def _chosen(self, host: str | None) -> bool:
        """Whether a server chose this host (a redirect), and not the inventory."""
        return host not in (None, self.target.host, self.proxy_host)

    async def _connect_to(
        self, address: Address, port: int, within_s: float, *, chosen: bool
    ) -> Connection:
        await self._wait_for_turn((address.ip, port))
        began = time.monotonic()
        try:
            sock = tcp_socket.begin(address, port, self.vantage.source, reset=self._closer is None)
            stream = Connection(sock, self._readiness)
            self._streams.append(stream)
            # The last address has all that is left, and the deadline itself is a timer already.
            last = self._trying is not None and self._trying.waiting == 1
            answered = await stream.connected(None if last and self.limit is not None else within_s)
            number = tcp_socket.error_of(stream.sock) if answered else 0
        except OSError as error:
            number = error.errno or 0
            if chosen and is_no_way_to(number, ipv6=address.family == socket.AF_INET6):
                text = f"led to {address.ip}, which can't be connected to: {text_of(number)}"
                raise CheckFailedError("unexpected_response", text, no_way=True) from error
            raise os_failure(number, address.ip).error() from error
        now = time.monotonic()
        if not answered:
            stream.close()
            raise timed_out(address.ip, within_s * 1000).error()
        if number:
            stream.close()
            raise os_failure(number, address.ip).error()
        if self._closer is not None:
            stream.close_by(self._closer, (address.ip, port))
        self.connected_at, self._port = now, port
        self.connect_ms = tcp_socket.connect_ms(stream.sock, (now - began) * 1000)
        return stream
