"""Schedules against two oracles: cronsim (Debian's cron), and a clock read minute by minute."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.cron import Cron, next_after, parse
from schemas.duration import DAY_MS, HOUR_MS
from schemas.probe import ZoneOffset
from schemas.wall_clock import local, offsets

MINUTE_MS = 60_000
UTC_ONLY = (ZoneOffset(at=0, seconds=0),)

SINCE = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
UNTIL = int(datetime(2031, 1, 1, tzinfo=UTC).timestamp() * 1000)
KNOWN_UNTIL = int(datetime(2037, 1, 1, tzinfo=UTC).timestamp() * 1000)
ZONES = {
    name: offsets(ZoneInfo(name), SINCE - DAY_MS, KNOWN_UNTIL)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",  # by half an hour
        "Africa/Casablanca",  # behind in Ramadan
        "Asia/Kathmandu",  # 5:45 ahead, never changed
    )
}


def ms(text: str, zone: str = "UTC", fold: int = 0) -> int:
    shown = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(shown.timestamp() * 1000)


def said(at: int | None, zone: str = "UTC") -> str:
    assert at is not None
    return f"{local(at, ZoneInfo(zone)):%Y-%m-%d %H:%M %z}"


def due(schedule: str, after: int, number: int, zone: str = "UTC") -> list[str]:
    """The next times at which the schedule is due after `after`."""
    cron, found = parse(schedule), []
    for _ in range(number):
        at = next_after(cron, ZONES[zone], after)
        found.append(said(at, zone))
        assert at is not None
        assert at > after
        after = at
    return found


# -- reading ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@Daily", "0 0 * * *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sun", "0 0 * * 0"),
        ("0 0 * * SAT", "0 0 * * 6"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * mon-fri", "0 0 * * 1-5"),
        ("0 0 1 jan,Jul *", "0 0 1 1,7 *"),
        ("0-10/5 * * * *", "0,5,10 * * * *"),
        ("50/5 * * * *", "50,55 * * * *"),
        ("  0\t0 1  1 *  ", "0 0 1 1 *"),
    ],
)
def test_two_ways_to_write_one_schedule(schedule: str, same: str) -> None:
    assert parse(schedule) == parse(same)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("", "five fields"),
        ("0 2 * *", "this one has 4"),
        ("0 0 2 * * *", "this one has 6"),
        ("@reboot", "“@reboot” is no schedule"),
        ("60 * * * *", "60 is no minute: those are 0 to 59"),
        ("* 24 * * *", "24 is no hour: those are 0 to 23"),
        ("* * 0 * *", "0 is no day of the month: those are 1 to 31"),
        ("* * 32 * *", "32 is no day of the month"),
        ("* * * 13 *", "13 is no month"),
        ("* * * 0 *", "0 is no month"),
        ("* * * * 8", "8 is no day of the week: those are 0 to 7"),
        ("5-2 * * * *", "the range “5-2” in the minute ends before it begins"),
        ("*/0 * * * *", "no step"),
        ("*/x * * * *", "no step"),
        ("1,,2 * * * *", "“” is no minute"),
        ("-1 * * * *", "“-1” is no minute"),
        ("a * * * *", "“a” is no minute"),
        ("mon * * * *", "“mon” is no minute"),
        ("² * * * *", "“²” is no minute"),
        ("99999999999 * * * *", "is no minute"),
        ("* * L * *", "“l” is no day of the month"),
        ("0 0 31 2 *", "never due"),
        ("0 0 30 feb *", "never due"),
        ("0 0 31 2,4,6,9,11 *", "never due"),
        ("0 0 30 2 */2", "never due"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(schedule: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(schedule)


# -- days ---------------------------------------------------------------------


def test_day_of_the_month_or_of_the_week() -> None:
    assert due("0 0 13 * 5", ms("2026-02-01"), 4) == [
        "2026-02-06 00:00 +0000",
        "2026-02-13 00:00 +0000",
        "2026-02-20 00:00 +0000",
        "2026-02-27 00:00 +0000",
    ]


def test_both_must_fit_where_one_begins_with_a_star() -> None:
    assert due("0 0 */2 * 1", ms("2026-06-01"), 2) == [
        "2026-06-15 00:00 +0000",
        "2026-06-29 00:00 +0000",
    ]


def test_a_day_that_only_leap_years_have() -> None:
    assert due("0 0 29 2 *", ms("2096-01-01"), 2) == [
        "2096-02-29 00:00 +0000",
        "2104-02-29 00:00 +0000",
    ]


def test_nothing_is_due_after_the_greatest_time_of_a_record() -> None:
    assert next_after(parse("0 0 1 1 *"), UTC_ONLY, 9_999_999_999_999) is None
    assert next_after(parse("* * * * *"), UTC_ONLY, 9_999_999_999_999) is None
    assert next_after(parse("* * * * *"), UTC_ONLY, 0) == MINUTE_MS


# -- changes of the clock -----------------------------------------------------

SPRING = "2026-03-29"
AUTUMN = "2026-10-25"


def test_what_lies_in_the_hour_that_is_skipped_is_due_right_after_it() -> None:
    assert due("30 2 * * *", ms(f"{SPRING} 00:00", "Europe/Berlin"), 2, "Europe/Berlin") == [
        "2026-03-29 03:00 +0200",
        "2026-03-30 02:30 +0200",
    ]
    # Once, however much lay in it, and what is due then anyway.
    assert due("0,20,40 2,3 * * *", ms(f"{SPRING} 00:00", "Europe/Berlin"), 3, "Europe/Berlin") == [
        "2026-03-29 03:00 +0200",
        "2026-03-29 03:20 +0200",
        "2026-03-29 03:40 +0200",
    ]


def test_what_lies_in_the_hour_that_comes_twice_is_due_the_first_time() -> None:
    assert due("30 2 * * *", ms(f"{AUTUMN} 00:00", "Europe/Berlin"), 2, "Europe/Berlin") == [
        "2026-10-25 02:30 +0200",
        "2026-10-26 02:30 +0100",
    ]
    second = ms(f"{AUTUMN} 02:10", "Europe/Berlin", fold=1)
    assert due("30 2 * * *", second, 1, "Europe/Berlin") == ["2026-10-26 02:30 +0100"]
    assert due("0 3 * * *", second, 1, "Europe/Berlin") == ["2026-10-25 03:00 +0100"]


def test_each_hour_and_each_few_minutes_follow_the_time_that_passes() -> None:
    assert due("0 * * * *", ms(f"{SPRING} 00:30", "Europe/Berlin"), 3, "Europe/Berlin") == [
        "2026-03-29 01:00 +0100",
        "2026-03-29 03:00 +0200",
        "2026-03-29 04:00 +0200",
    ]
    assert due("0 * * * *", ms(f"{AUTUMN} 01:30", "Europe/Berlin"), 3, "Europe/Berlin") == [
        "2026-10-25 02:00 +0200",
        "2026-10-25 02:00 +0100",
        "2026-10-25 03:00 +0100",
    ]
    assert due("*/30 2 * * *", ms(f"{AUTUMN} 01:30", "Europe/Berlin"), 5, "Europe/Berlin") == [
        "2026-10-25 02:00 +0200",
        "2026-10-25 02:30 +0200",
        "2026-10-25 02:00 +0100",
        "2026-10-25 02:30 +0100",
        "2026-10-26 02:00 +0100",
    ]
    # In an hour that was skipped no minute was shown.
    assert due("*/30 2 * * *", ms(f"{SPRING} 00:00", "Europe/Berlin"), 1, "Europe/Berlin") == [
        "2026-03-30 02:00 +0200"
    ]


def test_the_first_offset_holds_before_it_and_the_last_one_for_ever() -> None:
    moved = (ZoneOffset(at=HOUR_MS, seconds=3600), ZoneOffset(at=DAY_MS, seconds=-3600))
    assert next_after(parse("0 2 * * *"), moved, 0) == HOUR_MS
    assert next_after(parse("0 2 * * *"), moved, 100 * DAY_MS) == 100 * DAY_MS + 3 * HOUR_MS


def test_the_offsets_of_a_zone_are_those_of_its_clock() -> None:
    berlin = ZONES["Europe/Berlin"]
    assert berlin[0] == ZoneOffset(at=0, seconds=3600)
    assert berlin[1] == ZoneOffset(at=ms("2026-03-29 01:00"), seconds=7200)
    assert len(berlin) == 23
    assert ZONES["Asia/Kathmandu"] == (ZoneOffset(at=0, seconds=20_700),)


# -- the oracles --------------------------------------------------------------


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.lists(number, min_size=2, max_size=2, unique=True).map(
        lambda two: f"{min(two)}-{max(two)}"
    )
    step = st.integers(1, high)
    one = st.one_of(
        number.map(str),
        number.map(str),
        span,
        st.tuples(span, step).map(lambda two: f"{two[0]}/{two[1]}"),
    )
    star = st.one_of(st.just("*"), step.map(lambda n: f"*/{n}"))
    return st.one_of(star, st.lists(one, min_size=1, max_size=3).map(",".join))


schedules = st.tuples(
    field(0, 59), field(0, 23), st.one_of(st.just("*"), field(1, 28)), field(1, 12), field(0, 7)
).map(" ".join)

# Half of them near a change of the clock: the sixth hours around it.
moments = st.one_of(
    st.tuples(st.sampled_from(sorted(ZONES)), st.integers(SINCE, UNTIL)),
    st.sampled_from(
        [
            (name, offset.at)
            for name, known in ZONES.items()
            for offset in known[1:]
            if offset.at < UNTIL
        ]
    ).flatmap(
        lambda change: st.integers(-6 * HOUR_MS, 6 * HOUR_MS).map(
            lambda ms: (change[0], change[1] + ms)
        )
    ),
)


@given(schedule=schedules, moment=moments)
def test_as_cronsim(schedule: str, moment: tuple[str, int]) -> None:
    name, after = moment
    # Where a zone moves by half an hour, cronsim leaves out half of an hour that comes twice.
    assume(name != "Australia/Lord_Howe")
    cron, known = parse(schedule), ZONES[name]
    zone = UTC if name == "UTC" else ZoneInfo(name)
    simulated = CronSim(schedule, datetime.fromtimestamp(after / 1000, zone))
    for _ in range(4):
        expected = after
        # Of several at one moment, and of those whose hour comes a second time, only one counts.
        while expected <= after:
            expected = int(next(simulated).timestamp() * 1000)
        if expected >= KNOWN_UNTIL:
            break
        found = next_after(cron, known, after)
        assert found == expected, (said(found, name), said(expected, name))
        after = expected


@given(schedule=schedules, moment=moments)
def test_as_a_clock_that_is_read_each_minute(schedule: str, moment: tuple[str, int]) -> None:
    name, after = moment
    cron, zone = parse(schedule), ZoneInfo(name)
    minute, hour = schedule.split()[:2]
    elapsed = minute.startswith("*") or hour.startswith("*")
    begin = after - after % MINUTE_MS - 26 * HOUR_MS
    # Minutes since the clock first showed them; what it skipped is shown at once.
    latest, expected = None, None
    for at in range(begin, after + 26 * HOUR_MS, MINUTE_MS):
        shown = int(local(at, zone).replace(tzinfo=UTC).timestamp()) // 60
        new = [shown] if elapsed or latest is None else range(latest + 1, shown + 1)
        if at > after and any(_fits(cron, one) for one in new):
            expected = at
            break
        latest = shown if latest is None else max(latest, shown)
    found = next_after(cron, ZONES[name], after)
    assert found == expected or (expected is None and (found or UNTIL) >= after + 25 * HOUR_MS)


def _fits(cron: Cron, minute: int) -> bool:
    """True if the schedule has the local minute: in UTC, where no clock changes."""
    from schemas.cron import Cron

    assert isinstance(cron, Cron)
    return next_after(cron, UTC_ONLY, minute * MINUTE_MS - 1) == minute * MINUTE_MS
