"""A log that goes through the rules and through the reference, which must tell the same."""

from collections import Counter
from typing import Final

from hypothesis import currently_in_test_context, note
from msgspec import structs

from schemas.control import Control, Tick
from schemas.incident import IncidentEvent, IncidentType, TargetsEvent, Votes
from schemas.partition import host_key
from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from streams.checkpoint import decoder
from streams.rules.apply import Output, apply
from streams.rules.messages import OutMessage, encode
from streams.rules.record import Record
from tests.unit.streams.rules.fleet import Fleet
from tests.unit.streams.rules.reference import Reference
from tests.unit.streams.rules.reference_promises import (
    keep_rule_3,
    keep_rule_5,
    keep_rule_6,
    keep_rule_12,
)
from tests.unit.streams.rules.reference_words import (
    Closed,
    Improved,
    Opened,
    Told,
    Updated,
    Worsened,
    told_by,
)

IDLE_MS: Final = 15_000
"""Ticks this far apart are no gap of the log."""


class Log(Fleet):
    """Appends records; what each one gives is held against the reference and a restored state."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = Reference()
        self.given: list[list[OutMessage]] = []
        self.open: dict[tuple[str, IncidentType], str] = {}
        self.event_ids: set[str] = set()
        self.episodes: dict[str, tuple[int, bool]] = {}
        self.told_at: dict[str, int] = {}
        self.asked_at: dict[str, int] = {}
        self.asked_for_at: dict[str, int] = {}
        self.unwatched: TargetsEvent | None = None
        self.reached: set[str] = set()

    def append(self, results: list[CheckResult], control: Control | None = None) -> list[Output]:
        restored = self.restored()
        found = super().append(results, control)
        record = self.log[-1]
        self.given.append(messages(found))

        # A restored state has looked at no deadline yet: what it finds, the index did not hide.
        assert messages(apply(restored, record)) == self.given[-1]
        assert decoder.encode(restored) == decoder.encode(self.state)

        expected = self.reference.feed(record)
        if self.unwatched is not None and self.reference.step:
            since = self.reference.clock.told(self.unwatched.since, self.reference.step)
            self.unwatched = structs.replace(self.unwatched, since=since)
        telling = found or expected or not isinstance(control, Tick)
        if telling and currently_in_test_context():
            note(f"{record.append_time}: {[told_by(out) for out in found]}")
        in_time = map(self._in_time, found)
        self._compare([told for out in in_time if (told := told_by(out)) is not None], expected)
        self._keep_the_promises(found, record)
        self._name_incidents(found)
        return found

    def quiet(self, ms: int) -> None:
        """Lets time pass in which nothing comes but a tick now and then."""
        while ms > 0:
            self.now += min(ms, IDLE_MS)
            ms -= IDLE_MS
            self.tick()

    def _in_time(self, out: Output) -> Output:
        """An event as it is where the clock was not set back since the event before it.

        After that the next one is a millisecond after the last one, until the old time has come.
        The order is that of an incident, or of the partition's events of regions and unwatched
        targets.
        """
        if isinstance(out, RecheckRequest):
            return out
        order = out.incident_id if isinstance(out, IncidentEvent) else ""
        now, last = self.state.now, self.told_at.get(order, 0)
        assert out.at == (now if now >= last else last + 1)
        self.told_at[order] = out.at
        return structs.replace(out, at=now)

    def _compare(self, said: list[Told], expected: list[Told]) -> None:
        updates = Counter(one for one in said if isinstance(one, Updated))
        expected_updates = Counter(one for one in expected if isinstance(one, Updated))
        assert updates >= expected_updates
        for one in updates - expected_updates:
            # Nothing but an acknowledgement is told of flapping.
            assert one.type != "flapping"
        assert decided(said) == decided(expected)
        for one in said:
            self.reached.add(in_short(one))

    def _name_incidents(self, found: list[Output]) -> None:
        for out in found:
            if isinstance(out, IncidentEvent) and out.event == "opened":
                watched = self.reference.one(out.target)
                if out.incident_type in watched.incidents:
                    self.reference.name(out.target, out.incident_type, out.incident_id)

    def _keep_the_promises(self, found: list[Output], record: Record) -> None:
        events = [out for out in found if isinstance(out, IncidentEvent)]
        deciding = 1 if record.control is not None else len(record.results)
        for count in Counter(one.incident_id for one in events).values():
            assert count <= deciding
        for one in events:
            key = (one.target, one.incident_type)
            assert one.event_id not in self.event_ids
            self.event_ids.add(one.event_id)
            if one.event == "opened":
                assert key not in self.open
                self.open[key] = one.incident_id
                assert {(one.target, "unreachable"), (one.target, "flapping")} - self.open.keys()
                keep_rule_5(one)
            else:
                assert self.open[key] == one.incident_id
            if one.event == "closed":
                del self.open[key]
                keep_rule_6(one)
            if one.closed_because in {"steady", "flapping"}:
                next_type = "unreachable" if one.closed_because == "steady" else "flapping"
                after = events[events.index(one) + 1 :]
                opened = {(o.target, o.incident_type) for o in after if o.event == "opened"}
                assert (one.target, next_type) in opened
            self._keep_episodes(one)
            if any(said.set_aside for said in one.regions.values()):
                self.reached.add(f"{one.event} while a region is set aside")
        for out in found:
            if isinstance(out, TargetsEvent):
                assert out.event_id not in self.event_ids
                self.event_ids.add(out.event_id)
                keep_rule_12(out, self.unwatched)
                if self.unwatched is not None and out.event == "targets.unwatched":
                    self.reached.add("unwatched again")
                self.unwatched = out if out.event == "targets.unwatched" else None
        self._keep_rule_3([out for out in found if isinstance(out, RecheckRequest)])

    def _keep_episodes(self, one: IncidentEvent) -> None:
        """Each episode begins once, and improves once at most, in this order."""
        episode, improved = self.episodes.get(one.incident_id, (1, False))
        if one.event == "worsened":
            assert improved
            keep_rule_5(one)
            episode, improved = episode + 1, False
        elif one.event == "improved":
            assert not improved
            improved = True
        self.episodes[one.incident_id] = (episode, improved)
        assert (one.episode or 1) == episode

    def _keep_rule_3(self, requests: list[RecheckRequest]) -> None:
        running = self.reference.running
        for host in self.reference.must_ask - {request.host for request in requests}:
            assert running - self.asked_at.get(host, -(10**9)) < 5_000
        dependencies = [one for one in requests if self._is_of_dependency(one)]
        self._keep_rule_3_of_dependencies(dependencies, {one.host for one in requests})
        for request in requests:
            keep_rule_3(request, self.reference.now)
            if request in dependencies:
                continue
            assert running - self.asked_at.get(request.host, -(10**9)) >= 5_000
            assert request.host in self.reference.may_ask
            assert request.host == host_key(
                self.reference.targets[request.target].target.host, request.target
            )
            self.asked_at[request.host] = running
            self.reference.asked(request.host)

    def _is_of_dependency(self, request: RecheckRequest) -> bool:
        watched = self.reference.targets.get(request.target)
        return watched is None or request.host != host_key(watched.target.host, request.target)

    def _keep_rule_3_of_dependencies(self, requests: list[RecheckRequest], asked: set[str]) -> None:
        """Called before the requests for hosts of targets are noted; `asked` has all hosts."""
        running, never = self.reference.running, -(10**9)
        for host in self.reference.must_ask_for - asked:
            last = max(self.asked_for_at.get(host, never), self.asked_at.get(host, never))
            assert running - max(last, self.reference.rechecked.get(host, never)) < 5_000
        for request in requests:
            last = max(
                self.asked_for_at.get(request.host, never), self.asked_at.get(request.host, never)
            )
            assert running - last >= 5_000
            assert request.host in self.reference.may_ask_for
            self.asked_for_at[request.host] = running
            self.reference.asked_for(request.host)
            self.reached.add(f"asked for a dependency: {request.because}")


def messages(found: list[Output]) -> list[OutMessage]:
    return [encode(out, partitions=1) for out in found]


def decided(told: list[Told]) -> Counter[Told]:
    """All but the updates. The votes of what nobody looks at any more are left open."""
    found: Counter[Told] = Counter()
    for one in told:
        if isinstance(one, Closed) and one.because == "policy_changed":
            nobody = Votes(down=0, need=0, fresh=0, configured=0)
            found[structs.replace(one, votes=nobody)] += 1
        elif not isinstance(one, Updated):
            found[one] += 1
    return found


def in_short(told: Told) -> str:
    match told:
        case Opened() | Updated() | Improved() | Worsened():
            return f"{type(told).__name__.lower()} {told.type}"
        case Closed():
            given_up = " without some" * bool(told.abandoned)
            return f"closed {told.type}: {told.because}{given_up}"
        case _:
            return type(told).__name__.lower()
