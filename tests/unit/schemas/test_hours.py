"""Hours and rotations on the wall clock, over both changes of a year."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.hours import is_on, next_change, next_handover, on_duty
from schemas.policy import Hours, Person, Rotation

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
MINUTE_MS = 60_000
NIGHT = (Hours(begin="18:00", end="06:00"),)
NIGHT_OF_SATURDAY = (Hours(days=("sat",), begin="18:00", end="06:00"),)


def ms(text: str) -> int:
    """The time that `text` says, with its offset; UTC without one."""
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def changes(hours: tuple[Hours, ...], zone: str, begin: str, end: str) -> list[str]:
    """The changes after `begin` and before `end`, in UTC."""
    found, at = [], next_change(hours, zone, ms(begin))
    while at is not None and at < ms(end):
        assert is_on(hours, zone, at) is not is_on(hours, zone, at - 1)
        found.append(f"{datetime.fromtimestamp(at / 1000, UTC):%m-%d %H:%M}")
        at = next_change(hours, zone, at)
    return found


@pytest.mark.parametrize(
    ("zone", "begins", "ends", "lasts"),
    [
        # 02:00 becomes 03:00 on 28 March, 03:00 becomes 02:00 on 31 October (UTC+1, UTC+2).
        (BERLIN, "2027-03-27T18:00+01:00", "2027-03-28T06:00+02:00", 11 * 60),
        (BERLIN, "2027-10-30T18:00+02:00", "2027-10-31T06:00+01:00", 13 * 60),
        # 02:00 becomes 03:00 on 14 March, 02:00 becomes 01:00 on 7 November (UTC-5, UTC-4).
        (NEW_YORK, "2027-03-13T18:00-05:00", "2027-03-14T06:00-04:00", 11 * 60),
        (NEW_YORK, "2027-11-06T18:00-04:00", "2027-11-07T06:00-05:00", 13 * 60),
        # Half an hour: 02:00 becomes 01:30 on 4 April, 02:00 becomes 02:30 on 3 October.
        (LORD_HOWE, "2027-04-03T18:00+11:00", "2027-04-04T06:00+10:30", 12 * 60 + 30),
        (LORD_HOWE, "2027-10-02T18:00+10:30", "2027-10-03T06:00+11:00", 11 * 60 + 30),
    ],
)
@pytest.mark.parametrize("hours", [NIGHT, NIGHT_OF_SATURDAY])
def test_a_night_shift_over_a_change_ends_at_six_on_the_clock(
    hours: tuple[Hours, ...], zone: str, begins: str, ends: str, lasts: int
) -> None:
    begin, end = ms(begins), ms(ends)
    assert end - begin == lasts * MINUTE_MS
    assert not is_on(hours, zone, begin - 1)
    assert next_change(hours, zone, begin - 1) == begin
    assert is_on(hours, zone, begin)
    assert is_on(hours, zone, end - 1)
    assert next_change(hours, zone, begin) == next_change(hours, zone, end - 1) == end
    assert not is_on(hours, zone, end)


def test_hours_belong_to_the_day_on_which_they_begin() -> None:
    assert changes(NIGHT_OF_SATURDAY, "UTC", "2026-12-01", "2026-12-15") == [
        "12-05 18:00",
        "12-06 06:00",
        "12-12 18:00",
        "12-13 06:00",
    ]


def test_a_begin_that_the_clock_jumps_over_is_an_hour_later() -> None:
    hours = (Hours(begin="02:30", end="05:00"),)
    assert changes(hours, BERLIN, "2027-03-27T12:00", "2027-03-29T00:00") == [
        "03-28 01:30",  # 03:30 in summer time
        "03-28 03:00",
    ]


def test_a_time_that_comes_twice_is_the_first_one() -> None:
    hours = (Hours(begin="01:15", end="02:30"),)
    assert changes(hours, BERLIN, "2027-10-30T12:00", "2027-10-31T12:00") == [
        "10-30 23:15",
        "10-31 00:30",
    ]
    assert not is_on(hours, BERLIN, ms("2027-10-31T02:15+01:00"))


def test_hours_that_lie_in_the_jump_alone_move_behind_it() -> None:
    hours = (Hours(begin="02:05", end="02:25"),)
    assert changes(hours, LORD_HOWE, "2027-10-02T12:00", "2027-10-03T12:00") == [
        "10-02 15:35",
        "10-02 15:55",
    ]


def test_short_hours_that_end_before_they_begin_on_that_day_are_not_on() -> None:
    hours = (Hours(begin="02:30", end="03:15"),)
    assert changes(hours, BERLIN, "2027-03-28T00:00", "2027-03-29T12:00") == [
        "03-29 00:30",
        "03-29 01:15",
    ]


def test_all_days_are_always_on() -> None:
    week = (Hours(days=("mon", "tue", "wed", "thu", "fri")), Hours(days=("sat", "sun")))
    for hours in ((), (Hours(),), (Hours(begin="02:30", end="02:30"),), week):
        assert is_on(hours, BERLIN, ms("2027-03-28T01:00"))
        assert next_change(hours, BERLIN, ms("2027-03-20T00:00")) is None


def test_a_weekend_is_one_span() -> None:
    hours = (Hours(days=("sat", "sun")),)
    assert changes(hours, BERLIN, "2026-12-01", "2026-12-10") == ["12-04 23:00", "12-06 23:00"]


clocks = st.times().map(lambda one: f"{one:%H:%M}")


@given(
    cut=st.lists(clocks, min_size=2, max_size=5, unique=True),
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "America/Havana", "Pacific/Apia", "UTC"]),
    at=st.integers(ms("2008-01-01"), ms("2030-01-01")),
)
def test_hours_that_adjoin_leave_no_time_between_them(cut: list[str], zone: str, at: int) -> None:
    times = sorted(cut)
    shifts = tuple(
        Hours(begin=begin, end=end)
        for begin, end in zip(times, [*times[1:], times[0]], strict=True)
    )
    assert is_on(shifts, zone, at)
    assert next_change(shifts, zone, at) is None


@given(
    hours=st.lists(
        st.builds(
            Hours,
            days=st.lists(
                st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), max_size=3
            ).map(tuple),
            begin=clocks,
            end=clocks,
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "Asia/Kolkata"]),
    at=st.integers(ms("2026-01-01"), ms("2030-01-01")),
)
def test_nothing_changes_before_the_next_change(
    hours: tuple[Hours, ...], zone: str, at: int
) -> None:
    change = next_change(hours, zone, at)
    end = at + 8 * 86_400_000 if change is None else change
    now = is_on(hours, zone, at)
    assert all(
        is_on(hours, zone, between) is now for between in range(at, end, max(1, (end - at) // 50))
    )
    if change is not None:
        assert change > at
        assert is_on(hours, zone, change - 1) is now
        assert is_on(hours, zone, change) is not now


def people(*names: str) -> tuple[Person, ...]:
    return tuple(Person(name=name, urls=("console://",)) for name in names)


def test_a_rotation_hands_over_at_nine_on_the_clock_over_both_changes() -> None:
    rotation = Rotation(people=people("ann", "bob", "cleo"), since="2027-01-04")
    at = ms("2027-01-04T09:00+01:00")
    day = date(2027, 1, 4)
    for week in range(104):
        assert on_duty(rotation, BERLIN, at).name == ("ann", "bob", "cleo")[week % 3]
        after = next_handover(rotation, BERLIN, at)
        assert next_handover(rotation, BERLIN, after - 1) == after
        assert on_duty(rotation, BERLIN, after - 1) == on_duty(rotation, BERLIN, at)
        day += timedelta(days=7)
        # Summer time of the EU: from the last Sunday of March to that of October, 01:00 UTC.
        summer = (
            "2027-03-28" < f"{day:%F}" < "2027-10-31" or "2028-03-26" < f"{day:%F}" < "2028-10-29"
        )
        assert after == ms(f"{day:%F}T09:00+0{2 if summer else 1}:00")
        at = after


def test_before_its_first_day_the_first_person_is_on_duty() -> None:
    rotation = Rotation(people=people("ann", "bob"), since="2027-01-04", days=1, handover="00:00")
    before = ms("2026-06-01T00:00")
    assert on_duty(rotation, "UTC", before).name == "ann"
    assert next_handover(rotation, "UTC", before) == ms("2027-01-05T00:00")
    assert on_duty(rotation, "UTC", ms("2027-01-05T00:00")).name == "bob"


def test_a_clock_that_goes_back_over_midnight_hands_over_once() -> None:
    # St. John's in 2010: at 00:01 on 7 November the clock showed 23:01 once more.
    rotation = Rotation(people=people("ann", "bob"), since="2010-11-06", days=1, handover="00:00")
    handover = ms("2010-11-07T00:00-02:30")
    assert on_duty(rotation, "America/St_Johns", handover - 1).name == "ann"
    for minutes in (0, 1, 30, 61):
        at = handover + minutes * MINUTE_MS
        assert on_duty(rotation, "America/St_Johns", at).name == "bob"
        assert next_handover(rotation, "America/St_Johns", at) == ms("2010-11-08T00:00-03:30")


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "Europe", "/", "localtime", "\0", "\u00e9" * 64]
)
@pytest.mark.parametrize("since", ["2027-02-31", "0000-00-00", "9999-12-31"])
def test_what_a_topic_may_hold_is_reckoned_in_utc(zone: str, since: str) -> None:
    rotation = Rotation(people=people("ann", "bob"), since=since)
    hours = (Hours(begin="09:00", end="17:00"),)
    for at in (0, ms("2027-01-04T12:00"), 9_999_999_999_999):
        assert on_duty(rotation, zone, at) in rotation.people
        assert next_handover(rotation, zone, at) >= min(at, 9_999_999_999_999)
        assert is_on(hours, zone, at) is is_on(hours, "UTC", at)
        assert next_change(hours, zone, at) == next_change(hours, "UTC", at)
