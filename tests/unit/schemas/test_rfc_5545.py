"""The examples of RFC 5545, section 3.8.5.3, in three zones, against dateutil's own zones.

`FREQ=HOURLY` and `FREQ=MINUTELY` are refused (docs/inventory.md) and not here; nor are EXDATE and
RDATE, which a window has not.
"""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final

import pytest
from dateutil import tz
from dateutil.rrule import rrulestr

from schemas.occurrences import Window, occurrences, problem
from schemas.policy import Maintenance

ZONES: Final = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
WEEK: Final = "SU,MO,TU,WE,TH,FR,SA"
RULES: Final = [
    ("1997-09-02", "FREQ=DAILY;COUNT=10"),
    ("1997-09-02", "FREQ=DAILY;UNTIL=19971224T000000Z"),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=2"),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=10;COUNT=5"),
    ("1998-01-01", f"FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY={WEEK}"),
    ("1998-01-01", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1"),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10"),
    ("1997-09-02", "FREQ=WEEKLY;UNTIL=19971224T000000Z"),
    ("1997-09-02", "FREQ=WEEKLY;INTERVAL=2;WKST=SU"),
    ("1997-09-02", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH"),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH"),
    ("1997-09-01", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR"),
    ("1997-09-02", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH"),
    ("1997-09-05", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR"),
    ("1997-09-05", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR"),
    ("1997-09-07", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU"),
    ("1997-09-22", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO"),
    ("1997-09-28", "FREQ=MONTHLY;BYMONTHDAY=-3"),
    ("1997-09-02", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15"),
    ("1997-09-30", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1"),
    ("1997-09-10", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15"),
    ("1997-09-02", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU"),
    ("1997-06-10", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7"),
    ("1997-03-10", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3"),
    ("1997-01-01", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200"),
    ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO"),
    ("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"),
    ("1997-03-13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH"),
    ("1997-06-05", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8"),
    ("1997-09-02", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"),
    ("1997-09-13", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13"),
    ("1996-11-05", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8"),
    ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3"),
    ("1997-09-29", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2"),
    ("1997-09-02", "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40"),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO"),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"),
    ("2007-01-15", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5"),
    # The same through the small hours, where the clocks are changed, and past them.
    ("1997-09-02", "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,15,30,45"),
    ("1997-09-02", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2,3;BYMINUTE=10,50"),
    ("1997-09-02", "FREQ=DAILY"),
]
CLOCKS: Final = ("09:00", "01:30", "02:10", "02:30")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS: Final = 3_600_000


def reckoned(rule: str, start: datetime, zone: str, end: datetime) -> list[int]:
    """The begins (UTC ms), by dateutil alone: unrolled on the clock, then read in its own zone."""
    here = tz.gettz(zone)
    parts = [part for part in rule.split(";") if not part.startswith("UNTIL=")]
    until = next((part[6:] for part in rule.split(";") if part.startswith("UNTIL=")), None)
    last = end if until is None else datetime.strptime(until, "%Y%m%dT%H%M%S%z")
    found = set()
    for shown in takewhile(lambda one: one < end, rrulestr(";".join(parts), dtstart=start)):
        time = tz.resolve_imaginary(shown.replace(tzinfo=here)).astimezone(UTC)
        if until is None or time <= last:
            found.add(round((time - EPOCH).total_seconds() * 1000))
    return sorted(found)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("day", "rule"), RULES)
def test_the_examples_are_unrolled_on_the_clock(day: str, rule: str, zone: str) -> None:
    for clock in CLOCKS:
        start = datetime.fromisoformat(f"{day}T{clock}")
        end = start + timedelta(days=730)
        begins = reckoned(rule, start, zone, end)
        first = reckoned("FREQ=DAILY;COUNT=1", start, zone, end)[0]
        window = Maintenance(
            name="w",
            targets=("a",),
            start=first,
            duration_ms=60_000,
            rrule=rule,
            timezone=zone,
        )
        assert problem(rule, first, zone) is None
        last = reckoned("FREQ=DAILY;COUNT=1", end, zone, end + timedelta(days=1))[0]
        listed = [begin for begin, _ in occurrences(window, last)]
        assert listed == begins[: len(listed)]
        assert len(listed) == min(len(begins), 5_000)
        asked, at = Window(window), first - 1
        for begin in begins:
            assert asked.next_begin(at) == begin
            assert asked.at(begin - 1) is None
            assert asked.at(begin) == (begin, begin + 60_000)
            at = begin
        assert (asked.next_begin(at) or last) >= last


# As the RFC itself lists them, each with its zone's offset in that time of the year.
@pytest.mark.parametrize(
    ("start", "rule", "listed"),
    [
        (
            "1997-09-02T09:00-04:00",
            "FREQ=WEEKLY;COUNT=9",
            "09-02-04 09-09-04 09-16-04 09-23-04 09-30-04 10-07-04 10-14-04 10-21-04 10-28-05",
        ),
        (
            "1997-09-05T09:00-04:00",
            "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
            "09-05-04 10-03-04 11-07-05 12-05-05",
        ),
        (
            "1997-09-02T09:00-04:00",
            "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
            "09-02-04 09-15-04 10-02-04 10-15-04 11-02-05 11-15-05 12-02-05 12-15-05",
        ),
        (
            "1997-08-05T09:00-04:00",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "08-05-04 08-17-04 08-19-04 08-31-04",
        ),
    ],
)
def test_the_examples_are_as_the_rfc_lists_them(start: str, rule: str, listed: str) -> None:
    window = Maintenance(
        name="w",
        targets=("a",),
        start=round(datetime.fromisoformat(start).timestamp() * 1000),
        duration_ms=HOUR_MS,
        rrule=rule,
        timezone="America/New_York",
    )
    year_end = round(datetime(1998, 1, 1, tzinfo=UTC).timestamp() * 1000)
    wanted = [
        round(datetime.fromisoformat(f"1997-{one[:5]}T09:00{one[5:]}:00").timestamp() * 1000)
        for one in listed.split()
    ]
    assert [begin for begin, _ in occurrences(window, year_end)] == wanted
