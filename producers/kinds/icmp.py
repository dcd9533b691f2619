"""ICMP: echo requests, how many of them come back and how long that takes."""

from typing import Final

import icmplib

from producers.kinds.kind import Kind
from producers.kinds.trial import Trial
from producers.outcome import CheckFailedError
from schemas.probe import IcmpProbe, Probe

_NOTHING: Final = IcmpProbe()
_BETWEEN_S: Final = 0.1


async def check(trial: Trial) -> None:
    """Up: no larger share of the requests is lost than may be.

    The connect time is the mean round trip. Sockets without privilege are tried first
    (net.ipv4.ping_group_range), then raw ones (CAP_NET_RAW).

    Raises:
        CheckFailedError: `timed_out` with the loss; as for all kinds otherwise.
    """
    probe = trial.target.probe
    options = probe if isinstance(probe, IcmpProbe) else _NOTHING
    addresses, failures = await trial.addresses()
    if not addresses:
        raise trial.most_telling(failures)
    trial.address = addresses[0].ip
    # All of them go out in turn; a lost one must leave time for those after it.
    each_s = max(0.01, 0.9 * trial.left_s / options.count - _BETWEEN_S)
    host = await _ping(trial, addresses[0].ip, options.count, each_s)
    lost = host.packet_loss
    trial.banner = f"{lost:.0%} of {options.count} lost, jitter {host.jitter:.3f} ms"
    if host.packets_received == 0 or lost > options.max_loss:
        text = f"{trial.address}: {lost:.0%} of {options.count} echo requests lost"
        raise CheckFailedError("timed_out", text)
    trial.connect_ms = host.avg_rtt
    trial.total_ms = host.avg_rtt + (trial.dns_ms or 0.0)


async def _ping(trial: Trial, ip: str, count: int, each_s: float) -> icmplib.Host:
    for privileged in (False, True):
        try:
            return await icmplib.async_ping(
                ip,
                count=count,
                interval=_BETWEEN_S,
                timeout=each_s,
                source=trial.vantage.source,
                privileged=privileged,
            )
        except icmplib.SocketPermissionError:
            continue
        except (icmplib.ICMPLibError, OSError) as error:
            raise CheckFailedError("prober_error", f"{ip}: {error}") from error
    raise CheckFailedError(
        "prober_error",
        "this prober may not send ICMP: it needs net.ipv4.ping_group_range or CAP_NET_RAW",
    )


def _settle(probe: Probe | None, _: int | None) -> Probe:
    return probe if isinstance(probe, IcmpProbe) else _NOTHING


KIND: Final = Kind(check=check, has_port=False, options=IcmpProbe, settle=_settle)
