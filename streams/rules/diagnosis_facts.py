"""Gathers the facts of a diagnosis from the state."""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Final

from schemas.incident import TargetStatus
from streams.diagnosis.facts import Facts, Host, Latency
from streams.rules import region_guard
from streams.rules.consensus import counts
from streams.rules.expiring import DOMAIN
from streams.state import latency_levels
from streams.state.host_view import Neighbours
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState
from streams.state.windows import Window

LOOKED_AT: Final = 16
"""Number of other targets of the host that are checked for failures from a region: for a host with
thousands of failing targets the cost must not be quadratic."""


def gather(state: PartitionState, entry: TargetState, around: Neighbours) -> Facts:
    """The facts of a target at the state's moment; `around` is its host view."""
    failing, slow, unusual, rising, succeeded, latency = [], [], [], [], [], []
    began = 0
    counting = list(_counting(state, entry))
    for region, window in counting:
        if window.down and window.failing is not None:
            failing.append((region, window.failing.reason))
            began = min(began or window.failing.since, window.failing.since)
        elif window.failing is None:
            succeeded.append((region, window.newest))
        if window.slow and window.pace is not None:
            slow.append(region)
            if window.pace.why == "usual":
                unusual.append(region)
            elif window.pace.why == "rising":
                rising.append((region, window.pace.measure))
        if (window.slow or window.down) and window.lately:
            latency.append(
                Latency(
                    region,
                    latency_levels.span_us(window.usual),
                    latency_levels.span_us(window.lately),
                )
            )
    # A success from before the outage tells nothing of it.
    working = [region for region, newest in succeeded if newest >= began]
    return Facts(
        target=entry.target,
        failing=tuple(failing),
        slow=tuple(slow),
        working=tuple(working),
        troubled=tuple(_troubled(state, sorted({*dict(failing), *slow}))),
        unusual=tuple(unusual),
        rising=tuple(rising),
        latency=tuple(latency),
        ending=_ending(counting),
        renewed=_renewed(counting),
        at=state.now,
        host=_host(state, entry, around, dict(failing) if working else None),
    )


def _counting(state: PartitionState, entry: TargetState) -> Iterable[tuple[str, Window]]:
    """Regions that count, sorted by name, with their windows."""
    for region, position in entry.policy.by_name:
        window = state.window(entry, position)
        if window is not None and counts(state, region, window):
            yield region, window


def _ending(counting: Sequence[tuple[str, Window]]) -> tuple[tuple[str, int], ...]:
    """The regions that saw a certificate which ends soon, and its earliest end."""
    return tuple(
        (region, window.endings.earliest)
        for region, window in counting
        if window.endings is not None
    )


def _renewed(counting: Sequence[tuple[str, Window]]) -> tuple[str, ...]:
    """The regions that have succeeded since the first one saw such a certificate, and saw none."""
    starts = [window.endings.since for _, window in counting if window.endings is not None]
    if not starts:
        return ()
    return tuple(
        region
        for region, window in counting
        if window.endings is None and window.failing is None and window.newest >= min(starts)
    )


def _troubled(state: PartitionState, regions: Iterable[str]) -> Iterable[tuple[str, int]]:
    """Regions in which many other targets fail, with their share in percent."""
    for region in regions:
        known = state.regions.get(region)
        load = None if known is None else region_guard.load_of(known, state.running)
        if load is not None and load.fails_widely:
            yield region, min(100, load.failing * 100 // max(1, load.targets))


def _host(
    state: PartitionState,
    entry: TargetState,
    around: Neighbours,
    failing: Collection[str] | None,
) -> Host:
    """The facts of the other targets; `failing` are the failing regions if others succeed."""
    ping, site = around.another(entry.id, "icmp"), around.another(entry.id, "http")
    return Host(
        up=around.others(entry.id, "up"),
        slow=around.others(entry.id, "slow"),
        down=around.others(entry.id, "down"),
        unknown=around.others(entry.id, "unknown", "pending"),
        ping=None if ping is None else around.statuses[ping],
        site=None if site is None else around.statuses[site],
        site_port=None if site is None else state.targets[site].port,
        plain=_plain(state, entry, around),
        hit=None if failing is None else _hit(state, entry, failing),
    )


def _plain(state: PartitionState, entry: TargetState, around: Neighbours) -> TargetStatus | None:
    """The status of a plain connection to the same port."""
    if entry.kind == "tcp":
        return None
    for other in around.kinds.get("tcp", ()):
        if state.targets[other].port == entry.port:
            return around.statuses[other]
    return None


def _hit(state: PartitionState, entry: TargetState, regions: Collection[str]) -> int:
    """Number of the first other targets that fail from one of `regions`."""
    others = (
        other
        for other in state.on_host(entry.host_key)
        if other != entry.id and not state.targets[other].policy.closed
    )
    return sum(
        any(
            region in regions and window.failing is not None
            for region, window in _counting(state, state.targets[other])
        )
        and state.targets[other].kind != DOMAIN
        for other in islice(others, LOOKED_AT)
    )
