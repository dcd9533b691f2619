"""A route's limit: no more messages within a time, and nothing is lost."""

from schemas.policy import Limit, Route
from tests.unit.sinks.notifier.decision.crowd import (
    MINUTE,
    SECOND,
    A,
    actions,
    arrive,
    closed,
    crowd_office,
    most_within,
    named,
    opened,
    sent_rows,
    times,
)
from tests.unit.sinks.notifier.decision.office import HOUR, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT

ONE = Limit(messages=1, per_ms=HOUR)
THREE = Limit(messages=3, per_ms=HOUR)


def test_what_a_limit_holds_is_one_digest_when_there_is_room() -> None:
    there = crowd_office(A, limit=THREE, group_interval_ms=0)
    arrive(there, ((AT + number * MINUTE, opened(number, AT)) for number in range(10)))
    there.wait(2 * HOUR)
    assert times(there) == [2, 62, 122, 3602]
    assert len(there.sent[-1].news) == 7
    assert {news.held for news in there.sent[-1].news} == {"limit of route all"}
    assert not any(news.held for one in there.sent[:-1] for news in one.news)
    why = "limit of route all: 3 in 1 h, told at 03:00 UTC"
    assert there.whys("opened", A) == [why] * 7
    assert set(sent_rows(there).values()) == {1}


def test_closings_count_and_are_told() -> None:
    there = crowd_office(A, limit=ONE)
    there.take(opened(1))
    there.wait(MINUTE)
    there.take(closed(1, there.now))
    there.wait(59 * MINUTE)
    assert actions(there) == [["opened"]]
    there.wait(MINUTE)
    assert actions(there) == [["opened"], ["closed"]]
    assert times(there) == [2, 3602]


def test_a_limit_of_one_lets_all_through_one_message_at_a_time() -> None:
    there = crowd_office(A, limit=ONE)
    arrive(there, ((AT + number * 10 * MINUTE, opened(number, AT)) for number in range(30)))
    there.wait(3 * HOUR)
    assert most_within(times(there), 3600) == 1
    assert set(named(there, A, "opened").values()) == {1}
    assert len(named(there, A, "opened")) == 30


def test_what_began_and_ended_while_a_limit_held_it_is_told_as_missed() -> None:
    there = crowd_office(A, limit=Limit(messages=1, per_ms=5 * HOUR))
    there.take(opened(1))
    there.wait(MINUTE)
    there.take(opened(2, there.now))
    there.wait(MINUTE)
    there.take(closed(2, there.now))
    there.wait(5 * HOUR)
    assert actions(there) == [["opened"], ["missed"]]
    assert not [row for row in there.rows if row.status == "dead"]


def test_the_stricter_of_two_routes_with_one_url_holds() -> None:
    there = Office(
        Route(name="a", urls=(A,), limit=Limit(messages=5, per_ms=HOUR)),
        Route(name="b", urls=(A,), limit=Limit(messages=2, per_ms=HOUR)),
    )
    arrive(there, ((AT + number * MINUTE, opened(number, AT)) for number in range(8)))
    there.wait(2 * HOUR)
    assert times(there) == [2, 62, 3602]
    assert there.whys("opened", A)[0].startswith("limit of route b: 2 in 1 h")


def test_what_did_not_arrive_does_not_count_and_what_may_have_does() -> None:
    for answer, expected in (("unreachable", 3), ("uncertain", 2)):
        there = crowd_office(A, limit=THREE, group_interval_ms=0)
        there.answers[A] = answer
        there.take(opened(0))
        there.wait(WAIT_MS)
        there.answers.clear()
        there.wait(10 * MINUTE)
        arrive(there, ((there.now + n * MINUTE, opened(n, AT)) for n in range(1, 9)))
        there.wait(30 * MINUTE)
        confirmed = {row.group for row in there.rows if row.status == "sent"}
        assert len(confirmed) == expected


def test_a_limit_holds_after_failovers_and_says_so_once() -> None:
    there = crowd_office(A, limit=THREE)
    for number in range(30):
        there.take(opened(number, there.now))
        there.wait(20 * SECOND)
        there.restart(dies=number % 2 == 0, calm=False)
    there.wait(2 * HOUR)
    assert most_within(times(there), 3600) == 3
    assert set(named(there, A, "opened").values()) == {1}
    held = [(row.event_id, row.channel) for row in there.rows if row.status == "not_sent"]
    assert len(held) == len(set(held)) > 0


def test_a_limit_that_is_lifted_lets_go_at_once() -> None:
    there = crowd_office(A, limit=ONE)
    there.take(opened(1))
    there.wait(MINUTE)
    there.take(opened(2, there.now))
    there.wait(10 * MINUTE)
    assert len(there.sent) == 1
    there.route(Route(name="all", urls=(A,)))
    there.wait(SECOND)
    assert len(there.sent) == 2


def test_on_call_systems_have_no_limit() -> None:
    there = crowd_office("pagerduty://k", limit=ONE)
    there.take(*(opened(number) for number in range(5)))
    assert there.told("pagerduty://k") == ["trigger"] * 5
    assert not there.paces
