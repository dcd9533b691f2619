"""An outage that nobody acknowledged is told again, to people."""

from schemas.policy import Limit, Route
from tests.unit.sinks.notifier.decision.crowd import (
    A,
    actions,
    arrive,
    closed,
    crowd_office,
    opened,
    times,
)
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT

DUTY = "pagerduty://k"
EVERY = 30 * MINUTE


def office(**fields: object) -> Office:
    there = crowd_office(A, DUTY, remind_every_ms=EVERY, **fields)
    there.take(opened(1))
    there.wait(WAIT_MS)
    return there


def test_it_is_told_again_at_the_interval_for_as_long_as_it_is_down() -> None:
    there = office()
    there.wait(2 * HOUR)
    assert there.told(A) == ["opened", *["reminder"] * 3]
    assert [at // 60 for at in times(there)] == [0, 30, 60, 90]
    assert [news.reminders for one in there.sent if one.channel.url == A for news in one.news] == [
        0,
        0,
        1,
        2,
    ]
    assert len({one.id for one in there.sent if one.channel.url == A}) == 4
    assert there.told(DUTY) == ["trigger"]
    there.take(closed(1, there.now))
    there.wait(2 * HOUR)
    assert there.told(A)[-1] == "closed"
    assert len(there.told(A)) == 5


def test_an_acknowledgement_ends_it() -> None:
    there = office()
    there.wait(10 * MINUTE)
    there.take(opened(1, there.now, event="updated", event_id="a1", acknowledged_by="eve"))
    there.wait(3 * HOUR)
    assert there.told(A) == ["opened"]


def test_an_acknowledgement_takes_back_one_that_waits() -> None:
    there = office()
    there.wait(EVERY)
    there.take(opened(1, there.now, event="updated", event_id="a1", acknowledged_by="eve"))
    there.wait(3 * HOUR)
    assert there.told(A) == ["opened"]


def test_an_improvement_ends_it_and_an_episode_begins_anew() -> None:
    there = office()
    there.wait(10 * MINUTE)
    there.take(opened(1, there.now, event="improved", event_id="b1"))
    there.wait(2 * HOUR)
    assert there.told(A) == ["opened", "improved"]
    there.take(opened(1, there.now, event="worsened", event_id="w1", episode=2))
    there.wait(EVERY + MINUTE)
    assert there.told(A) == ["opened", "improved", "worsened", "reminder"]
    assert there.sent[-1].news[0].reminders == 0


def test_reminders_of_many_hosts_are_one_message_and_never_that_of_the_opening() -> None:
    there = crowd_office(A, remind_every_ms=EVERY)
    there.take(*(opened(number) for number in range(20)))
    there.wait(EVERY + MINUTE)
    assert [len(one) for one in actions(there)] == [20, 20]
    assert set(actions(there)[1]) == {"reminder"}
    there = crowd_office(A, remind_every_ms=MINUTE)
    arrive(there, ((AT + number * 20_000, opened(number, AT)) for number in range(40)))
    there.wait(HOUR)
    for one in there.sent:
        entries = [news.entry for news in one.news]
        assert len(entries) == len(set(entries))


def test_a_reminder_counts_for_the_limit() -> None:
    there = crowd_office(A, remind_every_ms=MINUTE, limit=Limit(messages=2, per_ms=HOUR))
    there.take(opened(1))
    there.wait(HOUR - MINUTE)
    assert there.told(A) == ["opened", "reminder"]
    assert len(there.whys("opened", A)) == 1


def test_a_restart_keeps_the_time_of_the_next_one() -> None:
    there = office()
    for _ in range(10):
        there.wait(10 * MINUTE)
        there.restart()
    assert [at // 60 for at in times(there)] == [0, 30, 60, 90]


def test_without_it_nothing_is_told_again() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.take(opened(1))
    there.wait(WAIT_MS)
    assert there.desk.next_due(there.now) is None
