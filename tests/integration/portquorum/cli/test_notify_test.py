"""`portquorum notify test`: what arrives at real receivers, and what is said of those that fail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.commands import Said, called
from tests.receivers.faults import Fault
from tests.receivers.neighbourhood import (
    PAGERDUTY_KEY,
    SLACK_URL,
    WEBHOOK_SECRET,
    Neighbourhood,
)

TOKEN = SLACK_URL.removeprefix("slack://").strip("/")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with Neighbourhood(tmp_path_factory.mktemp("receivers")) as found:
        yield found


@pytest.fixture
def inventory(street: Neighbourhood, tmp_path: Path) -> Path:
    street.behave()
    path = tmp_path / "inventory.yaml"
    webhook = f"webhook+http://127.0.0.1:{street.webhook.port}/?secret=${{SECRET}}"
    path.write_text(
        f"""
regions: {{eu: {{}}}}
routes:
  chat: {{urls: ["slack://${{TOKEN}}/", "{street.json_url()}"]}}
  oncall: {{urls: ["pagerduty://${{KEY}}", "{webhook}"]}}
  alone: {{urls: ["slack://${{NOWHERE}}/"]}}
"""
    )
    return path


def send(street: Neighbourhood, inventory: Path, *arguments: str) -> Said:
    names = {
        "TOKEN": TOKEN,
        "KEY": PAGERDUTY_KEY,
        "SECRET": WEBHOOK_SECRET,
        "PORTQUORUM_DATA_DIR": str(inventory.parent),
        "COLUMNS": "200",
    }
    command = ("notify", "test", "--file", str(inventory), *arguments)
    return called(inventory.parent, street.environment | names, *command)


def results(done: Said) -> list[dict[str, Any]]:
    assert done.returncode in {0, 1}, done.stderr
    answer = msgspec.json.decode(done.stdout)
    found: list[dict[str, Any]] = answer["results"]
    return found


def test_people_are_told_that_it_is_a_test(street: Neighbourhood, inventory: Path) -> None:
    before = len(street.slack.texts), len(street.json.texts)
    done = send(street, inventory, "chat")
    assert done.returncode == 0, done.stdout + done.stderr
    (slack,) = street.slack.texts[before[0] :]
    (other,) = street.json.texts[before[1] :]
    for text in (slack, other):
        assert "TEST of the route chat, nothing is wrong" in text
        assert "nothing is wrong" in text
    assert done.stdout.count("confirmed") == 2
    assert TOKEN not in done.stdout


def test_an_on_call_system_is_triggered_and_resolved(
    street: Neighbourhood, inventory: Path
) -> None:
    events = len(street.webhook.events)
    done = send(street, inventory, "oncall", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(one["scheme"], one["action"], one["outcome"]) for one in results(done)] == [
        ("pagerduty", "trigger", "confirmed"),
        ("pagerduty", "resolve", "confirmed"),
        ("webhook+http", "trigger", "confirmed"),
        ("webhook+http", "resolve", "confirmed"),
    ]
    incident = street.pagerduty.incidents[-1]
    assert (incident.state, incident.triggers, incident.severity) == ("resolved", 1, "info")
    assert "TEST of the route oncall, nothing is wrong" in incident.summary
    trigger, resolve = street.webhook.events[events:]
    assert trigger["data"]["key"] == resolve["data"]["key"]
    # The next test is another alert.
    send(street, inventory, "oncall", "--channel", "pagerduty")
    assert [one.state for one in street.pagerduty.incidents[-2:]] == ["resolved"] * 2
    assert len({one.key for one in street.pagerduty.incidents}) == len(street.pagerduty.incidents)


def test_a_channel_that_fails_is_said_beside_one_that_works(
    street: Neighbourhood, inventory: Path
) -> None:
    street.slack.misbehave(Fault("status", status=403))
    done = send(street, inventory, "chat", "--json")
    assert done.returncode == 1
    slack, other = results(done)
    assert (slack["outcome"], other["outcome"]) == ("misconfigured", "confirmed")
    assert "403" in slack["error"]
    assert other["error"] is None
    shown = send(street, inventory, "chat")
    assert shown.returncode == 1
    assert "misconfigured" in shown.stdout
    for secret in TOKEN.split("/"):
        assert secret not in shown.stdout + done.stdout + shown.stderr + done.stderr


def test_an_on_call_system_that_refuses_is_sent_no_resolve(
    street: Neighbourhood, inventory: Path
) -> None:
    street.pagerduty.misbehave(Fault("status", status=500))
    (only,) = results(send(street, inventory, "oncall", "--channel", "pagerduty", "--json"))
    assert (only["action"], only["outcome"]) == ("trigger", "unreachable")


def test_a_missing_secret_is_named(street: Neighbourhood, inventory: Path) -> None:
    (only,) = results(send(street, inventory, "alone", "--json"))
    assert only["outcome"] == "misconfigured"
    assert "NOWHERE" in only["error"]


def test_what_is_not_there_is_wrong_use(street: Neighbourhood, inventory: Path) -> None:
    done = send(street, inventory, "night")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no route is 'night'; there is alone, chat, oncall" in done.stderr
    done = send(street, inventory, "chat", "--channel", "discord")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the route 'chat' has no channel 'discord'; it has slack (" in done.stderr
    done = send(street, inventory, "chat", "--file", "nowhere.yaml")
    assert done.returncode == 2
    assert "nowhere.yaml does not exist" in done.stderr


def test_a_channel_is_picked_by_the_beginning_of_its_id(
    street: Neighbourhood, inventory: Path
) -> None:
    (only,) = results(send(street, inventory, "chat", "--channel", "json", "--json"))
    assert only["scheme"] == "json"
    picked = send(street, inventory, "chat", "--channel", only["id"][:6], "--json")
    assert [one["id"] for one in results(picked)] == [only["id"]]
