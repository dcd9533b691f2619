"""What is simulated: all of it follows from one `Scenario`."""

from msgspec import Struct

START = 1_800_000_000_000
"""Virtual time begins here (UTC ms, broker time)."""

HOUR_MS = 3_600_000


class Scenario(Struct, frozen=True, kw_only=True):
    """The size of a fleet, how long it is watched, and how much goes wrong.

    Rates are mean numbers per hour: `outages` a target, `regional` (one region cannot reach a part
    of the targets) and `losses` (it loses its network) a region, `deaths` a prober; `pauses` (of
    the broker), `crashes` (of a worker), `changes` (of the inventory) and `rests` (pauses of a
    target) a partition. `storms` a
    target: outages one after the other. `blips` is the share of first attempts that fail for no
    reason; `duplicates` that of messages that are appended twice.
    """

    seed: int
    targets: int = 20
    regions: int = 3
    probers: int = 2
    partitions: int = 2
    hours: float = 1.0
    outages: float = 0.3
    hosts: float = 0.15
    regional: float = 0.3
    losses: float = 0.2
    deaths: float = 0.3
    pauses: float = 0.3
    crashes: float = 1.0
    changes: float = 0.5
    rests: float = 2.0
    steps: float = 0.1
    storms: float = 0.02
    blips: float = 0.0005
    duplicates: float = 0.001
    calm_ms: float = 400_000
    """Nothing goes wrong at the beginning, until every region has spoken; nor begins at the end."""
    plain: bool = False
    """All targets have the default policy."""
    set_back_at: float = float("inf")
    """From then on the broker's clock is `set_back_ms` behind virtual time."""
    set_back_ms: float = 0.0

    @property
    def end(self) -> float:
        return START + self.hours * HOUR_MS
