"""The input of a diagnosis: only facts, so that it can be read, tested and explained."""

from typing import Final, Literal

from msgspec import Struct

from schemas.incident import TargetStatus
from schemas.result import Reason
from schemas.target import Target

Family = Literal["refused", "silence", "reset", "dns", "tls", "service", "heartbeat"]
"""Groups of reasons with the same kind of cause: who answered, if anybody."""

FAMILY: Final[dict[Reason, Family]] = {
    "connection_refused": "refused",
    "timed_out": "silence",
    "host_unreachable": "silence",
    "network_unreachable": "silence",
    "connection_reset": "reset",
    "dns_failed": "dns",
    "tls_failed": "tls",
    "certificate_ending": "tls",
    "certificate_expired": "tls",
    "certificate_invalid": "tls",
    "too_many_connections": "service",
    "no_answer": "service",
    "protocol_mismatch": "service",
    "unexpected_response": "service",
    "heartbeat_missed": "heartbeat",
    "job_failed": "heartbeat",
    "job_overran": "heartbeat",
    "port_open": "service",
    "too_slow": "service",
    "domain_ending": "service",
    "domain_expired": "service",
    # These never move a verdict; they have a family so that every reason has one.
    "address_blocked": "service",
    "secret_missing": "service",
    "prober_error": "service",
}

SLOWED_TIMES: Final = 4
"""Slow before the failure: the newest times were at least this many times the usual ones …"""

SLOWED_BY_US: Final = 10_000
"""… and longer by at least this, in µs: on a local network 0.2 ms becomes 1 ms without a cause."""


class Latency(Struct, frozen=True, gc=False):
    """The target's latency from a region, in µs: `usual` over the last hour, `lately` at last."""

    region: str
    usual_us: int
    lately_us: int

    @property
    def slowed(self) -> bool:
        """True if the target was far slower than usual at the end."""
        more = self.lately_us - self.usual_us
        return more >= SLOWED_BY_US and self.lately_us >= SLOWED_TIMES * self.usual_us


class Host(Struct, frozen=True, gc=False, kw_only=True):
    """The other targets of the host: the number with each status.

    `ping` and `site` are the statuses of kind `icmp` and `http` (the target with the lowest id),
    `site_port` is the latter's port; `plain` is the status of a target of another kind on the same
    port. `hit` counts other targets (of the first few) that fail from a region from which this one
    fails; None if no region succeeds, because nobody looked then.
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
        """Number of other targets that can be reached."""
        return self.up + self.slow

    @property
    def ports(self) -> int:
        """Number of targets on the host, this one included."""
        return self.answering + self.down + self.unknown + 1

    @property
    def all_down(self) -> bool:
        """True if there are other targets and all of them are down."""
        return self.down > 0 and self.ports == self.down + 1


class Facts(Struct, frozen=True, gc=False, kw_only=True):
    """The known facts about a target at one moment; regions are sorted by name.

    `failing` regions say `down`, with the reason; `working` ones have succeeded since the first of
    those began to fail, including regions that say `slow`. `troubled` are failing or slow regions
    in which many other targets fail too, with their share in percent. `unusual` are slow regions
    with a time above the usual, `rising` regions that will soon exceed the limit, with the hours
    until then. `latency` is that of the failing and slow regions, where known. `ending` are regions
    that saw a certificate which ends soon, with its end, `renewed` those that have succeeded since
    the first of them did, and saw none. `at` is the moment (log time).
    """

    target: Target
    failing: tuple[tuple[str, Reason], ...] = ()
    slow: tuple[str, ...] = ()
    working: tuple[str, ...] = ()
    troubled: tuple[tuple[str, int], ...] = ()
    unusual: tuple[str, ...] = ()
    rising: tuple[tuple[str, int], ...] = ()
    latency: tuple[Latency, ...] = ()
    ending: tuple[tuple[str, int], ...] = ()
    renewed: tuple[str, ...] = ()
    at: int = 0
    host: Host = Host()

    @property
    def quick(self) -> tuple[str, ...]:
        """Working regions that are not slow."""
        return tuple(region for region in self.working if region not in self.slow)

    @property
    def failing_regions(self) -> tuple[str, ...]:
        """Names of the failing regions, without reasons."""
        return tuple(region for region, _ in self.failing)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The distinct reasons, most frequent first (then by name)."""
        counts: dict[Reason, int] = {}
        for _, reason in self.failing:
            counts[reason] = counts.get(reason, 0) + 1
        return tuple(sorted(counts, key=lambda reason: (-counts[reason], reason)))

    @property
    def family(self) -> Family | None:
        """The family of more than half of the failing regions; None if there is none."""
        counts: dict[Family, int] = {}
        for _, reason in self.failing:
            family = FAMILY[reason]
            counts[family] = counts.get(family, 0) + 1
        most = max(counts, key=lambda family: (counts[family], family))
        return most if counts[most] * 2 > len(self.failing) else None

    @property
    def slowed(self) -> Latency | None:
        """The slowest latency at the end, if at least half of these regions saw a slowdown."""
        slowed = [latency for latency in self.latency if latency.slowed]
        if not slowed or len(slowed) * 2 < len(self.latency):
            return None
        return max(slowed, key=lambda latency: latency.lately_us)
