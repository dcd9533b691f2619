"""The pace of one channel: when the next message may go, and what a limit lets through."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import Route
from sinks.notifier.decision.pace import (
    Pace,
    PaceRules,
    RouteLimit,
    recorded_pace,
    restored_pace,
)
from tests.unit.sinks.notifier.decision.crowd import opened
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, SECOND, Office

RULES = PaceRules(30 * SECOND)
T = 1_000_000_000_000


def test_the_interval_doubles_up_to_ten_times_while_messages_follow_at_once() -> None:
    pace, now, gaps = Pace(), T, []
    for number in range(7):
        pace.sent(str(number), RULES, now)
        gaps.append((pace.next_at - now) // SECOND)
        now = pace.next_at
    assert gaps == [30, 60, 120, 240, 300, 300, 300]


def test_a_channel_that_had_nothing_to_tell_begins_anew() -> None:
    pace = Pace()
    pace.sent("a", RULES, T)
    pace.sent("b", RULES, pace.next_at)
    last = pace.next_at
    pace.sent("c", RULES, last + 29 * SECOND)
    assert pace.interval_ms == 120 * SECOND
    pace.sent("d", RULES, pace.next_at + 30 * SECOND)
    assert pace.interval_ms == 30 * SECOND


def test_a_message_before_its_time_counts_and_the_next_one_waits_for_an_interval() -> None:
    pace = Pace()
    pace.sent("a", RULES, T)
    pace.sent("mass", RULES, T + 20 * SECOND)
    assert (pace.next_at, pace.interval_ms) == (T + 50 * SECOND, 60 * SECOND)
    pace.sent("b", RULES, pace.next_at)
    assert pace.next_at == T + 170 * SECOND


def test_what_did_not_arrive_does_not_count() -> None:
    pace = Pace()
    pace.sent("a", RULES, T)
    assert pace.undone("a")
    assert (pace.next_at, pace.interval_ms, pace.sent_at) == (0, 0, [])
    assert not pace.undone("a")
    pace.sent("b", RULES, T)
    pace.arrived("b")
    assert not pace.undone("b")
    assert pace.next_at == T + 30 * SECOND


def test_an_undone_message_leaves_what_came_after_it() -> None:
    pace = Pace()
    pace.sent("a", RULES, T)
    pace.sent("b", RULES, T + 30 * SECOND)
    assert pace.undone("a")
    assert pace.next_at == T + 90 * SECOND
    assert pace.sent_at == [T + 30 * SECOND]


limits = st.builds(
    RouteLimit,
    route=st.just("r"),
    messages=st.integers(1, 5),
    per_ms=st.integers(MINUTE, HOUR),
)


@given(
    st.lists(limits, min_size=1, max_size=3),
    st.lists(st.integers(0, 10 * MINUTE), min_size=1, max_size=40),
    st.booleans(),
)
def test_no_limit_is_ever_passed(found: list[RouteLimit], gaps: list[int], restarts: bool) -> None:
    rules = PaceRules(0, tuple(found))
    pace, now, sent = Pace(), T, []
    for number, gap in enumerate(gaps):
        now += gap
        full = pace.full(rules, now)
        if full is None:
            pace.sent(str(number), rules, now)
            sent.append(now)
        else:
            assert full.until > now
            assert all(
                full.until >= pace.sent_at[-one.messages] + one.per_ms
                for one in found
                if len(pace.sent_at) >= one.messages
            )
        if restarts:
            pace = restored_pace(recorded_pace("c", pace))
    for one in found:
        for first in sent:
            within = [at for at in sent if first <= at < first + one.per_ms]
            assert len(within) <= one.messages
    assert pace.ends_at(rules) >= sent[-1]


def test_a_shorter_interval_is_in_force_at_once() -> None:
    """A digest waits ten days after an interval of a day; the route is mended meanwhile."""
    pace = Pace(next_at=T)
    for number in range(6):
        pace.sent(str(number), PaceRules(24 * HOUR), pace.next_at)
    last = pace.sent_at[-1]
    assert pace.next_at == last + 240 * HOUR
    pace.rules_changed(RULES)
    assert pace.next_at == last + 300 * SECOND
    forged = restored_pace(recorded_pace("c", Pace(interval_ms=2**50, next_at=9_999_999_999_999)))
    forged.rules_changed(RULES)
    forged.clock_was_set(T)
    assert forged.next_at <= T + 300 * SECOND


def test_a_route_whose_interval_is_mended_is_told_soon() -> None:
    there = Office(
        Route(name="all", urls=("json://a",), group_interval_ms=24 * HOUR),
        group_interval_ms=30 * SECOND,
    )
    for number in range(3):
        there.take(opened(number, there.now))
        there.wait(30 * HOUR)
    there.take(opened(3, there.now))
    there.wait(HOUR)
    before = len(there.sent)
    there.route(Route(name="all", urls=("json://a",)))
    there.wait(5 * MINUTE)
    assert len(there.sent) == before + 1


def test_two_messages_go_at_once_within_five_minutes() -> None:
    pace = Pace()
    pace.sent("a", RULES, T, at_once=True)
    assert pace.free_at() == 0
    pace.sent("b", RULES, T + SECOND, at_once=True)
    assert pace.free_at() == T + 5 * MINUTE
    pace.undone("b")
    assert pace.free_at() == 0
