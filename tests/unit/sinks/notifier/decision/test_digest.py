"""What a channel for people is told between two messages is one message."""

from schemas.policy import Limit
from sinks.notifier.model import Delivery
from tests.unit.sinks.notifier.decision.crowd import (
    AT,
    INTERVAL_MS,
    MINUTE,
    SECOND,
    A,
    Answer,
    actions,
    closed,
    crowd_office,
    named,
    opened,
    sent_rows,
    times,
)
from tests.unit.sinks.notifier.decision.office import HOUR, WAIT_MS, Office, region_event

B, DUTY = "json://b", "pagerduty://k"


def two_messages() -> Office:
    """One message went; a digest of an opening, an end and a region waits and goes."""
    there = crowd_office(A)
    there.take(opened(1))
    there.wait(WAIT_MS)
    there.take(opened(2, there.now), closed(1, there.now))
    there.take(region_event("region.silent", at=there.now))
    return there


def test_the_first_message_waits_for_nothing_and_the_next_is_a_digest() -> None:
    there = two_messages()
    there.wait(INTERVAL_MS)
    assert times(there) == [2, 32]
    assert [one.action for one in there.sent] == ["opened", "digest"]
    assert sorted(actions(there)[1]) == ["closed", "opened", "opened"]
    assert [news.action for news in there.sent[0].news] == [None]


def test_every_event_of_a_digest_has_its_row_with_its_own_action() -> None:
    there = two_messages()
    there.wait(INTERVAL_MS)
    digest = there.sent[-1]
    rows = [row for row in there.rows if row.group == digest.id]
    assert {(row.event, row.action, row.status) for row in rows} == {
        ("opened", "opened", "sent"),
        ("closed", "closed", "sent"),
        ("region.silent", "opened", "sent"),
    }
    assert not any(row.why for row in rows)


def test_news_of_one_host_and_one_action_is_the_ordinary_message() -> None:
    there = crowd_office(A)
    there.take(opened(1))
    there.wait(WAIT_MS)
    there.take(opened(2, host="h"), opened(3, host="h"))
    there.wait(INTERVAL_MS)
    assert [(one.action, len(one.news)) for one in there.sent] == [("opened", 1), ("opened", 2)]


def test_on_call_systems_hear_of_each_at_once() -> None:
    there = crowd_office(A, DUTY)
    for number in range(5):
        there.take(opened(number, there.now))
        there.wait(SECOND)
    assert times(there, DUTY) == [0, 1, 2, 3, 4]
    assert there.told(DUTY) == ["trigger"] * 5
    assert times(there, A) == [2]


def test_an_interval_of_a_route_is_its_own() -> None:
    there = crowd_office(A, group_interval_ms=5 * MINUTE)
    there.take(opened(1))
    there.wait(10 * SECOND)
    there.take(opened(2, there.now))
    there.wait(HOUR)
    assert times(there) == [2, 302]
    at_once = crowd_office(A, group_interval_ms=0)
    at_once.take(opened(1))
    at_once.wait(10 * SECOND)
    at_once.take(opened(2, at_once.now), opened(3, at_once.now))
    at_once.wait(HOUR)
    assert times(at_once) == [2, 12, 12]


def test_who_was_told_only_in_a_digest_is_told_of_the_end_and_never_before_the_opening() -> None:
    there = two_messages()
    there.answers[A] = "hangs"
    there.wait(INTERVAL_MS)
    there.take(closed(2, there.now))
    there.wait(10 * MINUTE)
    assert actions(there)[1:] == [["opened", "closed", "opened"]]
    there.answers.clear()
    there.land_all()
    there.wait(10 * MINUTE)
    assert named(there, A, "opened")["incident/i2"] == 1
    assert named(there, A, "closed")["incident/i2"] == 1
    assert actions(there)[-1] == ["closed"]


def test_what_came_and_went_between_two_messages_is_one_line_of_the_digest() -> None:
    there = crowd_office(A)
    there.take(opened(1))
    there.wait(WAIT_MS)
    there.take(opened(2, there.now), opened(3, there.now))
    there.wait(5 * SECOND)
    there.take(closed(2, there.now))
    there.wait(INTERVAL_MS)
    assert sorted(actions(there)[1]) == ["missed", "opened"]


def test_a_digest_that_is_too_long_goes_at_once_as_a_plain_line() -> None:
    def too_long(delivery: Delivery) -> Answer:
        return "refused" if delivery.action == "digest" and not delivery.plain else "confirmed"

    there = two_messages()
    there.answers[A] = too_long
    there.wait(INTERVAL_MS)
    assert times(there) == [2, 32, 32]
    assert [one.plain for one in there.sent] == [False, False, True]
    assert there.sent[1].id == there.sent[2].id
    assert set(sent_rows(there).values()) == {1}
    there.take(opened(5, there.now))
    there.wait(10 * MINUTE)
    assert times(there)[3:] == [92]
    assert not there.sent[3].plain


def test_a_digest_that_nobody_takes_is_cut_until_what_can_be_told_is_told() -> None:
    def poisoned(delivery: Delivery) -> Answer:
        bad = any(news.entry == "incident/i7" for news in delivery.news)
        return "refused" if bad and len(delivery.news) < 1_000 else "confirmed"

    there = crowd_office(A)
    there.answers[A] = poisoned
    there.take(*(opened(number) for number in range(30)))
    there.wait(2 * HOUR)
    told = named(there, A, "opened")
    assert set(told) == {f"incident/i{number}" for number in range(30)}
    assert len({row for row, count in sent_rows(there).items() if count == 1}) == 29


def test_an_uncertain_digest_is_repeated_with_the_same_id_and_news() -> None:
    there = two_messages()
    there.answers[A] = "uncertain"
    there.wait(INTERVAL_MS)
    there.answers.clear()
    there.wait(10 * MINUTE)
    first, second = there.sent[1:]
    assert (first.id, first.action) == (second.id, second.action)
    assert [(one.entry, one.action) for one in first.news] == [
        (one.entry, one.action) for one in second.news
    ]
    assert second.attempt == 2
    assert second.at - first.at >= INTERVAL_MS


def test_a_digest_under_way_at_a_failover_is_repeated_with_its_id_at_its_time() -> None:
    there = two_messages()
    there.answers[A] = "hangs"
    there.wait(INTERVAL_MS)
    lost = there.sent[-1]
    there.restart(dies=True)
    there.answers.clear()
    there.wait(10 * MINUTE)
    assert [one.id for one in there.sent[1:]] == [lost.id, lost.id]
    assert all(news.maybe_told for news in there.sent[-1].news if news.action == "opened")
    assert times(there) == [2, 32, 92]


def test_the_next_message_waits_from_when_the_request_went_out_also_after_a_failover() -> None:
    there = two_messages()
    there.answers[A] = "hangs"
    there.wait(INTERVAL_MS)
    there.restart(dies=True)
    there.wait(MINUTE)
    again = there.sent[-1]
    assert times(there) == [2, 32, 92]
    there.desk.begun(again, again.at + 4 * SECOND)
    there.desk.begun(again, again.at + 5 * SECOND)  # once more when its connection stands
    there.now += 5 * SECOND
    there.restart()
    there.answers.clear()
    there.wait(10 * MINUTE)
    assert times(there) == [2, 32, 92, 92 + 120 + 5]


def test_a_request_that_went_out_late_and_did_not_arrive_delays_nothing() -> None:
    there = two_messages()
    there.answers[A] = "hangs"
    there.wait(INTERVAL_MS)
    there.desk.begun(there.sent[-1], there.now + 5 * SECOND)
    there.now += 6 * SECOND
    there.answers.clear()
    there.land_all("refused")
    assert times(there) == [2, 32, 38]


def test_of_two_messages_under_way_the_one_that_goes_out_last_counts() -> None:
    there = crowd_office(A)
    there.answers[A] = "hangs"
    there.take(opened(1))
    there.wait(WAIT_MS)
    there.take(opened(2, there.now))
    there.wait(INTERVAL_MS)
    first, _ = there.hanging
    there.desk.begun(first, first.at + 50 * SECOND)  # its connection took so long
    there.take(opened(3, there.now))
    there.answers.clear()
    there.wait(10 * MINUTE)
    assert times(there) == [2, 32, 92]
    there.desk.begun(first, there.now)
    assert times(there) == [2, 32, 92]


def test_a_limit_counts_from_when_the_request_went_out() -> None:
    there = crowd_office(A, group_interval_ms=0, limit=Limit(messages=1, per_ms=MINUTE))
    there.answers[A] = "hangs"
    there.take(opened(1))
    there.wait(WAIT_MS)
    there.desk.begun(there.sent[0], there.now + 5 * SECOND)
    there.answers.clear()
    there.take(opened(2, there.now))
    there.wait(10 * MINUTE)
    assert times(there) == [2, 67]


def test_a_channel_that_is_away_gets_one_digest_when_it_is_back() -> None:
    there = crowd_office(A)
    there.answers[A] = "unreachable"
    for number in range(20):
        there.take(opened(number, there.now))
        there.wait(10 * SECOND)
    before = len(there.sent)
    there.answers.clear()
    there.wait(2 * MINUTE)
    assert [len(one.news) for one in there.sent[before:]] == [20]
    there.take(opened(99, there.now))
    there.wait(MINUTE)
    assert len(there.sent) == before + 2


def test_more_than_a_thousand_are_two_messages() -> None:
    there = crowd_office(A)
    there.take(*(opened(number) for number in range(1_100)))
    there.wait(HOUR)
    assert [(len(one.news), (one.at - AT) // SECOND) for one in there.sent] == [
        (1_000, 2),
        (100, 32),
    ]


def test_a_pace_is_recorded_before_the_message_goes_and_forgotten_when_it_is_over() -> None:
    there = crowd_office(A)
    there.answers[A] = "hangs"
    there.take(opened(1))
    there.wait(WAIT_MS)
    assert len(there.paces) == 1
    there.answers.clear()
    there.land_all()
    there.wait(INTERVAL_MS)
    there.restart()
    assert len(there.paces) == 1
    there.wait(INTERVAL_MS)
    assert not there.paces


def test_a_clock_that_goes_back_delays_nothing_for_longer_than_an_interval() -> None:
    there = two_messages()
    there.now -= 5 * HOUR
    there.turn()
    there.wait(INTERVAL_MS)
    assert len(there.sent) == 2
