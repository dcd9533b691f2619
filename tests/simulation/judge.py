"""Holds what was opened and closed against the ground truth. See the package's docstring."""

import itertools
import math
from collections.abc import Collection
from decimal import ROUND_CEILING, Decimal
from typing import Final

from msgspec import Struct, field

from schemas.incident import IncidentEvent, RegionVerdict
from schemas.partition import host_key, partition_for
from schemas.target import Target
from tests.simulation.faults import Outage
from tests.simulation.simulation import Run
from tests.simulation.spans import FOREVER, Spans
from tests.simulation.truth import ASK_MS, PIPE_MS, SKEW_MS, TURN_MS, Truth
from tests.simulation.worker import Divergence
from tests.simulation.world import RTT_MOST_MS

LOOK_MS: Final = 7_000.0
"""Until a control record makes the rules look at deadlines: a beat each 5 s, and its way."""

LAG_MS: Final = 12_000.0
"""Between two partitions that take a region for silent, or for heard again: a beat, a respite."""

FLAPPING_MS: Final = 1_800_000.0
SLOW_FLAPPING_MS: Final = 7_200_000.0
ENDED: Final = frozenset({"target_removed", "target_changed", "target_paused"})
"""Why an incident closes when the inventory changes, or its target is paused."""

_ENDS: Final = {"target_removed": "removed", "target_paused": "paused"}

HOUR_MS: Final = 3_600_000.0


class Incident(Struct, kw_only=True):
    opened: IncidentEvent
    events: list[IncidentEvent]
    closed: IncidentEvent | None = None

    @property
    def type(self) -> str:
        return self.opened.incident_type

    @property
    def begin(self) -> int:
        return self.opened.at

    @property
    def end(self) -> float:
        return FOREVER if self.closed is None else self.closed.at

    def down_at(self, at: float) -> bool:
        """Whether an episode goes on, by what was told until then."""
        kinds = {"opened", "improved", "worsened"}
        told = [event.event for event in self.events if event.event in kinds and event.at <= at]
        return told[-1] != "improved"


class Verdict(Struct, kw_only=True):
    """What came of one run. Times to detect in ms.

    `must`: outages that had to be found; `may`: incidents of outages that need not have been.
    """

    must: int = 0
    may: int = 0
    incidents: int = 0
    flapping: int = 0
    must_close: int = 0
    silenced_by_broker: int = 0
    events: int = 0
    from_outage: list[float] = field(default_factory=list)
    from_failure: list[float] = field(default_factory=list)
    to_close: list[float] = field(default_factory=list)
    divergences: list[Divergence] = field(default_factory=list)


def judge(run: Run) -> Verdict:
    """Looks at each target that had a fault or an event."""
    verdict = Verdict(divergences=list(run.divergences))
    events: dict[str, list[IncidentEvent]] = {}
    for _, event in run.events:
        if isinstance(event, IncidentEvent):
            events.setdefault(event.target, []).append(event)
            verdict.events += 1
    outages: dict[str, list[Outage]] = {}
    for outage in run.faults.outages:
        for name in outage.targets:
            outages.setdefault(name, []).append(outage)
    aside, silent = _aside(run), _Silent(run)
    troubled = events.keys() | outages.keys()
    if run.faults.losses:
        troubled |= run.epochs.keys()
    for name in sorted(troubled):
        _Judge(
            run, verdict, name, events.get(name, []), outages.get(name, []), aside, silent
        ).judge()
    return verdict


def _aside(run: Run) -> dict[str, Spans]:
    """When the region guard had set a region aside (each of these is judged by `regions`)."""
    return _between(run, "region.suspect", "region.cleared", 6_000)


class _Silent:
    """When any partition may know a region to be silent, and when all surely do.

    `regions` judges the events of it.
    """

    def __init__(self, run: Run) -> None:
        self._maybe = _between(run, "region.silent", "region.returned", LAG_MS)
        self._surely = _between(run, "region.silent", "region.returned", -LAG_MS)

    def count(self, regions: Collection[str], since: float, at: float) -> range:
        """How many of `regions` may be known at `at` to be silent, without a look since `since`."""
        most = sum(self._maybe.get(name, Spans()).at(at) is not None for name in regions)
        least = sum(self._surely.get(name, Spans()).covers(since, at) for name in regions)
        return range(least, most + 1)


def _between(run: Run, begins: str, ends: str, lag_ms: float) -> dict[str, Spans]:
    """One partition tells; the others know it at most `lag_ms` earlier or later."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _, event in run.events:
        if event.event == begins:
            found.setdefault(event.region, []).append((event.at - lag_ms, FOREVER))
        elif event.event == ends:
            begin = found[event.region][-1][0]
            found[event.region][-1] = (begin, event.at + lag_ms)
    return {region: Spans(spans) for region, spans in found.items()}


class _Judge:
    """One target."""

    def __init__(  # noqa: PLR0917 - all that is known of one target
        self,
        run: Run,
        verdict: Verdict,
        name: str,
        events: list[IncidentEvent],
        outages: list[Outage],
        aside: dict[str, Spans],
        silent: "_Silent",
    ) -> None:
        self.run = run
        self.verdict = verdict
        self.name = name
        self.events = events
        self.outages = outages
        self.aside = aside
        self.silent = silent
        self.until = run.scenario.end
        self.truths = [
            Truth(run, epoch, outages, _partition(epoch.target, run.scenario.partitions))
            for epoch in run.epochs[name]
        ]

    def judge(self) -> None:
        incidents = self._pair()
        self.incidents = incidents
        self.verdict.incidents += len(incidents)
        self.verdict.flapping += sum(one.type == "flapping" for one in incidents)
        for event in self.events:
            self._true_words(event)
        for incident in incidents:
            self._rightly_opened(incident)
            self._rightly_closed(incident)
            self._closed_in_time(incident)
        self._types(incidents)
        found: set[str] = set()
        for truth in self.truths:
            self._found(truth, found)
            self._ended(truth)
        self.verdict.may += sum(
            one.opened.incident_id not in found and one.type == "unreachable" for one in incidents
        )

    def diverges(self, what: str, at: float, detail: str = "") -> None:
        self.verdict.divergences.append(
            Divergence(what=what, target=self.name, at=at, detail=detail)
        )

    def truth_at(self, at: float) -> Truth | None:
        for truth in reversed(self.truths):
            # A change is appended at `begin`; what is decided by it belongs to what was before.
            if int(truth.begin) <= at:
                return truth
        return None

    # One after the other

    def _pair(self) -> list[Incident]:
        """Incidents from events; none doubled, none closed that was not open."""
        incidents: list[Incident] = []
        current: dict[str, Incident] = {}
        for event in self.events:
            now = current.get(event.incident_type)
            if event.event == "opened":
                if now is not None:
                    self.diverges("doubled", event.at, f"{now.opened.incident_id} is open")
                if current and event.incident_type != "slow":
                    self.diverges("two types at once", event.at, ", ".join(current))
                now = Incident(opened=event, events=[])
                current[event.incident_type] = now
                incidents.append(now)
                self._takes_over(incidents)
            elif now is None or now.opened.incident_id != event.incident_id:
                self.diverges(f"{event.event} without an incident", event.at)
                continue
            now.events.append(event)
            if event.event == "closed":
                now.closed = event
                del current[event.incident_type]
        return incidents

    def _takes_over(self, incidents: list[Incident]) -> None:
        """An incident that closes for its flapping has a successor by the same record."""
        new = incidents[-1]
        closed = incidents[-2].closed if len(incidents) > 1 else None
        if closed is None or closed.closed_because != "flapping":
            return
        if (new.type, new.begin) != ("flapping", closed.at):
            self.diverges("closed for flapping, and none follows", closed.at)
        if closed.votes.down < closed.votes.need:
            self.diverges("closed for flapping while up", closed.at)

    def _types(self, incidents: list[Incident]) -> None:
        """Rule 9: more than 6 transitions an hour, or 12 in 6 hours, are one flapping incident."""
        transitions: list[float] = []
        steady_at = -1.0
        for incident in incidents:
            opened = incident.opened
            truth = self.truth_at(opened.at)
            assert truth is not None
            begun = self._counted_since(opened.at)
            transitions = [at for at in transitions if at > begun]
            if opened.at != steady_at:
                ages = [truth.running_between(at, opened.at) for at in transitions]
                count = 1 + sum(age < HOUR_MS for age in ages)
                slow_count = 1 + sum(age < 6 * HOUR_MS for age in ages)
                found = f"{count} and {slow_count} transitions"
                too_many = count > 6 or slow_count > 12
                if incident.type == "flapping" and not too_many:
                    self.diverges("flapping without reason", opened.at, found)
                if incident.type == "unreachable" and too_many:
                    self.diverges("not told as flapping", opened.at, found)
            closed = incident.closed
            if incident.type == "flapping":
                transitions = []
                if closed is not None and closed.closed_because == "steady":
                    steady_at = closed.at
                continue
            transitions.append(opened.at)
            transitions += self._episodes(truth, incident, transitions)
            up = not incident.down_at(FOREVER)
            if closed is not None and closed.closed_because == "recovered" and not up:
                transitions.append(closed.at)

    def _episodes(self, truth: Truth, incident: Incident, before: list[float]) -> list[float]:
        """The transitions within an incident: none doubled, and no `worsened` past the sixth."""
        found: list[float] = []
        down = True
        for event in incident.events:
            if event.event not in {"improved", "worsened"}:
                continue
            if down == (event.event == "worsened"):
                self.diverges(f"{event.event} twice", event.at)
            down = event.event == "worsened"
            found.append(event.at)
            begun = self._counted_since(event.at)
            ages = [truth.running_between(at, event.at) for at in (*before, *found) if at > begun]
            count = sum(age < HOUR_MS for age in ages)
            slow_count = sum(age < 6 * HOUR_MS for age in ages)
            if down and (count > 6 or slow_count > 12):
                told = f"{count} and {slow_count} transitions"
                self.diverges("not told as flapping", event.at, told)
        return found

    def _counted_since(self, at: float) -> float:
        """Another place, or a target that comes back, starts the count anew (rule 9)."""
        ends = (truth.end for truth in self.truths if truth.ended in {"moved", "removed", "paused"})
        return max((int(end) for end in ends if end <= at), default=0)

    # What must not be

    def _true_words(self, event: IncidentEvent) -> None:
        """No event may claim of a region what was not so."""
        at = event.at
        truth = self.truth_at(at)
        if truth is None:
            self.diverges("an event of nothing", at)
            return
        if event.closed_because in ENDED:
            return
        counted = dict.fromkeys(("up", "down", "slow", "stale", "pending"), 0)
        for region, said in event.regions.items():
            if region not in truth.target.regions:
                self.diverges("an event names a region that does not check", at, region)
                continue
            if not said.set_aside:
                counted[said.verdict] += 1
            if not self._is_true(truth, region, said, at):
                self.diverges(f"a region is said to be {said.verdict} that was not", at, region)
        votes = event.votes
        fresh = counted["up"] + counted["down"] + counted["slow"]
        told = (votes.down, votes.fresh, votes.configured)
        right = told == (counted["down"], fresh, len(truth.target.regions))
        if not right or votes.need not in self._may_be_needed(truth, event, fresh):
            self.diverges("the votes are not those of the regions", at, repr(event.votes))
        if event.event in {"opened", "worsened"} and votes.down < votes.need:
            self.diverges(f"{event.event} without its votes", at, repr(event.votes))
        if event.event == "improved" and votes.down >= votes.need:
            self.diverges("improved though it is down", at, repr(event.votes))

    def _may_be_needed(self, truth: Truth, event: IncidentEvent, fresh: int) -> set[int]:
        """Rule 5: a silent region that says `up` is not asked of what it could not have seen.

        When no region says `down` any more there is nothing of the kind, and it counts.
        """
        began = [
            said.since or 0.0
            for said in event.regions.values()
            if said.verdict == "down" and not said.set_aside
        ]
        if not began:
            return {required(truth.target, fresh)}
        up = [
            region
            for region, said in event.regions.items()
            if said.verdict == "up" and not said.set_aside
        ]
        return {
            required(truth.target, fresh - silent)
            for silent in self.silent.count(up, max(began), event.at)
        }

    def _is_true(self, truth: Truth, region: str, said: RegionVerdict, at: float) -> bool:
        match said.verdict:
            case "down":
                row = self._may_have_begun(truth, region, said.since or 0, at)
                return row and self._may_be_down(truth, region, at)
            case "up":
                return not truth.failing[region].covers(at - truth.word_ms, at)
            case "stale":
                return not truth.able[region].covers(at - truth.span_ms, at)
            case "pending":
                return not truth.able[region].covers(at - truth.word_ms, at)
            case _:
                return False  # no target has a limit on its latency

    def _may_have_begun(self, truth: Truth, region: str, since: float, at: float) -> bool:
        """Whether a row of failures that made it `down` can have begun then."""
        if since < truth.begin:
            return True  # by another definition, and what was said stays said
        target = truth.target
        begin, end = since - SKEW_MS, since + SKEW_MS
        failed = truth.tellable[region].meets(begin, end) or truth.blip_in(region, begin, end)
        return failed and at - since >= 0.8 * target.retries * target.retry_delay_ms - 1

    def _may_be_down(self, truth: Truth, region: str, at: float) -> bool:
        target = truth.target
        since = at - truth.reach_ms(region, at) - self._hidden_ms(truth, at)
        until = at + 5
        bad = [
            (max(begin, since), min(end, until))
            for begin, end in truth.tellable[region].spans
            if begin < until and end > since
        ]
        bad += [(blip, blip + 1) for blip in truth.blips[region] if since <= blip < until]
        if not bad:
            return False
        apart = 0.8 * target.retries * target.retry_delay_ms
        longest = max(end for _, end in bad) - min(begin for begin, _ in bad)
        return longest >= apart - SKEW_MS

    def _hidden_ms(self, truth: Truth, at: float) -> float:
        """A definition that changed meanwhile: what was said under the old one stays said."""
        if at - truth.begin > 700_000:
            return 0
        return 2.5 * 300_000 + 10_000

    def _rightly_opened(self, incident: Incident) -> None:
        opened = incident.opened
        truth = self.truth_at(opened.at)
        if truth is None:
            return
        if opened.at > truth.end:
            self.diverges("opened while nobody was to look", opened.at)
        hold = truth.target.open_after_ms
        down = [region for region, said in opened.regions.items() if said.verdict == "down"]
        if hold and down:
            begun = min(
                (
                    span[0]
                    for region in down
                    if region in truth.blocked
                    for span in truth.blocked[region].spans
                    if span[1] > opened.first_failed_at - 1_000 and span[0] <= opened.at
                ),
                default=opened.at,
            )
            if opened.at - begun < hold - SKEW_MS:
                self.diverges("opened before `open_after`", opened.at)
        first = opened.first_failed_at
        if not any(
            truth.blocked[region].meets(first - SKEW_MS, first + SKEW_MS)
            or truth.blip_in(region, first - SKEW_MS, first + SKEW_MS)
            for region in truth.target.regions
        ):
            self.diverges("`first_failed_at` is no failure", opened.at, str(first))

    def _rightly_closed(self, incident: Incident) -> None:
        """Closed although a region that could speak had only failures to tell of."""
        closed = incident.closed
        if closed is None:
            return
        at = closed.at
        truth = self.truth_at(at)
        assert truth is not None
        if closed.closed_because in ENDED:
            ends = [one for one in self.truths if abs(one.end - at) < 2]
            wanted = _ENDS.get(closed.closed_because or "", "moved")
            if not any(one.ended == wanted for one in ends):
                self.diverges(f"closed as {closed.closed_because}", at)
            return
        if "flapping" in {incident.type, closed.closed_because}:
            return  # a single region may fail by then: see `_quiet` and `_takes_over`
        target = truth.target
        heard = 0
        for region in target.regions:
            failing = truth.failing[region]
            if failing.covers(at - truth.word_ms, at):
                self.diverges("closed too early", at, f"{region} still fails")
            gone = truth.gone[region].at(at)
            if gone is not None and failing.covers(gone[0] - truth.word_ms, gone[0]):
                left = target.abandon_after_ms + 2.5 * target.interval_ms - truth.most_apart_ms
                if truth.running_between(gone[0], at) < left - 5_000:
                    self.diverges("closed too early", at, f"{region} was not waited for")
            reach = truth.reach_ms(region, at) + self._hidden_ms(truth, at)
            heard += (Spans([(0, FOREVER)]) - truth.blocked[region]).meets(at - reach, at)
        if heard < majority(len(target.regions) - len(closed.abandoned_regions)):
            self.diverges("closed too early", at, "no majority could have succeeded")

    # What must be

    def _found(self, truth: Truth, found: set[str]) -> None:
        """Every outage that a quorum could see for long enough was found in time."""
        starts = {
            begin: region
            for region in truth.target.regions
            for begin, _ in self._seen(truth, region).spans
        }
        for begin in sorted(starts):
            promise = self._promise(truth, begin)
            if promise is None or promise >= self.until:
                continue
            already = self._open_at(begin)
            incident = self._open_at(promise)
            if incident is None:
                self.diverges("missed", promise, f"began {begin - self.until:.0f} before the end")
                continue
            if incident.type == "unreachable":
                found.add(incident.opened.incident_id)
                if not incident.down_at(promise):
                    self.diverges("an outage within an incident was not told", promise)
            else:
                self._quiet(truth, incident, begin, promise)
            if already is None and incident.begin >= begin - 1:
                self.verdict.must += 1
                self.verdict.from_outage.append(incident.begin - begin)
                late = incident.begin - max(incident.opened.first_failed_at, begin)
                if not truth.target.open_after_ms and incident.type == "unreachable":
                    self.verdict.from_failure.append(late)

    def _quiet(self, truth: Truth, incident: Incident, begin: float, promise: float) -> None:
        """Flapping is over half an hour after the last transition; here was one for sure."""
        closed = incident.closed
        before = begin - truth.word_ms
        was_up = all(truth.clean[region].covers(before, begin) for region in truth.target.regions)
        if closed is None or closed.closed_because != "recovered" or not was_up:
            return
        if truth.running_between(promise, closed.at) < FLAPPING_MS - 60_000:
            self.diverges("flapping was over too early", closed.at)

    def _seen(self, truth: Truth, region: str) -> Spans:
        return truth.failing[region] - self.aside.get(region, Spans())

    def _promise(self, truth: Truth, begin: float) -> float | None:
        """By when an incident must be open, for what can be seen from `begin` on; None: never."""
        target = truth.target
        spans = {
            region: span
            for region in target.regions
            if (span := self._seen(truth, region).at(begin)) is not None
        }
        fresh = len(target.regions) - sum(
            truth.gone[region].covers(
                begin - truth.span_ms - 2 * PIPE_MS - truth.paused.length(begin - 1e6, begin),
                begin + 1.5 * target.interval_ms + 60_000,
            )
            for region in target.regions
        )
        size = required(target, fresh)
        best: float | None = None
        for some in itertools.combinations(sorted(spans), size):
            deadline = self._deadline(truth, some, {one: spans[one][0] for one in some}, begin)
            if deadline < min(spans[region][1] for region in some):
                best = deadline if best is None else min(best, deadline)
        return best

    def _deadline(
        self, truth: Truth, some: tuple[str, ...], since: dict[str, float], begin: float
    ) -> float:
        target = truth.target
        failure = max(truth.failure_ms(one, begin - 1, begin + 400_000) for one in some)
        series = truth.series_ms(failure)
        own = {one: truth.slot(one, since[one]) + series + PIPE_MS for one in some}
        deadline = max(own.values())
        # All at once: the first of them that fails has the others asked.
        new = [one for one in some if since[one] >= begin - 1]
        # A region whose last word was a failure already begins nothing.
        heralds = [one for one in new if truth.clean[one].covers(begin - truth.word_ms, begin - 1)]
        if heralds:
            first = min(truth.slot(one, begin) for one in heralds)
            known = first + failure + PIPE_MS
            asked = known + ASK_MS + self._throttle(truth, begin, known)
            asked += self._worker_away(truth, first, asked)
            by_recheck = asked + series + PIPE_MS
            answers = [
                own[one]
                if one not in new or self._busy(truth, one, begin)
                else min(own[one], by_recheck)
                for one in some
            ]
            deadline = min(deadline, max(answers))
        if target.open_after_ms:
            deadline += target.open_after_ms + LOOK_MS
        return math.ceil(deadline)

    def _throttle(self, truth: Truth, begin: float, known: float) -> float:
        """A request waits while another of the host's was made just before."""
        key = host_key(truth.target.host, truth.target.id)
        made = self.run.requests.get(key, ())
        return TURN_MS if any(begin - 6_000 <= at < known for at in made) else 0

    def _worker_away(self, truth: Truth, begin: float, end: float) -> float:
        return sum(
            crash.away
            for crash in self.run.faults.crashes
            if crash.partition == truth.partition and begin - crash.away < crash.at < end
        )

    def _busy(self, truth: Truth, region: str, begin: float) -> bool:
        """Whether a check that began before may keep the prober from a recheck."""
        if truth.slot_in(region, begin - RTT_MOST_MS - PIPE_MS, begin):
            return True
        span = truth.able[region].at(begin)
        return span is None or span[0] > begin - 5_000

    def _open_at(self, at: float) -> Incident | None:
        for incident in self.incidents:
            if incident.type != "slow" and incident.begin <= at < incident.end:
                return incident
        return None

    def _closed_in_time(self, incident: Incident) -> None:
        """It ends when all regions that can speak have only successes to tell of."""
        for truth in self.truths:
            starts = {
                max(begin, float(incident.begin))
                for region in truth.target.regions
                for begin, end in truth.clean[region].spans
                if end > incident.begin and begin < incident.end
            }
            for begin in sorted(starts):
                promise = self._close_promise(truth, incident, begin)
                if promise is None or promise >= self.until:
                    continue
                if incident.end > promise:
                    self.diverges(
                        "not closed in time", promise, f"{incident.type} of {incident.begin}"
                    )
                elif incident.closed is not None and incident.end >= begin:
                    self.verdict.must_close += 1
                    if incident.type == "unreachable":
                        self.verdict.to_close.append(incident.end - begin)
                return

    def _close_promise(self, truth: Truth, incident: Incident, begin: float) -> float | None:
        target = truth.target
        clean = {
            region: span
            for region in target.regions
            if (span := (truth.clean[region] - self.aside.get(region, Spans())).at(begin))
            is not None
        }
        if len(clean) < majority(len(target.regions)):
            return None
        own: dict[str, float] = {}
        for region in clean:
            failure = truth.failure_ms(region, begin - 60_000, begin)
            free = begin + failure
            ready = max(truth.slot(region, free), free + target.retry_delay_ms * 1.12)
            own[region] = (
                ready + RTT_MOST_MS + PIPE_MS + (target.recover_after - 1) * truth.most_apart_ms
            )
            if truth.blip_in(region, begin - 10_000, own[region]):
                own[region] += truth.longest_series_ms + truth.most_apart_ms
        deadline = max(own.values())
        by_recheck = self._close_by_recheck(truth, incident, clean, own, begin)
        if by_recheck is not None:
            deadline = min(deadline, by_recheck)
        if incident.type == "flapping":
            # Its silent transitions are not known: perhaps they came slowly.
            deadline += SLOW_FLAPPING_MS + LOOK_MS
        if any(span[1] < deadline for span in clean.values()):
            return None
        for region in target.regions:
            if region not in clean and not self._out_of_the_way(truth, region, begin, deadline):
                return None
        return math.ceil(deadline)

    def _close_by_recheck(
        self,
        truth: Truth,
        incident: Incident,
        clean: dict[str, tuple[float, float]],
        own: dict[str, float],
        begin: float,
    ) -> float | None:
        """When all of them failed for as long as the incident was open, and recover at once."""
        target = truth.target
        if target.recover_after > 1 or len(clean) < len(target.regions):
            return None
        failing_since = min(incident.begin, begin - truth.longest_series_ms)
        for region in clean:
            if not truth.failing[region].covers(failing_since, begin - 1):
                return None
            if truth.blip_in(region, begin - 60_000, begin + 60_000):
                return None
        failure = max(truth.failure_ms(region, begin - 60_000, begin) for region in clean)
        first = min(truth.slot(region, begin + failure) for region in clean)
        known = first + RTT_MOST_MS + PIPE_MS
        asked = known + ASK_MS + self._throttle(truth, begin, known)
        asked += self._worker_away(truth, first, asked)
        answered = asked + RTT_MOST_MS + PIPE_MS
        series = truth.series_ms(failure) + SKEW_MS
        made = self.run.requests.get(host_key(target.host, target.id), ())
        if any(begin - series - 1_000 < at < begin for at in made):
            return None
        return max(
            own[region]
            if truth.slot_in(region, begin - series, begin)
            else min(own[region], answered)
            for region in clean
        )

    def _out_of_the_way(self, truth: Truth, region: str, begin: float, end: float) -> bool:
        """Whether a region that says nothing cannot keep an incident open."""
        gone = truth.gone[region].at(begin)
        if gone is None or gone[1] < end:
            return False
        if truth.clean[region].covers(gone[0] - truth.word_ms, gone[0]):
            return not truth.blip_in(region, gone[0] - truth.word_ms, gone[0])
        abandoned = truth.span_ms + truth.target.abandon_after_ms + LOOK_MS
        return truth.running_between(gone[0], end) > abandoned

    def _ended(self, truth: Truth) -> None:
        """What is no longer there has no incident."""
        if truth.ended not in {"removed", "moved", "paused"}:
            return
        incident = self._open_at(truth.end + 1)
        if incident is not None and incident.begin < truth.end:
            self.diverges("open though the target is gone", truth.end)


def majority(count: int) -> int:
    """More than half."""
    return count // 2 + 1


def required(target: Target, fresh: int) -> int:
    """How many regions must say down when `fresh` of them say anything (rule 5)."""
    share = Decimal("0.66")
    if target.consensus == "unanimous":
        share = Decimal(1)
    elif target.consensus != "quorum":
        share = Decimal(str(target.consensus))
    needed = int((share * fresh).to_integral_value(ROUND_CEILING))
    return max(needed, majority(len(target.regions)))


def _partition(target: Target, partitions: int) -> int:
    return partition_for(host_key(target.host, target.id), partitions)
