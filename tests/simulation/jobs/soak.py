"""The long form: many small fleets of jobs in all sorts of zones, then one of 10,000 for a day.

`python -m tests.simulation.jobs.soak --seed N --simulations 400 --report FILE` writes the report as
it grows.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

from tests.simulation.jobs.fleet import HOURLY, NIGHTLY, QUICK, Scenario
from tests.simulation.jobs.judge import Found, simulate
from tests.unit.streams.rules.job_accounts import HOUR, ms

NIGHTS: Final = (
    ("Europe/Berlin", "2027-03-28"),
    ("Europe/Berlin", "2027-10-31"),
    ("Europe/London", "2027-03-28"),
    ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"),
    ("America/Santiago", "2027-09-05"),
    ("America/Santiago", "2027-04-04"),
    ("Australia/Lord_Howe", "2027-10-03"),
    ("Australia/Lord_Howe", "2027-04-04"),
    ("Africa/Casablanca", "2027-03-14"),
    ("Asia/Kathmandu", "2027-06-01"),
    ("Pacific/Auckland", "2027-09-26"),
)


def small(seed: int) -> Scenario:
    """A night in which the clocks change, or a day in which receivers and broker come and go."""
    rng = Random(seed)  # noqa: S311 - a simulation, seeded
    zone, day = NIGHTS[seed % len(NIGHTS)]
    hours = rng.choice((5.0, 8.0, 26.0))
    minutes = sorted(rng.sample(range(20, int(hours * 60) - 40, 45), rng.randint(0, 4)))
    troubles = [(float(at), rng.choice((0.5, 1.0, 10.0, 30.0))) for at in minutes]
    return Scenario(
        seed=seed,
        begin=ms(f"{day} 00:00", zone) - rng.choice((0, 0, 6)) * HOUR,
        hours=hours,
        jobs=rng.choice((12, 40, 80)),
        zones=(zone, rng.choice(("UTC", "Europe/Berlin", "America/New_York"))),
        schedules=NIGHTLY + HOURLY + QUICK,
        partitions=rng.choice((1, 3)),
        troubles=rng.choice((0.0, 0.02, 0.1, 0.3)),
        deaf=tuple(troubles[::2]),
        silent=tuple(troubles[1::2]),
        deaths=rng.choice((0.0, 2.0, 30.0)),
    )


def large(seed: int, hours: float) -> Scenario:
    """10,000 jobs whose receivers are away for half an hour, and whose log is silent for 10 min."""
    return Scenario(
        seed=seed,
        begin=ms("2027-03-27 18:00", "Europe/Berlin"),
        hours=hours,
        jobs=10_000,
        zones=("Europe/Berlin", "America/New_York", "UTC"),
        schedules=NIGHTLY + HOURLY,
        partitions=8,
        troubles=0.02,
        deaf=((20, 30),),
        silent=((80, 10),),
        deaths=20,
    )


def soak(seed: int, simulations: int, large_hours: float, where: Path) -> Found:
    """Runs all of it; the report lies in `where` and is written anew every minute."""
    found = Found()
    where.parent.mkdir(parents=True, exist_ok=True)
    said = time.monotonic()
    for scenario in _scenarios(seed, simulations, large_hours):
        found.add(simulate(scenario))
        if time.monotonic() - said > 60:
            said = time.monotonic()
            _write(where, seed, found)
    _write(where, seed, found)
    return found


def _scenarios(seed: int, simulations: int, large_hours: float) -> Iterator[Scenario]:
    yield from (small(seed + number) for number in range(simulations))
    if large_hours:
        yield large(seed, large_hours)


def _write(where: Path, seed: int, found: Found) -> None:
    where.write_text("\n".join([f"Simulated jobs, seed {seed}", "", *found.lines()]) + "\n")


def main() -> int:
    """1 if anything diverged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--large-hours", type=float, default=14.0)
    parser.add_argument("--report", type=Path, default=Path("soak-reports/jobs.txt"))
    given = parser.parse_args()
    found = soak(given.seed, given.simulations, given.large_hours, given.report)
    sys.stdout.write(given.report.read_text())
    return 1 if found.divergences else 0


if __name__ == "__main__":
    sys.exit(main())
