"""One step: what the worker, its catching up and the replay have in common."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import batch, control, incident
from schemas.control import TargetSet
from schemas.incident import IncidentEvent
from schemas.recheck import RecheckRequest
from streams.rules.process import step
from streams.state.partition_state import new_state
from streams.state.target_state import TargetState
from tests.unit.streams.rules.fleet import START, Fleet, target


def a_log() -> list[tuple[int, bytes, list[tuple[str, bytes]]]]:
    """Append time, value, headers of a small outage."""
    fleet = Fleet(target())
    log = [(START, b"", control.headers(TargetSet(target=target())))]
    for second in (0, 2):
        fleet.now = START + second * 1000
        results = [fleet.result(region, "connection_refused") for region in "abc"]
        log.append((fleet.now, batch.encode(results), []))
    return log


def test_outputs_become_messages_with_keys_and_headers() -> None:
    state = new_state(0, 1)
    messages = [
        message
        for offset, (at, value, headers) in enumerate(a_log())
        for message in step(state, offset, at, value, headers).messages
    ]
    assert {message.topic for message in messages} == {"incidents", "rechecks"}
    for message in messages:
        if message.topic == "rechecks":
            request = msgspec.json.decode(message.value, type=RecheckRequest)
            assert message.key == request.host.encode()
            assert message.kind == "recheck"
        else:
            event = incident.decode(message.value)
            assert isinstance(event, IncidentEvent)
            assert message.key == b"db1.example.com"
            assert message.headers == tuple(incident.headers(event))
            assert message.kind == incident.event_type(event)


@given(
    st.none() | st.binary(max_size=300),
    st.lists(
        st.tuples(st.sampled_from([control.HEADER, "x"]), st.binary(max_size=100)), max_size=3
    ),
)
def test_no_bytes_stop_the_stream(value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    state = new_state(0, 1)
    done = step(state, 5, START, value, headers)
    assert state.offset == 5
    assert not done.failed


def test_a_fault_in_one_result_does_not_cost_the_others() -> None:
    fleet = Fleet(target(regions="a", retries=0), target("broken", regions="a", host="other"))
    fleet.state.targets["broken"].slot = 10**6  # no log leads there: as after a fault of ours
    results = [fleet.result("a", "timed_out", of=of) for of in ("broken", "db", "broken")]
    done = step(fleet.state, 5, START, batch.encode(results), [])
    assert (done.failed, fleet.state.offset) == (True, 5)
    assert [message.kind for message in done.messages] == [
        "recheck",
        "portquorum.incident.opened.v1",
    ]


def test_a_lack_of_memory_is_not_passed_over() -> None:
    class Full(dict[str, TargetState]):
        def get(self, *_: object) -> TargetState:  # type: ignore[override]
            raise MemoryError

    fleet = Fleet(target(regions="a"))
    value = batch.encode([fleet.result("a")])
    fleet.state.targets = Full()
    with pytest.raises(MemoryError):
        step(fleet.state, 5, START, value, [])
