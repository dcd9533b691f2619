"""The examples of events tell stories: whoever publishes all of them ends where the page says."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import schemas
from schemas import incident, messages
from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from streams.rules.incident_event import severity_of

EXAMPLES = Path(schemas.__file__).parent / "examples"
OVER = {
    *("closed", "region.returned", "region.cleared", "region.clock_skewed"),
    *("region.secrets_found", "targets.watched"),
}


def events(folder: str) -> list[Event]:
    return [incident.decode(path.read_bytes()) for path in sorted((EXAMPLES / folder).iterdir())]


def about(event: Event) -> str:
    """What the event's state is kept by (docs/subscribers.md)."""
    match event:
        case IncidentEvent():
            return event.incident_id
        case TargetsEvent():
            return f"unwatched/{event.partition}"
        case RegionEvent(event="region.silent" | "region.returned"):
            return f"silent/{event.region}"
        case RegionEvent(event="region.suspect" | "region.cleared"):
            return f"suspect/{event.region}"
        case RegionEvent(event="region.secrets_missing" | "region.secrets_found"):
            return f"secrets/{event.region}"
    return event.event_id


def holds(told: Iterable[Event]) -> set[str]:
    """The states that hold after the events, by the rule of the page."""
    newest: dict[str, Event] = {}
    for event in told:
        known = newest.get(about(event))
        if known is None or event.at >= known.at:
            newest[about(event)] = event
    return {key for key, event in newest.items() if event.event not in OVER}


def of_incidents() -> Iterator[IncidentEvent]:
    return (event for event in events("incidents") if isinstance(event, IncidentEvent))


def test_file_order_and_time_order_end_in_the_same_state() -> None:
    told = events("incidents")
    in_time = sorted(told, key=lambda event: event.at)
    assert holds(told) == holds(in_time) == holds(reversed(told))
    open_now = {event.incident_id for event in of_incidents()} & holds(told)
    assert open_now == holds(events("incidents.open")) != set()
    assert holds(told) - open_now == {"silent/sa-east"}


def test_the_table_in_file_order_ends_with_what_is_open() -> None:
    table: dict[str | None, str | None] = {}
    for _, message in sorted(messages.all_messages()["incidents.open"].items()):
        table[message.key] = message.value
    assert {key for key, value in table.items() if value} == holds(events("incidents.open"))


def test_each_event_has_its_id_and_each_story_one_incident() -> None:
    told = events("incidents")
    assert max(Counter(event.event_id for event in told).values()) == 1
    opened = Counter(one.incident_id for one in of_incidents() if one.event == "opened")
    closed = Counter(one.incident_id for one in of_incidents() if one.event == "closed")
    assert max(opened.values()) == max(closed.values()) == 1


@pytest.mark.parametrize(
    "field", ["target", "host", "incident_type", "severity", "first_failed_at", "opened_at"]
)
def test_what_an_incident_keeps_is_the_same_in_all_its_events(field: str) -> None:
    found: dict[str, set[object]] = {}
    for one in of_incidents():
        found.setdefault(one.incident_id, set()).add(getattr(one, field))
    assert {key: values for key, values in found.items() if len(values) > 1} == {}


def test_severities_are_those_of_the_rules() -> None:
    for one in of_incidents():
        assert one.severity == severity_of(one.incident_type, one.criticality), one.event_id


def test_a_target_is_unreachable_once_at_a_time() -> None:
    spans: dict[str, dict[str, tuple[int, int]]] = {}
    for one in sorted(of_incidents(), key=lambda event: event.at):
        if one.incident_type in {"unreachable", "flapping"}:
            end = one.closed_at or 2**63
            spans.setdefault(one.target, {})[one.incident_id] = (one.opened_at, end)
    for listed in spans.values():
        in_time = sorted(listed.values())
        assert all(first[1] <= then[0] for first, then in pairwise(in_time))
