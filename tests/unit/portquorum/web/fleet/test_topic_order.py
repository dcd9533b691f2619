"""[incidents] and [incidents.open] may be read in any order: the end is the same."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from portquorum.web.fleet import Fleet
from schemas import incident
from schemas.incident import IncidentEvent
from tests.unit.portquorum.web.fleet.fleet_story import FleetStory, target

WORDS = ("updated", "improved", "worsened", "closed")


def told(words: list[str], name: str) -> list[IncidentEvent]:
    """The events of one incident: an opening, then these, at most up to the first closing."""
    story = FleetStory(target(name))
    events = [story.open(target(name))]
    for number, word in enumerate(words):
        if events[-1].event == "closed":
            break
        event = story.follow(events[-1], word)
        events.append(structs.replace(event, event_id=f"{name}-{number}"))
    return events


@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=4), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_the_end_does_not_hang_on_which_topic_comes_first(
    histories: list[list[str]], draw: Random, compacted: bool
) -> None:
    fleet = Fleet()
    fleet.tick(1_800_000_000_000)
    log: list[IncidentEvent] = []
    opened: list[IncidentEvent] = []
    for number, words in enumerate(histories):
        events = told(words, f"t{number}")
        log += events
        kept = events[-1:] if compacted else events
        opened += kept
    offset = 0
    while log or opened:
        offset += 1
        if log and (not opened or draw.random() < 0.5):
            fleet.apply_event(0, offset, incident.encode(log.pop(0)))
        else:
            event = opened.pop(0)
            value = None if event.event == "closed" else incident.encode(event)
            fleet.apply_open(event.incident_id.encode(), value)
    expected = {}
    for number, words in enumerate(histories):
        last = told(words, f"t{number}")[-1]
        if last.event != "closed":
            expected[last.incident_id] = last.event
    assert {one: kept.event.event for one, kept in fleet.incident_book.open.items()} == expected
