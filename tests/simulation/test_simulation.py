"""The short form. What must hold is told in the package's docstring."""

import pytest
from msgspec import structs

from schemas.incident import IncidentEvent
from tests.simulation.report import report, simulate
from tests.simulation.scenario import START, Scenario
from tests.simulation.scenarios import large, smalls
from tests.simulation.simulation import Simulation
from tests.simulation.spans import Spans
from tests.simulation.story import tell

_FAULTS = (
    "outages hosts regional losses deaths pauses crashes changes rests steps storms blips "
    "duplicates"
)
QUIET = dict.fromkeys(_FAULTS.split(), 0.0)


def small_and_quiet(seed: int, **faults: float) -> Scenario:
    return Scenario(seed=seed, targets=12, regions=3, hours=1.0, **(QUIET | faults))  # type: ignore[arg-type]


def _name(scenario: Scenario) -> str:
    return f"{scenario.targets} targets, {scenario.regions} regions, seed {scenario.seed}"


@pytest.mark.parametrize("scenario", list(smalls(seed=40, total_hours=10, hours=2)), ids=_name)
def test_small_fleets_open_and_close_what_the_ground_truth_has(scenario: Scenario) -> None:
    found = simulate(scenario)
    stories = [line for _, one in found.divergences[:2] for line in tell(scenario, one)]
    assert not found.divergences, "\n".join((*found.lines(), *stories))
    assert found.must_close >= 1
    assert found.crashes >= 1


@pytest.mark.timeout(600)
def test_a_large_fleet_opens_and_closes_what_the_ground_truth_has() -> None:
    found = simulate(large(seed=7, hours=0.08))
    assert not found.divergences, "\n".join(found.lines())
    assert found.must >= 20
    assert found.must_close >= 20
    assert found.crashes >= 1


def test_a_quiet_fleet_says_nothing_at_all() -> None:
    run = Simulation(small_and_quiet(1)).run()
    assert run.events == []
    assert run.requests == {}
    assert run.results > 1_000


def test_a_fleet_in_which_single_attempts_fail_opens_nothing() -> None:
    run = Simulation(small_and_quiet(1, blips=0.05)).run()
    assert sum(map(len, run.blips.values())) > 50
    assert [event for _, event in run.events if isinstance(event, IncidentEvent)] == []


def test_the_same_seed_gives_the_same_events_and_another_one_others() -> None:
    scenarios = [Scenario(seed=seed, targets=10, hours=1.0, outages=2.0) for seed in (3, 3, 4)]
    first, second, other = (Simulation(scenario).run().events for scenario in scenarios)
    assert first
    assert first == second
    assert first != other


def test_the_judge_sees_an_outage_that_was_not_told() -> None:
    run = Simulation(small_and_quiet(5, outages=2.0)).run()
    assert report(run).must > 0
    run.events = []
    assert {one.what for _, one in report(run).divergences} == {"missed"}


def test_the_judge_sees_an_incident_that_a_pause_did_not_close() -> None:
    run = Simulation(small_and_quiet(5, outages=4.0, rests=8.0)).run()
    assert report(run).divergences == []
    events = [event for _, event in run.events if isinstance(event, IncidentEvent)]
    assert sum(event.closed_because == "target_paused" for event in events) >= 2
    run.events = [
        (place, event)
        for place, event in run.events
        if getattr(event, "closed_because", None) != "target_paused"
    ]
    found = {one.what for _, one in report(run).divergences}
    assert "open though the target is gone" in found


def test_the_judge_sees_an_outage_that_an_open_incident_swallowed() -> None:
    run = Simulation(small_and_quiet(51, outages=60.0)).run()
    assert report(run).divergences == []
    run.events = [(place, event) for place, event in run.events if event.event != "worsened"]
    assert "an outage within an incident was not told" in {
        one.what for _, one in report(run).divergences
    }


def test_the_judge_sees_an_incident_of_nothing() -> None:
    run = Simulation(small_and_quiet(5, outages=2.0)).run()
    truth, run.faults.outages[:] = list(run.faults.outages), []
    assert truth
    assert "a region is said to be down that was not" in {
        one.what for _, one in report(run).divergences
    }


def test_the_judge_sees_an_incident_that_never_closes_and_one_that_is_doubled() -> None:
    run = Simulation(small_and_quiet(5, outages=2.0)).run()
    run.events = [one for one in run.events if one[1].event != "closed"]
    seen = {one.what for _, one in report(run).divergences}
    assert {"not closed in time", "doubled"} <= seen


def test_the_judge_sees_an_incident_that_closes_while_the_target_fails() -> None:
    run = Simulation(small_and_quiet(5, outages=2.0)).run()
    for number, outage in enumerate(run.faults.outages):
        changed = {"end": outage.end + 1_000_000}
        run.faults.outages[number] = type(outage)(
            **{name: getattr(outage, name) for name in outage.__struct_fields__} | changed
        )
    assert "closed too early" in {one.what for _, one in report(run).divergences}


def test_the_judge_sees_flapping_that_was_not_told_or_counted_at_two_places() -> None:
    run = Simulation(small_and_quiet(5, storms=2.0)).run()
    assert not report(run).divergences
    told = run.events
    flapping = next(
        event
        for _, event in told
        if isinstance(event, IncidentEvent) and event.incident_type == "flapping"
    )
    changed = structs.replace(flapping, incident_type="unreachable")
    run.events = [(at, changed if event is flapping else event) for at, event in told]
    assert "not told as flapping" in {one.what for _, one in report(run).divergences}
    # It moved just before: what it did at the other place does not count.
    run.events = told
    (epoch,) = run.epochs[flapping.target]
    moved_at = flapping.at - 10
    run.epochs[flapping.target] = [
        structs.replace(epoch, end=moved_at, ended="moved"),
        structs.replace(epoch, begin=moved_at),
    ]
    assert "flapping without reason" in {one.what for _, one in report(run).divergences}


def test_spans_are_sets_of_moments() -> None:
    one = Spans([(START, START + 10), (START + 5, START + 20), (START + 30, START + 30)])
    assert one.spans == ((START, START + 20),)
    assert (one - Spans([(START + 5, START + 6)])).spans == (
        (START, START + 5),
        (START + 6, START + 20),
    )
    assert (one & Spans([(START + 15, START + 40)])).spans == ((START + 15, START + 20),)
    assert one.covers(START, START + 20)
    assert not one.covers(START, START + 21)
    assert one.length(START - 10, START + 5) == 5
    assert one.at(START + 20) is None
