"""The notifier on real Kafka, with a real HTTP server as the channel."""

import time
from pathlib import Path

import pytest

from foundation import kafka as kafka_clients
from foundation.settings import Settings
from schemas.incident import RegionEvent
from schemas.policy import Route, Team
from tests.integration.sinks.notifier.rig import (
    Hook,
    NotifierProcess,
    all_committed,
    incident_event,
    notifier,
    publish,
    publish_policy,
    route,
    send_log,
    settings_for,
    until,
)


async def test_an_incident_is_told_when_it_opens_and_when_it_closes(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel))
    async with notifier(settings):
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.posts) == 1, "the opening is told")
        await publish(settings, incident_event("db1", "updated"), incident_event("db1", "closed"))
        await until(lambda: len(channel.posts) == 2, "the closing is told")
        await until(lambda: all_committed(settings), "all is committed")
    assert channel.subjects == [
        "TCP Port Unreachable: db1 (db1.example.com:5432)",
        "TCP Port Reachable Again: db1 (db1.example.com:5432)",
    ]
    body = channel.posts[0]["message"]
    assert "eu-west: Connection refused" in body
    assert "us-east: reachable" in body
    assert "Host: db1.example.com" in body
    assert "Port: 5432" in body
    log = await send_log(settings)
    assert [(r.event, r.status, r.channel, r.attempt) for r in log] == [
        ("opened", "sent", "ops/0/json", 1),
        ("closed", "sent", "ops/0/json", 1),
    ]


async def test_an_event_that_comes_twice_is_told_once(settings: Settings, channel: Hook) -> None:
    await publish_policy(settings, route(channel))
    event = incident_event("db1")
    async with notifier(settings):
        await publish(settings, event, event)
        await until(lambda: len(channel.posts) == 1, "the event is told")
        await publish(settings, event, incident_event("db1", "closed"))
        await until(lambda: len(channel.posts) == 2, "the closing is told")
    async with notifier(settings):
        await publish(settings, event, incident_event("db2"))
        await until(lambda: "db2" in str(channel.subjects), "the next notifier works")
        await until(lambda: all_committed(settings), "all is committed")
    assert len(channel.posts) == 3


PORTS = range(1, 11)


async def test_ten_ports_of_a_host_are_one_message(kafka: str, channel: Hook) -> None:
    settings = settings_for(kafka, group_wait_s=1.0)
    await kafka_clients.create_topics(settings)
    await publish_policy(settings, route(channel))
    events = [incident_event(f"db-{port}", host="db.example.com", port=port) for port in PORTS]
    async with notifier(settings):
        await publish(settings, *events)
        await until(lambda: len(channel.posts) == 1, "the host is told")
        await until(lambda: all_committed(settings), "all is committed")
    assert channel.subjects == ["TCP Port Unreachable: 10 ports of db.example.com"]
    assert all(f"(db.example.com:{port})" in channel.posts[0]["message"] for port in PORTS)
    log = await send_log(settings)
    assert {record.event_id for record in log} == {event.event_id for event in events}
    assert len({record.group for record in log}) == 1


async def test_routes_by_team_and_severity(settings: Settings, channel: Hook) -> None:
    await publish_policy(
        settings,
        route(channel, "db-oncall", severities=("critical",)),
        route(channel, "everybody"),
        Team(name="database", routes=("db-oncall",)),
    )
    async with notifier(settings):
        await publish(
            settings,
            incident_event("db1", team="database"),
            incident_event("db2", team="database", severity="warning"),
            incident_event("web1"),
        )
        await until(lambda: all_committed(settings), "all is handled")
    told = sorted((post["path"], post["title"].split()[3]) for post in channel.posts)
    assert told == [("/db-oncall", "db1"), ("/everybody", "web1")]


async def test_a_region_that_falls_silent_is_told(settings: Settings, channel: Hook) -> None:
    await publish_policy(
        settings,
        route(channel, "all"),
        route(channel, "only-critical", severities=("critical",)),
    )
    silent = RegionEvent(
        event_id="2f1f1ef0-3d3a-5d51-9ac6-fb9e4a3c53f4",
        event="region.silent",
        region="eu-west",
        at=time.time_ns() // 1_000_000,
        summary="No word from eu-west for 15 s.",
    )
    async with notifier(settings):
        await publish(settings, silent)
        await until(lambda: all_committed(settings), "all is handled")
    assert [(p["path"], p["title"]) for p in channel.posts] == [("/all", "Region Silent: eu-west")]


async def test_a_failing_channel_is_tried_again_in_order_and_holds_no_other_back(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel, "bad"), route(channel, "good"))
    channel.refuse = lambda post: post["path"] == "/bad"
    async with notifier(settings, retry_delays_s=(0.5,) * 30):
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.refused) >= 2, "the bad channel was tried twice")
        await publish(settings, incident_event("db1", "closed"))
        await until(lambda: len(channel.posts) == 2, "the good channel has both")
        assert all("Unreachable" in post["title"] for post in channel.refused)
        channel.refuse = lambda _post: False
        await until(lambda: all_committed(settings), "all is handled")
    bad = [post["title"] for post in channel.posts if post["path"] == "/bad"]
    assert [title.split(":")[0] for title in bad] == [
        "TCP Port Unreachable",
        "TCP Port Reachable Again",
    ]
    statuses = [r.status for r in await send_log(settings) if r.route == "bad"]
    assert statuses[-2:] == ["sent", "sent"]
    assert set(statuses[:-2]) == {"retrying"}


async def test_a_channel_that_never_confirms_ends_dead(settings: Settings, channel: Hook) -> None:
    await publish_policy(settings, route(channel))
    channel.refuse = lambda _post: True
    async with notifier(settings):
        await publish(settings, incident_event("db1"))
        await until(lambda: all_committed(settings), "all is handled")
    log = await send_log(settings)
    assert [r.status for r in log] == ["retrying"] * 4 + ["dead"]
    assert [r.attempt for r in log] == [1, 2, 3, 4, 5]
    assert log[-1].error
    async with notifier(settings):
        channel.refuse = lambda _post: False
        await publish(settings, incident_event("db2"))
        await until(lambda: len(channel.posts) == 1, "the next one is told")
    assert "db2" in channel.subjects[0]


async def test_a_missing_secret_is_dead_at_once_and_a_present_one_is_never_shown(
    settings: Settings,
    channel: Hook,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PQ_TEST_SECRET", "tops3cret")
    monkeypatch.delenv("PQ_TEST_MISSING", raising=False)
    await publish_policy(
        settings,
        Route(name="a", urls=("json://127.0.0.1:1/${PQ_TEST_MISSING}",)),
        Route(name="b", urls=(f"{channel.url}/${{PQ_TEST_SECRET}}",)),
        Route(name="c", urls=("json://me:${PQ_TEST_SECRET}@127.0.0.1:1/${PQ_TEST_SECRET}",)),
    )
    async with notifier(settings):
        await publish(settings, incident_event("db1"))
        await until(lambda: all_committed(settings), "all is handled")
    assert [post["path"] for post in channel.posts] == ["/tops3cret"]
    log = await send_log(settings)
    dead = {r.route: r for r in log if r.status == "dead"}
    assert dead.keys() == {"a", "c"}
    assert dead["a"].attempt == 1
    assert "PQ_TEST_MISSING" in (dead["a"].error or "")
    assert "tops3cret" not in repr(log)
    shown = capfd.readouterr()
    assert "tops3cret" not in shown.out + shown.err


async def test_garbage_is_skipped(settings: Settings, channel: Hook) -> None:
    await publish_policy(settings, route(channel))
    async with notifier(settings):
        await publish(settings, b"\xff\x00garbage", b"", b"[" * 100_000, incident_event("x"))
        await until(lambda: len(channel.posts) == 1, "the event behind the garbage is told")
        await until(lambda: all_committed(settings), "all is committed")


async def test_the_first_start_tells_of_the_last_hour_only(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel))
    hours_ago = time.time_ns() // 1_000_000 - 2 * 3_600_000
    await publish(settings, incident_event("old"), timestamp_ms=hours_ago)
    await publish(settings, incident_event("new"))
    async with notifier(settings):
        await until(lambda: all_committed(settings), "all is committed")
    assert channel.subjects == ["TCP Port Unreachable: new (new.example.com:5432)"]


async def test_what_happened_while_it_was_away_is_told_however_old(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel))
    async with notifier(settings):
        await until(lambda: all_committed(settings), "its place is kept")
    hours_ago = time.time_ns() // 1_000_000 - 5 * 3_600_000
    await publish(settings, incident_event("missed"), timestamp_ms=hours_ago)
    async with notifier(settings):
        await until(lambda: len(channel.posts) == 1, "the missed one is told")


async def test_without_any_route_it_goes_to_the_log(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = await NotifierProcess.start(settings, log)
    try:
        await publish(settings, incident_event("db1"))
        subject = "TCP Port Unreachable: db1 (db1.example.com:5432)"
        await until(lambda: subject in log.read_text(), "the log shows the message")
        assert await process.terminate() == 0
    finally:
        await process.kill()
    assert [r.channel for r in await send_log(settings)] == ["console/0/console"]


async def test_kill_9_in_the_middle_tells_each_event_once(
    settings: Settings, channel: Hook, tmp_path: Path
) -> None:
    await publish_policy(settings, route(channel))
    stuck = {f"h{n}" for n in range(0, 20, 2)}
    channel.refuse = lambda post: post["title"].split()[3] in stuck
    events = [incident_event(f"h{n}") for n in range(20)]
    await publish(settings, *events)
    process = await NotifierProcess.start(settings, tmp_path / "log")
    try:

        async def half_is_recorded() -> bool:
            log = await send_log(settings)
            sent = {r.event_id for r in log if r.status == "sent"}
            tried = {r.event_id for r in log if r.status == "retrying"}
            return len(sent) == 10 and len(tried) == 10

        await until(half_is_recorded, "half is sent, half is tried, and both are recorded")
    finally:
        await process.kill()
    channel.refuse = lambda _post: False
    process = await NotifierProcess.start(settings, tmp_path / "log")
    try:
        await publish(settings, *[incident_event(f"h{n}", "closed") for n in range(20)])
        await until(lambda: len(channel.posts) >= 40, "all is told")
        await until(lambda: all_committed(settings), "all is committed")
        assert await process.terminate() == 0
    finally:
        await process.kill()
    assert set(channel.counts().values()) == {1}
    assert len(channel.posts) == 40
    for n in range(20):
        mine = [s for s in channel.subjects if f": h{n} " in s]
        assert [s.split(":")[0] for s in mine] == [
            "TCP Port Unreachable",
            "TCP Port Reachable Again",
        ]


async def test_a_second_notifier_takes_over_without_telling_twice(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel))
    stuck = {f"a{n}" for n in range(0, 20, 2)}
    channel.refuse = lambda post: post["title"].split()[3] in stuck
    async with notifier(settings, (0.2,) * 500):
        await publish(settings, *[incident_event(f"a{n}") for n in range(20)])
        await until(lambda: len(channel.posts) == 10, "half is told, half is tried")
        async with notifier(settings, (0.2,) * 500) as second:
            await until(lambda: bool(second._consumer.assignment()), "the second has its share")
            channel.refuse = lambda _post: False
            await publish(settings, *[incident_event(f"b{n}") for n in range(20)])
            await until(lambda: len(channel.posts) >= 40, "all is told")
            await until(lambda: all_committed(settings), "all is committed")
    assert set(channel.counts().values()) == {1}
    assert len(channel.posts) == 40


async def test_a_changed_route_holds_from_then_on(settings: Settings, channel: Hook) -> None:
    await publish_policy(settings, route(channel, "one"))
    async with notifier(settings):
        await publish(settings, incident_event("a"))
        await until(lambda: len(channel.posts) == 1, "the first is told")
        await publish_policy(settings, route(channel, "one"), route(channel, "two"))

        async def two_are_told() -> bool:
            await publish(settings, incident_event("b"))
            return any(post["path"] == "/two" for post in channel.posts)

        await until(two_are_told, "the new route is used")
