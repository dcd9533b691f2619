"""Maintenance windows as they are written: times of a zone's clock, and what contradicts it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from portquorum.inventory import Inventory, InventoryError, check
from schemas.occurrences import occurrences
from schemas.policy import Maintenance

Write = Callable[..., Path]

HEAD = "regions: {a: {}}\ntargets:\n  - {id: x, host: x, port: 1}\nmaintenance:\n"


def inventory(file: Write, fields: str) -> Inventory:
    return check([file(f"{HEAD}  - {{name: w, targets: [x], duration: 1h, {fields}}}\n")])


def window(file: Write, fields: str) -> Maintenance:
    (found,) = (one for one in inventory(file, fields).policy if isinstance(one, Maintenance))
    return found


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_start_without_offset_is_on_the_clock_of_the_zone(file: Write) -> None:
    found = window(file, "start: 2027-07-04T02:00, timezone: Europe/Berlin")
    assert found == Maintenance(
        name="w",
        targets=("x",),
        start=ms("2027-07-04T02:00+02:00"),
        duration_ms=3_600_000,
        timezone="Europe/Berlin",
    )
    both = window(file, "start: 2027-07-04T02:00+02:00, timezone: Europe/Berlin")
    assert both == found


def test_a_start_that_comes_twice_is_the_first_unless_its_offset_says_the_second(
    file: Write,
) -> None:
    first = window(file, "start: 2027-10-31T02:30, timezone: Europe/Berlin")
    assert first.start == ms("2027-10-31T02:30+02:00")
    second = window(file, "start: 2027-10-31T02:30+01:00, timezone: Europe/Berlin")
    assert second.start == ms("2027-10-31T02:30+01:00")


def test_a_window_of_version_0_1_is_the_record_of_version_0_1(file: Write) -> None:
    found = window(file, "start: 2026-12-01T02:00Z, rrule: FREQ=WEEKLY")
    assert found == Maintenance(
        name="w",
        targets=("x",),
        start=ms("2026-12-01T02:00+00:00"),
        duration_ms=3_600_000,
        rrule="FREQ=WEEKLY",
    )


def test_sundays_of_a_zone_are_sundays_there(file: Write) -> None:
    found = window(
        file, "start: 2026-12-06T00:30, timezone: Europe/Berlin, rrule: 'FREQ=WEEKLY;BYDAY=SU'"
    )
    begins = [begin for begin, _ in occurrences(found, ms("2026-12-14T00:00+00:00"))]
    assert begins == [ms("2026-12-06T00:30+01:00"), ms("2026-12-13T00:30+01:00")]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (
            "start: 2026-12-06T02:00, rrule: FREQ=DAILY",
            (
                "start: expected a time with its zone such as 2026-12-01T02:00Z, or one without "
                "and `timezone: Europe/Berlin` beside it, found '2026-12-06T02:00'"
            ),
        ),
        (
            "start: soon, timezone: Europe/Berlin",
            "start: expected a time on the clock of the zone such as 2026-12-01T02:00, found 'soon",
        ),
        (
            "start: 2026-12-06T02:00Z, timezone: Europe/Berlin",
            (
                "start: expected a time without offset, or with that of Europe/Berlin (+01:00), "
                "found '2026-12-06T02:00Z'"
            ),
        ),
        (
            "start: 2027-07-06T02:00+01:00, timezone: Europe/Berlin",
            "start: expected a time without offset, or with that of Europe/Berlin (+02:00), found",
        ),
        (
            "start: 2027-03-28T02:30, timezone: Europe/Berlin",
            (
                "start: expected a time that the clock of Europe/Berlin shows, found "
                "'2027-03-28T02:30', which it jumps over"
            ),
        ),
        (
            "start: 2026-12-06T02:00, timezone: Europe/Berlyn",
            "timezone: expected a zone of the IANA time zone database such as Europe/Berlin, found",
        ),
        (
            "start: 2026-12-06T02:00, timezone: UTC, rrule: 'FREQ=DAILY;UNTIL=20270101T000000'",
            "rrule: expected a rule of RFC 5545 with one UNTIL in UTC (UNTIL=20271231T230000Z)",
        ),
        ("start: 1969-12-06T02:00, timezone: UTC", "start: expected a time on the clock of the"),
        ("start: 9999-12-06T02:00, timezone: UTC", "start: expected a time on the clock of the"),
    ],
)
def test_a_window_that_contradicts_itself_is_refused(file: Write, fields: str, found: str) -> None:
    with pytest.raises(InventoryError) as caught:
        inventory(file, fields)
    (said,) = caught.value.problems
    assert f"inventory.yaml:5: maintenance[0].{found}" in str(said)


def test_a_rule_of_a_start_with_an_offset_and_no_zone_is_warned_of(file: Write) -> None:
    text = "start: 2026-12-06T00:30+01:00, rrule: 'FREQ=WEEKLY;BYDAY=SU'"
    (said,) = inventory(file, text).warnings
    assert "the rule goes by the clock of UTC, where this start is Saturday 23:30" in str(said)
    assert inventory(file, f"{text}, timezone: Europe/Berlin").warnings == ()
    assert inventory(file, "start: 2026-12-06T00:30+01:00").warnings == ()
    assert inventory(file, "start: 2026-12-06T00:30Z, rrule: FREQ=DAILY").warnings == ()


def test_a_rule_with_more_times_than_reports_know_is_warned_of(file: Write) -> None:
    start = "start: 2027-01-01T00:00, timezone: Europe/Berlin"
    hours = ",".join(map(str, range(24)))
    (said,) = inventory(file, f"{start}, rrule: 'FREQ=DAILY;BYHOUR={hours}'").warnings
    assert "the first 5,000 times of a window alone, of this one those until 2027-07-28" in str(
        said
    )
    for rule in (f"FREQ=DAILY;COUNT=99;BYHOUR={hours}", "FREQ=DAILY", "FREQ=WEEKLY;BYHOUR=1,13"):
        assert inventory(file, f"{start}, rrule: '{rule}'").warnings == ()
