"""Rules as RFC 5545 has them, unrolled; the examples are from its section 3.8.5.3."""

import sys
from datetime import UTC, datetime

import pytest

from schemas.occurrences import MOST, Window, occurrences, problem
from schemas.policy import Maintenance

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def begins(rule: str | None, start: str, until: str = "2030-01-01") -> list[str]:
    window = Maintenance(name="w", targets=("a",), start=ms(start), duration_ms=HOUR_MS, rrule=rule)
    found = occurrences(window, ms(until))
    assert all(end - begin == HOUR_MS for begin, end in found)
    return [f"{datetime.fromtimestamp(begin / 1000, tz=UTC):%Y-%m-%d}" for begin, _ in found]


def test_a_window_without_a_rule_is_once() -> None:
    assert begins(None, "2026-12-01T02:00") == ["2026-12-01"]
    assert begins(None, "2026-12-01T02:00", until="2026-12-01T02:00") == []


@pytest.mark.parametrize(
    ("rule", "dates"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["1997-09-02", "1997-09-09", "1997-09-16"]),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", ["1997-09-02", "1997-09-12", "1997-09-22"]),
        ("FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH", ["1997-09-02", "1997-09-04", "1997-09-09"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", ["1997-09-30", "1997-10-31"]),
        ("FREQ=MONTHLY;BYDAY=1FR;UNTIL=19971104T000000Z", ["1997-09-05", "1997-10-03"]),
    ],
)
def test_the_rules_examples(rule: str, dates: list[str]) -> None:
    assert begins(rule, "1997-09-02T09:00") == dates


def test_a_window_for_ever_ends_at_the_horizon_and_at_the_most() -> None:
    assert begins("FREQ=MONTHLY", "2026-01-31T00:00", until="2026-06-01") == [
        "2026-01-31",
        "2026-03-31",
        "2026-05-31",
    ]
    assert len(begins("FREQ=DAILY", "2026-01-01T00:00", until="2200-01-01")) == MOST


def test_the_milliseconds_of_the_start_stay() -> None:
    window = Maintenance(
        name="w", targets=("a",), start=1_796_090_400_123, duration_ms=1, rrule="FREQ=DAILY;COUNT=2"
    )
    assert occurrences(window, 2_000_000_000_000) == [
        (1_796_090_400_123, 1_796_090_400_124),
        (1_796_176_800_123, 1_796_176_800_124),
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=SECONDLY",
        "FREQ=DAILY;FREQ=SECONDLY",
        "FREQ=DAILY;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=20270101T000000",
        "FREQ=DAILY;UNTIL=20270101T000000Z;UNTIL=20280101T000000Z",
        "FREQ=DAILY;BYDAY=",
        "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY",
    ],
)
def test_what_can_not_be_unrolled_is_told_and_has_no_occurrence(rule: str) -> None:
    assert "expected a rule of RFC 5545" in (problem(rule, 0) or "")
    assert begins(rule, "2026-01-01T00:00") == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;INTERVAL=0;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;INTERVAL=00",
        "FREQ=WEEKLY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=+1",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;INTERVAL=1;INTERVAL=0",
    ],
)
def test_an_interval_that_leads_nowhere_is_refused(rule: str) -> None:
    assert problem(rule, 0) is not None
    window = Maintenance(name="x", targets=("a",), start=0, duration_ms=1, rrule=rule)
    assert occurrences(window, 9_999_999_999_999) == []


def test_a_rule_that_runs_out_of_years_ends_there() -> None:
    window = Maintenance(
        name="x",
        targets=("a",),
        start=9_999_999_999_999,
        duration_ms=1,
        rrule="FREQ=YEARLY;INTERVAL=9999",
    )
    assert occurrences(window, 2**62) == [(9_999_999_999_999, 10_000_000_000_000)]


def window(start: str, rule: str | None, hours: float, zone: str | None = None) -> Maintenance:
    return Maintenance(
        name="w",
        targets=("a",),
        start=round(datetime.fromisoformat(start).timestamp() * 1000),
        duration_ms=round(hours * HOUR_MS),
        rrule=rule,
        timezone=zone,
    )


def test_sunday_is_sunday_in_the_zone_of_the_window() -> None:
    # At 00:30 on Sunday in Berlin it is Saturday in UTC: without the zone, BYDAY=SU was Monday.
    sundays = window("2026-12-06T00:30+01:00", "FREQ=WEEKLY;BYDAY=SU;COUNT=2", 1, "Europe/Berlin")
    assert [begin for begin, _ in occurrences(sundays, ms("2027-01-01"))] == [
        ms("2026-12-05T23:30"),
        ms("2026-12-12T23:30"),
    ]


def test_two_o_clock_stays_two_o_clock_in_summer_and_until_is_utc() -> None:
    nights = window(
        "2027-03-26T02:00+01:00", "FREQ=DAILY;UNTIL=20270330T000000Z", 1, "Europe/Berlin"
    )
    assert [begin for begin, _ in occurrences(nights, ms("2028-01-01"))] == [
        ms("2027-03-26T01:00"),
        ms("2027-03-27T01:00"),
        ms("2027-03-28T01:00"),  # 02:00 is jumped over, it is 03:00
        ms("2027-03-29T00:00"),
        ms("2027-03-30T00:00"),
    ]


def test_a_window_without_a_zone_or_with_one_that_is_none_is_in_utc() -> None:
    rule = "FREQ=DAILY;COUNT=200"
    in_utc = occurrences(window("2027-01-01T02:00Z", rule, 1), ms("2028-01-01"))
    for zone in ("UTC", "Mars/Olympus", "../x"):
        there = window("2027-01-01T02:00Z", rule, 1, zone)
        assert occurrences(there, ms("2028-01-01")) == in_utc
        assert problem(rule, there.start, zone) is None


def test_a_window_that_is_asked_knows_what_is_on_and_what_comes_next() -> None:
    asked = Window(window("2027-01-01T02:00Z", "FREQ=DAILY;COUNT=3", 2))
    first, second, third = (ms(f"2027-01-0{day}T02:00") for day in (1, 2, 3))
    assert asked.at(first - 1) is None
    assert asked.ended(first + HOUR_MS) is None
    assert asked.at(first) == asked.at(first + 2 * HOUR_MS - 1) == (first, first + 2 * HOUR_MS)
    assert asked.at(first + 2 * HOUR_MS) is None
    assert asked.ended(first + 2 * HOUR_MS) == asked.ended(second) == first + 2 * HOUR_MS
    assert asked.next_begin(third) is None
    assert asked.ended(third + 10 * HOUR_MS) == third + 2 * HOUR_MS
    # What was asked for before is still known.
    assert asked.next_begin(0) == first
    assert asked.next_begin(first) == second
    assert asked.next_begin(second) == third


def test_windows_that_touch_or_overlap_are_one() -> None:
    touching = Window(window("2027-01-01T00:00Z", "FREQ=DAILY;COUNT=3", 24))
    begin, end = ms("2027-01-01"), ms("2027-01-04")
    assert touching.at(begin + 1) == touching.at(end - 1) == (begin, end)
    assert touching.next_begin(begin) is None
    assert touching.next_begin(begin - 1) == begin
    assert touching.ended(end - 1) is None
    apart = Window(window("2027-01-01T00:00Z", "FREQ=DAILY;COUNT=2", 23.9))
    assert apart.next_begin(begin) == ms("2027-01-02")
    for_ever = Window(window("2027-01-01T00:00Z", "FREQ=YEARLY", 366 * 24))
    assert for_ever.at(begin) == (begin, 9_999_999_999_999)


def test_a_window_once_and_one_with_a_forged_rule() -> None:
    once = Window(window("2027-01-01T00:00Z", None, 1))
    assert once.next_begin(0) == ms("2027-01-01")
    assert once.at(ms("2027-01-01")) == (ms("2027-01-01"), ms("2027-01-01T01:00"))
    forged = Window(window("2027-01-01T00:00Z", "FREQ=DAILY;INTERVAL=0;BYMONTH=2;BYMONTHDAY=30", 1))
    assert forged.at(ms("2027-01-01")) is None
    assert forged.next_begin(0) is None


def test_a_rule_that_never_comes_true_is_refused_soon() -> None:
    """Forged on the topic it held up the notifier's loop for 3 s and more, heartbeats included."""
    calls = 0

    def count(_frame: object, event: str, _more: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        found = problem("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", 0, "Europe/Berlin")
    finally:
        sys.setprofile(None)
    assert found is not None
    assert "that ever comes true" in found
    assert calls < 500_000
    assert problem("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 0) is None
