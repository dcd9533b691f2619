from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portquorum.status_pages.day_bars import bars, kind_of, percent_words, said
from portquorum.status_pages.model import Day
from portquorum.status_pages.uptime import (
    DAY_MS,
    DAY_S,
    Outage,
    TargetDay,
    component_days,
    day_of,
    needs_outages,
    percent,
    together_s,
)

TODAY = date(2026, 11, 30)
TODAY_MS = 20_787 * DAY_MS


def test_the_days_are_those_of_the_target_and_a_day_without_one_is_empty() -> None:
    days = [TargetDay(TODAY - timedelta(days=1), DAY_S, 60.4, 0), TargetDay(TODAY, 3600, 0, 0)]

    found = component_days([days], [], TODAY, 3)

    assert found == (Day(), Day(DAY_S, 60), Day(3600))


def test_two_targets_that_were_down_together_were_down_once() -> None:
    assert day_of(TODAY_MS) == TODAY
    one = [TargetDay(TODAY, DAY_S, 100, 0)]
    outages = [
        Outage("a", TODAY_MS, TODAY_MS + 100_000),
        Outage("b", TODAY_MS + 50_000, TODAY_MS + 150_000),
    ]

    assert needs_outages([one, one])
    assert not needs_outages([one, []])
    assert component_days([one, one], outages, TODAY, 1) == (Day(DAY_S, 150),)


def test_an_outage_that_goes_on_is_counted_to_the_moment_of_the_days() -> None:
    """A day that was reckoned 323 s after its component was made, asked 300 s later."""
    reckoned = TODAY_MS + 323_000
    days = [[TargetDay(TODAY, 323, 235, 0, reckoned)], [TargetDay(TODAY, 323, 175, 0, reckoned)]]
    outages = [
        Outage("a", TODAY_MS + 55_000, TODAY_MS + 129_000),
        Outage("a", TODAY_MS + 162_000, TODAY_MS + 623_000),
        Outage("b", TODAY_MS + 148_000, TODAY_MS + 377_000),
    ]

    assert component_days(days, outages, TODAY, 1) == (Day(323, 249),)


def test_outages_before_anybody_watched_are_no_part_of_a_day() -> None:
    days = [[TargetDay(TODAY, 600, 60, 0)], [TargetDay(TODAY, 600, 30, 0)]]
    outages = [Outage("a", TODAY_MS, TODAY_MS + 400_000), Outage("b", TODAY_MS, TODAY_MS + 90_000)]

    assert component_days(days, outages, TODAY, 1) == (Day(600, 90),)


def test_what_is_planned_is_no_downtime() -> None:
    (day,) = component_days([[TargetDay(TODAY, 1000, 100, 100)]], [], TODAY, 1)

    assert day == Day(1000, 100, 100)
    assert percent([day]) == 100
    assert kind_of(day, is_today=True) == "planned"


def test_a_part_of_a_second_of_outage_is_one() -> None:
    (day,) = component_days([[TargetDay(TODAY, DAY_S, 0.2, 0)]], [], TODAY, 1)

    assert day.down_s == 1
    assert percent_words(percent([day])) == "99.998%"


@given(
    st.lists(st.tuples(st.floats(0, DAY_S), st.floats(0, DAY_S), st.floats(0, DAY_S)), max_size=5),
    st.lists(st.tuples(st.integers(-DAY_MS, DAY_MS), st.integers(0, 2 * DAY_MS)), max_size=5),
)
def test_planned_is_a_part_of_down_and_down_of_measured(
    targets: list[tuple[float, float, float]], spans: list[tuple[int, int]]
) -> None:
    days = [[TargetDay(TODAY, *values)] for values in targets]
    outages = [Outage("a", TODAY_MS + begin, TODAY_MS + begin + n) for begin, n in spans]

    (day,) = component_days(days, outages, TODAY, 1)

    assert 0 <= day.planned_s <= day.down_s <= day.measured_s <= DAY_S
    assert together_s(outages, TODAY_MS, TODAY_MS + DAY_MS) <= DAY_S
    uptime = percent([day])
    assert uptime is None or 0 <= uptime <= 100


def test_the_bars_say_in_words_what_they_draw() -> None:
    days = (Day(), Day(DAY_S), Day(DAY_S, 7200), Day(100), Day(DAY_S, 60, 60), Day(60))

    drawn = bars(days, TODAY)

    assert said(days, TODAY) in drawn
    assert said(days, TODAY).endswith("uptime, outage on 27 Nov (2 h)")
    assert 'class=u d="M1 10h1M5 10h1"' in drawn
    assert 'class=x d="M2.5 12V1"' in drawn
    assert 'class=k d="M3 10h1"' in drawn
    assert 'class=p d="M4.5 12V8"' in drawn
    assert said((Day(),), TODAY) == "1 day: not measured"


def test_a_day_of_a_young_page_is_as_wide_as_one_of_an_old_page() -> None:
    drawn = bars((Day(DAY_S), Day(600, 300)), TODAY, 90)

    assert 'viewBox="0 0 90 12"' in drawn
    assert 'class=u d="M88 10h1"' in drawn
    assert 'class=x d="M89.5 12V' in drawn
    assert said((Day(DAY_S), Day(600, 300)), TODAY).startswith("2 days: ")


def test_below_a_hundred_never_looks_like_a_hundred() -> None:
    assert percent_words(99.99999) == "99.999%"
    assert percent_words(100.0) == "100%"
    assert percent_words(98.127) == "98.12%"
    assert percent_words(0.0) == "0%"
    assert percent_words(None) == "–"
