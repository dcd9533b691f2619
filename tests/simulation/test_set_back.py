"""A broker's clock that is set back by 40 days: the probers and the rules follow."""

from typing import Final

import pytest
from msgspec import structs

from schemas.incident import IncidentEvent, RegionEvent
from tests.simulation.scenario import HOUR_MS, START
from tests.simulation.simulation import Run, Simulation
from tests.simulation.test_simulation import small_and_quiet

STEP_AT: Final = START + 1.5 * HOUR_MS
BACK_MS: Final = 40 * 24 * HOUR_MS
FOLLOWED_MS: Final = 180_000.0
"""What begins so near to the step may be found later than else: nothing counts before the probers
have followed (10 s), and then comes the next check of every target."""


def in_virtual_time(event: IncidentEvent | RegionEvent) -> IncidentEvent | RegionEvent:
    """The event with the times that it would have, had the clock not been set back."""
    if event.at >= START or isinstance(event, RegionEvent):
        return event
    regions = {
        name: said if said.since is None else structs.replace(said, since=said.since + BACK_MS)
        for name, said in event.regions.items()
    }
    return structs.replace(
        event,
        at=event.at + BACK_MS,
        opened_at=event.opened_at + BACK_MS,
        first_failed_at=event.first_failed_at + BACK_MS,
        regions=regions,
    )


@pytest.fixture(scope="module")
def run() -> Run:
    scenario = small_and_quiet(5, outages=1.5)
    scenario = structs.replace(
        scenario, plain=True, hours=8.0, set_back_at=STEP_AT, set_back_ms=BACK_MS
    )
    run = Simulation(scenario).run()
    assert {event.at < START for _, event in run.events} == {True, False}
    run.events = [(partition, in_virtual_time(event)) for partition, event in run.events]
    return run


def events_of(run: Run, name: str) -> list[IncidentEvent]:
    return [
        event
        for _, event in run.events
        if isinstance(event, IncidentEvent) and event.target == name
    ]


def test_outages_after_it_are_found_and_ended(run: Run) -> None:
    """Not by the judge: a clock that follows slowly shifts the slots of the checks."""
    found = 0
    for outage in run.faults.outages:
        for name in outage.targets:
            (epoch,) = run.epochs[name]
            # Two checks are up to 1.2 intervals apart, a tenth more while the prober's own time
            # goes slower; and the retries.
            within_ms = 1.35 * epoch.target.interval_ms + 15_000
            far = outage.begin > STEP_AT + FOLLOWED_MS and outage.end < run.scenario.end - within_ms
            alone = all(
                other is outage
                or name not in other.targets
                or other.end < outage.begin - within_ms
                or other.begin > outage.end + within_ms
                for other in run.faults.outages
            )
            seen = len(set(outage.regions)) == len(epoch.target.regions)
            if not (far and alone and seen) or outage.end - outage.begin < within_ms:
                continue
            told = events_of(run, name)
            if any(event.incident_type == "flapping" for event in told):
                continue  # its outages are told as one
            assert any(
                event.event == "opened" and outage.begin <= event.at <= outage.begin + within_ms
                for event in told
            )
            assert any(
                event.event == "closed" and outage.end <= event.at <= outage.end + within_ms
                for event in told
            )
            found += 1
    assert found >= 5


def test_nothing_is_told_that_was_not(run: Run) -> None:
    for _, event in run.events:
        if isinstance(event, IncidentEvent) and event.event == "opened":
            assert any(
                event.target in outage.targets and outage.begin <= event.at <= outage.end + 15_000
                for outage in run.faults.outages
            )
