"""Any history, through the rules and through the reference: they must tell the same.

A history is what Hypothesis makes of the machine below. Every record of it goes through the rules,
through rules that were restored from a checkpoint the moment before, and through the reference; at
its end the whole log is replayed from nothing, as bytes.

CI runs a few seconds of it. For longer, with a fresh seed each time (a history that fails is
printed as the steps that lead to it, the shortest that was found):

    HYPOTHESIS_PROFILE=soak python -m pytest tests/unit/streams/test_state_machine.py --timeout 0

What the histories leave out, because the design or the rules' modules do:

- Two gaps of the log stand farther apart than a result is fresh: the rules know the last gap only.
- A target keeps its interval and timeout while it is watched or remembered.
- A result ahead of the log is delivered once more only while it is its region's newest; later, a
  window that keeps no identities cannot tell it from a new one.
"""

import os
from collections import Counter
from typing import Final

from hypothesis import HealthCheck, event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from schemas import batch, control, incident
from schemas.control import Acknowledged, Control, Resolved, TargetRemoved, TargetSet
from schemas.incident import IncidentEvent
from schemas.result import CheckResult, Reason
from schemas.target import Target
from streams import outputs, rules, snapshot
from streams.freshness import is_fresh
from streams.outputs import OutMessage
from streams.records import Record
from streams.rules import Output
from streams.state import new_state
from streams.step import step
from tests.unit.streams.fleet import Fleet, target
from tests.unit.streams.reference import Closed, Opened, Reference, Returned, Silent, Told

PROFILES: Final = {
    "default": settings(max_examples=250, stateful_step_count=40),
    "soak": settings(max_examples=20_000, stateful_step_count=80, print_blob=True),
}
"""By the environment variable HYPOTHESIS_PROFILE; any other value is the default."""

REGIONS: Final = ("a", "b", "c", "d")
PLACES: Final = {
    "db": {"host": "db1.example.com", "port": 5432},
    "ssh": {"host": "db1.example.com", "port": 22},
    "web": {"host": "web.example.com", "port": 443},
}
TIMES: Final = {
    "db": {"interval_ms": 10_000, "timeout_ms": 1_000},
    "ssh": {"interval_ms": 30_000, "timeout_ms": 3_000},
    "web": {"interval_ms": 5_000, "timeout_ms": 500},
}
LONGEST_SPAN_MS: Final = 78_000
DEADLINES_MS: Final = (13_000, 13_001, 18_000, 20_000, 26_000, 26_001, 31_000, 78_000, 78_001)

Found = tuple[str, str, Reason | None, int]
"""Region, target, what was wrong, and how long ago (ms) the check began."""

names = st.sampled_from(tuple(PLACES))
# Names may come twice: a region votes once all the same.
some_regions = st.lists(st.sampled_from(REGIONS), min_size=1, max_size=5).map(tuple)
orders = st.permutations(REGIONS) | st.lists(st.sampled_from(REGIONS), min_size=1, unique=True)
outcomes: st.SearchStrategy[Reason | None] = st.sampled_from(
    (None, "connection_refused", "timed_out", "dns_failed")
)
reasons: st.SearchStrategy[Reason] = st.sampled_from(("connection_refused", "timed_out"))
uncounted: st.SearchStrategy[Reason] = st.sampled_from(("prober_error", "address_blocked"))
policies = st.fixed_dictionaries(
    {},
    optional={
        "regions": some_regions,
        "consensus": st.sampled_from(("quorum", "unanimous", 0.5, 0.7, 1.0)),
        "retries": st.integers(0, 2),
        "retry_delay_ms": st.sampled_from((0, 1000, 1001, 5000)),
        "open_after_ms": st.sampled_from((0, 1000, 20_000)),
        "recover_after": st.integers(1, 3),
        "abandon_after_ms": st.sampled_from((0, 5_000, 60_000)),
        "team": st.sampled_from(("red", "blue")),
    },
)


class Log(Fleet):
    """Appends records; what each one gives is held against the reference and a restored state."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = Reference()
        self.given: list[list[OutMessage]] = []
        self.open: dict[str, str] = {}
        self.event_ids: set[str] = set()

    def append(self, results: list[CheckResult], control: Control | None = None) -> list[Output]:
        restored = self.restored()
        found = super().append(results, control)
        record = self.log[-1]
        self.given.append(messages(found))

        # A restored state has looked at no deadline yet: what it finds, the index did not hide.
        assert messages(rules.apply(restored, record)) == self.given[-1]
        assert snapshot.encode(restored) == snapshot.encode(self.state)

        note(f"{record.append_time}: {[told_by(out) for out in found]}")
        self._compare(found, self.reference.feed(record))
        self._keep_the_promises(found, record)
        return found

    def _compare(self, found: list[Output], expected: list[Told]) -> None:
        said = [told for out in found if (told := told_by(out)) is not None]
        for kinds in ((Opened, Closed), (Silent, Returned)):
            assert [told for told in said if isinstance(told, kinds)] == [
                told for told in expected if isinstance(told, kinds)
            ]
        for out in found:
            open_now = isinstance(out, IncidentEvent) and out.event == "opened"
            if open_now and self.reference.targets[out.target].incident is not None:
                self.reference.name(out.target, out.incident_id)

    def _keep_the_promises(self, found: list[Output], record: Record) -> None:
        events = [out for out in found if isinstance(out, IncidentEvent)]
        deciding = 1 if record.control is not None else len(record.results)
        for count in Counter(one.incident_id for one in events).values():
            assert count <= deciding
        for one in events:
            assert one.event_id not in self.event_ids
            self.event_ids.add(one.event_id)
            if one.event == "opened":
                assert one.target not in self.open
                self.open[one.target] = one.incident_id
                keep_rule_5(one)
            else:
                assert self.open[one.target] == one.incident_id
            if one.event == "closed":
                del self.open[one.target]
                keep_rule_6(one)
        assert self.open == {
            target_id: entry.incident.incident_id
            for target_id, entry in self.state.targets.items()
            if entry.incident is not None
        }


def keep_rule_5(opened: IncidentEvent) -> None:
    """No incident without its votes at that moment, as the event itself shows them."""
    verdicts = Counter(said.verdict for said in opened.regions.values())
    assert verdicts["down"] == opened.votes.down >= opened.votes.need
    assert verdicts["up"] + verdicts["down"] == opened.votes.fresh
    assert 2 * opened.votes.down > opened.votes.configured == len(opened.regions)


def keep_rule_6(closed: IncidentEvent) -> None:
    """What recovered is up in every fresh region, and in more than half of those that count."""
    if closed.closed_because != "recovered":
        return
    verdicts = Counter(said.verdict for said in closed.regions.values())
    assert verdicts["down"] == 0
    assert 2 * verdicts["up"] > len(closed.regions) - len(closed.abandoned_regions)
    assert all(closed.regions[region].verdict == "stale" for region in closed.abandoned_regions)


def messages(found: list[Output]) -> list[OutMessage]:
    return [outputs.encode(out) for out in found]


def told_by(out: Output) -> Told | None:
    """What the reference, too, would tell; None for what it does not know."""
    match out:
        case IncidentEvent(event="opened"):
            return Opened(out.target, out.at, out.votes, out.first_failed_at)
        case IncidentEvent(event="closed", closed_because=str(because)):
            return Closed(
                out.target, out.at, out.votes, out.first_failed_at, because, out.abandoned_regions
            )
        case incident.RegionEvent(event="region.silent", last_beat_at=int(last)):
            return Silent(out.region, out.at, last)
        case incident.RegionEvent(event="region.returned", last_beat_at=int(last)):
            return Returned(out.region, out.at, last)
        case _:
            return None


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fleet = Log()
        self.version = 1
        self.targets: dict[str, Target] = {}
        self.results: dict[str, CheckResult] = {}
        self.ahead: list[CheckResult] = []
        self.cut_off: dict[str, list[CheckResult]] = {}
        self.checkpoint: tuple[int, list[bytes]] = (0, snapshot.encode(self.fleet.state))
        self.gap_ended = 0

    # The inventory

    @initialize(each=st.tuples(policies, policies, policies))
    def begin(self, each: tuple[dict[str, object], ...]) -> None:
        for name, policy in zip(PLACES, each, strict=True):
            known = target(name, **PLACES[name], **TIMES[name])
            self.define(structs.replace(known, **policy))

    def define(self, one: Target) -> None:
        self.version += 1
        self.targets[one.id] = structs.replace(one, version=self.version)
        self.fleet.control(TargetSet(self.targets[one.id]))

    @rule(name=names, policy=policies)
    def change_policy(self, name: str, policy: dict[str, object]) -> None:
        """Brings a removed target back, too."""
        self.define(structs.replace(self.targets[name], **policy))

    @rule(name=names, port=st.booleans(), away=st.booleans())
    def move(self, name: str, port: bool, away: bool) -> None:
        place = PLACES[name]
        if away:
            place = place | ({"port": 8080} if port else {"host": "db2.example.com"})
        self.define(structs.replace(self.targets[name], **place))

    @rule(name=names, moved=st.booleans(), late=st.booleans())
    def remove(self, name: str, moved: bool, late: bool) -> None:
        if not late:
            self.version += 1
        self.fleet.control(
            TargetRemoved(
                target=name,
                version=1 if late else self.version,
                because="target_changed" if moved else "removed",
            )
        )

    @rule(name=names, policy=policies)
    def read_an_older_definition(self, name: str, policy: dict[str, object]) -> None:
        if name in self.fleet.state.targets:
            older = structs.replace(self.targets[name], **policy, version=1)
            self.fleet.control(TargetSet(older))

    # Results

    def send(self, found: list[CheckResult], *, together: bool = False) -> None:
        """Appends results, as one batch or one after the other; cut off regions keep theirs."""
        ready = []
        for fresh in found:
            # An identity is one result: the same once more is a duplicate.
            result = self.results.setdefault(fresh.identity, fresh)
            if result.region in self.cut_off:
                self.cut_off[result.region].append(result)
            else:
                ready.append(result)
        if together and ready:
            self.fleet.append(ready)
        elif not together:
            for result in ready:
                self.fleet.append([result])

    @rule(
        found=st.lists(
            st.tuples(
                st.sampled_from(REGIONS),
                names,
                outcomes,
                st.sampled_from((0, 0, 1, 700, 5_000, 14_000, 26_000, 60_000)),
            ),
            min_size=1,
            max_size=5,
        ),
        together=st.booleans(),
    )
    def check(self, found: list[Found], together: bool) -> None:
        """Results in any order; the later ones of a region may have begun before the others."""
        self.check_in(found, together=together)

    def check_in(self, found: list[Found], *, together: bool) -> None:
        self.send(
            [
                self.fleet.result(region, reason, of=name, ago=ago)
                for region, name, reason, ago in found
            ],
            together=together,
        )

    @rule(name=names, regions=orders, reason=reasons, pause=st.sampled_from((799, 800, 1000, 5000)))
    def fail(self, name: str, regions: list[str], reason: Reason, pause: int) -> None:
        """All attempts of a series, the regions side by side."""
        for attempt in range(self.targets[name].retries + 1):
            self.fleet.wait(pause if attempt else 1)
            self.send([self.fleet.result(one, reason, of=name, attempt=attempt) for one in regions])

    @rule(name=names, regions=orders, together=st.booleans())
    def recover(self, name: str, regions: list[str], together: bool) -> None:
        for _ in range(self.targets[name].recover_after):
            self.fleet.wait(1)
            self.send([self.fleet.result(one, of=name) for one in regions], together=together)

    @rule(
        name=names,
        down=st.sets(st.sampled_from(REGIONS)),
        reason=reasons,
        rounds=st.integers(1, 4),
    )
    def go_on(self, name: str, down: set[str], reason: Reason, rounds: int) -> None:
        """Some intervals, in which some regions fail and the others succeed."""
        for _ in range(rounds):
            self.fleet.wait(self.targets[name].interval_ms)
            for region in REGIONS:
                failed = reason if region in down else None
                self.send([self.fleet.result(region, failed, of=name)])
                if region not in self.cut_off:
                    self.fleet.beat(region)

    @precondition(lambda self: self.fleet.open)
    @rule(data=st.data(), quiet=st.sampled_from(REGIONS), rounds=st.integers(1, 5))
    def recover_all_but_one(self, data: st.DataObject, quiet: str, rounds: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.fleet.open)))
        half = self.targets[name].interval_ms // 2
        for _ in range(rounds):
            self.fleet.wait(half).tick()
            self.fleet.wait(half)
            self.send([self.fleet.result(one, of=name) for one in REGIONS if one != quiet])

    @rule(
        name=names,
        region=st.sampled_from(REGIONS),
        reason=outcomes,
        ahead=st.sampled_from((1, 900, 30_000, 3_600_000)),
        twice=st.booleans(),
    )
    def check_with_a_clock_ahead(
        self, name: str, region: str, reason: Reason | None, ahead: int, twice: bool
    ) -> None:
        result = self.fleet.result(region, reason, of=name, ago=-ahead, prober=f"{region}-ahead")
        if region not in self.cut_off and result.identity not in self.results:
            self.results[result.identity] = result
            self.ahead.append(result)
            self.fleet.append([result, result] if twice else [result])

    @rule(name=names, region=st.sampled_from(REGIONS), missed=st.booleans(), reason=uncounted)
    def find_nothing_out(self, name: str, region: str, missed: bool, reason: Reason) -> None:
        one = self.fleet.result(region, reason, of=name, missed=missed, prober=f"{region}-2")
        self.send([one])

    @precondition(lambda self: self.results)
    @rule(data=st.data(), together=st.booleans())
    def deliver_again(self, data: st.DataObject, together: bool) -> None:
        known = [one for one in self.results.values() if self.told_apart(one)]
        if known:
            picks = st.lists(st.integers(1, min(len(known), 30)), min_size=1, max_size=6)
            again = [known[-pick] for pick in data.draw(picks)]
            self.send(again, together=together)

    def told_apart(self, result: CheckResult) -> bool:
        watched = self.fleet.reference.targets.get(result.target)
        if result not in self.ahead or watched is None:
            return result not in self.ahead
        heard = watched.heard.get(result.region)
        return bool(heard) and heard[-1].started == result.started_at

    # Regions that are away

    @rule(region=st.sampled_from(REGIONS))
    def cut_off_region(self, region: str) -> None:
        self.cut_off.setdefault(region, [])

    @precondition(lambda self: self.cut_off)
    @rule(data=st.data())
    def return_with_spool(self, data: st.DataObject) -> None:
        region = data.draw(st.sampled_from(sorted(self.cut_off)))
        self.send(self.cut_off.pop(region), together=True)

    @rule(regions=orders)
    def beat(self, regions: list[str]) -> None:
        for region in regions:
            if region not in self.cut_off:
                self.fleet.beat(region)

    # Time

    @rule(ms=st.sampled_from((1, 200, 800, 1000, 5_000, 10_000, 15_000, 28_000, 80_000)))
    def wait(self, ms: int) -> None:
        self.fleet.wait(ms)

    @rule(ms=st.integers(0, 90_000) | st.sampled_from(DEADLINES_MS))
    def wait_and_tick(self, ms: int) -> None:
        self.fleet.wait(ms).tick()

    @rule(ms=st.sampled_from((1, 300)))
    def step_back(self, ms: int) -> None:
        """Another broker leads and its clock is behind."""
        self.fleet.now -= ms
        self.fleet.tick()

    @precondition(lambda self: self.fleet.now - self.gap_ended > LONGEST_SPAN_MS)
    @rule(
        ms=st.sampled_from((15_000, 15_001, 40_000, 400_000)),
        found=st.lists(
            st.tuples(st.sampled_from(REGIONS), names, outcomes, st.integers(0, 45_000)), max_size=6
        ),
        together=st.booleans(),
    )
    def lose_the_broker(self, ms: int, found: list[Found], together: bool) -> None:
        """What was checked meanwhile comes when the broker is back, or the first thing after."""
        self.fleet.wait(ms, broker_away=True)
        self.gap_ended = self.fleet.now
        self.check_in(found, together=together)
        self.fleet.tick()

    # People

    @precondition(lambda self: self.fleet.open)
    @rule(data=st.data(), by=st.sampled_from(("ann", "bob")), mistaken=st.booleans())
    def acknowledge(self, data: st.DataObject, by: str, mistaken: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.fleet.open)))
        seen = "another" if mistaken else self.fleet.open[name]
        self.fleet.wait(1).control(Acknowledged(target=name, incident_id=seen, by=by))

    @precondition(lambda self: self.fleet.open)
    @rule(data=st.data(), mistaken=st.booleans())
    def resolve(self, data: st.DataObject, mistaken: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.fleet.open)))
        meant = "another" if mistaken else self.fleet.open[name]
        self.fleet.control(Resolved(target=name, incident_id=meant, by="ann"))

    # Workers

    @rule()
    def write_checkpoint(self) -> None:
        self.checkpoint = (len(self.fleet.log), snapshot.encode(self.fleet.state))

    @rule(more=st.integers(0, 5))
    def crash(self, more: int) -> None:
        """Another worker takes over from the checkpoint; some records come once more."""
        covered, chunks = self.checkpoint
        state = snapshot.decode(chunks, 0, 1)
        for record in self.fleet.log[max(0, covered - more) : covered]:
            assert rules.apply(state, record) == []
        for record in self.fleet.log[covered:]:
            assert messages(rules.apply(state, record)) == self.fleet.given[record.offset]
        assert snapshot.encode(state) == snapshot.encode(self.fleet.state)
        self.fleet.state = state

    # Always

    @invariant()
    def the_indexes_are_true(self) -> None:
        state = self.fleet.state
        restored = self.fleet.restored()
        assert state.hosts == restored.hosts
        assert state.hot.keys() == restored.hot.keys()
        assert state.hot.keys() == {name for name, one in state.targets.items() if one.hot}

    @invariant()
    def the_reference_hears_the_same(self) -> None:
        """What would come out later, seen at once."""
        state, other = self.fleet.state, self.fleet.reference
        assert state.running == other.running
        assert state.targets.keys() == other.targets.keys()
        for name, entry in state.targets.items():
            watched = other.targets[name]
            assert (entry.target, entry.held) == (watched.target, watched.held)
            assert {
                region: (
                    window.newest,
                    is_fresh(window, state.running),
                    window.down,
                    window.failing.since if window.failing else None,
                    window.successes,
                )
                for region, window in zip(entry.policy.regions, state.windows(entry), strict=True)
                if window is not None
            } == {
                region: (
                    watched.heard[region][-1].effective,
                    said.fresh,
                    said.down,
                    said.row[0].effective if said.row else None,
                    said.successes,
                )
                for region, said in watched.said(other.running).items()
            }

    def teardown(self) -> None:
        """The whole log from nothing, as the bytes that stand on the topics."""
        state = new_state(0, 1)
        for record in self.fleet.log:
            done = step(state, record.offset, record.append_time, *wire(record))
            assert (done.failed, done.unreadable) == (False, 0)
            assert list(done.messages) == self.fleet.given[record.offset]
        assert snapshot.encode(state) == snapshot.encode(self.fleet.state)
        count_what_happened(self.fleet)


def wire(record: Record) -> tuple[bytes, list[tuple[str, bytes]]]:
    if record.control is not None:
        return b"", control.headers(record.control)
    return batch.encode(record.results), []


def count_what_happened(fleet: Log) -> None:
    """For `--hypothesis-show-statistics`: what the histories reached."""
    for name in {one.event for one in fleet.events} | {one.event for one in fleet.region_events}:
        event(name)
    for one in fleet.events:
        if one.closed_because is not None:
            event(f"closed: {one.closed_because}{' with abandoned' * bool(one.abandoned_regions)}")


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    PROFILES.get(os.environ.get("HYPOTHESIS_PROFILE", ""), PROFILES["default"]),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
