"""What is said of whole regions, held against the ground truth."""

from typing import Final

from schemas.incident import RegionEvent
from schemas.partition import partition_for
from tests.simulation.broker import AGAIN_MOST_MS, BACK_MOST_MS, WAY_MOST_MS
from tests.simulation.judge import Verdict
from tests.simulation.prober import BEGIN_MOST_MS
from tests.simulation.simulation import Run
from tests.simulation.spans import Spans
from tests.simulation.truth import PIPE_MS, READY_MS
from tests.simulation.worker import Divergence

SILENT_MS: Final = 15_000.0
BEAT_MS: Final = 5_000.0
SKEW_MS: Final = 5_000.0

WINDOW_MS: Final = 60_000.0
LONGEST_MS: Final = 5_000.0
"""The longest timeout of a target here."""

CONTRADICTS_MS: Final = 10_000.0
"""After so long the others contradict it."""

ROOM_MS: Final = 3_000.0

WIDE: Final = 0.3
"""A region that becomes suspect has lost at least so much of its targets (the rule: 0.4; what is
counted is what was seen within a minute)."""


def judge_regions(run: Run, verdict: Verdict) -> None:
    """Silent, returned, suspect, cleared and clock-skewed regions."""
    by_region: dict[str, list[RegionEvent]] = {name: [] for name in run.unheard}
    for _, event in run.events:
        if isinstance(event, RegionEvent):
            by_region[event.region].append(event)
    for region, events in by_region.items():
        _silence(run, verdict, region, events)
        _guard(run, verdict, region, events)
        _clocks(run, verdict, region, events)


def _diverges(verdict: Verdict, what: str, region: str, at: float, detail: str = "") -> None:
    verdict.divergences.append(Divergence(what=what, target=region, at=at, detail=detail))


def _pairs(
    verdict: Verdict, region: str, events: list[RegionEvent], begins: str, ends: str
) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for event in events:
        if event.event == begins:
            if found and found[-1][1] == float("inf"):
                _diverges(verdict, f"{begins} twice", region, event.at)
            found.append((event.at, float("inf")))
        elif event.event == ends:
            if not found or found[-1][1] != float("inf"):
                _diverges(verdict, f"{ends} without {begins}", region, event.at)
                continue
            found[-1] = (found[-1][0], event.at)
    return found


def _silence(run: Run, verdict: Verdict, region: str, events: list[RegionEvent]) -> None:
    told = _pairs(verdict, region, events, "region.silent", "region.returned")
    unheard = run.unheard[region]
    maybe = unheard.grown(0, BEGIN_MOST_MS)
    for begin, end in told:
        before = begin - SILENT_MS + BEAT_MS + 1_500 + PIPE_MS
        heard = not maybe.covers(before, begin - PIPE_MS)
        # The rule takes the broker's absence for what it is only from 15 s on: one of 8 to 15 s
        # makes any region silent by its text.
        short = any(
            end - since < SILENT_MS + READY_MS and since < begin < end + READY_MS
            for since, end in run.paused.spans
        )
        if heard and short:
            verdict.silenced_by_broker += 1
            continue
        if heard:
            _diverges(verdict, "a region was not silent", region, begin)
        since = end - READY_MS - BEAT_MS - PIPE_MS
        if end < run.scenario.end and not maybe.at(since) and not run.paused.meets(since, end):
            _diverges(verdict, "a region returned late", region, end)
    said = Spans(told)
    for begin, end in (unheard - run.paused.grown(30_000, READY_MS)).spans:
        # What begins with the fleet was never heard, and what is not heard cannot fall silent.
        due = _told_by(run, region, begin)
        watched = begin > _first(run) and due < min(end, run.scenario.end)
        if watched and said.at(due) is None:
            _diverges(verdict, "a silent region was not told", region, due)
        back = end + BEGIN_MOST_MS + READY_MS + BEAT_MS + PIPE_MS
        quiet = unheard.meets(end + 1, back) or run.paused.meets(end - 1, back)
        if back < run.scenario.end and said.at(back) and not quiet:
            _diverges(verdict, "a region's return was not told", region, back)


def _told_by(run: Run, region: str, since: float) -> float:
    """By when a region must be told as silent that sent nothing since.

    Only a record tells, and none in the respite that a silent log gives (rule 4): when no region is
    heard the log is as silent as without its broker, but for the worker's ticks.
    """
    last_beat = since + max(WAY_MOST_MS, BACK_MOST_MS) + AGAIN_MOST_MS
    stillness = run.stillness[partition_for(region, run.scenario.partitions)]
    return stillness.silence_told_by(last_beat + SILENT_MS)


def _first(run: Run) -> float:
    return min(epoch.begin for epochs in run.epochs.values() for epoch in epochs) + 60_000


def _guard(run: Run, verdict: Verdict, region: str, events: list[RegionEvent]) -> None:
    told = _pairs(verdict, region, events, "region.suspect", "region.cleared")
    _lost(run, verdict, region, Spans(told))
    for begin, _ in told:
        total = lost = 0
        # A beat from before the broker went away is appended when it is back.
        away = [one for one, end in run.paused.spans if one < begin and end > begin - 90_000]
        since = min([begin, *away]) - 90_000
        losses = Spans((one.begin, one.end) for one in run.faults.losses if one.region == region)
        hit: set[str] = set()
        for outage in run.faults.outages:
            if region in outage.regions and outage.begin < begin < outage.end + 90_000:
                hit.update(outage.targets)
        for name, epochs in run.epochs.items():
            for epoch in epochs:
                if epoch.begin <= begin < epoch.end and region in epoch.target.regions:
                    total += 1
                    lost += name in hit or losses.meets(since, begin)
        if lost < WIDE * total:
            _diverges(verdict, "suspect without reason", region, begin, f"{lost} of {total}")


def _lost(run: Run, verdict: Verdict, region: str, suspect: Spans) -> None:
    """A region that lost its network on its own, and nothing else, is set aside in time."""
    if len(run.unheard) < 2:
        return
    for loss in run.faults.losses:
        begun = loss.begin + WINDOW_MS + LONGEST_MS + BEAT_MS + PIPE_MS + ROOM_MS
        due = begun + CONTRADICTS_MS + BEAT_MS
        if loss.region != region or loss.guarded or loss.end < due or due > run.scenario.end:
            continue
        since = loss.begin - 2 * WINDOW_MS
        disturbed = (
            run.paused.meets(since, due)
            or run.unheard[region].meets(since, due)
            or any(spans.meets(since, due) for (name, _), spans in run.unowned.items())
            or any(
                one is not loss and one.begin < due and one.end > since - 4 * WINDOW_MS
                for one in run.faults.losses
            )
        )
        if disturbed:
            continue
        checked = [
            epoch.target
            for epochs in run.epochs.values()
            for epoch in epochs
            if epoch.begin < since and epoch.end > due and region in epoch.target.regions
        ]
        failing = {
            name
            for one in run.faults.outages
            if region in one.regions and one.begin < due and one.end > since - 5 * WINDOW_MS
            for name in one.targets
        }
        begin_to_fail = sum(
            target.interval_ms <= WINDOW_MS and target.id not in failing for target in checked
        )
        # The others contradict it within 15 s, while so many have still begun within the minute.
        if begin_to_fail >= max(30, 0.6 * len(checked)) and suspect.at(due) is None:
            detail = f"{begin_to_fail} of {len(checked)} began to fail"
            _diverges(verdict, "a region without a network was not set aside", region, due, detail)


def _clocks(run: Run, verdict: Verdict, region: str, events: list[RegionEvent]) -> None:
    told = [event.at for event in events if event.event == "region.clock_skewed"]
    steps = [step for step in run.faults.steps if step.region == region]
    for at in told:
        # A prober that begins while its clock is off says so, too.
        if not any(step.at - 1_000 <= at for step in steps):
            _diverges(verdict, "no clock was off", region, at)
    paused, cut = run.paused, run.cut.get(region, Spans())
    for step in steps:
        dead = any(
            death.region == region
            and death.number == step.number
            and death.begin < step.at + 20_000
            and death.end > step.at - 60_000
            for death in run.faults.deaths
        )
        quiet = (paused | cut).meets(step.at - 10_000, step.at + 20_000)
        alone = sum(other.number == step.number for other in steps) == 1
        plain = abs(step.ms) > SKEW_MS + 600 and alone and not dead and not quiet
        if plain and not any(step.at <= at <= step.at + BEAT_MS + 2_000 for at in told):
            _diverges(verdict, "a clock that was off was not told", region, step.at)
