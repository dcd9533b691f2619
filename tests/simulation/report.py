"""What came of one or many runs, for people."""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field

from schemas.incident import RegionEvent
from tests.simulation.judge import Verdict, judge
from tests.simulation.regions import judge_regions
from tests.simulation.scenario import START, Scenario
from tests.simulation.simulation import Run, Simulation
from tests.simulation.worker import Divergence

SHOWN = 20


class Report(Struct, kw_only=True):
    """Sums over runs; `seconds` is the time that simulating took, over all processes."""

    runs: int = 0
    hours: float = 0
    target_hours: float = 0
    seconds: float = 0
    results: int = 0
    messages: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    must: int = 0
    may: int = 0
    must_close: int = 0
    incidents: int = 0
    flapping: int = 0
    events: int = 0
    silenced_by_broker: int = 0
    regions: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    rechecks: int = 0
    crashes: int = 0
    replayed: int = 0
    from_outage: list[float] = field(default_factory=list)
    from_failure: list[float] = field(default_factory=list)
    to_close: list[float] = field(default_factory=list)
    divergences: list[tuple[Scenario, Divergence]] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Adds another report to this one."""
        for name in self.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, dict):
                for key, count in theirs.items():
                    mine[key] = mine.get(key, 0) + count
            else:
                setattr(self, name, mine + theirs)

    def lines(self) -> Iterator[str]:
        """The report."""
        rate = self.results / self.seconds if self.seconds else 0
        yield (
            f"{self.runs} runs, {self.hours:.1f} simulated hours ({self.target_hours:,.0f} target "
            f"hours), {self.results:,} results in {self.messages:,} messages; "
            f"{self.seconds:.0f} s of work, {rate:,.0f} results/s"
        )
        yield "faults: " + ", ".join(f"{count} {name}" for name, count in self.faults.items())
        yield (
            f"incidents: {self.incidents} ({self.flapping} flapping) in {self.events} events; "
            f"{self.must} had to be found in time, {self.may} more were of outages at the edge; "
            f"{self.must_close} had to be closed in time"
        )
        yield "told of regions: " + ", ".join(
            f"{count} {name}" for name, count in sorted(self.regions.items())
        )
        yield (
            f"rechecks: {self.requests} requests asked for {self.rechecks} checks "
            f"({_share(self.rechecks, self.results)} of all results)"
        )
        yield (
            f"workers killed: {self.crashes}, {self.replayed} records applied again; "
            f"regions called silent after a broker that was away for less than 15 s: "
            f"{self.silenced_by_broker}"
        )
        yield f"from the outage's begin to `opened`: {_spread(self.from_outage)}"
        yield f"from its first failed result to `opened`: {_spread(self.from_failure)}"
        yield f"from its end to `closed`: {_spread(self.to_close)}"
        kinds: dict[str, int] = {}
        for _, divergence in self.divergences:
            kinds[divergence.what] = kinds.get(divergence.what, 0) + 1
        yield (
            f"missed {kinds.get('missed', 0)}, doubled {kinds.get('doubled', 0)}, "
            f"diverged in all {len(self.divergences)}"
        )
        for what, count in kinds.items():
            yield f"  {count} × {what}"
        for scenario, one in self.divergences[:SHOWN]:
            yield (
                f"seed {scenario.seed}, {one.target}, at {(one.at - START) / 1000:.3f} s: "
                f"{one.what} {one.detail} ({scenario})"
            )


def report(run: Run) -> Report:
    """Judges a run."""
    verdict: Verdict = judge(run)
    judge_regions(run, verdict)
    scenario, faults = run.scenario, run.faults
    kinds: dict[str, int] = {}
    for outage in faults.outages:
        kinds[outage.what] = kinds.get(outage.what, 0) + 1
    kinds |= {
        "lost regions": len(faults.losses),
        "deaths": len(faults.deaths),
        "pauses": len(faults.pauses),
        "clock steps": len(faults.steps),
        "changes": len(faults.changes),
        "blips": sum(map(len, run.blips.values())),
    }
    return Report(
        runs=1,
        hours=scenario.hours,
        target_hours=scenario.hours * scenario.targets,
        seconds=run.seconds,
        results=run.results,
        messages=run.messages,
        faults=kinds,
        must=verdict.must,
        may=verdict.may,
        must_close=verdict.must_close,
        incidents=verdict.incidents,
        flapping=verdict.flapping,
        events=verdict.events,
        silenced_by_broker=verdict.silenced_by_broker,
        regions=Counter(event.event for _, event in run.events if isinstance(event, RegionEvent)),
        requests=run.rechecks_asked,
        rechecks=run.rechecks_made,
        crashes=run.crashes,
        replayed=run.replayed,
        from_outage=verdict.from_outage,
        from_failure=verdict.from_failure,
        to_close=verdict.to_close,
        divergences=[(scenario, one) for one in verdict.divergences],
    )


def simulate(scenario: Scenario) -> Report:
    """Runs and judges; for a pool of processes."""
    return report(Simulation(scenario).run())


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _spread(values: list[float]) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    parts = [
        f"{name} {ordered[min(len(ordered) - 1, int(len(ordered) * part))] / 1000:.1f} s"
        for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
    ]
    return f"{', '.join(parts)} ({len(values)})"
