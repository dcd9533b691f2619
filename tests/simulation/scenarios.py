"""Which fleets are simulated: the short form, and the long one."""

from collections.abc import Iterator

from tests.simulation.scenario import Scenario

SMALL = (
    # targets, regions, probers a region, partitions
    (12, 3, 2, 2),
    (20, 5, 1, 1),
    (40, 3, 2, 3),
    (8, 2, 1, 1),
    (30, 4, 2, 2),
    (6, 1, 2, 1),
    (60, 3, 1, 2),
    (16, 5, 2, 2),
)


def small(seed: int, hours: float) -> Scenario:
    """A small fleet with all sorts of policies; the seed says which."""
    targets, regions, probers, partitions = SMALL[seed % len(SMALL)]
    return Scenario(
        seed=seed,
        targets=targets,
        regions=regions,
        probers=probers,
        partitions=partitions,
        hours=hours,
    )


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
        calm_ms=90_000,
        plain=True,
    )
