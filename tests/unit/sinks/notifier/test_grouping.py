"""Events of one host share a message."""

from typing import Any

from aiokafka import TopicPartition

from schemas.incident import RegionEvent
from sinks.notifier.grouping import Groups, ReceivedEvent, group_key, runs
from tests.unit.sinks.notifier.events import incident_event, targets_event


def taken(**fields: Any) -> ReceivedEvent:
    return ReceivedEvent(incident_event(**fields), TopicPartition("incidents", 0), 0)


def test_a_group_closes_when_its_first_event_has_waited_long_enough() -> None:
    groups = Groups(2.0)
    assert groups.next_end() is None
    groups.add(taken(port=1), 10.0)
    groups.add(taken(port=2), 11.9)
    groups.add(taken(port=3, host="other"), 11.0)
    assert groups.next_end() == 12.0
    assert list(groups.closed(11.99)) == []
    ((key, events),) = groups.closed(12.0)
    assert key == "host:db1.example.com"
    assert len(events) == 2
    assert groups.next_end() == 13.0


def test_targets_without_a_host_and_regions_are_groups_of_their_own() -> None:
    region = RegionEvent(event_id="e", event="region.silent", region="eu", at=1, summary="s")
    assert group_key(incident_event(host=None, port=None)) == "host:prod-db"
    assert group_key(region) == "region:eu"


def test_the_partitions_that_one_cause_blinds_are_a_group() -> None:
    assert group_key(targets_event(partition=1)) == group_key(targets_event(partition=2))
    assert group_key(targets_event()) != group_key(targets_event(cause_id="c2"))


def test_an_opening_and_its_closing_are_two_messages_in_their_order() -> None:
    events = [taken(event=e) for e in ("opened", "opened", "closed", "opened")]
    assert [[t.event.event for t in run] for run in runs(events)] == [
        ["opened", "opened"],
        ["closed"],
        ["opened"],
    ]
