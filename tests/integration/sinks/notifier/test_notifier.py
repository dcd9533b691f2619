"""The notifier on real Kafka, with a real HTTP server as the channel."""

import time
from pathlib import Path

import msgspec
import pytest
from prometheus_client import REGISTRY

from foundation import kafka as kafka_clients
from foundation.settings import Settings
from schemas import incident
from schemas.incident import RegionEvent
from schemas.policy import Route, Team
from sinks.notifier.routing import CONSOLE
from tests.integration.sinks.notifier.rig import (
    Hook,
    NotifierProcess,
    all_committed,
    incident_event,
    name_of,
    notifier,
    publish,
    publish_policy,
    remove_policy,
    route,
    send_log,
    settings_for,
    until,
)


async def test_an_incident_is_told_when_it_opens_and_when_it_closes(
    settings: Settings, channel: Hook
) -> None:
    ops = route(channel)
    await publish_policy(settings, ops)
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
        ("opened", "sent", name_of(ops), 1),
        ("closed", "sent", name_of(ops), 1),
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
    assert told == [("/db-oncall", "db1"), ("/everybody", "db2"), ("/everybody", "web1")]


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


async def test_a_failing_channel_is_tried_for_as_long_as_it_is_open_and_holds_no_other_back(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel, "bad"), route(channel, "good"))
    channel.refuse = lambda post: post["path"] == "/bad"
    async with notifier(settings):
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.refused) >= 2, "the bad channel was tried twice")
        await until(lambda: all_committed(settings), "what waits for a channel holds no commit")
        await publish(settings, incident_event("db2"))
        await until(lambda: len(channel.posts) == 2, "the good channel has both")
        channel.refuse = lambda _post: False
        await until(lambda: len(channel.posts) == 4, "the bad one has both")
        await publish(settings, incident_event("db1", "closed"))
        await until(lambda: len(channel.posts) == 6, "both are told of the end")
    bad = [post["title"].split()[3] for post in channel.posts if post["path"] == "/bad"]
    assert sorted(bad[:2]) == ["db1", "db2"]
    rows = [r for r in await send_log(settings) if r.route == "bad" and r.event == "opened"]
    first = [r.status for r in rows if r.target == "db1"]
    assert first[-1] == "sent"
    assert set(first[:-1]) == {"retrying"}


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"portquorum_notifier_{name}", labels) or 0.0


async def test_the_metrics_say_who_is_active_and_what_waits(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel))
    channel.refuse = lambda _post: True
    takeovers = metric("takeovers_total")
    sent = metric("sends_total", outcome="confirmed", scheme="json")
    async with notifier(settings):
        await publish(settings, incident_event("db1"), incident_event("db2"))
        await until(lambda: metric("waiting", scheme="json") == 2, "two wait")
        await until(lambda: metric("active") == 1, "it is active")
        await until(lambda: metric("oldest_waiting_seconds") > 0, "one waits for some time")
        assert metric("subjects") == 2
        assert metric("lease_age_seconds") < 3
        assert metric("takeovers_total") == takeovers + 1
        channel.refuse = lambda _post: False
        await until(lambda: metric("waiting", scheme="json") == 0, "both are told")
        assert metric("sends_total", outcome="confirmed", scheme="json") == sent + 2
        channel.refuse = lambda _post: True
        await publish(settings, incident_event("db3"))
        await until(lambda: metric("waiting", scheme="json") == 1, "one waits at the end")
    assert metric("active") == metric("waiting", scheme="json") == metric("subjects") == 0


async def test_the_end_is_not_told_to_a_channel_that_was_not_told_of_the_outage(
    settings: Settings, channel: Hook
) -> None:
    bad = route(channel, "bad")
    await publish_policy(settings, bad, route(channel, "good"))
    channel.refuse = lambda post: post["path"] == "/bad"
    async with notifier(settings):
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.posts) == 1, "the good channel is told")
        await until(lambda: len(channel.refused) >= 1, "the bad channel was tried")
        await publish(settings, incident_event("db1", "closed"))
        await until(lambda: len(channel.posts) == 2, "the good channel is told of the end")

        async def said_why() -> bool:
            rows = [r for r in await send_log(settings) if r.channel == name_of(bad)]
            return any(r.event == "closed" and r.status == "not_sent" for r in rows)

        await until(said_why, "a row says why the bad one was not told")
    assert {post["path"] for post in channel.posts} == {"/good"}


async def test_a_missing_secret_waits_and_is_said_at_once_and_a_present_one_is_never_shown(
    settings: Settings,
    channel: Hook,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PQ_TEST_SECRET", "tops3cret")
    monkeypatch.delenv("PQ_TEST_MISSING", raising=False)
    missing = Route(name="a", urls=(f"{channel.url}/a/${{PQ_TEST_MISSING}}",))
    await publish_policy(
        settings,
        missing,
        Route(name="b", urls=(f"{channel.url}/b/${{PQ_TEST_SECRET}}",)),
        Route(name="c", urls=("json://me:${PQ_TEST_SECRET}@127.0.0.1:1/${PQ_TEST_SECRET}",)),
    )
    async with notifier(settings):
        await publish(settings, incident_event("db1"))

        async def all_tried() -> bool:
            return {r.route for r in await send_log(settings)} == {"a", "b", "c"}

        await until(all_tried, "all are tried")
    log = await send_log(settings)
    shown = capfd.readouterr()
    assert {(r.route, r.status) for r in log} == {
        ("a", "retrying"),
        ("b", "sent"),
        ("c", "retrying"),
    }
    assert "PQ_TEST_MISSING" in next(r.error or "" for r in log if r.route == "a")
    assert f"channel={name_of(missing)}" in shown.out + shown.err
    assert "PQ_TEST_MISSING is not set" in shown.out + shown.err
    assert "tops3cret" not in repr(log)
    assert "tops3cret" not in shown.out + shown.err
    # A new environment is a new process: it is told then.
    monkeypatch.setenv("PQ_TEST_MISSING", "found")
    async with notifier(settings):
        await until(lambda: len(channel.posts) == 2, "it is told")
    assert [post["path"] for post in channel.posts] == ["/b/tops3cret", "/a/found"]


async def test_garbage_is_skipped(settings: Settings, channel: Hook) -> None:
    await publish_policy(settings, route(channel))
    async with notifier(settings):
        good = incident_event("x")
        # Readable, and impossible: it opens and is closed; nobody can name it.
        closed = msgspec.structs.replace(good, closed_at=good.at)
        nameless = msgspec.structs.replace(good, incident_id="")
        impossible = map(incident.encode, (closed, nameless))
        await publish(settings, b"\xff\x00garbage", b"", b"[" * 100_000, *impossible, good)
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
    assert [r.channel for r in await send_log(settings)] == [name_of(CONSOLE)]


async def test_a_webhook_names_the_installation(
    settings: Settings, channel: Hook, tmp_path: Path
) -> None:
    url = channel.url.replace("json:", "webhook+http:")
    await publish_policy(settings, Route(name="ops", urls=(f"{url}/ops",)))
    log = tmp_path / "log"
    process = await NotifierProcess.start(settings, log, PORTQUORUM_INSTALLATION="acme-eu")
    try:
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.posts) == 1, "the opening is told")
        assert await process.terminate() == 0
    finally:
        await process.kill()
    assert channel.posts[0]["source"] == "/acme-eu/notifier"


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


async def test_a_repaired_url_gets_what_its_broken_predecessor_did_not(
    settings: Settings, channel: Hook
) -> None:
    broken = Route(name="ops", urls=("json://127.0.0.1:1/typo",))
    await publish_policy(settings, broken)
    async with notifier(settings):
        await publish(settings, incident_event("db1"))

        async def tried() -> bool:
            return any(r.status == "retrying" for r in await send_log(settings))

        await until(tried, "the broken URL is tried")
        await publish_policy(settings, route(channel))
        await until(lambda: len(channel.posts) == 1, "the repaired one is told, as it is open")
    assert channel.subjects == ["TCP Port Unreachable: db1 (db1.example.com:5432)"]


async def test_what_closed_while_nobody_was_active_goes_to_who_was_told_of_the_outage(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel, "day"))
    async with notifier(settings):
        await publish(settings, incident_event("db1"))
        await until(lambda: len(channel.posts) == 1, "the day shift is told")
        await until(lambda: all_committed(settings), "all is committed")
    await publish(settings, incident_event("db1", "closed"))
    await publish_policy(settings, route(channel, "night"))
    await remove_policy(settings, route(channel, "day"))
    async with notifier(settings):
        await until(lambda: len(channel.posts) == 2, "the end is told")
    assert [post["path"] for post in channel.posts] == ["/day", "/day"]
