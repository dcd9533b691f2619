"""Incidents, notifications, targets and maintenance: rows, views, and what the CLI asks."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from foundation.clickhouse import connect
from foundation.settings import Settings
from schemas import incident, policy
from schemas.incident import IncidentEvent, RegionEvent, RegionVerdict, Votes
from schemas.notification import Notification
from schemas.target import Target
from sinks.clickhouse.fleet_queries import targets_now
from sinks.clickhouse.notification_queries import MOST_NAMED, with_notifications
from sinks.clickhouse.queries import open_incidents, recent_incidents
from tests.integration.sinks.clickhouse import rig

NOW = int(time.time() * 1000)


def event(event_id: str, incident_id: str, at: int, **changes: Any) -> IncidentEvent:
    base: dict[str, Any] = {
        "event_id": event_id,
        "event": "opened",
        "incident_id": incident_id,
        "incident_type": "unreachable",
        "severity": "critical",
        "target": "db",
        "name": "Database",
        "kind": "tcp",
        "host": "db.example.com",
        "port": 5432,
        "team": "database",
        "tags": ("prod",),
        "criticality": "critical",
        "depends_on": (),
        "regions": {
            "eu": RegionVerdict(verdict="down", reason="connection_refused", since=at),
            "us": RegionVerdict(verdict="up", since=at),
        },
        "votes": Votes(down=1, need=1, fresh=2, configured=2),
        "first_failed_at": NOW - 61_500,
        "opened_at": NOW - 60_000,
        "closed_at": None,
        "closed_because": None,
        "at": at,
        "host_targets": (),
        "summary": "db is down",
        "first_steps": (),
        "runbook": None,
    }
    return IncidentEvent(**(base | changes))


def notification(of: IncidentEvent, channel: str, status: str, **changes: Any) -> Notification:
    base: dict[str, Any] = {
        "event_id": of.event_id,
        "incident_id": of.incident_id,
        "event": of.event,
        "target": of.target,
        "team": of.team,
        "route": channel.partition("/")[0],
        "channel": channel,
        "severity": of.severity,
        "status": status,
        "attempt": 1,
        "at": of.at + 500,
        "event_at": of.at,
        "subject": "TCP Port Unreachable: Database",
        "group": "g",
    }
    return Notification(**(base | changes))


async def send_event(producer: AIOKafkaProducer, settings: Settings, found: Any) -> None:
    await producer.send_and_wait(
        settings.topic("incidents"), incident.encode(found), partition=1, key=b"db.example.com"
    )


async def test_incidents_and_what_is_open(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    settings = rig.used_place(kafka, clickhouse, "incidents")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    opened = event("e1", "i1", NOW - 60_000)
    closed = event(
        "e2",
        "i1",
        NOW - 30_000,
        event="closed",
        closed_at=NOW - 30_000,
        closed_because="recovered",
    )
    try:
        for found in (opened, opened, closed, event("e3", "i2", NOW - 50_000, target="web")):
            await send_event(producer, settings, found)
        # The stream may write an old event again, also long after.
        region = RegionEvent(
            event_id="r1", event="region.silent", region="eu", at=NOW, summary="eu is silent"
        )
        await send_event(producer, settings, region)
        for row in (
            notification(opened, "oncall/ab/slack", "retrying", error="HTTP 500"),
            notification(opened, "oncall/ab/slack", "sent", attempt=2, action="opened"),
            notification(closed, "oncall/ab/slack", "sent", action="closed"),
            notification(closed, "", "not_sent", why="not told of the outage"),
        ):
            topic = settings.topic("notifications")
            await producer.send_and_wait(topic, msgspec.json.encode(row), key=row.key, partition=0)
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.count(client, settings, "incidents") == 3)
            await rig.until(lambda: rig.count(client, settings, "notifications") == 4)
            await send_event(producer, settings, opened)
            await send_event(producer, settings, event("e4", "i3", NOW - 10_000, target="dns"))
            await rig.until(lambda: rig.count(client, settings, "incidents") == 4)
        assert rig.count(client, settings, "region_events") == 1
        there = connect(settings)
        assert [found.incident_id for found in open_incidents(there)] in (
            ["i2", "i3"],
            ["i3", "i2"],
        )
        assert [found.incident_id for found in recent_incidents(there, 2)] == ["i3", "i1"]
        (was,) = [found for found in recent_incidents(there) if found.incident_id == "i1"]
        assert (was.status, was.closed_because, was.closed_at) == (
            "closed",
            "recovered",
            NOW - 30_000,
        )
        assert was.detect_s == pytest.approx(1.5)
        assert was.open_s == pytest.approx(30)
        assert was.duration_s == pytest.approx(31.5)
        assert was.verdicts == {"eu": "down", "us": "up"}
        assert was.reasons == {"eu": "connection_refused"}
        assert was.notifications == ()
        told = {
            one.incident_id: one.notifications
            for one in with_notifications(there, recent_incidents(there))
        }
        assert [(one.event, one.channel, one.status, one.why) for one in told["i1"]] == [
            ("opened", "oncall/ab/slack", "sent", None),
            ("closed", "", "not_sent", "not told of the outage"),
            ("closed", "oncall/ab/slack", "sent", None),
        ]
        assert (told["i1"][0].attempt, told["i1"][0].error) == (2, None)
        assert told["i2"] == told["i3"] == ()
        assert with_notifications(there, []) == []
        # So many that no query names them all.
        many = recent_incidents(there) * (MOST_NAMED + 1)
        assert {one.notifications for one in with_notifications(there, many)} == {(), told["i1"]}
    finally:
        await producer.stop()


async def test_what_people_said_of_an_incident_is_kept(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "words")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    note = "the disk is full ✓, I'm \\ on it"
    by_ann = {"acknowledged_by": "ann", "acknowledged_note": note}
    over = {"event": "closed", "closed_at": NOW - 30_000, "closed_because": "recovered"}
    resolved = {"closed_because": "resolved", "resolved_by": "bob", "resolved_note": "gone"}
    flaps = {
        "incident_type": "flapping",
        "closed_because": "recovered",
        "recovered_at": NOW - 45_000,
    }
    try:
        for found in (
            event("e1", "i1", NOW - 60_000),
            event("e2", "i1", NOW - 50_000, event="updated", **by_ann),
            event("e3", "i1", NOW - 30_000, **(by_ann | over | resolved)),
            event("e4", "i2", NOW - 30_000, **(over | flaps)),
            event("e5", "i3", NOW - 20_000, event="updated", acknowledged_by="eve"),
        ):
            await send_event(producer, settings, found)
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.count(client, settings, "incidents") == 5)
        there = connect(settings)
        kept = {
            one.incident_id: (
                one.acknowledged_by,
                one.acknowledged_note,
                one.resolved_by,
                one.resolved_note,
            )
            for one in recent_incidents(there)
        }
        assert kept == {
            "i1": ("ann", note, "bob", "gone"),
            "i2": (None, None, None, None),
            "i3": ("eve", None, None, None),
        }
        recovered = "SELECT event_id, toUnixTimestamp64Milli(recovered_at) FROM {db}.incidents"
        by_event = dict(rig.ask(client, settings, recovered))
        assert by_event == {"e1": None, "e2": None, "e3": None, "e4": NOW - 45_000, "e5": None}
    finally:
        await producer.stop()


async def test_targets_maintenance_and_notifications(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "history")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    target = Target(
        id="web",
        name="Web",
        kind="tcp",
        host="web.example.com",
        port=443,
        regions=("eu", "us"),
        interval_ms=30_000,
        timeout_ms=3_000,
        version=NOW,
        source="inventory",
    )
    other = msgspec.structs.replace(target, id="db", name="DB")
    window = policy.Maintenance(
        name="patch", targets=("tag:prod",), start=NOW, duration_ms=7_200_000
    )
    key = policy.key("dir/inventory.yaml", window)
    sent = Notification(
        event_id="e1",
        incident_id="i1",
        event="opened",
        target="db",
        team=None,
        route="oncall",
        channel="oncall/0/json",
        severity="critical",
        status="sent",
        attempt=1,
        at=NOW,
        event_at=NOW,
        subject="TCP Port Unreachable: db",
        group="g1",
        action="opened",
    )
    not_sent = msgspec.structs.replace(
        sent,
        event_id="e2",
        event="closed",
        route="",
        channel="",
        status="not_sent",
        why="not told of the outage",
        action=msgspec.UNSET,
    )
    pause = policy.Pause(
        name="web", paused_at=NOW, until=NOW + 3_600_000, reason="new disk", by="ann"
    )
    messages: list[tuple[str, bytes, bytes | None]] = [
        ("targets", b"web", msgspec.json.encode(target)),
        ("policy", key, policy.encode(window)),
        ("policy", b"inventory/region/eu", policy.encode(policy.Region(name="eu"))),
        ("policy", b"inventory/region/us", None),
        ("policy", key, None),
        ("policy", b"pause/pause/web", policy.encode(pause)),
        ("policy", b"pause/pause/db", policy.encode(msgspec.structs.replace(pause, name="db"))),
        ("policy", b"pause/pause/db", None),
        (
            "policy",
            b"inventory/pause/ssh",
            policy.encode(msgspec.structs.replace(pause, name="ssh")),
        ),
        ("notifications", sent.key, msgspec.json.encode(sent)),
        ("notifications", not_sent.key, msgspec.json.encode(not_sent)),
        ("notifications", b"e0/oncall/0/json", None),
        ("state", b"writer/1/0", None),
    ]
    try:
        for topic, message_key, value in messages:
            await producer.send_and_wait(settings.topic(topic), value, key=message_key, partition=0)
        # Both in the same millisecond: the offset says what came last.
        batch = producer.create_batch()
        for definition in (msgspec.json.encode(other), None):
            batch.append(key=b"db", value=definition, timestamp=None)
        batch.close()
        await (await producer.send_batch(batch, settings.topic("targets"), partition=0))
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.until(lambda: rig.count(client, settings, "targets") == 3)
            await rig.until(lambda: rig.count(client, settings, "maintenance") == 2)
            await rig.until(lambda: rig.count(client, settings, "notifications") == 2)
            assert sink.end() == 0
        told = (
            "SELECT event, channel, status, why, action FROM {db}.notifications ORDER BY event_id"
        )
        assert rig.ask(client, settings, told) == [
            ("opened", "oncall/0/json", "sent", "", "opened"),
            ("closed", "", "not_sent", "not told of the outage", ""),
        ]
        # The question of docs/notifications.md.
        page = (Path(__file__).parents[4] / "docs" / "notifications.md").read_text()
        question = page.partition("```sql\n")[2].partition("```")[0]
        answer = connect(settings).query(question).result_rows
        assert [row[1:] for row in answer] == [
            ("closed", "db", "", "not_sent", "not told of the outage", "")
        ]
        current = rig.ask(
            client, settings, "SELECT target, port, regions FROM {db}.targets_current"
        )
        assert current == [("web", 443, ["eu", "us"])]
        windows = "SELECT removed, source, name FROM {db}.maintenance ORDER BY removed"
        assert rig.ask(client, settings, windows) == [
            (0, "dir/inventory.yaml", "patch"),
            (1, "dir/inventory.yaml", "patch"),
        ]
        assert rig.count(client, settings, "pauses") == 3
        paused = "SELECT target, paused_by, reason FROM {db}.pauses_current"
        assert rig.ask(client, settings, paused) == [("web", "ann", "new disk")]
        now = "SELECT target, status, paused_by, pause_reason FROM {db}.status_now"
        assert rig.ask(client, settings, now) == [("web", "paused", "ann", "new disk")]
        assert rig.count(client, settings, "deadletter") == 0
    finally:
        await producer.stop()


async def test_status_and_uptime(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    settings = rig.used_place(kafka, clickhouse, "status")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    at = NOW - NOW % 3_600_000 - 1_800_000
    found = [
        rig.result(0, at, region="eu"),
        rig.result(0, at + 1_000, region="eu", status="down", reason="timed_out", connect_ms=None),
        rig.result(
            0, at + 2_000, region="eu", status="missed", reason="prober_error", connect_ms=None
        ),
        rig.result(0, at, region="us", connect_ms=7.5),
    ]
    target = Target(
        id=found[0].target,
        name="A target",
        kind="tcp",
        host=found[0].host,
        port=found[0].port,
        regions=("eu", "us"),
        interval_ms=86_400_000,
        timeout_ms=3_000,
        version=found[0].target_version,
        source="inventory",
    )
    daily = "SELECT region, checks, up, missed, up_percent, p95_ms FROM {db}.target_checks_daily"
    hourly = "SELECT region, checks, up_percent FROM {db}.target_checks_hourly ORDER BY region"
    try:
        await producer.send_and_wait(
            settings.topic("targets"),
            msgspec.json.encode(target),
            key=target.id.encode(),
            partition=0,
        )
        await rig.send_results(producer, settings, found)
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.count(client, settings) == 4)
            await rig.until(lambda: rig.count(client, settings, "targets") == 1)
            # The rows can be seen before what is rolled up of them; a sink that is killed between
            # the two leaves that to the next one.
            for rolled_up in (daily, hourly):
                await rig.until(partial(rig.ask, client, settings, rolled_up))
        there = connect(settings)
        (shown,) = targets_now(there, [target.id, "no such"])
        assert [(s.region, s.status, s.reason, s.checked_at) for s in shown.regions] == [
            ("eu", "down", "timed_out", at + 1_000),
            ("us", "up", None, at),
        ]
        assert shown.regions[1].latency_ms == pytest.approx(7.5)
        about = {"rel": 0.011}
        assert sorted(rig.ask(client, settings, daily)) == [
            ("eu", 2, 1, 1, 50, pytest.approx(1.0, **about)),
            ("us", 1, 1, 0, 100, pytest.approx(7.5, **about)),
        ]
        assert rig.ask(client, settings, hourly) == [("eu", 2, 50), ("us", 1, 100)]
    finally:
        await producer.stop()
