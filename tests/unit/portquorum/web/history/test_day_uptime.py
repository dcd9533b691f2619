"""Days of uptime, and sums over several."""

from datetime import date, timedelta

import pytest

from portquorum.web.history.day_uptime import day_of, every_day, over, percentages

DAY = date(2026, 11, 1)


def test_every_day_is_there_and_one_without_a_row_was_not_measured() -> None:
    days = every_day([(DAY + timedelta(1), 86_400.0, 3_600.0, 360.0, 0.0, 0.0)], DAY, 3)
    assert [one.day for one in days] == [DAY, DAY + timedelta(1), DAY + timedelta(2)]
    assert [one.uptime_percent for one in days] == [None, pytest.approx(90.0), None]
    assert [one.watched_s for one in days] == [0.0, 86_400.0, 0.0]


def test_the_sums_are_of_the_last_days_and_weigh_by_the_measured_time() -> None:
    rows = [
        (DAY, 86_400.0, 86_400.0, 8_640.0, 0.0, 0.0),
        (DAY + timedelta(1), 86_400.0, 0.0, 0.0, 0.0, 0.0),
        (DAY + timedelta(2), 43_200.0, 43_200.0, 4_320.0, 4_320.0, 4_320.0),
    ]
    one, two, all_ = over(every_day(rows, DAY, 3), (1, 2, 3))
    assert one.uptime_percent == pytest.approx(90.0)
    assert one.uptime_without_maintenance_percent == pytest.approx(100.0)
    assert two.uptime_percent == pytest.approx(90.0)
    assert all_.measured_s == 129_600.0
    assert all_.uptime_percent == pytest.approx(90.0)


def test_what_was_not_measured_has_no_percentage() -> None:
    assert percentages(0, 0, 0, 0) == (None, None)
    assert percentages(10, 5, 10, 5) == (50.0, None)
    assert [one.uptime_percent for one in over(every_day([], DAY, 90))] == [None] * 4


def test_a_day_is_that_of_utc() -> None:
    assert day_of(86_400_000 - 1) == date(1970, 1, 1)
    assert day_of(86_400_000) == date(1970, 1, 2)
