"""The long form: 10,000 hours of small fleets in two processes, then one large fleet.

`python -m tests.simulation.soak --seed N --hours 10000 --large-hours 6 --minutes 600` writes the
report as it grows. What does not fit into the minutes is left out, and the report says so.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from random import SystemRandom

from tests.simulation.report import Report, simulate
from tests.simulation.scenario import Scenario
from tests.simulation.scenarios import large, smalls

PROCESSES = 2
HOURS_A_RUN = 10.0


def soak(
    seed: int, hours: float, large_hours: float, minutes: float, where: Path
) -> tuple[Report, Report]:
    """Simulates both parts; the report lies in `where` and is written anew every minute.

    The large fleet runs last, in what the small ones have left of the time, and only if its hours
    are more than none.
    """
    until = time.monotonic() + minutes * 60
    found, one = Report(), Report()

    def write() -> None:
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text("\n".join(_text(seed, hours, large_hours, found, one)) + "\n")

    said = time.monotonic()
    for report in _pooled(smalls(seed, hours, HOURS_A_RUN), until):
        found.add(report)
        if time.monotonic() - said > 60:
            said = time.monotonic()
            write()
            sys.stderr.write(f"{found.hours:,.0f} of {hours:,.0f} hours\n")
    write()
    if large_hours and time.monotonic() < until:
        one.add(simulate(large(seed, large_hours)))
        write()
    return found, one


def _pooled(scenarios: Iterator[Scenario], until: float) -> Iterator[Report]:
    with ProcessPoolExecutor(PROCESSES) as pool:
        out: set[Future[Report]] = set()
        for scenario in scenarios:
            if time.monotonic() >= until:
                break
            out.add(pool.submit(simulate, scenario))
            if len(out) >= 2 * PROCESSES:
                done, out = wait(out, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in out)


def _text(seed: int, hours: float, large_hours: float, found: Report, one: Report) -> Iterator[str]:
    yield f"Simulated fleets, seed {seed}"
    yield ""
    yield f"Small fleets ({found.hours:,.0f} of {hours:,.0f} hours):"
    yield from found.lines()
    yield ""
    yield f"10,000 targets in 5 regions ({one.hours:,.1f} of {large_hours:,.1f} hours):"
    yield from one.lines() if one.runs else ("not run",)


def main() -> int:
    """1 if anything diverged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--hours", type=float, default=10_000.0)
    parser.add_argument("--large-hours", type=float, default=6.0)
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--report", type=Path, default=Path("soak-reports/simulation.txt"))
    given = parser.parse_args()
    found, one = soak(given.seed, given.hours, given.large_hours, given.minutes, given.report)
    sys.stdout.write(given.report.read_text())
    return 1 if found.divergences or one.divergences else 0


if __name__ == "__main__":
    sys.exit(main())
