"""The state is a function of the log: any crash and restore gives the same bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas import incident
from schemas.control import TargetSet
from schemas.incident import IncidentEvent
from schemas.target import Target
from streams.checkpoint import decoder
from streams.checkpoint.encoder import StateEncoder
from streams.rules import work_budget
from streams.rules.apply import apply
from streams.state.partition_state import new_state
from tests.unit.schemas.strategies import targets
from tests.unit.streams.rules.fleet import START, Fleet, target

REGIONS = ("a", "b", "c")
REASONS = ("connection_refused", "timed_out", "dns_failed")

steps = st.one_of(
    st.tuples(
        st.just("result"),
        st.sampled_from(REGIONS),
        st.sampled_from(("db", "ssh", "web")),
        st.sampled_from((None, None, *REASONS)),
        st.sampled_from((0, 0, 10, 2_000, 200_000)),
    ),
    st.tuples(
        st.just("down"), st.sampled_from(("a", "a b", "a b c")), st.sampled_from(("db", "ssh"))
    ),
    st.tuples(
        st.just("up"), st.sampled_from(("a", "a b", "a b c")), st.sampled_from(("db", "ssh"))
    ),
    st.tuples(st.just("wait"), st.sampled_from((1, 900, 5_000, 61_000, 200_000)), st.booleans()),
    st.tuples(st.just("beat"), st.sampled_from(REGIONS), st.sampled_from((0, 0, 50))),
    st.tuples(st.just("set"), st.sampled_from(("a b c", "a b", "c")), st.integers(1, 2)),
    st.tuples(st.just("remove")),
)


def play(fleet: Fleet, script: list[tuple]) -> None:  # type: ignore[type-arg]
    version = 10
    for step in script:
        match step:
            case ("result", region, of, reason, ago):
                fleet.append([fleet.result(region, reason, of=of, ago=ago)])
            case ("down", regions, of):
                fleet.down(*regions.split(), of=of)
            case ("up", regions, of):
                fleet.wait(1).up(*regions.split(), of=of)
            case ("wait", ms, broker_away):
                fleet.wait(ms, broker_away=broker_away)
            case ("beat", region, failing):
                fleet.beat(region, targets=100, failing=failing, newly_failing=failing)
            case ("set", regions, port):
                version += 1
                fleet.control(TargetSet(target(regions=regions, port=port, version=version)))
            case ("remove",):
                fleet.remove("db")


def check_alternation(events: list[IncidentEvent]) -> None:
    open_incident: dict[str, str] = {}
    for event in events:
        if event.event == "opened":
            assert event.target not in open_incident
            open_incident[event.target] = event.incident_id
            assert event.votes.down >= event.votes.need
        else:
            assert open_incident[event.target] == event.incident_id
            if event.event == "closed":
                del open_incident[event.target]
    identifiers = [event.event_id for event in events]
    assert len(identifiers) == len(set(identifiers))


@settings(max_examples=60)
@given(st.lists(steps, max_size=60), st.integers(0, 60), st.sampled_from((1, 1000)))
def test_crash_and_restore_anywhere_gives_the_same_bytes(
    script: list[tuple],  # type: ignore[type-arg]
    crash_after: int,
    at_once: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work_budget, "AT_ONCE", at_once)
        crash_and_restore(script, crash_after)


def crash_and_restore(script: list[tuple], crash_after: int) -> None:  # type: ignore[type-arg]
    fleet = Fleet(target(), target("ssh", port=22, consensus="unanimous"), target("web", port=443))
    play(fleet, script)
    check_alternation(fleet.events)

    state = new_state(0, 1)
    again = []
    for number, record in enumerate(fleet.log):
        again += apply(state, record)
        if number == crash_after:
            state = decoder.decode(decoder.encode(state), 0, 1)
            assert apply(state, record) == []  # delivered once more after the crash
    assert again == fleet.outputs
    encoded = [incident.encode(out) for out in again if isinstance(out, IncidentEvent)]
    assert encoded == [incident.encode(event) for event in fleet.events]
    assert decoder.encode(state) == decoder.encode(fleet.state)


@settings(max_examples=50)
@given(st.lists(steps, max_size=60))
def test_the_indexes_are_those_of_a_fresh_state(script: list[tuple]) -> None:  # type: ignore[type-arg]
    fleet = Fleet(target(), target("ssh", port=22))
    play(fleet, script)
    restored = fleet.restored()
    assert restored.hot.keys() == fleet.state.hot.keys()
    assert restored.hosts == fleet.state.hosts


@settings(max_examples=40)
@given(st.lists(targets, max_size=6), st.lists(targets, max_size=6), st.data())
def test_whatever_the_targets_are_all_of_them_is_kept(
    before: list[Target], after: list[Target], data: st.DataObject
) -> None:
    fleet = Fleet()
    for number, one in enumerate((*before, *after)):
        fleet.control(TargetSet(structs.replace(one, version=number)))
        known = fleet.state.targets[one.id]
        heard = data.draw(st.sets(st.sampled_from(one.regions)))
        fleet.append([fleet.result(region, "timed_out", of=one.id) for region in heard])
        assert known.target == structs.replace(
            one, version=number, regions=tuple(dict.fromkeys(one.regions))
        )
    restored = fleet.restored()
    assert list(restored.targets) == list(fleet.state.targets)
    for entry in fleet.state.targets.values():
        other = restored.targets[entry.id]
        assert other.target == entry.target
        assert other.trouble == entry.trouble
        assert restored.windows(other) == fleet.state.windows(entry)
    assert decoder.encode(restored) == decoder.encode(fleet.state)


def test_targets_of_one_policy_share_it_and_an_unused_one_is_dropped() -> None:
    fleet = Fleet(target("a"), target("b"), target("c", retries=3))
    state = fleet.state
    assert state.targets["a"].policy is state.targets["b"].policy
    assert state.targets["c"].policy is not state.targets["a"].policy
    fleet.remove("c")
    assert [policy.retries for policy in state.policies.values()] == [1]


def test_a_capture_is_the_state_at_its_offset_whatever_comes_after() -> None:
    fleet = Fleet(target(), target("ssh", port=22), target("web", host="web"))
    fleet.up("a", "b", of="web")
    fleet.down("a", "b")
    chunks = decoder.encode(fleet.state)
    capture = StateEncoder(fleet.state)
    fleet.wait(5_000).up("a", "b", "c")
    fleet.fail("a", of="web")
    fleet.beat("a")
    fleet.control(TargetSet(target(name="another", regions="b c d e", version=2)))
    fleet.remove("ssh")
    fleet.control(TargetSet(target("new", regions="a b c d")))
    assert list(capture.chunks()) == chunks
    assert decoder.encode(fleet.state) != chunks


def test_columns_do_not_grow_while_targets_come_and_go() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    for number in range(9):
        fleet.up("a", "b")
        fleet.remove("db")
        fleet.control(TargetSet(target(version=number + 1)))
        assert fleet.windows() == [None, None, None]
        fleet.wait(1000)
    assert len(fleet.state.columns.newest) == 6


def test_a_large_state_is_cut_into_chunks() -> None:
    fleet = Fleet(*(target(f"t{n}", host=f"h{n}", port=n + 1) for n in range(8000)))
    chunks = decoder.encode(fleet.state)
    assert len(chunks) > 2
    assert all(len(chunk) <= 512 * 1024 for chunk in chunks)
    assert decoder.encode(fleet.restored()) == chunks
    assert fleet.now == START
