"""The occurrences of a window in its row."""

from datetime import datetime

from schemas import policy
from schemas.policy import Maintenance
from sinks.clickhouse import tables
from sinks.clickhouse.decode_topics import policy_row
from tests.unit.sinks.clickhouse.messages import record


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_the_begins_of_a_window_are_those_of_its_zone() -> None:
    window = Maintenance(
        name="patch night",
        targets=("tag:prod",),
        start=ms("2027-03-27T02:30+01:00"),
        duration_ms=3_600_000,
        rrule="FREQ=DAILY;COUNT=3",
        timezone="Europe/Berlin",
    )
    row = policy_row(record(policy.encode(window), key=policy.key("inv", window)))
    assert row is not None
    table, values = row
    assert table is tables.MAINTENANCE
    assert [value for value in values if isinstance(value, list)] == [
        ["tag:prod"],
        [
            ms("2027-03-27T02:30+01:00"),
            ms("2027-03-28T03:30+02:00"),
            ms("2027-03-29T02:30+02:00"),
        ],
    ]
