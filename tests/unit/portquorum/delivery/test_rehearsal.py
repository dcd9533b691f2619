"""Test messages: each channel of a route gets what its class understands."""

import pytest

from portquorum.delivery.rehearsal import Rehearsed, rehearse
from sinks.notifier.model import Channel, ChannelClass, Delivery, OutcomeKind, SendOutcome

CHAT = Channel("r", "slack://a")
PAGER = Channel("r", "pagerduty://b")


def classes(channel: Channel) -> ChannelClass:
    return "on_call" if channel.scheme == "pagerduty" else "people"


def rehearsed(first: OutcomeKind, *channels: Channel) -> tuple[list[Rehearsed], list[Delivery]]:
    """What is reported and what is sent if the first action of each channel has this outcome."""
    sent: list[Delivery] = []

    def send(delivery: Delivery) -> SendOutcome:
        sent.append(delivery)
        if delivery.action == "resolve":
            return SendOutcome(kind="confirmed")
        error = None if first == "confirmed" else "no"
        return SendOutcome(kind=first, error=error)

    return rehearse(channels, classes, send), sent


def test_people_get_one_text_and_an_on_call_system_is_resolved_by_its_key() -> None:
    done, sent = rehearsed("confirmed", CHAT, PAGER)
    assert [(one.scheme, one.action) for one in done] == [
        ("slack", "opened"),
        ("pagerduty", "trigger"),
        ("pagerduty", "resolve"),
    ]
    assert all(one.confirmed for one in done)
    trigger, resolve = (
        next(one for one in sent if one.action == action) for action in ("trigger", "resolve")
    )
    assert trigger.news[0].key == resolve.news[0].key
    assert trigger.id != resolve.id


def test_each_rehearsal_has_keys_of_its_own_and_says_that_it_is_a_test() -> None:
    (_, (first,)), (_, (second,)) = rehearsed("confirmed", CHAT), rehearsed("confirmed", CHAT)
    assert first.news[0].key != second.news[0].key
    event = first.news[0].event
    assert event.event == "opened"
    assert event.name == "TEST of the route r, nothing is wrong"
    assert "nothing is wrong" in event.summary


@pytest.mark.parametrize(
    ("outcome", "actions"),
    [
        ("uncertain", ["trigger", "resolve"]),
        ("unreachable", ["trigger"]),
        ("refused", ["trigger"]),
        ("misconfigured", ["trigger"]),
    ],
)
def test_what_may_have_been_opened_is_resolved(outcome: OutcomeKind, actions: list[str]) -> None:
    done, _ = rehearsed(outcome, PAGER)
    assert [one.action for one in done] == actions
    assert not done[0].confirmed
    assert done[0].error == "no"


def test_a_route_without_channels_has_nothing_to_send() -> None:
    assert rehearsed("confirmed")[0] == []
