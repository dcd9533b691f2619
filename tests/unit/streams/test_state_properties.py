"""The state is a function of the log: any crash and restore gives the same bytes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import incident
from schemas.control import TargetSet
from schemas.incident import IncidentEvent
from streams import rules, snapshot
from streams.state import new_state
from tests.unit.streams.fleet import START, Fleet, target

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
    st.tuples(st.just("beat"), st.sampled_from(REGIONS)),
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
            case ("beat", region):
                fleet.beat(region)
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


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=60), st.integers(0, 60))
def test_crash_and_restore_anywhere_gives_the_same_bytes(
    script: list[tuple],  # type: ignore[type-arg]
    crash_after: int,
) -> None:
    fleet = Fleet(target(), target("ssh", port=22, consensus="unanimous"), target("web", port=443))
    play(fleet, script)
    check_alternation(fleet.events)

    state = new_state(0, 1)
    again = []
    for number, record in enumerate(fleet.log):
        again += rules.apply(state, record)
        if number == crash_after:
            state = snapshot.decode(snapshot.encode(state), 0, 1)
            assert rules.apply(state, record) == []  # delivered once more after the crash
    assert again == fleet.outputs
    encoded = [incident.encode(out) for out in again if isinstance(out, IncidentEvent)]
    assert encoded == [incident.encode(event) for event in fleet.events]
    assert snapshot.encode(state) == snapshot.encode(fleet.state)


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=60))
def test_the_indexes_are_those_of_a_fresh_state(script: list[tuple]) -> None:  # type: ignore[type-arg]
    fleet = Fleet(target(), target("ssh", port=22))
    play(fleet, script)
    restored = fleet.restored()
    assert restored.hot.keys() == fleet.state.hot.keys()
    assert restored.hosts == fleet.state.hosts


def test_a_large_state_is_cut_into_chunks() -> None:
    fleet = Fleet(*(target(f"t{n}", host=f"h{n}", port=n + 1) for n in range(8000)))
    chunks = snapshot.encode(fleet.state)
    assert len(chunks) > 1
    assert all(len(chunk) <= 512 * 1024 for chunk in chunks)
    assert snapshot.encode(fleet.restored()) == chunks
    assert fleet.now == START
