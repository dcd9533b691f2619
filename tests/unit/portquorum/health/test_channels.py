"""The facts of the notifier's topics."""

from portquorum.delivery.memory import remember
from portquorum.health.channels import notifier_facts
from sinks.notifier.model import Channel
from tests.unit.portquorum.delivery.sample import (
    AT,
    MAIL,
    SLACK,
    event,
    member,
    record,
    row,
    subject,
)

ON_SLACK = Channel("db-oncall", SLACK).name


def test_a_channel_fails_while_news_waits_that_it_did_not_take() -> None:
    fails = {"attempts": 2, "error": "HTTP 500"}
    subjects = (
        subject(event(1), member(due_at=AT + 5, **fails), member(MAIL, due_at=AT)),
        subject(event(2), member(due_at=AT + 2, attempts=1)),
        subject(event(3), member(told_phase="down"), phase="closed"),
    )
    found = notifier_facts(remember(map(record, subjects)), [])
    (failing,) = found.failing
    assert (failing.channel, failing.short_name) == (ON_SLACK, "db-oncall (slack)")
    assert (failing.since, failing.waiting, failing.error) == (AT + 2, 2, "HTTP 500")
    assert (found.open, found.waiting, found.term) == (2, 3, None)


def test_what_was_given_up_is_counted_once_for_each_event_and_channel() -> None:
    dead = row(event(1), ON_SLACK, "dead")
    rows = [dead, dead, row(event(1), "b/2/json", "dead"), row(event(2), ON_SLACK)]
    assert notifier_facts(remember([]), rows).given_up == 2
