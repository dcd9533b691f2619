"""`status` in words, for each way in which a region sees a target."""

from typing import Any

import pytest

from portquorum.cli import status
from portquorum.presentation.output import out
from sinks.clickhouse.queries import BlindTarget, Incident, TargetStatus


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


def blind(name: str) -> BlindTarget:
    return BlindTarget(
        target=name.lower(),
        name=name,
        kind="tcp",
        host="10.0.0.5",
        port=5432,
        criticality="normal",
        since=1_700_000_000_000,
    )


@pytest.mark.parametrize(
    ("names", "first", "last"),
    [
        (["Duo"], "● 1 target is unwatched: too few of the regions have results", None),
        (["A", "B", "C", "D", "E"], "● 5 targets are unwatched: ", "and 2 more"),
    ],
)
def test_what_nobody_watches_is_said_though_no_incident_is_open(
    monkeypatch: pytest.MonkeyPatch, names: list[str], first: str, last: str | None
) -> None:
    monkeypatch.setattr(out(), "width", 120)
    with out().capture() as printed:
        status._show_blind([blind(name) for name in names])
    lines = printed.get().splitlines()
    assert lines[0].startswith(first)
    assert lines[1].startswith(f"  {names[0]} (tcp 10.0.0.5:5432), since 2023-11-14 22:13:20 UTC, ")
    assert lines[-1] == f"  why: portquorum explain {names[0].lower()}"
    assert ("and" in lines[-2]) == (last is not None)
    assert last is None or last in lines[-2]


def test_where_all_are_watched_nothing_is_said_of_it() -> None:
    with out().capture() as printed:
        status._show_blind([])
    assert printed.get() == ""


@pytest.mark.parametrize(
    ("closed_at", "words"),
    [
        (None, "open since 2023-11-14 22:13:20 UTC, 5 min"),
        (1_700_000_300_000, "closed 2023-11-14 22:18:20 UTC, was open for 5 min"),
    ],
)
def test_since_when_an_incident_is_open_or_closed(
    monkeypatch: pytest.MonkeyPatch, closed_at: int | None, words: str
) -> None:
    one = Incident(
        incident_id="i1",
        status="open" if closed_at is None else "closed",
        incident_type="unreachable",
        severity="critical",
        target="db",
        name="DB",
        kind="tcp",
        host="10.0.0.5",
        port=5432,
        team=None,
        verdicts={},
        reasons={},
        first_failed_at=1_699_999_999_000,
        opened_at=1_700_000_000_000,
        closed_at=closed_at,
        closed_because=None if closed_at is None else "recovered",
        detect_s=1.0,
        open_s=300.0,
        duration_s=301.0,
        summary="A sentence.",
        acknowledged_by=None,
    )
    monkeypatch.setattr(out(), "width", 120)
    with out().capture() as printed:
        status._show_incidents([one], "none")
    assert printed.get().splitlines()[1].strip().startswith(words)
