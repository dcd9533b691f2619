"""What the judge takes for running time, and for a respite: the text of rule 4, again."""

from schemas import control
from schemas.control import Beat, Tick
from tests.simulation.scenario import HOUR_MS, START, Scenario
from tests.simulation.simulation import Simulation
from tests.simulation.spans import Spans
from tests.simulation.stillness import Stillness
from tests.simulation.truth import PIPE_MS, SKEW_MS, Truth

TICK = control.headers(Tick("simulation"))
BEAT = control.headers(
    Beat(
        region="region-0",
        prober="region-0-0",
        sequence=0,
        started_at=START,
        targets=1,
        failing=0,
        newly_failing=0,
        connectivity=True,
        lag_ms=0.0,
        spool=0,
        clock_offset_ms=0,
    )
)


def test_only_what_lasts_for_more_than_15_s_is_a_gap() -> None:
    stillness = Stillness()
    for at in (START, START + 15_000, START + 30_001):
        stillness.appended(at, TICK)
    assert stillness.gaps().spans == ((START + 15_000, START + 30_001),)


def test_ticks_alone_give_one_respite_and_a_beat_allows_the_next() -> None:
    stillness = Stillness()
    for at, headers in (
        (0, BEAT),
        (12_000, TICK),  # a respite until 17,000
        (27_000, TICK),  # none: no beat came
        (28_000, BEAT),
        (40_000, TICK),  # a respite until 45,000
        (46_500, TICK),
    ):
        stillness.appended(START + at, headers)
    assert stillness.silence_told_by(START + 9_000) == START + 27_000
    assert stillness.silence_told_by(START + 26_500) == START + 28_000
    assert stillness.silence_told_by(START + 30_000) == START + 46_500
    assert stillness.silence_told_by(START + 47_000) == float("inf")


def test_results_make_no_rule_look_at_deadlines() -> None:
    stillness = Stillness()
    for at, headers in ((0, BEAT), (4_000, ()), (6_000, ()), (7_000, BEAT)):
        stillness.appended(START + at, headers)
    assert stillness.silence_told_by(START + 1_000) == START + 7_000


def test_a_word_holds_however_much_longer_than_it_a_gap_is() -> None:
    """Seed 20261159 of the long run: 51 s that a word holds, and a broker that was away for 277."""
    scenario = Scenario(seed=1, targets=3, regions=2, hours=0.2, calm_ms=HOUR_MS)
    run = Simulation(scenario).run()
    epoch = next(iter(run.epochs.values()))[0]
    gap = (START + 600_000, START + 2_700_000)
    at = gap[1] + 10_000
    stillness = run.stillness[0]
    for moment in gap:
        stillness.appended(moment, TICK)
    run.paused = Spans([gap])
    truth = Truth(run, epoch, [], 0)
    word = truth.span_ms + PIPE_MS + SKEW_MS
    reach = truth.reach_ms("region-0", at)
    assert reach == word + truth.gaps.length(0, at)
    assert truth.running_between(at - reach, at) == word
