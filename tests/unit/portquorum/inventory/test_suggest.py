"""What was meant is suggested if hardly anything else was; else nothing."""

import pytest

from portquorum.inventory.duration import meant
from portquorum.inventory.suggest import alike

FIELDS = ("interval", "timeout", "retries", "host", "port", "ports", "tags", "team", "probe")


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("intervall", FIELDS, "interval"),
        ("INTERVAL", FIELDS, "interval"),
        ("time_out", FIELDS, "timeout"),
        ("prot", FIELDS, "port"),
        ("hsot", FIELDS, "host"),
        ("colour", FIELDS, None),
        ("pot", FIELDS, "port"),
        ("eams", ("teams", "targets"), "teams"),
        ("us", ("eu", "ap"), None),
        ("db-3", ("db-1", "db-2"), None),
        ("prod-db1", ("prod-db2",), None),
        ("core-swich", ("core-switch", "core-router"), "core-switch"),
        ("abce", ("abcd", "abcf"), None),
        ("", FIELDS, None),
        ("x" * 500, FIELDS, None),
        ("Prod_DB", [*(f"t-{n}" for n in range(9_999)), "prod-db"], "prod-db"),
        ("prod-bd", [*(f"t-{n}" for n in range(9_999)), "prod-db"], None),
    ],
)
def test_alike(word: str, known: tuple[str, ...], found: str | None) -> None:
    assert alike(word, known) == found


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (30, "30s"),
        (5000, "5000ms"),
        ("30", "30s"),
        ("30sec", "30s"),
        ("5 min", "5m"),
        ("1 hour", "1h"),
        ("1h 30m", "1h30m"),
        ("30m1h", "1h30m"),
        ("1 hour and 5 minutes", "1h5m"),
        ("PT1H30M", "1h30m"),
        ("2w", "14d"),
        ("1 fortnight", None),
        ("often", None),
        (True, None),
        ("", None),
    ],
)
def test_the_length_of_time_that_was_meant(written: object, found: str | None) -> None:
    assert meant(written) == found
