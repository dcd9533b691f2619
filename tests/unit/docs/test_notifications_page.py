"""What docs/notifications.md shows works: its routes, the check of a signature, the reasons."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from portquorum.cli.app import app
from portquorum.inventory.load import load
from portquorum.inventory.resolve import Known, resolve
from schemas.incident import RegionEvent
from schemas.policy import Route
from sinks.notifier.channels import webhook
from sinks.notifier.channels.budgets import budget_of
from sinks.notifier.channels.classes import class_of
from sinks.notifier.channels.problem import problem
from sinks.notifier.decision import rows
from sinks.notifier.model import Channel, MassEvent
from sinks.notifier.moments import urls_of
from sinks.notifier.routing import Routes, is_stand_in
from sinks.notifier.secrets import placeholders
from sinks.notifier.texts.render import render
from sinks.notifier.texts.template_check import IN_MAIL
from sinks.notifier.texts.templates.sandbox import FILTERS
from sinks.notifier.texts.templates.values import MessageValues, SubjectValues
from tests.unit.sinks.notifier.events import incident_event, targets_event
from tests.unit.sinks.notifier.texts.deliveries import delivery

PAGE: Final = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()
SECRET: Final = "not-so-secret-as-it-should-be"  # noqa: S105 - of this test
BODY: Final = b'{"specversion": "1.0"}\n'

ENV: Final = {
    "SLACK_TOKENS": "T1JJ3T3L2/B1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "SLACK": "T1JJ3T3L2/B1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "TEAMS_WORKFLOW": "https://prod-59.westeurope.logic.azure.com:443/workflows/0a1b/triggers/"
    "manual/paths/invoke?api-version=2016-06-01&sv=1.0&sig=Ab-9_x",
    "SLACK_A": "T1JJ3T3L2",
    "SLACK_B": "B1BRTD4JD",
    "SLACK_C": "TIiajkdnlazkcOXrIdevi7FQ",
    "SLACK_BOT_TOKEN": "xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d",
    "TELEGRAM_TOKEN": "123456789:AAEf0123456789abcdefghijklmnopqrstu",
    "TELEGRAM_CHAT": "12315544",
    "DISCORD_ID": "4174216298",
    "DISCORD_TOKEN": "JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "MATTERMOST_TOKEN": "3ccdd113474722377935511fc85d3dd4",
    "PAGERDUTY_KEY": "0123456789abcdef0123456789abcdef",
    "OPSGENIE_KEY": "8418d193-2dab-4490-b331-8c02cdd196b7",
    "PAGERDUTY_ANN": "0123456789abcdef0123456789abcde0",
    "PAGERDUTY_BOB": "0123456789abcdef0123456789abcde1",
    "PAGERDUTY_SEARCH": "0123456789abcdef0123456789abcde2",
    "JIRA_KEY": "8418d193-2dab-4490-b331-8c02cdd196b7",
    "WEBHOOK_SECRET": SECRET,
    "MAIL_USER": "monitor@example.com",
    "MAIL_PASSWORD": "a/b@c",
    "TWILIO_SID": "AC" + "a" * 32,
    "TWILIO_TOKEN": "b" * 32,
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def routes(tmp_path: Path) -> dict[str, Route]:
    """The routes of all entries of the page."""
    found: dict[str, Route] = {}
    for number, block in enumerate(blocks("yaml")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        entries, problems = load([file])
        inventory = resolve(entries, "page", problems, Known())
        found |= {one.name: one for one in inventory.policy if isinstance(one, Route)}
    return found


def test_every_channel_of_the_page_can_be_used(tmp_path: Path) -> None:
    found = routes(tmp_path)
    assert len(found) >= 12
    urls = {url for route in found.values() for url in urls_of(route)}
    assert {name for url in urls for name in placeholders(url)} == set(ENV)
    assert {url: problem(url, ENV) for url in urls} == dict.fromkeys(urls)


def test_the_classes_are_those_of_the_table(tmp_path: Path) -> None:
    on_call = {
        name
        for name, route in routes(tmp_path).items()
        if any(class_of(Channel(name, url), ENV) == "on_call" for url in urls_of(route))
    }
    assert on_call == {
        *{"db-oncall", "pagerduty", "opsgenie", "jira", "alertmanager", "webhook"},
        *{"on-duty", "desk", "desk-regions", "shop-databases", "shop-pager", "search-pager"},
    }


TARGETS: Final = """
regions: {eu: {}}
targets:
  - {id: one, host: db1.example.com, port: 5432, criticality: critical, regions: [eu]}
"""


def shapes() -> list[str]:
    section = PAGE.partition("### Five shapes of teams")[2].partition("\n## ")[0]
    return re.findall(r"```yaml\n(.*?)```", section.partition("\n### ")[0], re.DOTALL)


@pytest.mark.parametrize("number", range(5))
def test_each_shape_of_a_team_passes_inventory_check(tmp_path: Path, number: int) -> None:
    assert len(shapes()) == 5
    file = tmp_path / "inventory.yaml"
    file.write_text(TARGETS + shapes()[number])
    arguments = ["inventory", "check", "--secrets", str(file)]
    done = CliRunner().invoke(app, arguments, env=ENV)
    assert done.exit_code == 0, done.output
    assert "warning" not in done.output.lower()
    assert "console" not in done.output


NIGHT: Final = 1_796_090_400_000
"""2026-12-01 03:00 in Berlin, a Tuesday."""

DAY: Final = NIGHT + 9 * 3_600_000


@pytest.mark.parametrize(
    ("shape", "fields", "now", "told"),
    [
        (0, {"criticality": "normal", "severity": "warning"}, DAY, {"me-chat"}),
        (0, {}, DAY, {"me-chat", "me-sms"}),
        (1, {}, DAY, {"day"}),
        (1, {}, NIGHT, {"night"}),
        (2, {}, DAY, {"on-duty", "everything"}),
        (2, {"severity": "warning"}, DAY, {"everything"}),
        (3, {"team": "web"}, DAY, {"web-chat", "desk"}),
        (3, {"team": "web", "severity": "warning"}, DAY, {"web-chat"}),
        (3, {"team": None}, DAY, {"desk"}),
        (3, {"team": None, "severity": "warning"}, DAY, {"desk-mail"}),
        (4, {"team": "shop"}, DAY, {"shop-pager", "shop-chat"}),
        (4, {"team": "shop", "kind": "postgres"}, DAY, {"shop-databases"}),
        (4, {"team": "shop", "criticality": "normal"}, DAY, {"shop-chat"}),
        (4, {"team": "shop", "incident_type": "expiring"}, DAY, {"shop-certificates"}),
        (4, {"team": "search"}, DAY, {"search-pager", "search-chat"}),
        (4, {"team": None}, DAY, {"rest"}),
    ],
)
def test_each_shape_tells_whom_its_text_says(
    tmp_path: Path, shape: int, fields: dict[str, Any], now: int, told: set[str]
) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text(TARGETS + shapes()[shape])
    entries, problems = load([file])
    policy = resolve(entries, "page", problems, Known()).policy
    found = Routes.of(policy).channels(incident_event(**fields), now)
    assert {channel.route for channel in found} == told


@pytest.mark.parametrize("now", [DAY, NIGHT])
@pytest.mark.parametrize("shape", range(5))
def test_each_shape_tells_somebody_of_regions_and_of_many_targets(
    tmp_path: Path, shape: int, now: int
) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text(TARGETS + shapes()[shape])
    entries, problems = load([file])
    routes = Routes.of(resolve(entries, "page", problems, Known()).policy)
    silent = RegionEvent(event_id="", event="region.silent", region="eu", at=now, summary="")
    many = MassEvent(event_id="", event="mass.down", down=20, total=90, since=now, at=now)
    for event in (silent, targets_event(severity="warning"), many):
        told = routes.channels(event, now)
        assert told, event
        assert not any(map(is_stand_in, told)), event


def rows_of(head: str) -> set[str]:
    """The names in the first column of the table with this head."""
    table = PAGE.partition(head)[2].partition("\n\n")[0]
    return {
        name
        for line in table.splitlines()
        for name in re.findall(r"`([\w.]+)`", line.partition(" | ")[0])
    }


def test_every_variable_of_a_template_is_explained() -> None:
    assert rows_of("| of the message | |") == {
        *MessageValues.__struct_fields__,
        "usual",
        *IN_MAIL,
    }
    assert rows_of("| of each subject |") == set(SubjectValues.__struct_fields__)
    said = PAGE.partition("There are loops")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", said)) == {
        *(name for name in FILTERS if name != "d"),
        *{"set", "range", "namespace"},
    }


def test_the_templates_of_the_page_say_what_they_seem_to_say(tmp_path: Path) -> None:
    found = routes(tmp_path)
    event = incident_event(team="database", runbook="https://wiki.example.com/db")
    told = {
        name: render(
            delivery("opened", event, templates=route.templates),
            budget_of(route.urls[0], ENV) or pytest.fail(name),
        )
        for name, route in found.items()
        if route.templates is not None
    }
    assert [name for name, text in told.items() if text.problem] == []
    assert told["slack-of-ours"].subject.startswith("[critical] TCP Port Unreachable: Production")
    assert told["slack-of-ours"].body.startswith("<!here> *database*, please look:\nThe host")
    assert "DOWN: <code>db1.example.com:5432</code> Connection" in told["telegram-of-ours"].body
    assert "**Production DB** Connection refused" in told["discord-of-ours"].body
    assert 'see <a href="https://wiki.example.com/db">' in (told["mail-of-ours"].html or "")
    assert told["sms-of-ours"].body == (
        "TCP Port Unreachable: db1.example.com:5432 (Connection refused) 2026-12-01 01:59:57 UTC"
    )
    assert told["me-sms"].body == "TCP Port Unreachable db1.example.com:5432"


def test_every_reason_of_the_notifier_is_explained() -> None:
    """A reason with a name in it stands there with … in its place."""
    table = PAGE.partition("| reason | |")[2].partition("\n\n")[0]
    said = set(re.findall(r"`([^`]+)`", table))
    reasons = {
        value
        for name, value in vars(rows).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    } - {rows.ALL_TARGETS, rows.DRILLS}
    assert len(reasons) > 6
    assert said >= reasons | {rows.superseded("…")}


def signed(moment: int) -> dict[str, str]:
    stamp = str(moment)
    return {
        "webhook-id": "some-id",
        "webhook-timestamp": stamp,
        "webhook-signature": webhook.signature(SECRET.encode(), "some-id", stamp, BODY),
    }


def test_the_signature_is_checked_in_python() -> None:
    (block,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(block, "docs/notifications.md", "exec"), names)  # noqa: S102 - our own page
    is_ours: Callable[[str, dict[str, str], bytes], bool] = names["is_ours"]
    now = int(time.time())
    assert is_ours(SECRET, signed(now), BODY)
    assert not is_ours("another secret", signed(now), BODY)
    assert not is_ours(SECRET, signed(now), BODY + b" ")
    assert not is_ours(SECRET, signed(now) | {"webhook-id": "other"}, BODY)
    assert not is_ours(SECRET, signed(now - 301), BODY)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
@pytest.mark.parametrize(("body", "right"), [(BODY, True), (b"other", False)])
def test_the_signature_is_checked_in_a_shell(tmp_path: Path, body: bytes, right: bool) -> None:
    (block,) = blocks("sh")
    (tmp_path / "body").write_bytes(body)
    headers = signed(int(time.time()))
    done = subprocess.run(
        ["sh", "-e", "-c", block],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "WEBHOOK_SECRET": SECRET,
            "WEBHOOK_ID": headers["webhook-id"],
            "WEBHOOK_TIMESTAMP": headers["webhook-timestamp"],
            "WEBHOOK_SIGNATURE": headers["webhook-signature"],
        },
        check=False,
    )
    assert (done.returncode == 0) is right
