"""`python -m tests.simulation --seed N --targets N --regions N --hours H`."""

import argparse
import sys
import time
from random import SystemRandom

from tests.simulation.report import report
from tests.simulation.scenario import START, Scenario
from tests.simulation.scenarios import large, small
from tests.simulation.simulation import Simulation
from tests.simulation.story import tell


def main() -> int:
    """Simulates one fleet; 1 if anything diverged from the ground truth."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--targets", type=int)
    parser.add_argument("--regions", type=int)
    parser.add_argument("--probers", type=int, help="of each region")
    parser.add_argument("--partitions", type=int)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--large", action="store_true", help="10,000 targets, 5 regions")
    parser.add_argument("--stories", type=int, default=1, help="divergences to tell in full")
    arguments = parser.parse_args()
    scenario = (large if arguments.large else small)(arguments.seed, arguments.hours)
    chosen = {
        name: value
        for name in ("targets", "regions", "probers", "partitions")
        if (value := getattr(arguments, name)) is not None
    }
    scenario = Scenario(**{**_fields(scenario), **chosen})
    sys.stdout.write(f"{scenario}\n")
    found = report(Simulation(scenario).run(_progress()))
    sys.stderr.write("\n")
    for line in found.lines():
        sys.stdout.write(f"{line}\n")
    for _, divergence in found.divergences[: arguments.stories]:
        for line in tell(scenario, divergence):
            sys.stdout.write(f"{line}\n")
    return 1 if found.divergences else 0


def _fields(scenario: Scenario) -> dict[str, int | float | bool]:
    return {name: getattr(scenario, name) for name in scenario.__struct_fields__}


class _progress:  # noqa: N801 - used as a function with a memory
    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, at: float, results: int) -> None:
        if time.monotonic() - self._said > 2:
            self._said = time.monotonic()
            sys.stderr.write(f"\r{(at - START) / 3_600_000:.2f} h, {results:,} results")
            sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
