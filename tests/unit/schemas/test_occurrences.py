"""Rules as RFC 5545 has them, unrolled; the examples are from its section 3.8.5.3."""

from datetime import UTC, datetime

import pytest

from schemas.occurrences import MOST, occurrences, problem
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
        "FREQ=DAILY;UNTIL=20270101",
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
