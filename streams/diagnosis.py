"""Rule 10, first cut: what it looks like, and the first steps.

A diagnosis is chosen from facts alone: which fresh regions fail and why, which succeed, and the
status of the other targets of the host.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from schemas.incident import IncidentType, TargetStatus
from schemas.result import REASON_TEXT, Reason
from schemas.target import Target
from streams.freshness import is_fresh
from streams.neighbours import Neighbours
from streams.state import PartitionState
from streams.target_state import TargetState


class Facts(Struct, frozen=True, gc=False):
    """What a diagnosis rests on. Regions are sorted by name; `failing` has their reasons."""

    target: Target
    failing: tuple[tuple[str, Reason], ...]
    working: tuple[str, ...]
    around: Neighbours
    slow: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The different reasons, most frequent first (then by name)."""
        counts: dict[Reason, int] = {}
        for _, reason in self.failing:
            counts[reason] = counts.get(reason, 0) + 1
        return tuple(sorted(counts, key=lambda reason: (-counts[reason], reason)))

    def others(self, *statuses: TargetStatus) -> int:
        """How many other targets of the host have one of `statuses`."""
        return self.around.others(self.target.id, *statuses)

    @property
    def ports(self) -> int:
        """How many targets the host has, this one included."""
        return self.around.all_others() + 1


class Diagnosis(Struct, frozen=True, gc=False):
    """`likely` names the likely cause (stable, for machines); `sentence` and steps for people."""

    likely: str
    sentence: str
    first_steps: tuple[str, ...]


def facts(state: PartitionState, entry: TargetState, around: Neighbours) -> Facts:
    """The facts of a target at the state's moment."""
    running = state.running
    failing: list[tuple[str, Reason]] = []
    working: list[str] = []
    slow: list[str] = []
    for region, window in sorted(
        zip(entry.policy.regions, state.windows(entry), strict=True), key=lambda pair: pair[0]
    ):
        if window is None or not is_fresh(window, running):
            continue
        if window.down and window.failing is not None:
            failing.append((region, window.failing.reason))
        elif window.failing is None:
            working.append(region)
        if window.slow:
            slow.append(region)
    return Facts(entry.target, tuple(failing), tuple(working), around, tuple(slow))


def diagnose(known: Facts, about: IncidentType) -> Diagnosis:
    """The likeliest cause of what the facts show; at least one region must fail, or be slow."""
    if about == "slow":
        return Diagnosis(
            "slow",
            f"It answers, but slowly, seen from {_names(known.slow)}.",
            (f"On {known.target.host}: uptime; ss -s",),
        )
    return _BY_REASON.get(known.reasons[0], _any_other)(known)


def _refused(known: Facts) -> Diagnosis:
    port, host = known.target.port, known.target.host
    if known.working:
        return Diagnosis(
            "path",
            f"{_names(known.working)} can connect, {_failing(known)} can't: the service listens "
            "on some addresses only, or a firewall refuses for it.",
            (
                f"On {host}: ss -ltnp 'sport = :{port}' (on which addresses?)",
                "Look for firewall rules that reject these source addresses",
            ),
        )
    if known.ports > 1 and not known.others("up", "slow", "pending", "unknown"):
        return Diagnosis(
            "all_services_down",
            f"The host refuses, and none of its {known.ports} watched ports accepts a connection: "
            "it was just restarted, or all its services are down.",
            (
                f"Look when {host} was started (uptime) and what failed (systemctl --failed)",
                f"On {host}: ss -ltn",
            ),
        )
    return Diagnosis(
        "service_down",
        f"The host answers, nothing listens on {port}: the service is down.",
        (
            f"On {host}: ss -ltnp 'sport = :{port}' (does anything listen?)",
            "Start the service again and read its log (systemctl status, journalctl -u)",
            "If it runs: does it listen on this address and port?",
        ),
    )


def _timed_out(known: Facts) -> Diagnosis:
    port, host = known.target.port, known.target.host
    if known.working:
        return Diagnosis(
            "path",
            f"{_names(known.working)} can connect, {_failing(known)} can't: "
            "a firewall or the route between them and the host.",
            (
                f"From a failing region: mtr --tcp --port {port} {host}",
                "Look for changed firewall or routing rules for these source addresses",
            ),
        )
    if known.others("up", "slow"):
        return Diagnosis(
            "filtered",
            f"The host answers on other ports, nothing comes back from {port}: "
            "a firewall drops it, or the service no longer accepts connections.",
            (
                f"On {host}: ss -ltn 'sport = :{port}' (is the accept queue full?)",
                f"Look for a firewall rule for port {port}",
            ),
        )
    if known.others("down"):
        return Diagnosis(
            "host_down",
            f"None of the host's {known.ports} watched ports accepts a connection: "
            "the host is down or cut off.",
            (
                f"Is {host} switched on? Look at its console or its hypervisor",
                f"mtr {host} (where does the path end?)",
            ),
        )
    return Diagnosis(
        "no_answer",
        f"Nothing comes back from {host}: the host is down, cut off, or a firewall drops it.",
        (
            f"ping {host}; mtr --tcp --port {port} {host}",
            "Watch a second port of this host: it tells a dead service from a dead host",
        ),
    )


def _dns(known: Facts) -> Diagnosis:
    host = known.target.host
    where = "everywhere" if not known.working else f"in {_failing(known)}"
    return Diagnosis(
        "dns",
        f"The name {host} does not resolve {where}: a DNS record or its name server.",
        (f"dig {host} @1.1.1.1; dig +trace {host}", "Was the record or the domain changed?"),
    )


def _no_route(known: Facts) -> Diagnosis:
    if known.working:
        return Diagnosis(
            "path",
            f"{_names(known.working)} can connect, {_failing(known)} has no route to the host.",
            ("Look at the routes of the failing regions",),
        )
    return Diagnosis(
        "no_route",
        f"There is no route to {known.target.host}: its network is down or no longer announced.",
        (f"ip route get {known.target.host}", "Ask the network's operator"),
    )


def _reset(known: Facts) -> Diagnosis:
    return Diagnosis(
        "reset",
        f"Connections to {known.target.port} are reset: the service or a firewall closes them.",
        ("Read the service's log", "Look for a firewall that rejects with a reset"),
    )


def _any_other(known: Facts) -> Diagnosis:
    reason = known.reasons[0]
    return Diagnosis(
        reason,
        f"{REASON_TEXT[reason]}.",
        (f"Read the log of the service behind {known.target.place}",),
    )


_BY_REASON: Final[dict[Reason, Callable[[Facts], Diagnosis]]] = {
    "connection_refused": _refused,
    "timed_out": _timed_out,
    "dns_failed": _dns,
    "network_unreachable": _no_route,
    "host_unreachable": _no_route,
    "connection_reset": _reset,
}


def _failing(known: Facts) -> str:
    return _names(region for region, _ in known.failing)


def _names(regions: Iterable[str]) -> str:
    names = list(regions)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
