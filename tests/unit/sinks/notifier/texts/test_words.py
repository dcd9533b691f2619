"""The subjects, and how a message says since when, late, perhaps and why."""

from email import quoprimime
from typing import Any, get_args

import pytest
from msgspec import structs

from schemas.incident import (
    ClosedBecause,
    HostTarget,
    IncidentType,
    RegionEvent,
    RegionEventKind,
    RegionVerdict,
    UnwatchedTarget,
    Votes,
)
from sinks.notifier.channels.facts import facts
from sinks.notifier.decision import broken_channels
from sinks.notifier.links import by_alertmanager
from sinks.notifier.model import Delivery
from sinks.notifier.texts import digest
from sinks.notifier.texts.model import Budget, Text
from sinks.notifier.texts.on_call import summary_line
from sinks.notifier.texts.render import render
from sinks.notifier.texts.words import clock_text, place, time_text
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event
from tests.unit.sinks.notifier.texts.deliveries import channel_event, delivery, news, verdicts
from tests.unit.sinks.notifier.texts.digests import digest_of

ROOM = Budget(title=250, body=1_000_000)
DAY = 86_400_000


def closed(**fields: Any) -> Any:
    return incident_event(
        **{"event": "closed", "closed_at": AT + 200_000, "closed_because": "recovered", **fields}
    )


def improved(**fields: Any) -> Any:
    values = {
        "event": "improved",
        "regions": {
            "asia": RegionVerdict(verdict="down", reason="timed_out", since=AT),
            "eu": RegionVerdict(verdict="up", since=AT),
            "us": RegionVerdict(verdict="up", since=AT),
        },
        "votes": Votes(down=1, need=2, fresh=3, configured=3),
    }
    return incident_event(**(values | fields))


def domain(reason: Any = None, **fields: Any) -> Any:
    said = verdicts(3, reason=reason) if reason else verdicts(3, verdict="up", reason=None)
    return incident_event(**{"kind": "domain", "regions": said} | fields)


def text(action: Any, *events: Any, **fields: Any) -> Text:
    return render(delivery(action, *events, **fields), ROOM)


@pytest.mark.parametrize(
    ("action", "event", "subject"),
    [
        ("opened", incident_event(), "TCP Port Unreachable"),
        ("trigger", incident_event(), "TCP Port Unreachable"),
        ("refresh", incident_event(), "TCP Port Unreachable"),
        ("acknowledge", incident_event(), "TCP Port Incident Acknowledged"),
        ("closed", closed(), "TCP Port Reachable Again"),
        ("resolve", closed(), "TCP Port Reachable Again"),
        ("missed", closed(), "TCP Port Was Unreachable"),
        ("missed", closed(closed_because="abandoned"), "TCP Port Was Unreachable"),
        ("opened", incident_event(incident_type="slow"), "TCP Port Slow"),
        ("missed", closed(incident_type="slow"), "TCP Port Was Slow"),
        ("missed", closed(incident_type="flapping"), "TCP Port Was Flapping"),
        (
            "opened",
            incident_event(incident_type="expiring", expires_at=AT),
            "Certificate Ends Soon",
        ),
        ("missed", closed(incident_type="expiring"), "Certificate Was About To End"),
        ("opened", domain("domain_ending"), "Domain Registration Ends Within Days"),
        ("opened", domain("domain_expired"), "Domain Registration Ended"),
        ("reminder", domain("domain_expired"), "Domain Registration Still Not Renewed"),
        ("opened", domain(incident_type="expiring"), "Domain Registration Ends Soon"),
        ("reminder", domain(incident_type="expiring"), "Domain Registration Still Ends Soon"),
        (
            "closed",
            closed(incident_type="expiring", kind="domain"),
            "Domain Registration Renewed",
        ),
        ("closed", closed(kind="domain"), "Domain Registration Renewed"),
        ("missed", closed(kind="domain"), "Domain Registration Was In Trouble"),
        (
            "missed",
            closed(incident_type="expiring", kind="domain"),
            "Domain Registration Was About To End",
        ),
        (
            "improved",
            improved(kind="domain"),
            "Domain Registration In Order, Seen From Most Regions",
        ),
        (
            "closed",
            closed(kind="domain", closed_because="resolved"),
            "Domain Incident Resolved By Hand",
        ),
        ("closed", closed(closed_because="target_removed"), "TCP Port No Longer Watched"),
        (
            "closed",
            closed(closed_because="target_paused"),
            "TCP Port Paused, Nobody Checks It",
        ),
        ("closed", closed(closed_because="resolved"), "TCP Port Incident Resolved By Hand"),
        (
            "closed",
            closed(closed_because="abandoned"),
            "TCP Port Not Looked At Any More, Not Known To Be Over",
        ),
        (
            "closed",
            closed(closed_because="flapping"),
            "TCP Port Down And Up Again And Again, Told As Flapping From Here On",
        ),
        ("worsened", incident_event(event="worsened", episode=2), "TCP Port Unreachable Again"),
        # To a channel that was not told of the first outage.
        ("opened", incident_event(event="worsened", episode=2), "TCP Port Unreachable Again"),
        ("opened", incident_event(event="updated", episode=2), "TCP Port Unreachable Again"),
        ("opened", incident_event(event="updated"), "TCP Port Unreachable"),
        ("improved", improved(), "TCP Port Reachable From Most Regions"),
        # What is true now, though it is told as an opening.
        ("opened", improved(), "TCP Port Reachable From Most Regions"),
        ("opened", improved(event="updated"), "TCP Port Reachable From Most Regions"),
        (
            "improved",
            improved(regions=verdicts(3) | {"eu": RegionVerdict(verdict="up")}),
            "TCP Port Reachable From Some Regions",
        ),
        # Nobody looks: it is no better.
        (
            "opened",
            incident_event(
                event="updated",
                regions=verdicts(3, verdict="stale"),
                votes=Votes(down=0, need=2, fresh=0, configured=3),
            ),
            "TCP Port Unreachable",
        ),
        ("closed", closed(incident_type="slow"), "TCP Port Fast Again"),
        ("closed", closed(incident_type="expiring"), "Certificate Renewed"),
        (
            "closed",
            closed(incident_type="expiring", closed_because="resolved"),
            "TCP Port Certificate: Incident Resolved By Hand",
        ),
        (
            "closed",
            closed(incident_type="expiring", closed_because="abandoned"),
            "TCP Port Certificate: Not Looked At Any More, Not Known To Be Over",
        ),
        (
            "closed",
            closed(incident_type="slow", closed_because="policy_changed"),
            "TCP Port No Longer Watched For This",
        ),
        ("closed", closed(incident_type="flapping"), "TCP Port Steady Again"),
        (
            "closed",
            closed(incident_type="flapping", closed_because="steady"),
            "TCP Port No Longer Flapping, Down For Good",
        ),
    ],
)
def test_subjects(action: str, event: Any, subject: str) -> None:
    told = text(action, event)
    assert told.subject == f"{subject}: Production DB (db1.example.com:5432)"
    assert told.line == told.subject


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"host": "2001:db8::1"}, "TCP Port Unreachable: Production DB ([2001:db8::1]:5432)"),
        (
            {"kind": "heartbeat", "host": None, "port": None},
            "Job In Trouble: Production DB",
        ),
        ({"kind": "http"}, "HTTP Unreachable: Production DB (db1.example.com:5432)"),
        (
            {"name": "A\r\nBcc: everybody\x0b"},
            "TCP Port Unreachable: A Bcc: everybody (db1.example.com:5432)",
        ),
        ({"name": ""}, "TCP Port Unreachable: db1.example.com:5432"),
    ],
)
def test_the_place_in_a_subject(fields: dict[str, Any], subject: str) -> None:
    assert text("opened", incident_event(**fields)).subject == subject


def test_a_place_is_host_and_port() -> None:
    assert place(incident_event()) == "db1.example.com:5432"
    assert place(incident_event(host="::1")) == "[::1]:5432"
    assert place(incident_event(port=None)) == "db1.example.com"
    assert place(incident_event(host=None)) == "prod-db"


@pytest.mark.parametrize("incident_type", get_args(IncidentType))
def test_every_end_and_every_event_of_each_type_has_words_of_its_own(incident_type: str) -> None:
    ends = {
        text("closed", closed(incident_type=incident_type, closed_because=why)).subject
        for why in get_args(ClosedBecause)
    }
    assert len(ends) == len(get_args(ClosedBecause))
    told = [
        text(action, event).subject
        for action, event in (
            ("opened", incident_event(incident_type=incident_type)),
            ("worsened", incident_event(event="worsened", incident_type=incident_type)),
            ("missed", closed(incident_type=incident_type)),
            ("closed", closed(incident_type=incident_type)),
        )
    ]
    assert len(set(told)) == len(told)


def test_a_title_that_is_too_short_loses_the_name_before_the_place() -> None:
    event = incident_event(name="The database of production in Frankfurt, the first of three")
    told = delivery("opened", event)
    for limit in range(44, 110):
        subject = render(told, Budget(title=limit, body=2000)).subject
        assert "db1.example.com:5432" in subject
        assert len(subject) <= limit
    long = delivery("opened", structs.replace(event, host="h" * 250))
    title = render(long, Budget(title=60, body=2000))
    assert title.subject.endswith("h\u2026:5432")
    assert "h" * 150 in title.body.splitlines()[0]


def test_a_worsening_says_since_when_it_is_down_again() -> None:
    event = incident_event(
        event="worsened", at=AT + 600_000, episode=3, episode_began_at=AT + 597_000
    )
    body = text("worsened", event).body
    assert (
        "First failure: 2026-12-01 01:59:57 UTC\n"
        "Down again: 2026-12-01 02:09:57 UTC (outage 3 of this incident)\n"
        "Confirmed: 2026-12-01 02:10:00 UTC\n"
        "For: 3 s so far\n" in body
    )
    assert "First steps:\n  1. Look whether the service runs" in body
    assert "For: 10 min 3 s so far" in text("opened", incident_event(at=AT + 600_000)).body


def test_a_closing_counts_its_outages_and_says_how_long_it_was() -> None:
    body = text("closed", closed(episode=3, abandoned_regions=("asia",))).body
    assert (
        "Ended: 2026-12-01 02:03:20 UTC\nIt lasted: 3 min 23 s\nOutages in this time: 3\n"
        "Without a word from: asia\n" in body
    )
    assert "First steps" not in body
    assert "Outages in this time" not in text("closed", closed()).body


def test_an_abandoned_incident_is_no_recovery() -> None:
    told = text("closed", closed(closed_because="abandoned"))
    assert "This is no recovery: nobody looks at it any more.\n" in told.body
    for part in (told.subject, told.body, told.short):
        assert "Again" not in part
        assert "recovered" not in part


def test_a_pause_is_no_recovery_and_says_who_until_when_and_why() -> None:
    by_hand = {"paused_by": "ann", "paused_until": AT + 3_600_000, "paused_note": "new disk"}
    told = text("closed", closed(closed_because="target_paused", **by_hand))
    assert "This is no recovery: nobody knows how it is while nobody checks it.\n" in told.body
    assert "Paused by: ann (new disk)\n" in told.body
    assert "Paused: 2026-12-01 02:03:20 UTC\n" in told.body
    assert "by ann until 2026-12-01 03:00:00 UTC: new disk" in told.short
    disabled = text("closed", closed(closed_because="target_paused"))
    assert "Paused by" not in disabled.body
    assert "by its inventory" in disabled.short
    for part in (told.subject, told.body, told.short, disabled.body, disabled.short):
        assert "Again" not in part
        assert "recovered" not in part


def test_what_is_resolved_by_hand_says_what_still_fails() -> None:
    told = text("closed", closed(closed_because="resolved", resolved_by="bob"))
    assert "It still fails from eu-west.\n" in told.body
    assert "still fails from eu-west" in told.short
    fine = closed(closed_because="resolved", regions=verdicts(2, verdict="up", reason=None))
    assert "still" not in text("closed", fine).body


def test_an_improvement_says_from_where_it_still_fails() -> None:
    assert "Still failing from: asia.\n" in text("improved", improved()).body
    many = improved(regions=verdicts(42) | verdicts(0))
    assert (
        "Still failing from: region-000, region-001, region-002, region-003, region-004 and 37 more"
        in text("improved", many).body
    )


def test_an_acknowledgement_of_an_old_outage_is_not_late() -> None:
    acknowledged = incident_event(event="updated", at=AT + 3_600_000, acknowledged_by="ann")
    told = text("acknowledge", acknowledged)
    assert "late" not in told.body
    assert "Acknowledged by: ann\n" in told.body
    # The trigger that went before it says so, if it was.
    assert "Told late" in text("trigger", acknowledged).body


def test_a_missed_outage_says_from_when_to_when() -> None:
    told = text("missed", closed())
    assert told.body.startswith(
        "From 2026-12-01 01:59:57 UTC to 2026-12-01 02:03:20 UTC (3 min 23 s). It began and ended "
        "before anybody could be told.\n"
    )
    assert "Told late" not in text("missed", closed(), at=AT + DAY).body
    two = text("missed", closed(), closed(port=22))
    assert two.subject == "TCP Port Was Unreachable: 2 ports of db1.example.com"
    assert two.body.startswith("They began and ended before anybody could be told.\n")


@pytest.mark.parametrize(
    ("action", "event", "attempt", "line"),
    [
        (
            "opened",
            incident_event(),
            7,
            (
                "Told late: it began at 2026-12-01 01:59:57 UTC, 42 min 3 s ago. "
                "Told only now because 6 earlier attempts on this channel failed."
            ),
        ),
        (
            "opened",
            incident_event(),
            2,
            (
                "Told late: it began at 2026-12-01 01:59:57 UTC, 42 min 3 s ago. "
                "Told only now because 1 earlier attempt on this channel failed."
            ),
        ),
        (
            "worsened",
            incident_event(event="worsened", episode=2, episode_began_at=AT - 1000),
            1,
            (
                "Told late: it began at 2026-12-01 01:59:59 UTC, 42 min 1 s ago. "
                "It could not be told here before."
            ),
        ),
        (
            "closed",
            closed(),
            1,
            (
                "Told late: it ended at 2026-12-01 02:03:20 UTC, 38 min 40 s ago. "
                "It could not be told here before."
            ),
        ),
    ],
)
def test_late_news_say_since_when(action: str, event: Any, attempt: int, line: str) -> None:
    late = text(action, event, at=AT + 2_520_000, attempt=attempt)
    assert late.body.splitlines()[0] == line
    assert "Told late" not in text(action, event, at=AT + 59_999, attempt=attempt).body
    # Nobody was there when it happened: it was due when somebody came.
    unknown = text(action, event, at=AT + 2_520_000, news_due_at=AT + 2_520_000)
    assert "It could not be told here before." in unknown.body
    repeated = text("refresh", event, at=AT + 2_520_000)
    assert "Told late" not in repeated.body


def test_an_acknowledgement_does_not_make_old_news_new() -> None:
    event = incident_event(event="updated", at=AT + 600_000, acknowledged_by="ann")
    assert "Told late: it began at 2026-12-01 01:59:57 UTC" in text("opened", event).body
    worsened = incident_event(event="worsened", episode=2, at=AT + 600_000)
    assert "Told late" not in text("opened", worsened).body


def test_what_may_have_been_told_already_says_so() -> None:
    again = text("opened", incident_event(), news_maybe_told=True)
    assert again.body.startswith("Perhaps you have this already: an earlier attempt had no answer.")
    over = text("closed", closed(), news_maybe_told=True)
    assert over.body.startswith(
        "Perhaps you were not told that it began: that message had no answer."
    )
    sure = text("closed", closed(), news_maybe_told=True, news_told_before=True)
    assert "Perhaps" not in sure.body


def test_who_acknowledged_and_who_resolved_it_is_told_with_the_note() -> None:
    assert "Acknowledged" not in text("closed", closed()).body
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
    assert f"{lines[0]}{lines[1]}\nBy region:" in text("closed", event).body
    group = text("closed", event, closed(**by_ann, port=22)).body
    assert group.count(f"  {lines[0]}") == 2
    assert group.count(f"  {lines[1]}") == 1
    unnoted = closed(acknowledged_by="ann", closed_because="resolved", resolved_by="bob")
    assert "\nAcknowledged by: ann\nResolved by: bob\n" in text("closed", unnoted).body


def test_several_ports_of_a_host_are_counted_and_listed() -> None:
    told = text("opened", *(incident_event(port=port) for port in (22, 80)))
    assert told.subject == "TCP Port Unreachable: 2 ports of db1.example.com"
    assert told.body.startswith(
        "All 2: Connection refused.\n\nSince: 2026-12-01 01:59:57 UTC\n\nPorts:\n"
        "  Production DB (db1.example.com:22): Connection refused from 1 of 2 regions\n"
        "  Production DB (db1.example.com:80): "
    )
    assert told.body.count("Look whether the service runs") == 1
    assert told.short == (
        "Unreachable: 2 ports of db1.example.com: Connection refused, since 01:59 UTC"
    )


def test_several_targets_of_one_port_are_no_ports() -> None:
    """Three pages of a web server are three targets, and one port."""
    told = text("opened", *(incident_event(target=f"page-{one}", port=443) for one in range(3)))
    assert told.subject == "TCP Port Unreachable: 3 targets of db1.example.com"
    assert "\nTargets:\n" in told.body


def test_the_most_critical_ports_of_a_host_come_first() -> None:
    events = [
        incident_event(port=1, criticality="normal"),
        incident_event(port=2, criticality="critical", regions=verdicts(2)),
        incident_event(port=3, criticality="normal", kind="http"),
    ]
    told = text("opened", *events)
    assert told.subject == "TCP Port Unreachable / HTTP Unreachable: 3 ports of db1.example.com"
    body = told.body
    assert body.startswith("2 \u00d7 Connection refused, 1 \u00d7 Connection timed out.\n")
    assert body.index("com:2)") < body.index("com:1)") < body.index("com:3)")
    assert "  HTTP Unreachable: Production DB (db1.example.com:3): " in body


def test_each_region_says_what_it_sees_those_that_fail_first() -> None:
    regions = {
        "africa": RegionVerdict(verdict="up", reason="timed_out", since=AT),
        "asia": RegionVerdict(verdict="pending"),
        "eu-east": RegionVerdict(
            verdict="down", reason="timed_out", detail="db1.example.com: Connection timed out"
        ),
        "eu-west": RegionVerdict(verdict="down", reason="timed_out", detail="after 3 s", since=AT),
        "office": RegionVerdict(verdict="stale", reason="connection_refused", since=AT),
        "quiet": RegionVerdict(verdict="stale"),
        "south": RegionVerdict(verdict="slow", detail="400 ms", since=AT, set_aside=True),
        "us-east": RegionVerdict(verdict="up", detail="certificate ends tomorrow", since=AT),
    }
    assert (
        "By region:\n"
        "  eu-east: Connection timed out\n"
        "  eu-west: Connection timed out (after 3 s)\n"
        "  south: slow (400 ms) (set aside)\n"
        "  office: no fresh result (last: Connection refused)\n"
        "  quiet: no fresh result\n"
        "  asia: not checked yet\n"
        "  africa: Connection timed out (not confirmed yet)\n"
        "  us-east: reachable (certificate ends tomorrow)\n"
        in text("opened", incident_event(regions=regions)).body
    )


def test_other_targets_of_the_host_and_labels_come_last() -> None:
    others = (HostTarget(target="ssh", name="SSH", kind="tcp", port=22, status="up"),)
    event = incident_event(
        host_targets=others, team="database", tags=("prod", "db"), runbook="https://wiki.example/x"
    )
    assert text("opened", event).body.endswith(
        """
First steps:
  1. Look whether the service runs

Runbook: https://wiki.example/x

By region:
  eu-west: Connection refused
  us-east: reachable

Others on this host:
  SSH (22): up

Target: Production DB
Host: db1.example.com
Port: 5432
Severity: critical
Team: database
Tags: prod, db
Incident: i1"""
    )


def test_a_certificate_that_ends_soon_is_told_with_its_day() -> None:
    event = incident_event(incident_type="expiring", expires_at=AT + DAY)
    told = text("opened", event)
    assert f"Certificate ends: {time_text(AT + DAY)}\nFirst seen: " in told.body
    assert "so far" not in told.body
    assert told.short.endswith("(Production DB): it ends 2026-12-02")


@pytest.mark.parametrize(
    ("because", "line"),
    [("recovered", "Old certificate ends: "), ("target_removed", "Certificate ends: ")],
)
def test_the_end_that_was_told_last_is_no_end_of_the_renewed_certificate(
    because: str, line: str
) -> None:
    event = closed(incident_type="expiring", closed_because=because, expires_at=AT + DAY)
    assert f"\n{line}{time_text(AT + DAY)}\n" in text("closed", event).body


def test_a_region_that_is_silent() -> None:
    event = RegionEvent(
        event_id="e", event="region.silent", region="eu", at=AT, summary="No word.", last_beat_at=AT
    )
    told = text("opened", event, event)
    assert told.subject == "Region Silent: eu"
    assert told.body == (
        "No word.\n\nSince: 2026-12-01 02:00:00 UTC\nLast sign of life: 2026-12-01 02:00:00 UTC\n"
        "\nFirst steps:\n"
        "  1. portquorum health (are other parts in trouble, too?)\n"
        "  2. On the machines of eu: does its prober run (portquorum probe --region eu)?\n"
        "  3. If it runs: what does its log say, and does it reach Kafka?"
    )
    again = structs.replace(event, event="region.returned")
    assert "First steps" not in text("closed", again).body
    never = structs.replace(event, last_beat_at=None, summary="Never heard.")
    assert text("opened", never, structs.replace(never, at=AT + 20)).body.count("Never heard.") == 1


@pytest.mark.parametrize(
    ("action", "event", "subject"),
    [
        ("opened", "region.suspect", "Region Set Aside: eu"),
        ("closed", "region.cleared", "Region Counts Again: eu"),
        ("closed", "region.returned", "Region Returned: eu"),
        ("missed", "region.returned", "Region Was Silent: eu"),
        ("missed", "region.cleared", "Region Was Set Aside: eu"),
        ("opened", "region.clock_skewed", "Region With A Clock That Is Off: eu"),
    ],
)
def test_the_subjects_of_a_region(action: str, event: Any, subject: str) -> None:
    told = RegionEvent(event_id="e", event=event, region="eu", at=AT, summary="So it is.")
    found = text(action, told)
    assert found.subject == subject
    assert ("anybody could be told" in found.body) == (action == "missed")
    assert "02:00" in found.short


def test_a_region_that_returned_was_silent_since_its_last_beat() -> None:
    returned = RegionEvent(
        event_id="r1",
        event="region.returned",
        region="us-east",
        at=AT + 60_000,
        summary="Region us-east reports again after 60 s.",
        last_beat_at=AT,
    )
    assert text("closed", returned).body.endswith("\nSilent since: 2026-12-01 02:00:00 UTC")


def test_targets_that_nobody_watches_are_added_up_over_the_partitions() -> None:
    other = UnwatchedTarget(target="shop", name="Shop", criticality="important")
    events = [
        targets_event(count=12),
        targets_event(partition=4, count=30, most_critical=(other,), silent_regions={"asia": None}),
        targets_event(count=412, event_id="t2"),
    ]
    told = text("opened", *events, at=AT)
    assert told.subject == "Targets Not Watched: 442, no word from us-east, asia"
    assert told.body == (
        "442 targets are not watched: too few of their regions have results. An outage would "
        "not be told.\n"
        "\n"
        "Since: 2026-12-01 01:55:00 UTC\n"
        "\n"
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
    more = text("updated", *events)
    assert more.subject == "More Targets Not Watched: 442, no word from us-east, asia"


def test_targets_that_are_not_watched_though_every_region_is_heard() -> None:
    told = text("opened", targets_event(count=1, silent_regions={}))
    assert told.subject == "Targets Not Watched: 1, all of its regions are heard"
    assert told.body.startswith("1 target is not watched: too few of its regions have results. ")
    assert "probers, and whether these regions may reach the addresses (allow).\n" in told.body


def test_targets_that_are_watched_again() -> None:
    again = {"event": "targets.watched", "count": 0, "most_critical": (), "silent_regions": {}}
    events = [
        targets_event(partition=12, summary="Two.", **again),
        targets_event(partition=0, summary="None.", **again),
    ]
    told = text("closed", *events)
    assert told.subject == "Targets Watched Again"
    assert told.body == "Two.\nNone.\n\nEnded: 2026-12-01 02:00:00 UTC\n\nCause: c1"
    missed = text("missed", *events)
    assert missed.subject == "Targets Were Not Watched"
    assert missed.body.startswith(
        "From 2026-12-01 01:55:00 UTC to 2026-12-01 02:00:00 UTC some targets were not watched. "
    )


def test_partitions_that_are_still_blind_are_told_though_others_see_again() -> None:
    again = targets_event(partition=4, event="targets.watched", count=0)
    told = text("updated", targets_event(count=3), again)
    assert told.subject == "More Targets Not Watched: 3, no word from us-east"


def test_a_channel_that_is_broken_is_told_to_those_who_stand_in() -> None:
    told = text("opened", channel_event())
    assert told.subject == "Notification Channel Broken: ops (mailto)"
    assert told.body == (
        "It confirms nothing, so its people may not know. 3 messages wait for it.\n"
        "The last error: Connection refused\n"
        "You get the messages of its route until it works again.\n"
        "\n"
        "Since: 2026-12-01 02:00:00 UTC\n"
        "\n"
        "Channel: ops/0123456789abcdef/mailto"
    )
    assert "1 message waits" in text("opened", channel_event(waiting=1)).body
    assert "for it" not in text("opened", channel_event(waiting=0)).body
    works = text("closed", channel_event(event="channel.works", error=""))
    assert works.subject == "Notification Channel Works Again: ops (mailto)"
    assert "after 2 min" in works.body
    missed = text("missed", channel_event(event="channel.works"))
    assert missed.subject.startswith("Notification Channel Was Broken: ")


def test_who_stands_in_is_told_for_whom_and_not_that_it_could_not_be_told() -> None:
    name = "db-oncall/206f779344a5dde1/pagerduty"
    told = text("opened", incident_event(), at=AT + 125_000, news_stands_in_for=name)
    assert told.body.startswith(
        "Told late: it began at 2026-12-01 01:59:57 UTC, 2 min 8 s ago.\n"
        "Told here because it was not confirmed by: db-oncall (pagerduty).\n"
    )
    soon = text("opened", incident_event(), news_stands_in_for=name)
    assert soon.body.startswith("Told here because it was not confirmed by: db-oncall (pagerduty).")
    assert "confirmed by" not in text("closed", closed(), news_stands_in_for=name).body


def test_a_broken_channel_that_no_route_has_any_more_is_not_said_to_work() -> None:
    gone = channel_event(event="channel.works", error=broken_channels.GONE)
    told = text("closed", gone)
    assert told.subject == "Notification Channel Removed: ops (mailto)"
    assert told.body.startswith("No route has it any more. It was broken for 2 min.\n")
    for part in (told.body, told.line, told.short, summary_line(news(gone), 1024)):
        assert "works" not in part.lower()
        assert "delivers" not in part


@pytest.mark.parametrize("char", ["\U0001f600", "\u0628", "\u4e2d", "x"])
def test_the_subject_of_a_mail_is_no_longer_than_a_line_of_a_mail(char: str) -> None:
    event = incident_event(name=char * 255)
    told = render(delivery("opened", event), Budget(title=250, body=40_000, markup="html"))
    for line in (told.line, told.subject):
        # As Apprise encodes it: Q, and one line.
        header = line if char == "x" else quoprimime.header_encode(line.encode(), "utf-8")
        assert len(f"Subject: {header}") <= 998
        assert line.endswith("(db1.example.com:5432)")
        assert len(line) == 250 or len(header) > 900


def test_a_refused_text_is_one_plain_line() -> None:
    told = text("opened", incident_event(), plain=True)
    assert told.body == (
        "TCP Port Unreachable: Production DB (db1.example.com:5432): "
        "Connection refused from 1 of 2 regions, since 01:59 UTC"
    )
    html = Budget(title=250, body=40_000, markup="html")
    assert render(delivery("opened", incident_event(), plain=True), html).html is None


@pytest.mark.parametrize(
    ("event", "short"),
    [
        (
            incident_event(),
            (
                "Unreachable: db1.example.com:5432 (Production DB): "
                "Connection refused from 1 of 2 regions, since 01:59 UTC"
            ),
        ),
        (
            incident_event(name="\U0001f525 Łager \u2013 Köln", kind="postgres"),
            (
                "POSTGRES Unreachable: db1.example.com:5432 (Lager - Köln): "
                "Connection refused from 1 of 2 regions, since 01:59 UTC"
            ),
        ),
        (
            incident_event(name="\u0431\u0430\u0437\u0430"),
            (
                "Unreachable: db1.example.com:5432: "
                "Connection refused from 1 of 2 regions, since 01:59 UTC"
            ),
        ),
    ],
)
def test_the_short_form_is_for_an_sms(event: Any, short: str) -> None:
    assert text("opened", event).short == short


def test_the_short_form_names_the_day_if_it_is_not_today() -> None:
    assert clock_text(AT, AT + 1000) == "02:00 UTC"
    assert clock_text(AT, AT + DAY) == "2026-12-01 02:00 UTC"


def test_news_of_two_kinds_are_told_in_one_message() -> None:
    mixed = structs.replace(
        delivery("opened", incident_event()),
        news=(news(incident_event()), news(channel_event())),
    )
    told = render(mixed, ROOM)
    assert told.subject.startswith("TCP Port Unreachable: ")
    assert "Notification Channel Broken: ops (mailto)\n" in told.body


def test_no_news_are_no_error() -> None:
    empty: Delivery = structs.replace(delivery("opened", incident_event()), news=())
    assert render(empty, ROOM).line.startswith("Port monitor: opened")


def test_a_dependency_that_held_the_news_is_down_no_more() -> None:
    body = text(
        "opened", incident_event(), news_held="dependency: Gateway (10.0.0.1:22) is down"
    ).body
    assert "Held back until now: dependency: Gateway (10.0.0.1:22) was down." in body
    body = text(
        "opened", incident_event(), news_held="silence 7f3a by ann: dependency: x is down"
    ).body
    assert "silence 7f3a by ann: dependency: x is down." in body


def test_steps_of_several_hosts_stand_in_the_order_of_each() -> None:
    hosts = [f"web{number}.example.com" for number in range(3)]
    events = [
        incident_event(
            incident_id=host,
            target=host,
            host=host,
            first_steps=(f"On {host}: ss -ltnp", "If it runs: on which port?"),
        )
        for host in hosts
    ]
    body = text("digest", *events).body
    steps = [body.index(step) for step in ("On web0.example.com: ss", "If it runs: on which port?")]
    assert steps == sorted(steps)


def test_who_is_called_by_an_escalation_reads_how_to_acknowledge() -> None:
    one = incident_event()
    body = text("opened", one, at=AT + 900_000, news_escalated_from="chat").body
    assert f"acknowledged it (portquorum ack {one.incident_id})." in body


@pytest.mark.parametrize(
    ("event", "alert", "severity"),
    [
        (domain("domain_ending"), "DomainNotRenewed", "critical"),
        (domain("domain_expired", severity="warning"), "DomainNotRenewed", "warning"),
        (domain(incident_type="expiring", severity="warning"), "DomainExpiring", "warning"),
    ],
)
def test_an_on_call_system_hears_of_a_domain(event: Any, alert: str, severity: str) -> None:
    told = facts(news(event))
    assert (told.alert, told.urgency) == (alert, severity)
    assert told.labels["alertname"] == alert
    assert told.labels["kind"] == "domain"


def test_what_befalls_a_region_has_a_name_of_its_own() -> None:
    named: dict[str, set[str]] = {}
    for event in get_args(RegionEventKind):
        one = RegionEvent(event_id="e", event=event, region="eu", at=AT, summary="")
        named.setdefault(facts(news(one)).alert, set()).add(event)
    assert named == {
        "RegionSilent": {"region.silent", "region.returned"},
        "RegionClockSkewed": {"region.clock_skewed"},
        "RegionSuspect": {"region.suspect", "region.cleared"},
        "RegionSecretsMissing": {"region.secrets_missing", "region.secrets_found"},
    }


def test_alertmanager_is_asked_for_silences_on_every_alert_of_a_target() -> None:
    """Its filter names them."""
    types = [*get_args(IncidentType), "new"]
    events = [incident_event(incident_type=one) for one in types]
    events += [domain(incident_type=one) for one in types]
    events += [incident_event(incident_type=one, expect="closed") for one in types]
    a_job = {"kind": "heartbeat", "host": None, "port": None}
    events += [incident_event(**a_job, incident_type=one) for one in types]
    (_, known), *_ = [one for one in by_alertmanager.ASKED if one[0] == "filter"]
    named = set(known.partition('"')[2].rstrip('"').split("|"))
    assert {facts(news(one)).alert for one in events} == named


def test_nobody_reached_a_domain() -> None:
    regions = {
        "eu": RegionVerdict(verdict="down", reason="domain_ending", since=AT),
        "us": RegionVerdict(verdict="up", since=AT),
    }
    said = text("opened", domain(regions=regions)).body
    assert "us: registered" in said
    assert "First seen: " in said
    assert "reachable" not in said
    assert "failure" not in said


def test_a_digest_tells_domains_from_ports() -> None:
    events = [
        domain("domain_ending", target="a", incident_id="i1", host="a.example"),
        incident_event(target="b", incident_id="i2", host="b.example", incident_type="expiring"),
        domain(target="c", incident_id="i3", host="c.example", incident_type="expiring"),
        incident_event(target="d", incident_id="i4", host="d.example", incident_type="expiring"),
    ]
    for action in ("opened", "reminder"):
        said = render(digest_of((action, events)), ROOM)
        assert said.subject.startswith("1 With Registrations Not Renewed, 2 With Certificates")
        assert "Domains not renewed (1 host):" in said.body
        assert said.body.count("Certificates that end soon (2 hosts):") == 1
        assert said.body.count("Domains that end soon (1 host):") == 1
        assert "Down" not in said.body


def test_no_two_states_of_a_digest_share_a_rank() -> None:
    """Each state is one list: incidents are put in order by the rank, and parted by the state."""
    found = [one for one in vars(digest).values() if isinstance(one, digest.State)]
    for several in vars(digest).values():
        if isinstance(several, dict):
            found += [one for one in several.values() if isinstance(one, digest.State)]
    assert len({one.rank for one in found}) == len(set(found)) == len({one.title for one in found})


def test_a_region_that_lacks_secrets_lives() -> None:
    def of(event: Any) -> str:
        one = RegionEvent(
            event_id="e", event=event, region="eu", at=AT, summary="", last_beat_at=AT - 60_000
        )
        return text("opened", one).body

    assert "Last sign of life: " in of("region.silent")
    assert "Last sign of life: " not in of("region.secrets_missing")
    assert "Silent since" not in of("region.secrets_found")
