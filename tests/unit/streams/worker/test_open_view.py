"""Where [incidents.open] differs from a state, decided without a broker."""

import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from schemas import incident
from schemas.incident import IncidentEvent
from streams.rules.messages import encode
from streams.worker.event_producer import OpenWrite, content_of
from streams.worker.open_view import (
    NewestEvents,
    OpenIncidentRef,
    OpenView,
    differences,
    open_incidents,
)
from tests.unit.streams.rules.fleet import Fleet, target

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples" / "incidents"


def example(name: str) -> IncidentEvent:
    found = incident.decode((EXAMPLES / f"{name}.json").read_bytes())
    assert isinstance(found, IncidentEvent)
    return found


EXAMPLE = example("opened")
CLOSED = structs.replace(example("closed"), incident_id="a", at=2)


@dataclass
class Record:
    """What a view reads of a record of Kafka's."""

    offset: int
    key: bytes
    value: bytes | None = b"{}"
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def event(offset: int, key: bytes, number: int) -> Record:
    """The `number`th event of an incident."""
    return record_of(offset, key, told_as(key.decode(), number))


def told_as(incident_id: str, number: int) -> IncidentEvent:
    event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{incident_id}-{number}"))
    return structs.replace(EXAMPLE, incident_id=incident_id, event_id=event_id, at=number)


def record_of(offset: int, key: bytes, event: IncidentEvent) -> Record:
    return Record(offset, key, incident.encode(event), list(incident.headers(event)))


def written(number: int, record: Record) -> OpenWrite:
    assert record.value is not None
    return OpenWrite(number, content_of(record.value, record.headers))


def view_of(*records: Record) -> OpenView:
    view = OpenView()
    for record in records:
        view.take(record)  # type: ignore[arg-type]
    return view


OPEN = {b"a": OpenIncidentRef("db", 5)}
TOLD = {b"a": OpenIncidentRef("db", 5, told_at=2)}


def test_a_view_that_is_as_the_state_differs_in_nothing() -> None:
    assert not differences(view_of(event(0, b"a", 1)), OPEN, {})
    assert not differences(view_of(event(0, b"a", 1)), OPEN, {b"a": written(1, event(0, b"a", 1))})
    assert not differences(view_of(event(0, b"a", 2)), TOLD, {})
    assert not differences(view_of(event(0, b"a", 1), Record(1, b"a", None)), {}, {})


def test_what_the_state_has_not_is_closed() -> None:
    found = differences(view_of(event(0, b"a", 1), event(1, b"b", 1)), OPEN, {})
    assert (found.closed, found.behind) == ({b"b"}, set())
    ghost = view_of(event(0, b"a", 1), Record(1, b"a", None), event(2, b"a", 1))
    assert differences(ghost, {}, {}).closed == {b"a"}
    nonsense = view_of(Record(0, b"\xff", b"\xff"))
    assert differences(nonsense, {}, {}).closed == {b"\xff"}


@pytest.mark.parametrize(
    "records",
    [
        [],
        [Record(0, b"a", None)],
        [event(0, b"a", 1), Record(1, b"a", None)],
        [event(0, b"a", 1), event(1, b"a", 2), event(2, b"a", 1)],
        [event(0, b"a", 1), Record(1, b"a", b"\xff")],
        # Compaction has left nothing else.
        [Record(0, b"a", b"\xff")],
        [Record(0, b"a", b"")],
        [record_of(0, b"a", told_as("b", 2))],
        [Record(0, b"a", event(0, b"a", 2).value)],
        [record_of(0, b"a", CLOSED)],
    ],
    ids=[
        "nothing",
        "removed",
        "removed later",
        "an old event again",
        "garbage",
        "garbage alone",
        "an empty value",
        "another incident's event",
        "without headers",
        "a closing",
    ],
)
def test_an_open_incident_whose_newest_event_is_not_held_is_behind(records: list[Record]) -> None:
    found = differences(view_of(*records), OPEN, {})
    assert (found.closed, found.behind) == (set(), {b"a"})


def test_what_we_wrote_last_is_the_newest_even_within_one_millisecond() -> None:
    view = view_of(event(0, b"a", 1))
    assert differences(view, OPEN, {b"a": written(7, event(0, b"a", 2))}).behind == {b"a"}


def test_other_bytes_under_the_same_event_are_noticed() -> None:
    """Somebody's value under our headers, and our value under somebody's headers."""
    ours = event(0, b"a", 2)
    value = replace(ours, value=(ours.value or b"").replace(b'"db', b'"xx', 1))
    headers = replace(ours, headers=[*ours.headers, ("ce_type", b"x")])
    for forged in (value, headers):
        assert (forged.value, forged.headers) != (ours.value, ours.headers)
        found = differences(view_of(forged), TOLD, {b"a": written(7, ours)})
        assert found.behind == {b"a"}


def test_an_old_event_is_noticed_by_who_wrote_none_when_it_is_all_that_is_left() -> None:
    assert differences(view_of(event(0, b"a", 1)), TOLD, {}).behind == {b"a"}


def test_an_empty_value_is_no_removal() -> None:
    """A compacted topic would keep it for ever."""
    assert differences(view_of(Record(0, b"a", b"")), {}, {}).closed == {b"a"}


def test_a_topic_that_was_made_anew_is_read_as_new() -> None:
    view = view_of(event(5, b"a", 1), event(6, b"b", 1), event(0, b"c", 1))
    assert view.held.keys() == {b"c"}
    assert view.next_offset == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=30))
def test_a_view_holds_what_compaction_leaves(writes: list[tuple[str, int]]) -> None:
    """0 is a removal, the others are numbers of events."""
    records = [
        event(offset, key.encode(), number) if number else Record(offset, key.encode(), None)
        for offset, (key, number) in enumerate(writes)
    ]
    left = {key.encode(): number for key, number in writes}
    view = view_of(*records)
    assert {key: held.at for key, held in view.held.items()} == {
        key: number for key, number in left.items() if number
    }


def told() -> tuple[Fleet, list[tuple[IncidentEvent, Record]]]:
    """A fleet with an open incident that was told twice, and the records on [incidents]."""
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    records = []
    for offset, one in enumerate(fleet.events):
        message = encode(one, 1)
        records.append((one, Record(offset, message.key, message.value, list(message.headers))))
    return fleet, records


def test_the_open_incidents_of_a_state() -> None:
    fleet, records = told()
    first = records[0][0]
    assert open_incidents(fleet.state) == {
        first.incident_id.encode(): OpenIncidentRef("db", first.opened_at, fleet.events[-1].at)
    }
    fleet.wait(5_000)
    fleet.up("a", "b", "c")
    assert fleet.events[-1].event == "closed"
    assert open_incidents(fleet.state) == {}


def test_the_newest_event_is_the_one_that_came_last_for_the_first_time() -> None:
    fleet, records = told()
    assert len(records) >= 2
    newest = NewestEvents(open_incidents(fleet.state))
    for one, record in [*records, records[0]]:  # an old one again
        assert newest.may_concern(record)  # type: ignore[arg-type]
        newest.take(one, record)  # type: ignore[arg-type]
    [(key, found)] = newest.still_open()
    assert found is records[-1][1]
    assert key == records[-1][0].incident_id.encode()


def test_a_message_is_followed_by_the_same_bytes_under_the_incidents_id() -> None:
    fleet, _ = told()
    fleet.wait(5_000)
    fleet.up("a", "b", "c")
    for one in fleet.events:
        message = encode(one, 4)
        then = message.then
        assert then is not None
        assert (then.topic, then.key) == ("incidents.open", one.incident_id.encode())
        assert then.headers == message.headers
        assert then.value == (None if one.event == "closed" else message.value)
        assert then.partition is message.partition is None  # that of the record
    assert fleet.events[-1].event == "closed"


def test_other_events_are_followed_by_nothing() -> None:
    region = incident.RegionEvent(
        event_id=str(uuid.uuid4()), event="region.silent", region="a", at=1, summary=""
    )
    assert encode(region, 4).then is None
