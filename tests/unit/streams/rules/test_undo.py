"""A part of a record is applied whole or not at all, whichever rule fails on it, and where."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import batch, control
from schemas.control import Acknowledged, Beat, Control, Resolved, TargetRemoved, TargetSet, Tick
from schemas.duration import DAY_MS
from schemas.probe import TlsProbe
from schemas.result import CheckResult
from streams.checkpoint import decoder
from streams.rules import apply, clock, incidents, regions, results
from streams.rules.process import step
from streams.rules.record import Record
from streams.state.partition_state import PartitionState
from tests.unit.streams.rules.fleet import START, Fleet, target
from tests.unit.streams.rules.test_state_properties import play, steps

# Not among them: what the two short ways consist of (a success of a calm target, one more word that
# says what was said). They are sums of numbers that have ranges, and no rule is asked.
PLACES = (
    "streams.rules.apply.tally",
    "streams.rules.apply.status",
    "streams.rules.incidents.judge",
    "streams.rules.incidents._judge_slowness",
    "streams.rules.incidents._judge_certificate",
    "streams.rules.incidents._next_deadline",
    "streams.rules.flapping.note",
    "streams.rules.incident_events.opened",
    "streams.rules.incident_events.closed",
    "streams.rules.incident_events.updated",
    "streams.rules.incident_events._event",
    "streams.rules.host_status.note_heard",
    "streams.rules.host_status.note_status",
    "streams.rules.rechecks.ask",
    "streams.rules.rechecks.reason_to_ask",
    "streams.rules.regions._clock",
    "streams.rules.region_guard.look",
    "streams.rules.inventory_changes.incidents.judge",
)


class FaultError(Exception):
    """A fault of ours, put there by the test."""


def fails(*_: object, **__: object) -> None:
    raise FaultError


def copy(state: PartitionState) -> PartitionState:
    return decoder.decode(decoder.encode(state), state.partition, state.partitions)


def busy(script: list[tuple]) -> Fleet:  # type: ignore[type-arg]
    fleet = Fleet(target(), target("ssh", port=22, consensus="unanimous"), target("web", port=443))
    play(fleet, script)
    fleet.now += 1_000
    fleet.tick()  # deadlines are not looked at again within a second
    return fleet


def with_fault(place: str, state: PartitionState, record: Record) -> list[apply.FailedPart]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, fails)
        try:
            apply.apply(state, record)
        except apply.RuleError as error:
            return error.parts
    return []


@settings(max_examples=120)
@given(
    st.lists(steps, max_size=40),
    st.sampled_from(PLACES),
    st.sampled_from("abc"),
    st.sampled_from(("db", "ssh", "web")),
    st.sampled_from((None, "timed_out", "connection_refused")),
)
def test_a_result_on_which_a_rule_fails_changes_nothing(
    script: list[tuple],  # type: ignore[type-arg]
    place: str,
    region: str,
    of: str,
    reason: str | None,
) -> None:
    fleet = busy(script)
    fleet.now += 500
    result = fleet.result(region, reason, of=of)  # type: ignore[arg-type]
    offset = len(fleet.log)
    without = copy(fleet.state)
    failed = with_fault(place, fleet.state, Record(offset, fleet.now, [result], None))
    if not failed:
        return  # the result did not come that way
    assert [part.result for part in failed] == [0]
    apply.apply(without, Record(offset, fleet.now, [], None))
    assert decoder.encode(fleet.state) == decoder.encode(without)
    # And it goes on as if the record had never been, indexes and all.
    for number, later in enumerate((fleet.result(region, reason, of=of, ago=-1),) * 2, 1):
        record = Record(offset + number, fleet.now + 700 * number, [later], Tick("t"))
        assert apply.apply(fleet.state, record) == apply.apply(without, record)
    assert decoder.encode(fleet.state) == decoder.encode(without)


looks = st.tuples(st.sampled_from("abc"), st.sampled_from((1, 13, 60)), st.booleans())


def looked(script: list[tuple[str, int, bool]]) -> Fleet:
    fleet = Fleet(target(kind="tls", probe=TlsProbe()))
    for region, days, up in script:
        fleet.wait(5_000)
        fleet.append([look(fleet, region, days, up=up)])
    fleet.now += 500
    return fleet


def look(fleet: Fleet, region: str, days: int, *, up: bool) -> CheckResult:
    end = fleet.now + days * DAY_MS
    return fleet.result(region, None if up else "certificate_ending", cert_expires_at=end)


@settings(max_examples=80)
@given(st.lists(looks, min_size=1, max_size=30), looks, st.sampled_from(PLACES))
def test_a_look_at_a_certificate_on_which_a_rule_fails_changes_nothing(
    script: list[tuple[str, int, bool]], last: tuple[str, int, bool], place: str
) -> None:
    fleet = looked(script)
    offset, without = len(fleet.log), copy(fleet.state)
    result = look(fleet, last[0], last[1], up=last[2])
    if with_fault(place, fleet.state, Record(offset, fleet.now, [result], None)):
        apply.apply(without, Record(offset, fleet.now, [], None))
        assert decoder.encode(fleet.state) == decoder.encode(without)


@settings(max_examples=40)
@given(st.lists(looks, min_size=1, max_size=30), st.sampled_from((0, 3, 30)))
def test_other_days_on_which_a_rule_fails_change_nothing(
    script: list[tuple[str, int, bool]], warn_days: int
) -> None:
    fleet = looked(script)
    offset, without = len(fleet.log), copy(fleet.state)
    other = target(kind="tls", probe=TlsProbe(warn_days=warn_days), version=2)
    place = "streams.rules.inventory_changes.incidents.judge"
    record = Record(offset, fleet.now, [], TargetSet(other))
    failed = with_fault(place, fleet.state, record)
    assert failed
    apply.apply(without, Record(offset, fleet.now, [], Tick("t")))
    # The deadlines are looked at with both.
    assert fleet.state.targets["db"].target == without.targets["db"].target
    kept, expected = fleet.state.targets["db"].trouble, without.targets["db"].trouble
    assert (kept and kept.endings) == (expected and expected.endings)
    assert len(fleet.state.targets["db"].incidents) == len(without.targets["db"].incidents)


CONTROLS: tuple[Callable[[Fleet], Control], ...] = (
    lambda _: TargetSet(target(port=1, version=90)),
    lambda _: TargetSet(target(regions="c d e f", version=91)),
    lambda _: TargetSet(target(retries=0, name="another", version=92)),
    lambda _: TargetSet(target("new", host="elsewhere")),
    lambda _: TargetRemoved(target="db", version=99),
    lambda fleet: Acknowledged(target="db", incident_id=incident_of(fleet), by="ada"),
    lambda fleet: Resolved(target="db", incident_id=incident_of(fleet), by="ada"),
    lambda _: beat("a", "p1", failing=90),
    lambda _: beat("nowhere", "p2", offset=9_000),
)


def incident_of(fleet: Fleet) -> str:
    entry = fleet.state.targets.get("db")
    return entry.incidents[0].incident_id if entry is not None and entry.incidents else ""


def beat(region: str, prober: str, failing: int = 0, offset: int | None = None) -> Beat:
    return Beat(
        region=region,
        prober=prober,
        sequence=1,
        started_at=START,
        targets=100,
        failing=failing,
        newly_failing=failing,
        connectivity=True,
        lag_ms=0,
        spool=0,
        clock_offset_ms=offset,
    )


@settings(max_examples=120)
@given(st.lists(steps, max_size=40), st.sampled_from(PLACES), st.sampled_from(CONTROLS))
def test_a_control_record_on_which_a_rule_fails_changes_nothing(
    script: list[tuple],  # type: ignore[type-arg]
    place: str,
    make: Callable[[Fleet], Control],
) -> None:
    fleet = busy(script)
    fleet.now += 500
    offset = len(fleet.log)
    without = copy(fleet.state)
    record = Record(offset, fleet.now, [], make(fleet))
    failed = with_fault(place, fleet.state, record)
    if not failed:
        return
    assert [(part.result, part.blamed) for part in failed] == [(None, True)]
    apply.apply(without, Record(offset, fleet.now, [], None))
    assert decoder.encode(fleet.state) == decoder.encode(without)
    again = Record(offset + 1, fleet.now + 1, [], record.control)
    assert apply.apply(fleet.state, again) == apply.apply(without, again)
    assert decoder.encode(fleet.state) == decoder.encode(without)
    assert fleet.state.hosts == copy(fleet.state).hosts


def test_one_target_on_which_a_deadline_fails_costs_no_other_its_turn() -> None:
    fleet = Fleet(
        target("aaa", host="h1", open_after_ms=5_000), target("zzz", host="h2", open_after_ms=5_000)
    )
    for of in ("aaa", "zzz"):
        fleet.down("a", "b", "c", of=of)
    before = fleet.state.targets["aaa"].trouble
    judge = incidents.judge

    def breaks(state: PartitionState, entry: object, *more: object, **named: object) -> object:
        if entry is fleet.state.targets["aaa"]:
            raise FaultError
        return judge(state, entry, *more, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streams.rules.incidents.judge", breaks)
        fleet.now += 6_000
        with pytest.raises(apply.RuleError) as caught:
            fleet.tick()
    assert [part.blamed for part in caught.value.parts] == [False]
    assert [event.target for event in caught.value.outputs] == ["zzz"]  # type: ignore[union-attr]
    assert fleet.state.targets["aaa"].trouble == before
    fleet.now += 1_000
    assert [event.target for event in fleet.tick()] == ["aaa"]  # type: ignore[union-attr]


def test_what_is_not_applied_is_named_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(target(regions="a", retries=0), target("ok", regions="a", host="h", retries=0))
    lines = batch.encode([fleet.result("a", "timed_out", of=of) for of in ("ok", "db")]).split(
        b"\n"
    )
    take = results.take

    def breaks(state: PartitionState, entry: object, result: object) -> object:
        if entry is fleet.state.targets["db"]:
            raise FaultError("broken")
        return take(state, entry, result)  # type: ignore[arg-type]

    monkeypatch.setattr("streams.rules.apply.take", breaks)
    done = step(fleet.state, 5, START, b"\n".join([b"{garbage", lines[0], b"", lines[1]]), [])
    assert (done.failed, done.unreadable, done.results) == (True, 1, 2)
    (left_out,) = done.not_applied
    assert (left_out.line, left_out.raw) == (3, lines[1])
    assert "FaultError('broken')" in left_out.error
    assert {message.kind for message in done.messages} == {
        "recheck",
        "portquorum.incident.opened.v1",
    }


def test_more_regions_than_there_may_be_are_refused_until_others_are_silent() -> None:
    fleet = Fleet(target())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "MOST_REGIONS", 3)
        patch.setattr(regions, "MOST_PROBERS", 5)
        for region, prober in (("a", "1"), ("b", "1"), ("c", "1"), ("c", "2"), ("c", "3")):
            fleet.control(beat(region, prober))
        for refused in (beat("d", "1"), beat("a", "2")):
            before = decoder.encode(fleet.state)
            done = step(fleet.state, len(fleet.log), fleet.now, b"", control.headers(refused))
            assert not done.failed
            (left_out,) = done.not_applied
            assert left_out.line == -1
            assert left_out.error.startswith("expected beats of at most")
            assert control.decode(left_out.raw) == refused
            state = copy(fleet.state)
            state.offset -= 1
            assert decoder.encode(state) == before
            fleet.log.append(Record(len(fleet.log), fleet.now, [], refused))
        fleet.wait(1_800_000)
        fleet.control(beat("b", "1"))
        fleet.wait(1_900_000)
        fleet.control(beat("d", "1"))
        assert sorted(fleet.state.regions) == ["b", "d"]
        assert fleet.restored().regions.keys() == fleet.state.regions.keys()


@pytest.mark.parametrize("stamp", [-1, -(2**63), 0, 2**62, clock.LATEST_MS, clock.LATEST_MS * 2])
def test_a_stamp_that_is_no_time_does_not_move_the_clock(stamp: int) -> None:
    fleet = Fleet(target())
    fleet.append([fleet.result(region, "timed_out") for region in "abc"])
    now = fleet.state.now
    apply.apply(fleet.state, Record(len(fleet.log), stamp, [], Tick("t")))
    assert (fleet.state.now, fleet.state.offset) == (now, len(fleet.log))
    decoder.decode(decoder.encode(fleet.state), 0, 1)
