"""A silence as people ask for it."""

from datetime import UTC, datetime

import pytest
from msgspec import structs

from portquorum.silencing.plan import (
    LONGEST_MS,
    SilencePlanError,
    chosen,
    ended,
    new_silence,
    state_of,
    time_ms,
    zone_of,
)
from schemas import policy
from schemas.policy import Match, Silence

NOW = 1_796_090_400_000


def silence(name: str = "3f2c9a1e", **changes: object) -> Silence:
    plain = Silence(
        name=name, begins_at=NOW, ends_at=NOW + 60_000, reason="disk", by="ann", created_at=NOW
    )
    return structs.replace(plain, **changes)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-12-01T08:00", "Europe/Berlin", "2026-12-01T07:00"),
        ("2026-07-01T08:00", "Europe/Berlin", "2026-07-01T06:00"),
        ("2026-12-01T08:00", "UTC", "2026-12-01T08:00"),
        ("2026-12-01T08:00+05:30", "Europe/Berlin", "2026-12-01T02:30"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),  # twice: the first
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30"),  # never: 03:30 there
    ],
)
def test_times_on_the_clock_of_a_zone(text: str, zone: str, utc: str) -> None:
    at = datetime.fromtimestamp(time_ms(text, zone_of(zone)) / 1000, UTC)
    assert at.isoformat(timespec="minutes") == utc + "+00:00"


@pytest.mark.parametrize("text", ["tomorrow", "", "2026-13-01", "1960-01-01"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(SilencePlanError, match="expected a time"):
        time_ms(text, zone_of("UTC"))


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime"])
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(
        SilencePlanError, match="--timezone: expected a time zone such as Europe/Berlin"
    ):
        zone_of(name)


def test_a_new_one_can_be_read_back() -> None:
    match = Match(teams=("web",), severities=("critical",))
    made = new_silence(match, begins_at=None, ends_at=NOW + 1, reason="r", by="ann", now=NOW)
    assert policy.decode(policy.encode(made)) == made
    assert policy.key(policy.SILENCES, made) == f"silence/silence/{made.name}".encode()
    assert (made.begins_at, made.created_at, made.teams) == (NOW, NOW, ("web",))
    other = new_silence(match, begins_at=None, ends_at=NOW + 1, reason="r", by="ann", now=NOW)
    assert other.name != made.name


@pytest.mark.parametrize(
    ("begins_at", "ends_at", "why"),
    [
        (None, NOW, "in the future"),
        (NOW + 10, NOW + 5, "after the beginning"),
        (None, NOW + LONGEST_MS + 1, "at most 366 days"),
    ],
)
def test_ends_that_are_none(begins_at: int | None, ends_at: int, why: str) -> None:
    with pytest.raises(SilencePlanError, match=why):
        new_silence(Match(), begins_at=begins_at, ends_at=ends_at, reason="r", by="a", now=NOW)


def test_states_and_ends() -> None:
    one = silence()
    assert state_of(one, NOW - 1) == "coming"
    assert state_of(one, NOW) == "active"
    assert state_of(one, one.ends_at) == "ended"
    over = ended(one, "bob", NOW + 5)
    assert (over.begins_at, over.ends_at, over.ended_by) == (NOW, NOW + 5, "bob")
    # One that has not begun never begins.
    never = ended(one, "bob", NOW - 5)
    assert state_of(never, NOW - 5) == "ended"
    assert never.begins_at == never.ends_at == NOW - 5


def test_ids_by_their_beginning() -> None:
    there = {name: silence(name) for name in ("3f2c9a1e", "3f2d0000", "aaaa0000")} | {
        "3faa0000": silence("3faa0000", ends_at=NOW - 1)
    }
    assert [one.name for one in chosen(there, ["3F2C", "aaaa", "aaaa0000"], NOW).found] == [
        "3f2c9a1e",
        "aaaa0000",
    ]
    # One that has ended does not make the beginning of another's id ambiguous.
    assert chosen(there, ["3f"], NOW).problems == (
        "'3f' is the beginning of several: 3f2c9a1e, 3f2d0000",
    )
    assert chosen(there, ["3faa"], NOW).problems == ("3faa0000 has ended already",)
    unknown = chosen(there, ["ffff", " "], NOW)
    assert unknown.found == ()
    assert len(unknown.problems) == 2
