"""What people read."""

from typing import Any, get_args

import pytest
from msgspec import structs

from schemas.incident import (
    ClosedBecause,
    HostTarget,
    IncidentType,
    RegionEvent,
    RegionVerdict,
    UnwatchedTarget,
)
from sinks.notifier.message import compose, time_text
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event


def closed(**fields: Any) -> Any:
    return incident_event(
        **{"event": "closed", "closed_at": AT + 200_000, "closed_because": "recovered", **fields}
    )


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        (incident_event(), "TCP Port Unreachable: Production DB (db1.example.com:5432)"),
        (closed(), "TCP Port Reachable Again: Production DB (db1.example.com:5432)"),
        (
            incident_event(host="2001:db8::1"),
            "TCP Port Unreachable: Production DB ([2001:db8::1]:5432)",
        ),
        (
            incident_event(incident_type="slow"),
            "TCP Port Slow: Production DB (db1.example.com:5432)",
        ),
        (
            incident_event(incident_type="expiring", expires_at=AT),
            "Certificate Ends Soon: Production DB (db1.example.com:5432)",
        ),
        (
            closed(closed_because="target_removed"),
            "TCP Port No Longer Watched: Production DB (db1.example.com:5432)",
        ),
        (
            closed(closed_because="resolved"),
            "TCP Port Incident Resolved By Hand: Production DB (db1.example.com:5432)",
        ),
        (
            closed(closed_because="abandoned"),
            (
                "TCP Port Not Looked At Any More, Not Known To Be Over: "
                "Production DB (db1.example.com:5432)"
            ),
        ),
        (
            closed(closed_because="flapping"),
            (
                "TCP Port Down And Up Again And Again, Told As Flapping From Here On: "
                "Production DB (db1.example.com:5432)"
            ),
        ),
        (
            incident_event(event="worsened", episode=2),
            "TCP Port Unreachable Again: Production DB (db1.example.com:5432)",
        ),
        (
            incident_event(kind="heartbeat", host=None, port=None),
            "HEARTBEAT Unreachable: Production DB (prod-db)",
        ),
        (
            incident_event(name="A\r\nBcc: everybody\x0b"),
            "TCP Port Unreachable: A Bcc: everybody (db1.example.com:5432)",
        ),
    ],
)
def test_subjects(event: Any, subject: str) -> None:
    assert compose([event]).subject == subject


def test_the_body_of_an_opening() -> None:
    regions = {
        "asia": RegionVerdict(verdict="pending"),
        "eu-west": RegionVerdict(verdict="down", reason="timed_out", detail="after 3 s", since=AT),
        "office": RegionVerdict(verdict="stale", reason="connection_refused", since=AT),
        "us-east": RegionVerdict(verdict="up", since=AT),
    }
    others = (HostTarget(target="ssh", name="SSH", kind="tcp", port=22, status="up"),)
    event = incident_event(
        regions=regions,
        host_targets=others,
        team="database",
        tags=("prod",),
        runbook="https://wiki.example.com/db",
    )
    assert (
        compose([event]).body
        == """\
The host answers, nothing listens on 5432.

Target: Production DB
Host: db1.example.com
Port: 5432
First failure: 2026-12-01 01:59:57 UTC
Confirmed: 2026-12-01 02:00:00 UTC
For: 3 s so far

By region:
  asia: not checked yet
  eu-west: Connection timed out (after 3 s)
  office: no fresh result (last: Connection refused)
  us-east: reachable

Others on this host:
  SSH (22): up

First steps:
  1. Look whether the service runs

Runbook: https://wiki.example.com/db

Severity: critical
Team: database
Tags: prod
Incident: i1"""
    )


def test_the_body_of_a_worsening_says_since_when_it_is_down_again() -> None:
    event = incident_event(
        event="worsened", at=AT + 600_000, episode=3, episode_began_at=AT + 597_000
    )
    body = compose([event]).body
    assert (
        "First failure: 2026-12-01 01:59:57 UTC\n"
        "Down again: 2026-12-01 02:09:57 UTC (outage 3 of this incident)\n"
        "Confirmed: 2026-12-01 02:10:00 UTC\n"
        "For: 3 s so far\n" in body
    )
    assert "First steps:\n  1. Look whether the service runs" in body
    assert "For: 10 min 3 s so far" in compose([incident_event(at=AT + 600_000)]).body


def test_the_body_of_a_closing_counts_its_outages() -> None:
    assert "It lasted: 3 min 23 s\nOutages in this time: 3\n" in compose([closed(episode=3)]).body
    assert "Outages in this time" not in compose([closed()]).body


def test_the_body_of_a_closing_says_how_long_it_was() -> None:
    body = compose([closed(abandoned_regions=("asia",))]).body
    assert (
        "Ended: 2026-12-01 02:03:20 UTC\nIt lasted: 3 min 23 s\nWithout a word from: asia" in body
    )
    assert "First steps" not in body


def test_who_acknowledged_and_who_resolved_it_is_told_with_the_note() -> None:
    assert "Acknowledged" not in compose([closed()]).body
    by_ann = {
        "acknowledged_by": "ann",
        "acknowledged_note": "the disk is full,\nI am \x1b[31mon it",
    }
    event = closed(
        **by_ann, closed_because="resolved", resolved_by="bob", resolved_note="gone for good"
    )
    lines = (
        "Acknowledged by: ann (the disk is full, I am \ufffd[31mon it)\n",
        "Resolved by: bob (gone for good)\n",
    )
    assert f"It lasted: 3 min 23 s\n{lines[0]}{lines[1]}\nBy region:" in compose([event]).body
    group = compose([event, closed(**by_ann, port=22)]).body
    assert group.count(f"  {lines[0]}") == 2
    assert group.count(f"  {lines[1]}") == 1
    unnoted = closed(acknowledged_by="ann", closed_because="resolved", resolved_by="bob")
    assert "\nAcknowledged by: ann\nResolved by: bob\n" in compose([unnoted]).body


def test_several_ports_of_a_host_are_counted_and_listed() -> None:
    text = compose([incident_event(port=port) for port in (22, 80)])
    assert text.subject == "TCP Port Unreachable: 2 ports of db1.example.com"
    assert "(db1.example.com:22)" in text.body
    assert "(db1.example.com:80)" in text.body
    assert text.body.count("Look whether the service runs") == 1


def test_a_region_that_is_silent() -> None:
    event = RegionEvent(
        event_id="e", event="region.silent", region="eu", at=AT, summary="No word.", last_beat_at=AT
    )
    text = compose([event])
    assert text.subject == "Region Silent: eu"
    assert text.body == "No word.\nLast sign of life: 2026-12-01 02:00:00 UTC"


def test_what_each_partition_says_of_a_region_that_was_never_heard_is_told_once() -> None:
    event = RegionEvent(
        event_id="e", event="region.silent", region="eu", at=AT, summary="Never heard."
    )
    assert compose([event, structs.replace(event, at=AT + 20)]).body == "Never heard."


def test_targets_that_nobody_watches_are_added_up_over_the_partitions() -> None:
    other = UnwatchedTarget(target="shop", name="Shop", criticality="important")
    text = compose(
        [
            targets_event(count=12),
            targets_event(
                partition=4, count=30, most_critical=(other,), silent_regions={"asia": None}
            ),
            targets_event(count=412, event_id="t2"),
        ]
    )
    assert text.subject == "Targets Not Watched: 442, no word from us-east, asia"
    assert text.body == (
        "442 targets are not watched: too few of their regions have results. An outage would "
        "not be told.\n"
        "\n"
        "Since: 2026-12-01 01:55:00 UTC\n"
        "Region us-east: last heard 2026-12-01 01:50:00 UTC\n"
        "Region asia: never heard\n"
        "\n"
        "The most critical:\n"
        "  Production DB (critical)\n"
        "  Shop (important)\n"
        "  Wiki (normal)\n"
        "\n"
        "Severity: critical\n"
        "Cause: c1"
    )


def test_targets_that_are_not_watched_though_every_region_is_heard() -> None:
    text = compose([targets_event(count=1, silent_regions={})])
    assert text.subject == "Targets Not Watched: 1, all of its regions are heard"
    assert text.body.startswith("1 target is not watched: too few of its regions have results. ")
    assert "do not count: look at the logs and the clocks of their probers.\n" in text.body


def test_targets_that_are_watched_again() -> None:
    again = {"event": "targets.watched", "count": 0, "most_critical": (), "silent_regions": {}}
    text = compose(
        [
            targets_event(partition=2, summary="Two.", **again),
            targets_event(partition=0, summary="None.", **again),
        ]
    )
    assert text.subject == "Targets Watched Again (partitions 0, 2)"
    assert text.body == "Two.\nNone.\n\nCause: c1"


def test_targets_of_one_partition_that_are_watched_again() -> None:
    again = {"event": "targets.watched", "count": 0, "most_critical": (), "silent_regions": {}}
    text = compose([targets_event(partition=12, **again)])
    assert text.subject == "Targets Watched Again (partition 12)"


def test_a_region_that_returned_was_silent_since_its_last_beat() -> None:
    returned = RegionEvent(
        event_id="r1",
        event="region.returned",
        region="us-east",
        at=AT + 60_000,
        summary="Region us-east reports again after 60 s.",
        last_beat_at=AT,
    )
    assert compose([returned]).body.endswith("after 60 s.\nSilent since: 2026-12-01 02:00:00 UTC")


def test_a_certificate_that_ends_soon_is_told_with_its_day() -> None:
    regions = {
        "eu": RegionVerdict(verdict="up", detail="certificate ends 2026-09-21 13:35 UTC", since=AT),
        "us": RegionVerdict(verdict="up", since=AT),
    }
    event = incident_event(incident_type="expiring", expires_at=AT + 86_400_000, regions=regions)
    body = compose([event]).body
    assert f"Certificate ends: {time_text(AT + 86_400_000)}\nFirst seen: " in body
    assert "so far" not in body
    assert "eu: reachable (certificate ends 2026-09-21 13:35 UTC)\n" in body
    assert "us: reachable\n" in body


@pytest.mark.parametrize(
    ("because", "line"),
    [("recovered", "Old certificate ends: "), ("target_removed", "Certificate ends: ")],
)
def test_the_end_that_was_told_last_is_no_end_of_the_renewed_certificate(
    because: str, line: str
) -> None:
    event = incident_event(
        incident_type="expiring",
        event="closed",
        closed_because=because,
        closed_at=AT,
        expires_at=AT + 86_400_000,
    )
    assert f"\n{line}{time_text(AT + 86_400_000)}\n" in compose([event]).body


def test_a_region_that_is_set_aside_is_marked() -> None:
    regions = {
        "eu": RegionVerdict(verdict="down", reason="timed_out", since=AT, set_aside=True),
        "us": RegionVerdict(verdict="down", reason="timed_out", since=AT),
    }
    body = compose([incident_event(regions=regions)]).body
    assert "eu: Connection timed out (set aside)\n" in body
    assert "us: Connection timed out\n" in body


@pytest.mark.parametrize(
    ("incident_type", "because", "subject"),
    [
        ("slow", "recovered", "TCP Port Fast Again"),
        ("expiring", "recovered", "Certificate Renewed"),
        ("expiring", "resolved", "TCP Port Certificate: Incident Resolved By Hand"),
        (
            "expiring",
            "abandoned",
            "TCP Port Certificate: Not Looked At Any More, Not Known To Be Over",
        ),
        ("slow", "policy_changed", "TCP Port No Longer Watched For This"),
        ("flapping", "recovered", "TCP Port Steady Again"),
        ("flapping", "steady", "TCP Port No Longer Flapping, Down For Good"),
    ],
)
def test_how_an_incident_ended_is_in_the_subject(
    incident_type: str, because: str, subject: str
) -> None:
    event = incident_event(event="closed", incident_type=incident_type, closed_because=because)
    assert compose([event]).subject.startswith(f"{subject}: ")


@pytest.mark.parametrize("incident_type", get_args(IncidentType))
def test_every_end_and_every_event_of_each_type_has_words_of_its_own(incident_type: str) -> None:
    ends = {
        compose(
            [
                incident_event(
                    event="closed", closed_at=AT, incident_type=incident_type, closed_because=why
                )
            ]
        ).subject
        for why in get_args(ClosedBecause)
    }
    assert len(ends) == len(get_args(ClosedBecause))
    told = [
        compose([incident_event(event=event, incident_type=incident_type)]).subject
        for event in ("opened", "worsened", "closed")
    ]
    assert len(set(told)) == len(told)
