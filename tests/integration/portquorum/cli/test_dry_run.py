"""`portquorum notify dry-run` on events of the topic and of the table."""

import time
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foundation.settings import Settings
from portquorum.inventory import apply
from schemas import incident, topics, wall_clock
from schemas.incident import IncidentEvent
from tests.commands import Said, called
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.rig import SinkProcess
from tests.unit.sinks.notifier.events import incident_event

INVENTORY = """
regions: {eu: {}}
teams: {web: {routes: [chat]}}
routes:
  chat: {urls: ["slack://${TOKEN}"]}
  mail: {urls: ["mailto://me@example.com"]}
targets:
  - {id: shop, name: Shop, host: www.example.com, port: 80, team: web}
"""


def events(now: int) -> list[IncidentEvent]:
    """An outage of the shop an hour ago, and one of a target that nobody has any more."""
    found = []
    for number, target, team in ((1, "shop", "web"), (2, "old", None)):
        at = now - 3_600_000 + number * 60_000
        names: dict[str, Any] = {
            "incident_id": str(uuid.UUID(int=number)),
            "target": target,
            "team": team,
            "host": f"{target}.example.com",
            "opened_at": at,
        }
        found += [
            incident_event(event_id=str(uuid.UUID(int=10 + number)), at=at, **names),
            incident_event(
                event_id=str(uuid.UUID(int=20 + number)),
                event="closed",
                at=at + 300_000,
                closed_at=at + 300_000,
                closed_because="recovered",
                **names,
            ),
        ]
    return found


@pytest.fixture
async def settings(kafka: str, clickhouse: str, tmp_path: Path) -> Settings:
    settings = rig.used_place(kafka, clickhouse, "dry")
    producer = await rig.ready(settings)
    try:
        for event in events(time.time_ns() // 1_000_000):
            await producer.send_and_wait(
                settings.topic(topics.INCIDENTS.name),
                incident.encode(event),
                headers=incident.headers(event),
            )
    finally:
        await producer.stop()
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    await apply(settings, [path])
    return settings


def dry_run(settings: Settings, folder: Path, *more: str) -> Said:
    env = rig.environment(settings) | {"COLUMNS": "200"}
    done = called(folder, env, "notify", "dry-run", *more)
    assert done.returncode == 0, done.stderr
    return done


def receivers(done: Said) -> dict[str, int]:
    found = msgspec.json.decode(done.stdout)
    return {one["route"]: one["messages"] for one in found["receivers"]}


async def test_the_same_by_topic_and_by_table(settings: Settings, tmp_path: Path) -> None:
    client = rig.client_of(settings)
    with SinkProcess(settings, tmp_path / "sink.log"):
        await rig.until(lambda: rig.count(client, settings, "incidents") == 4)
    topic = dry_run(settings, tmp_path, "--since", "1d", "--from-topic", "--json")
    assert receivers(topic) == {"chat": 2, "mail": 2}
    table = dry_run(settings, tmp_path, "--since", "1d", "--json")
    assert receivers(table) == receivers(topic)

    # An inventory that is not applied: the shop's team has another route, and mail is no default.
    path = tmp_path / "wanted" / "inventory.yaml"
    path.parent.mkdir()
    path.write_text(
        INVENTORY.replace("routes: [chat]", "routes: [mail]").replace(
            "mail: {", "mail: {default: false, "
        )
    )
    other = dry_run(settings, tmp_path, str(path), "--since", "1d", "--json")
    assert receivers(other) == {"chat": 2, "mail": 2}
    found = msgspec.json.decode(other.stdout)
    assert (found["incidents"], found["left_out"], found["messages"]) == (2, 0, 4)

    # A copy with another name takes the place of what is published if it says of what.
    copied = path.rename(path.with_name("edited.yaml"))
    again = dry_run(
        settings, tmp_path, str(copied), "--source", "inventory", "--since", "1d", "--json"
    )
    assert receivers(again) == receivers(other)
    path = copied.rename(path)

    shown = dry_run(settings, tmp_path, str(path), "--since", "1d", "--timezone", "Europe/Berlin")
    words = " ".join(shown.stdout.split())
    assert words.startswith("2 incidents from ")
    assert "nothing was sent" in words
    assert "Messages by hour of the week (Europe/Berlin)" in words
    assert "4 messages, " in words
    hour = wall_clock.local(found["busiest"], wall_clock.zone_or_utc("Europe/Berlin"))
    assert f"in the hour from {hour:%Y-%m-%d %H:%M} Europe/Berlin" in words
    # No record of a message came of it.
    assert "really sent in that time: " not in words or "really sent in that time: 0" in words


async def test_only_the_time_that_is_asked_for(settings: Settings, tmp_path: Path) -> None:
    done = dry_run(settings, tmp_path, "--since", "5m", "--from-topic", "--json")
    found = msgspec.json.decode(done.stdout)
    assert (found["events"], found["messages"]) == (0, 0)
    shown = dry_run(settings, tmp_path, "--since", "5m", "--from-topic")
    assert "nobody would have got a message" in shown.stdout
