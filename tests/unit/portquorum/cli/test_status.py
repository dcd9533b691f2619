"""`status` in words, for each way in which a region sees a target."""

from typing import Any

import pytest

from portquorum.cli import status
from portquorum.presentation.output import out
from sinks.clickhouse.queries import TargetStatus


def seen(**changes: Any) -> TargetStatus:
    base: dict[str, Any] = {
        "target": "db",
        "kind": "tcp",
        "host": "10.0.0.5",
        "port": 5432,
        "region": "eu",
        "status": "up",
        "reason": None,
        "detail": "",
        "connect_ms": 1.5,
        "started_at": 1_700_000_000_000,
    }
    return TargetStatus(**(base | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "up"),
        (
            {"detail": "the certificate expires in 9.0 days"},
            "up  the certificate expires in 9.0 days",
        ),
        ({"status": "down", "reason": "timed_out"}, "down  Connection timed out"),
        ({"status": "down", "reason": "of_a_later_version"}, "down  of_a_later_version"),
        ({"status": "stale"}, "stale"),
        ({"status": "pending"}, "pending"),
        (
            {"status": "blocked", "reason": "address_blocked"},
            (
                "blocked  Address blocked by policy "
                "(add internal: true to the region if it may reach private addresses)"
            ),
        ),
    ],
)
def test_a_status_in_words(changes: dict[str, Any], words: str) -> None:
    assert status._status(seen(**changes)).plain == words


def test_a_region_that_never_reported_has_no_times(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = seen(status="pending", connect_ms=None, started_at=None)
    monkeypatch.setattr(out(), "width", 120)
    with out().capture() as printed:
        status._show_targets([pending])
    row = printed.get().split("\n")[-3].split()
    assert row == ["db", "tcp", "10.0.0.5:5432", "eu", "pending", "–", "–"]
