"""What a diagnosis rests on: facts alone, so that it can be read, tested and explained."""

from typing import Final, Literal

from msgspec import Struct

from schemas.incident import TargetStatus
from schemas.result import Reason
from schemas.target import Target

Family = Literal["refused", "silence", "reset", "dns", "tls", "service", "heartbeat"]
"""Reasons that point to the same kind of cause: who answered, if anybody."""

FAMILY: Final[dict[Reason, Family]] = {
    "connection_refused": "refused",
    "timed_out": "silence",
    "host_unreachable": "silence",
    "network_unreachable": "silence",
    "connection_reset": "reset",
    "dns_failed": "dns",
    "tls_failed": "tls",
    "certificate_expired": "tls",
    "certificate_invalid": "tls",
    "too_many_connections": "service",
    "protocol_mismatch": "service",
    "unexpected_response": "service",
    "heartbeat_missed": "heartbeat",
    # These two never move a verdict; they have a family so that every reason has one.
    "address_blocked": "service",
    "prober_error": "service",
}

SLOWED_TIMES: Final = 4
"""It was slow before it fell when the newest times were so many times the usual ones …"""

SLOWED_BY_US: Final = 10_000
"""… and so much longer: on a local network 0.2 ms turn into 1 ms for no reason."""


class Latency(Struct, frozen=True, gc=False):
    """How fast the target answered a region: `usual` in the last hour, `lately` at last (µs)."""

    region: str
    usual_us: int
    lately_us: int

    @property
    def slowed(self) -> bool:
        """Whether it answered far slower at last."""
        more = self.lately_us - self.usual_us
        return more >= SLOWED_BY_US and self.lately_us >= SLOWED_TIMES * self.usual_us


class Host(Struct, frozen=True, gc=False, kw_only=True):
    """What the other targets of the host say: how many have each status.

    `ping` and `site` are those of kind `icmp` and `http` (the one with the lowest id), `site_port`
    the latter's port; `plain` is the status of another target, of another kind, on the same port.
    `hit` counts those that fail from a region from which this one fails (of the first few that
    were looked at); None when that was not looked at, since no region succeeds.
    """

    up: int = 0
    slow: int = 0
    down: int = 0
    unknown: int = 0
    ping: TargetStatus | None = None
    site: TargetStatus | None = None
    site_port: int | None = None
    plain: TargetStatus | None = None
    hit: int | None = None

    @property
    def answering(self) -> int:
        """How many others can be reached."""
        return self.up + self.slow

    @property
    def ports(self) -> int:
        """How many targets the host has, this one included."""
        return self.answering + self.down + self.unknown + 1

    @property
    def all_down(self) -> bool:
        """Whether there are others, and every one of them is down."""
        return self.down > 0 and self.ports == self.down + 1


class Facts(Struct, frozen=True, gc=False, kw_only=True):
    """What is known of a target at one moment; regions are sorted by name.

    `failing` regions say `down`, with the reason; `working` ones have succeeded since the first
    of those began to fail, also those that say `slow`. `troubled` are those among the failing and
    slow ones in which much else fails too, with the share of it in percent. `unusual` are the slow
    ones in which it takes longer than usual, `rising` those in which it soon will be too long, with
    the hours until then. `latency` is that of
    the failing and slow regions, where known.
    """

    target: Target
    failing: tuple[tuple[str, Reason], ...] = ()
    slow: tuple[str, ...] = ()
    working: tuple[str, ...] = ()
    troubled: tuple[tuple[str, int], ...] = ()
    unusual: tuple[str, ...] = ()
    rising: tuple[tuple[str, int], ...] = ()
    latency: tuple[Latency, ...] = ()
    host: Host = Host()

    @property
    def quick(self) -> tuple[str, ...]:
        """The working ones that are not slow."""
        return tuple(region for region in self.working if region not in self.slow)

    @property
    def failing_regions(self) -> tuple[str, ...]:
        """Without their reasons."""
        return tuple(region for region, _ in self.failing)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The different reasons, most frequent first (then by name)."""
        counts: dict[Reason, int] = {}
        for _, reason in self.failing:
            counts[reason] = counts.get(reason, 0) + 1
        return tuple(sorted(counts, key=lambda reason: (-counts[reason], reason)))

    @property
    def family(self) -> Family | None:
        """The family that more than half of the failing regions agree on, None if none."""
        counts: dict[Family, int] = {}
        for _, reason in self.failing:
            family = FAMILY[reason]
            counts[family] = counts.get(family, 0) + 1
        most = max(counts, key=lambda family: (counts[family], family))
        return most if counts[most] * 2 > len(self.failing) else None

    @property
    def slowed(self) -> Latency | None:
        """The slowest at last, if at least half of these regions saw it get slow."""
        slowed = [latency for latency in self.latency if latency.slowed]
        if not slowed or len(slowed) * 2 < len(self.latency):
            return None
        return max(slowed, key=lambda latency: latency.lately_us)
