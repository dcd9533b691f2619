"""`portquorum notify channels` and `why` beside a real broker: what the topics say, in words."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foundation import kafka as clients
from foundation.settings import Settings
from portquorum.delivery.reading import read_send_log, read_sent
from portquorum.inventory import apply
from schemas import topics
from schemas.notifier_state import Subject, Term
from sinks.notifier.model import Channel
from tests.commands import Said, called
from tests.integration.streams import ground
from tests.unit.portquorum.delivery.sample import (
    AT,
    MAIL,
    SLACK,
    event,
    member,
    record,
    row,
    subject,
)

INVENTORY = f"""
regions: {{eu: {{}}}}
teams: {{ops: {{routes: [db-oncall]}}}}
routes:
  db-oncall: {{urls: ["{SLACK}", "{MAIL}", "pagerduty://${{KEY}}"]}}
targets:
  - {{id: prod-db, name: Orders DB, host: db1.example.com, port: 5432, team: ops}}
"""


@pytest.fixture
def settings(kafka: str) -> Settings:
    return ground.fresh(kafka)


def notify(settings: Settings, folder: Path, *arguments: str) -> Said:
    names = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
        "PORTQUORUM_DATA_DIR": str(folder),
        "MAIL": "me:pa55word@mail.example.com",
        "COLUMNS": "220",
    }
    assert not {"TOKEN", "KEY"} & os.environ.keys()
    return called(folder, names, "notify", *arguments)


def found(done: Said) -> dict[str, Any]:
    assert done.returncode in {0, 1}, done.stderr
    answer: dict[str, Any] = msgspec.json.decode(done.stdout)
    return answer


async def written(settings: Settings, *subjects: Subject) -> None:
    """The records of a notifier that has told of the first outage by Slack, and not by mail."""
    opened, before = event(1), event(2, at=AT - 60_000)
    rows = [
        row(opened, Channel("db-oncall", SLACK).name, action="opened"),
        row(opened, Channel("db-oncall", MAIL).name, "retrying", attempt=3, error="HTTP 500"),
        row(before, "", "not_sent", why="no route takes it"),
    ]
    term = Term(term=3, owner="host-1", at=AT)
    async with clients.producer(settings) as producer:
        state = settings.topic(topics.NOTIFIER_STATE.name)
        for key, value, _ in [(b"term", msgspec.json.encode(term), ()), *map(record, subjects)]:
            await producer.send_and_wait(state, value, key=key)
        for one in rows:
            log = settings.topic(topics.NOTIFICATIONS.name)
            await producer.send_and_wait(log, msgspec.json.encode(one), key=one.key)


async def test_a_reminder_is_another_message_and_not_when_it_was_told(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    await apply(settings, [path])
    opened, name = event(1), Channel("db-oncall", SLACK).name
    rows = [
        row(opened, name, action="opened", at=AT, group="m1"),
        row(opened, name, action="reminder", at=AT + 60_000, group="m2"),
        row(opened, name, action="reminder", at=AT + 120_000, group="m3"),
    ]
    log = settings.topic(topics.NOTIFICATIONS.name)
    async with clients.producer(settings) as producer:
        for one in rows:
            await producer.send_and_wait(log, msgspec.json.encode(one), key=one.key)
    assert [one.at for one in await read_send_log(settings)] == [AT]
    assert [one.group for one in await read_sent(settings)] == ["m1", "m2", "m3"]


async def test_channels_and_why(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    await apply(settings, [path])
    knows = member(SLACK, told_phase="down", told_episode=1)
    waits = member(MAIL, due_at=AT, attempts=3, error="HTTP 500")
    await written(settings, subject(event(1), knows, waits))

    done = notify(settings, tmp_path, "channels", "--json")
    assert done.returncode == 1
    channels = {one["scheme"]: one for one in found(done)["channels"]}
    assert set(channels) == {"slack", "mailtos", "pagerduty"}
    assert (channels["slack"]["condition"], channels["slack"]["waiting"]) == ("works", 0)
    assert channels["slack"]["facts"]["missing"] == ["TOKEN"]
    assert (channels["mailtos"]["condition"], channels["mailtos"]["waiting"]) == ("fails", 1)
    assert (channels["mailtos"]["facts"]["missing"], channels["mailtos"]["error"]) == (
        [],
        "HTTP 500",
    )
    assert channels["pagerduty"]["facts"]["channel_class"] == "on_call"
    assert channels["pagerduty"]["condition"] == "not used yet"
    shown = notify(settings, tmp_path, "channels")
    assert "TOKEN not set here" in shown.stdout
    assert "pa55word" not in shown.stdout + done.stdout

    for asked in ("prod-db", "db1.example.com:5432", "orders db"):
        done = notify(settings, tmp_path, "why", asked, "--json")
        assert done.returncode == 1
        answer = found(done)
        assert answer["matched"] == "target"
        assert [one["events"][0]["event_id"] for one in answer["subjects"]] == [
            "10000000-event",
            "20000000-event",
        ]
    done = notify(settings, tmp_path, "why", "prod-db", "--json", "--limit", "1")
    assert len(found(done)["subjects"]) == 1

    shown = notify(settings, tmp_path, "why", "11111111-inc")
    words = " ".join(shown.stdout.split())
    assert "db-oncall (slack) knows the outage" in words
    assert "db-oncall (mailtos) knows nothing yet; news waits for" in words
    assert "HTTP 500" in words

    shown = notify(settings, tmp_path, "why", "20000000")
    assert shown.returncode == 0
    assert "nobody not sent no route takes it" in " ".join(shown.stdout.replace("–", "").split())

    unknown = notify(settings, tmp_path, "why", "deadbeef-0000")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "knows no event and no incident" in unknown.stderr


async def test_a_target_of_which_nothing_was_to_be_told(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    await apply(settings, [path])
    done = notify(settings, tmp_path, "why", "prod-db")
    assert (done.returncode, done.stderr) == (0, "")
    assert "portquorum explain prod-db" in done.stdout
    done = notify(settings, tmp_path, "why", "EU")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "nothing of the region EU was to be told in the last 30 days\n"
    done = notify(settings, tmp_path, "why", "us")
    assert (done.returncode, done.stdout) == (2, "")
    done = notify(settings, tmp_path, "channels")
    assert done.returncode == 0
    assert done.stdout.count("not used yet") == 3


@pytest.mark.parametrize("arguments", [("channels",), ("why", "prod-db"), ("test", "ops")])
async def test_before_any_role_has_run(
    settings: Settings, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = notify(settings, tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"none of the topics {settings.topic_prefix}.*: no role has run here yet" in done.stderr
