"""The targets of a scenario: hosts with one to six ports, and policies of all sorts."""

from random import Random

from schemas.target import Consensus, Target
from tests.simulation.scenario import START, Scenario


def region_names(count: int) -> tuple[str, ...]:
    return tuple(f"region-{number}" for number in range(count))


def make_targets(scenario: Scenario, rng: Random) -> list[Target]:
    """The inventory at the beginning."""
    targets: list[Target] = []
    host = 0
    while len(targets) < scenario.targets:
        host += 1
        ports = rng.choice((1, 1, 1, 2, 3, 6))
        for place in range(min(ports, scenario.targets - len(targets))):
            targets.append(
                _target(scenario, rng, f"t{len(targets)}", f"host{host}.example.com", 1000 + place)
            )
    return targets


def _target(scenario: Scenario, rng: Random, name: str, host: str, port: int) -> Target:
    regions = region_names(scenario.regions)
    plain = scenario.plain or rng.random() < 0.5
    some = regions
    if not plain and len(regions) > 2 and rng.random() < 0.2:
        some = tuple(sorted(rng.sample(regions, rng.randint(2, len(regions)))))
    consensus: Consensus = "quorum"
    if not plain:
        consensus = rng.choice(("quorum", "quorum", "quorum", "unanimous", 0.5, 0.8))
    return Target(
        id=name,
        name=name,
        kind="tcp",
        host=host,
        port=port,
        regions=some,
        interval_ms=60_000 if plain else rng.choice((20_000, 30_000, 60_000, 300_000)),
        timeout_ms=3_000 if plain else rng.choice((1_000, 3_000, 5_000)),
        version=START,
        source="simulation",
        retries=1 if plain else rng.choice((0, 1, 1, 1, 2)),
        retry_delay_ms=1_000 if plain else rng.choice((500, 1_000, 2_000)),
        consensus=consensus,
        open_after_ms=0 if plain else rng.choice((0, 0, 0, 30_000)),
        recover_after=1 if plain else rng.choice((1, 1, 1, 2)),
    )
