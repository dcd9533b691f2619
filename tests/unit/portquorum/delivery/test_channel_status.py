"""How a channel is, by the notifier's topics."""

from typing import Any

import msgspec

from portquorum.delivery.channel_status import ChannelFacts, ChannelStatus, channel_statuses
from portquorum.delivery.memory import remember
from schemas.notification import Notification
from schemas.notifier_state import ChannelPace, Subject, pace_key
from schemas.policy import Person, Policy, Rotation, Route, Team
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

POLICY: list[Policy] = [
    Team(name="database", routes=("db-oncall",)),
    Route(name="db-oncall", urls=(SLACK, MAIL, SLACK)),
    Route(name="all", urls=(MAIL,)),
]
ON_SLACK = Channel("db-oncall", SLACK)
ON_MAIL = Channel("db-oncall", MAIL)


def statuses(
    subjects: list[Subject] | None = None, sent: list[Notification] | None = None
) -> dict[tuple[str, str], ChannelStatus]:
    found = channel_statuses(
        POLICY,
        remember(record(one) for one in subjects or []),
        sent or [],
        lambda _: ChannelFacts(channel_class="people"),
    )
    return {(one.route, one.scheme): one for one in found}


def test_each_channel_of_each_route_is_there_once() -> None:
    found = statuses()
    assert list(found) == [("all", "mailtos"), ("db-oncall", "slack"), ("db-oncall", "mailtos")]
    assert {one.condition for one in found.values()} == {"not used yet"}


def test_a_channel_that_confirmed_works_in_each_of_its_routes() -> None:
    found = statuses(sent=[row(event(), ON_MAIL.name)])
    assert found["all", "mailtos"].condition == "works"
    assert found["db-oncall", "mailtos"].last_sent_at == AT + 900
    assert found["db-oncall", "slack"].condition == "not used yet"
    told = subject(event(), member(told_phase="down", told_episode=1))
    assert statuses([told])["db-oncall", "slack"].condition == "works"


def test_a_channel_fails_from_the_time_at_which_it_should_have_been_told() -> None:
    waiting: dict[str, Any] = {"attempts": 4, "error": "connection refused"}
    subjects = [
        subject(event(1), member(due_at=AT + 5_000, **waiting)),
        subject(event(2), member(due_at=AT + 2_000, **waiting), member(MAIL, due_at=AT)),
        subject(event(3), member(due_at=AT + 9_000)),
    ]
    found = statuses(subjects, [row(event(4), ON_SLACK.name, at=AT - 1)])
    slack = found["db-oncall", "slack"]
    assert (slack.condition, slack.failing_since, slack.waiting) == ("fails", AT + 2_000, 3)
    assert (slack.attempts, slack.error) == (4, "connection refused")
    assert slack.last_sent_at == AT - 1
    assert found["db-oncall", "mailtos"].condition == "waits"


def test_a_channel_whose_newest_attempt_failed_fails_until_the_next_that_does_not() -> None:
    given_up = row(event(1), ON_SLACK.name, "dead", error="HTTP 500", at=AT + 2_000)
    slack = statuses(sent=[given_up])["db-oncall", "slack"]
    assert (slack.condition, slack.error, slack.failing_since) == ("fails", "HTTP 500", AT)
    works = row(event(2), ON_SLACK.name, at=AT + 3_000)
    assert statuses(sent=[given_up, works])["db-oncall", "slack"].condition == "works"


def test_what_was_not_sent_says_nothing_of_a_channel() -> None:
    not_sent = row(event(1), ON_SLACK.name, "not_sent", why="missed: drop")
    assert statuses(sent=[not_sent])["db-oncall", "slack"].condition == "not used yet"


def test_a_channel_that_left_its_route_is_there_while_news_waits_for_it() -> None:
    gone = member("json://gone", due_at=AT, attempts=1, error="x")
    over = member("json://over", told_phase="down")
    found = statuses([subject(event(), gone, over)])
    assert not found["db-oncall", "json"].in_policy
    assert len(found) == 4


def test_what_holds_a_channel_back() -> None:
    silence = "silence 3f2c by ann: disk (until 2026-12-01 08:00 UTC)"
    subjects = [
        subject(event(1), member(held=silence)),
        subject(event(2), member(held=silence)),
        subject(event(3), member(held="quiet hours until 07:00 Europe/Berlin")),
        subject(event(4), member(due_at=AT, limited="db-oncall", limited_until=AT + 60_000)),
    ]
    pace = ChannelPace(term=3, id=ON_SLACK.id, sent_at=(AT,), interval_ms=60_000, next_at=AT + 9)
    records = [*map(record, subjects), (pace_key(pace.id), msgspec.json.encode(pace), ())]
    found = channel_statuses(
        POLICY, remember(records), [], lambda _: ChannelFacts(channel_class="people")
    )
    slack, mail = (one for one in found if one.route == "db-oncall")
    assert (slack.held, slack.held_because, slack.waiting) == (3, silence, 1)
    assert (slack.limited_until, slack.next_at) == (AT + 60_000, AT + 9)
    assert (mail.held, mail.held_because, mail.limited_until, mail.next_at) == (0, None, None, None)


def test_the_channels_of_all_who_take_turns_are_there() -> None:
    people = (Person(name="ann", urls=(MAIL,)), Person(name="bob", urls=("json://bob",)))
    route = Route(name="duty", rotation=Rotation(people=people, since="2026-11-30"))
    found = channel_statuses(
        [route], remember([]), [], lambda _: ChannelFacts(channel_class="people")
    )
    assert [one.scheme for one in found] == ["mailtos", "json"]
