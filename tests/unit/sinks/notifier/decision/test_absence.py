"""A channel that is away: told when it is back, as long as there is something to tell."""

from itertools import pairwise

from schemas.policy import Route
from sinks.notifier.decision.channel_condition import ChannelCondition
from sinks.notifier.model import SendOutcome
from tests.unit.sinks.notifier.decision.office import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WAIT_MS,
    Office,
)
from tests.unit.sinks.notifier.events import AT, incident_event

A, B = "json://a", "json://b"
BOTH = Route(name="all", urls=(A, B))


def closed(at: int) -> object:
    return incident_event(
        event_id="e9", event="closed", at=at, closed_at=at, closed_because="recovered"
    )


def away(there: Office, *urls: str) -> None:
    for url in urls:
        there.answers[url] = "unreachable"


def back(there: Office, *urls: str) -> None:
    for url in urls:
        there.answers[url] = "confirmed"


def test_who_was_away_from_opening_to_close_gets_no_recovery() -> None:
    there = Office(BOTH)
    away(there, B)
    there.take(incident_event())
    there.wait(30 * SECOND)
    there.take(closed(AT + 30_000))  # type: ignore[arg-type]
    back(there, B)
    there.wait(HOUR)
    assert there.told(A) == ["opened", "closed"]
    assert set(there.told(B)) == {"opened"}  # none of which arrived
    assert there.whys("closed", B) == ["not told of the outage"]
    assert there.whys("opened", B) == ["superseded by closed before the channel could take it"]


def test_who_was_away_for_162_s_gets_the_opening_and_the_end() -> None:
    there = Office(BOTH)
    away(there, B)
    there.take(incident_event())
    there.wait(162 * SECOND)
    back(there, B)
    there.wait(72 * SECOND)
    assert there.rows[-1].status == "sent"
    assert there.rows[-1].event == "opened"
    there.take(closed(there.now))  # type: ignore[arg-type]
    there.wait(WAIT_MS)
    assert there.told(B)[-1] == "closed"


def test_an_opening_is_tried_for_days() -> None:
    there = Office(BOTH)
    away(there, A, B)
    there.take(incident_event())
    there.wait(3 * DAY)
    back(there, A, B)
    there.wait(2 * MINUTE)
    sent = [(row.channel[-4:], row.status) for row in there.rows if row.status != "retrying"]
    assert sent == [("json", "sent")] * 2


def test_a_close_is_tried_for_a_day_and_then_said_to_be_dead() -> None:
    there = Office(BOTH)
    there.take(incident_event())
    there.wait(WAIT_MS)
    away(there, B)
    there.take(closed(there.now))  # type: ignore[arg-type]
    there.wait(23 * HOUR)
    assert there.rows[-1].status == "retrying"
    there.wait(2 * HOUR)
    dead = [row for row in there.rows if row.status == "dead"]
    assert [(row.event, row.action) for row in dead] == [("closed", "closed")]
    assert there.log == {}


def test_waits_grow_to_a_minute() -> None:
    there = Office(Route(name="all", urls=(A,)))
    away(there, A)
    there.take(incident_event())
    there.wait(10 * MINUTE)
    at = [one.at for one in there.sent]
    waits = [later - earlier for earlier, later in pairwise(at)]
    for wait, expected in zip(waits, [2, 4, 8, 16, 32, 60, 60, 60], strict=False):
        assert 0.8 * expected * SECOND <= wait <= 1.2 * expected * SECOND
    assert [one.attempt for one in there.sent] == list(range(1, len(there.sent) + 1))


def test_a_wait_that_the_other_side_asks_for_is_heeded_up_to_an_hour() -> None:
    there = Office(Route(name="all", urls=(A,)))
    for asked, least, most in ((120.0, 120, 121), (9e9, 3600, 3601), (-5.0, 1, 10)):
        there.answers[A] = SendOutcome(kind="unreachable", error="429", retry_after_s=asked)
        there.take(incident_event(incident_id=f"i{asked}", event_id=f"e{asked}"))
        there.wait(WAIT_MS)
        first = there.sent[-1].at
        back(there, A)
        there.wait(2 * HOUR)
        again = next(one.at for one in there.sent if one.at > first)
        assert least * SECOND <= again - first <= most * SECOND


def test_a_parallel_success_does_not_undercut_the_wait_that_was_asked_for() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "hangs"
    there.take(
        incident_event(host="one"), incident_event(host="two", incident_id="i2", event_id="x")
    )
    there.wait(WAIT_MS)
    first, second = there.hanging
    there.land(first, SendOutcome(kind="unreachable", error="429", retry_after_s=300.0))
    there.land(second)
    there.turn()
    there.wait(299 * SECOND)
    assert len(there.sent) == 2
    there.wait(2 * SECOND)
    assert len(there.sent) == 3


def test_a_channel_that_fails_delays_no_other_and_is_tried_by_one_message_at_a_time() -> None:
    there = Office(BOTH)
    there.answers[B] = "hangs"
    events = [
        incident_event(incident_id=f"i{n}", event_id=f"e{n}", host=f"h{n}") for n in range(20)
    ]
    there.take(*events)
    there.wait(WAIT_MS)
    assert len(there.told(A)) == 20
    assert len(there.hanging) == 4
    there.land_all("unreachable")
    there.wait(30 * SECOND)
    assert len(there.hanging) == 1


def test_what_a_channel_is_told_after_a_long_absence_is_what_is_true_then() -> None:
    there = Office(BOTH)
    away(there, B)
    there.take(incident_event())
    there.wait(MINUTE)
    there.take(incident_event(event="improved", event_id="e2", at=AT + 60_000))
    there.take(incident_event(event="worsened", event_id="e3", at=AT + 61_000, episode=2))
    there.take(incident_event(event="improved", event_id="e4", at=AT + 62_000, episode=2))
    back(there, B)
    there.wait(3 * MINUTE)
    arrived = [row for row in there.rows if row.status == "sent" and row.action == "opened"]
    assert [row.event for row in arrived] == ["opened", "improved"]
    for event, by in (("opened", "improved"), ("improved", "worsened"), ("worsened", "improved")):
        assert f"superseded by {by} before the channel could take it" in there.whys(event, B)


def test_a_misconfigured_channel_is_tried_as_long_as_it_is_open() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "misconfigured"
    there.take(incident_event())
    there.wait(HOUR)
    assert 45 <= len(there.sent) <= 80
    back(there, A)
    there.wait(2 * MINUTE)
    assert there.rows[-1].status == "sent"


def test_what_was_not_attempted_is_no_attempt() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "hangs"
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.land_all("not_attempted")
    assert there.rows == []
    there.land_all()
    assert [(row.status, row.attempt) for row in there.rows] == [("sent", 1)]


def test_after_a_success_only_the_wait_that_was_asked_for_is_left() -> None:
    condition = ChannelCondition(seed="a")
    condition.failed(SendOutcome(kind="misconfigured", error="403", retry_after_s=20.0), AT)
    assert condition.not_before > AT + 40 * SECOND
    condition.worked(AT + SECOND)
    assert condition.not_before == AT + 20 * SECOND
    assert condition.waits(AT + 19 * SECOND)
    condition.worked(AT + 20 * SECOND)
    assert condition.not_before == 0
