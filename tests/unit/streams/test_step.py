"""One step: what the worker, its catching up and the replay have in common."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import batch, control, incident
from schemas.control import TargetSet
from schemas.incident import IncidentEvent
from schemas.recheck import RecheckRequest
from streams import rules
from streams.records import Record
from streams.state import PartitionState, new_state
from streams.step import step
from tests.unit.streams.fleet import START, Fleet, target


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


def test_a_record_that_makes_the_rules_raise_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_state: PartitionState, record: Record) -> list[rules.Output]:
        raise KeyError(record.offset)

    state = new_state(0, 1)
    monkeypatch.setattr(rules, "apply", broken)
    done = step(state, 5, START, b"", [])
    assert (done.failed, done.messages, state.offset) == (True, (), 5)


def test_a_lack_of_memory_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(_state: PartitionState, _record: Record) -> list[rules.Output]:
        raise MemoryError

    state = new_state(0, 1)
    monkeypatch.setattr(rules, "apply", short)
    with pytest.raises(MemoryError):
        step(state, 5, START, b"", [])
    assert state.offset == -1
