"""Which fleets are simulated: the short form, and the long one."""

from collections.abc import Iterator

import msgspec

from tests.simulation.scenario import Scenario

SMALL: tuple[dict[str, float], ...] = (
    {"targets": 12, "regions": 3, "probers": 2, "partitions": 2},
    {"targets": 20, "regions": 5, "probers": 1, "partitions": 1},
    {"targets": 40, "regions": 3, "probers": 2, "partitions": 3},
    {"targets": 8, "regions": 2, "probers": 1, "partitions": 1},
    {"targets": 30, "regions": 4, "probers": 2, "partitions": 2},
    {"targets": 6, "regions": 1, "probers": 2, "partitions": 1},
    {"targets": 60, "regions": 3, "probers": 1, "partitions": 2, "losses": 1.0},
    {"targets": 16, "regions": 5, "probers": 2, "partitions": 2, "storms": 0.2},
    # Much that begins and ends while the broker is away.
    {
        "targets": 24,
        "regions": 2,
        "probers": 1,
        "partitions": 1,
        "pauses": 6.0,
        "outages": 2.0,
        "duplicates": 0.05,
    },
)


def small(seed: int, hours: float) -> Scenario:
    """A small fleet with all sorts of policies; the seed says which."""
    fleet = SMALL[seed % len(SMALL)]
    return msgspec.convert({**fleet, "seed": seed, "hours": hours}, Scenario)


def smalls(seed: int, total_hours: float, hours: float) -> Iterator[Scenario]:
    """Small fleets one after the other until they make up `total_hours`."""
    count = round(total_hours / hours)
    for number in range(count):
        yield small(seed + number, hours)


def large(seed: int, hours: float) -> Scenario:
    """10,000 targets in 5 regions, most with the default policy."""
    # In a short run as much goes wrong, in all, as in an hour.
    often = max(1.0, 1 / hours)
    return Scenario(
        seed=seed,
        targets=10_000,
        regions=5,
        probers=2,
        partitions=16,
        hours=hours,
        outages=0.2,
        hosts=0.05,
        storms=0.002,
        crashes=0.5 * often,
        changes=2.0,
        regional=0.3 * often,
        losses=0.2 * often,
        deaths=0.3 * often,
        pauses=0.5 * often,
        calm_ms=60_000,
        plain=True,
    )
