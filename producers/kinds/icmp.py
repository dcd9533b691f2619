"""ICMP: echo requests, their loss and their round trip."""

import socket
import sys
import time
from typing import Final

import icmplib

from producers.checks.addresses import os_failure
from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import answer_of
from producers.checks.resolved_address import Address
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from schemas.probe import IcmpProbe, Probe
from schemas.result import Reason

_NOTHING: Final = IcmpProbe()
_BETWEEN_S: Final = 0.1
"""Time between two requests, shorter with a short timeout."""

_LATE_S: Final = 0.05
"""Extra time to read replies that arrived in time."""

# linux/in.h, linux/in6.h: report errors of routers to unprivileged sockets, too.
_RECVERR: Final = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
# These codes of a router's answer (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3.1) mean
# the network, the others the host: as in the kernel for unprivileged sockets.
_NETWORK_CODES: Final = {4: frozenset({0, 6, 9, 11}), 6: frozenset({0})}


class _Exchange:
    """Echo requests to one address, and the round trip (ms) or the error of each."""

    def __init__(self, sock: icmplib.AsyncSocket, ip: str) -> None:
        self.round_trips_ms: list[float] = []
        self.failures: list[CheckFailedError] = []
        self._sock = sock
        self._ip = ip
        self._number = icmplib.utils.unique_identifier()
        self._under_way: dict[tuple[int, int], float] = {}

    @property
    def jitter_ms(self) -> float:
        """The mean difference between consecutive round trips."""
        pairs = list(zip(self.round_trips_ms, self.round_trips_ms[1:], strict=False))
        return sum(abs(after - before) for before, after in pairs) / len(pairs) if pairs else 0.0

    async def run(self, count: int, within_s: float) -> None:
        """Sends one request after the other without waiting for the answers.

        Not `icmplib.async_ping`: it counts every error as a loss, and waits for each answer, so
        that a slow network takes `count` round trips.
        """
        began = time.monotonic()
        apart_s = min(_BETWEEN_S, within_s / 2 / count)
        for sequence in range(count):
            self._send(sequence)
            if sequence + 1 < count:
                await self._receive(began + (sequence + 1) * apart_s)
        await self._receive(began + within_s, all_of_them=True)

    def _send(self, sequence: int) -> None:
        request = icmplib.ICMPRequest(destination=self._ip, id=self._number, sequence=sequence)
        began = time.monotonic()
        try:
            self._sock.send(request)
        except (icmplib.ICMPLibError, OSError) as error:
            self.failures.append(_failed(self._ip, error))
        else:
            self._under_way[request.id, sequence] = began

    async def _receive(self, until: float, *, all_of_them: bool = False) -> None:
        """Receives replies until then (monotonic seconds), or until no more can come."""
        while (now := time.monotonic()) < until + _LATE_S:
            if all_of_them and not self._under_way:
                return
            try:
                reply = await self._sock.receive(None, max(0.001, until - now))
            except icmplib.TimeoutExceeded:
                return
            except (icmplib.ICMPLibError, OSError) as error:
                self.failures.append(_failed(self._ip, error, answered=True))
                if self._under_way:  # the kernel does not say for which one
                    del self._under_way[next(iter(self._under_way))]
            else:
                self._take(reply)

    def _take(self, reply: icmplib.ICMPReply) -> None:
        sent_at = self._under_way.pop((reply.id, reply.sequence), None)
        if sent_at is None:
            return  # the reply of another process
        took_s = time.monotonic() - sent_at
        try:
            reply.raise_for_status()
        except icmplib.ICMPError as error:
            self.failures.append(_answered(self._ip, error))
        else:
            self.round_trips_ms.append(took_s * 1000)


async def check(context: CheckContext) -> None:
    """Up: the share of lost requests is not larger than allowed.

    The connect time is the mean round trip. Sockets without privilege are tried first
    (net.ipv4.ping_group_range), then raw ones (CAP_NET_RAW).

    Raises:
        CheckFailedError: `timed_out` with the loss; without any reply the reason of a router or of
            this machine's routes, if known; as for all kinds otherwise.
    """
    probe = context.target.probe
    options = probe if isinstance(probe, IcmpProbe) else _NOTHING

    async def attempt(address: Address, within_s: float) -> None:
        await _ping(context, options, address.ip, within_s)

    await context.first_success(attempt)


async def _ping(context: CheckContext, options: IcmpProbe, ip: str, within_s: float) -> None:
    with _socket(ip, context.vantage.source) as sock:
        echoes = _Exchange(sock, ip)
        await echoes.run(options.count, 0.9 * within_s)
    missing = options.count - len(echoes.round_trips_ms)
    lost = missing / options.count
    context.banner = f"{lost:.0%} of {options.count} lost, jitter {echoes.jitter_ms:.3f} ms"
    if not echoes.round_trips_ms and echoes.failures:
        raise echoes.failures[-1]
    # Not the shares: 1 - 0.7 is more than 0.3.
    if not echoes.round_trips_ms or missing > options.max_loss * options.count + 1e-9:
        text = f"{ip}: {lost:.0%} of {options.count} echo requests lost"
        raise CheckFailedError("timed_out", text)
    context.connect_ms = sum(echoes.round_trips_ms) / len(echoes.round_trips_ms)
    context.total_ms = context.connect_ms + (context.dns_ms or 0.0)


def _socket(ip: str, source: str | None) -> icmplib.AsyncSocket:
    family = 6 if ":" in ip else 4
    kind = icmplib.ICMPv6Socket if family == 6 else icmplib.ICMPv4Socket
    for privileged in (False, True):
        try:
            made = kind(address=source, privileged=privileged)
        except icmplib.SocketPermissionError:
            continue
        except (icmplib.ICMPLibError, OSError) as error:
            raise _failed(ip, error) from error
        if not privileged and sys.platform == "linux":
            made.sock.setsockopt(*_RECVERR[family], 1)
        return icmplib.AsyncSocket(made)
    raise CheckFailedError(
        "prober_error",
        "this prober may not send ICMP: it needs net.ipv4.ping_group_range or CAP_NET_RAW",
    )


def _answered(ip: str, error: icmplib.ICMPError) -> CheckFailedError:
    """The failure for a router's answer."""
    reason: Reason = "timed_out"
    if isinstance(error, icmplib.DestinationUnreachable):
        network = error.reply.code in _NETWORK_CODES[6 if ":" in ip else 4]
        reason = "network_unreachable" if network else "host_unreachable"
    return CheckFailedError(reason, f"{ip}: {error}")


def _failed(ip: str, error: Exception, *, answered: bool = False) -> CheckFailedError:
    """The failure for an error of the kernel; icmplib keeps it as the context of its own error.

    `answered`: the error came from outside.
    """
    cause = error if isinstance(error, OSError) else error.__context__
    if not isinstance(cause, OSError) or not cause.errno:
        return CheckFailedError("prober_error", f"{ip}: {error}")
    number = answer_of(cause.errno) if answered else cause.errno
    return os_failure(number, ip).error()


def _settle(probe: Probe | None, _: int | None) -> Probe:
    return probe if isinstance(probe, IcmpProbe) else _NOTHING


KIND: Final = Kind(check=check, has_port=False, options=IcmpProbe, settle=_settle)
