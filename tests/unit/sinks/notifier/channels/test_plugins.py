"""Apprise as we use it: what every plugin of either version must keep to."""

import socket
import threading
import time
from typing import Any

import apprise
import pytest
import requests

from sinks.notifier.channels.address import ChannelUrlError
from sinks.notifier.channels.budgets import budget_of
from sinks.notifier.channels.by_apprise import type_of
from sinks.notifier.channels.exchange import CONNECT_S, READ_S, Recorder, recording
from sinks.notifier.channels.plugins import amendment, make, uses_http
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.channels.ways import budget_for, plugin_name
from sinks.notifier.model import Action, News
from tests.unit.sinks.notifier.channels.deliveries import delivery, news
from tests.unit.sinks.notifier.events import targets_event
from tests.unit.sinks.notifier.texts.deliveries import mass_event
from tests.unit.sinks.notifier.texts.digests import digest_of, outage, over

DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop/12315544/"


@pytest.mark.parametrize(
    ("url", "markup", "in_body"),
    [
        ("mailto://me:pw@example.com", "html", False),
        ("mailto://me:pw@example.com?format=text", "plain", False),
        (SLACK, "slack", False),
        (f"{SLACK}?format=markdown", "slack", False),
        (DISCORD, "discord", True),
        (f"{DISCORD}?format=markdown", "discord", True),
        (TELEGRAM, "telegram", True),
        (f"{TELEGRAM}?format=markdown", "telegram", True),
        (f"{TELEGRAM}?format=text", "telegram", True),
        ("mmost://host.example/3ccdd113474722377935511fc85d3dd4", "mattermost", True),
        ("rockets://token1/token2@host.example/#general?mode=webhook", "mattermost", True),
        ("gchat://workspace/key/token", "slack", True),
        ("json://host.example/x", "plain", False),
        ("ntfys://host.example/topic", "plain", False),
        ("console://", "plain", False),
        ("kavenegar://aaaa/14165551234", "plain", True),
    ],
)
def test_the_budget_of_a_url(url: str, markup: str, in_body: bool) -> None:
    plugin, way = make(url)
    budget = budget_for(plugin, way)
    assert budget.markup == markup
    assert budget.title_in_body is in_body
    assert budget.body > 0
    assert budget_of(url) == budget


def test_a_short_message_gets_the_short_form() -> None:
    budget = budget_of("kavenegar://aaaa/14165551234")
    assert budget is not None
    assert (budget.units, budget.short, budget.body) == ("sms", 160, 160)


def test_a_budget_without_its_secret_is_unknown() -> None:
    assert budget_of("slack://${A}/b/c", {}) is None
    assert budget_of("nonsense://x") is None
    assert budget_of("pagerduty://${A}", {}) is not None


@pytest.mark.parametrize(
    ("url", "connect_s", "read_s"),
    [
        ("json://h/x", 10.0, 30.0),
        ("json://h/x?rto=5&cto=2", 2.0, 5.0),
        ("json://h/x?rto=500&cto=200", CONNECT_S, READ_S),
        ("mailto://me:pw@example.com", READ_S, READ_S),
    ],
)
def test_the_limits_of_time(url: str, connect_s: float, read_s: float) -> None:
    plugin, _ = make(url)
    assert plugin.socket_connect_timeout == connect_s
    assert plugin.socket_read_timeout == read_s


def test_every_plugin_for_http_is_known_as_such() -> None:
    for url in (SLACK, DISCORD, TELEGRAM, "json://h/x", "mmost://h/abcdefabcdefabcdefabcdef"):
        assert uses_http(make(url)[0]), url
    for url in ("console://", "mailto://me:pw@example.com", "syslog://"):
        assert not uses_http(make(url)[0]), url


@pytest.mark.parametrize(
    ("action", "subject", "kind"),
    [
        ("opened", news(), "failure"),
        ("worsened", news(severity="warning"), "warning"),
        ("opened", news(severity="info"), "info"),
        ("improved", news(), "info"),
        ("missed", news(), "info"),
        ("closed", news(event="closed", closed_because="recovered"), "success"),
        ("closed", news(event="closed", closed_because="abandoned"), "info"),
        ("closed", news(event="closed", closed_because="target_removed"), "info"),
        ("resolve", news(event="closed", closed_because="target_removed"), "success"),
        ("closed", news(event="closed", closed_because="target_paused"), "info"),
        ("opened", News(entry="targets/c", event=targets_event(), key="targets:c"), "failure"),
        ("trigger", news(severity="info"), "failure"),
        ("resolve", news(), "success"),
    ],
)
def test_the_type_that_apprise_is_told(action: Action, subject: News, kind: str) -> None:
    assert type_of(delivery("json://h", action, subject)) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ([("opened", outage(2))], "failure"),
        ([("closed", over(outage(2)))], "success"),
        ([("closed", over(outage(2))), ("opened", outage(1))], "failure"),
        ([("closed", over(outage(2), "abandoned"))], "info"),
        ([("closed", over(outage(2))), ("reminder", outage(1, severity="warning"))], "failure"),
        ([("closed", over(outage(2))), ("opened", outage(1, incident_type="slow"))], "failure"),
        (
            [
                ("closed", over(outage(2))),
                ("opened", outage(1, incident_type="slow", severity="warning")),
            ],
            "warning",
        ),
        ([("opened", [mass_event()])], "failure"),
        ([("closed", [mass_event(event="mass.over")]), ("missed", over(outage(1)))], "info"),
    ],
)
def test_a_digest_is_a_failure_if_anything_is_down_in_it(told: Any, kind: str) -> None:
    assert type_of(digest_of(*told)) == kind


@pytest.mark.parametrize(("severity", "kind"), [("critical", "failure"), ("warning", "warning")])
def test_a_reminder_has_the_type_of_its_severity(severity: str, kind: str) -> None:
    (event,) = outage(1, severity=severity)
    reminded = News(entry="incident/i0", event=event, key="i0/1")
    assert type_of(delivery("json://h", "reminder", reminded)) == kind


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("", {"parse": [], "roles": [], "users": []}),
        ("?ping=@everyone", {"parse": ["everyone"], "roles": [], "users": []}),
        ("?ping=%3C@123%3E,%3C@%26456%3E", {"parse": [], "roles": ["456"], "users": ["123"]}),
    ],
)
def test_discord_may_ping_whom_the_url_names(query: str, allowed: dict[str, Any]) -> None:
    plugin, _ = make(DISCORD + query)
    if query and not hasattr(plugin, "ping"):
        pytest.skip("Apprise 1.9 has no ping=")
    amend = amendment(plugin)
    request = requests.Request(
        "POST", "http://h/", data='{"content": "@everyone", "allow_mentions": {}}'
    ).prepare()
    amend(request)
    assert request.body is not None
    body = requests.models.complexjson.loads(request.body)
    assert body == {"content": "@everyone", "allowed_mentions": allowed}
    assert int(request.headers["Content-Length"]) == len(request.body)


def test_no_other_plugin_is_amended() -> None:
    assert amendment(make(SLACK)[0]) is None


class TestAProblem:
    @pytest.mark.parametrize(
        "url",
        [
            SLACK,
            "slack://${A}/${B}/${C}",
            "${ANY}",
            "console://",
            "pagerduty://0123456789abcdef0123456789abcdef",
            "pagerduty://${KEY}",
            "alertmanager+http://am:9093",
            "webhook+https://h/x?secret=${S}",
        ],
    )
    def test_none(self, url: str) -> None:
        assert problem(url) is None

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("slack", "found none with a scheme"),
            ("telegraph://x", "found 'telegraph'"),
            ("slack://tops3cret", "does not accept"),
            ("json://h/${1X}", "expected secrets as"),
            ("pagerduty://not-a-key", "expected pagerduty://"),
            ("alertmanager+ftp://h", "found 'alertmanager+ftp'"),
            ("webhook+https://h/?secret=tiny", "at least 8 bytes"),
        ],
    )
    def test_of_the_url_itself(self, url: str, said: str) -> None:
        found = problem(url)
        assert found is not None
        assert said in found
        assert "tops3cret" not in found

    def test_of_the_environment(self) -> None:
        url = "slack://${A}/${B}/${C}"
        found = problem(url, {"A": "x", "C": ""})
        assert found is not None
        assert "B, C" in found
        full = {"A": "T1JJ3T3L2", "B": "A1BRTD4JD", "C": "TIiajkdnlazkcOXrIdevi7FQ"}
        assert problem(url, full) is None
        wrong = problem("pagerduty://${KEY}", {"KEY": "tops3cret!"})
        assert wrong is not None
        assert "tops3cret" not in wrong

    def test_of_a_whole_url_in_the_environment(self) -> None:
        assert problem("${URL}", {"URL": SLACK}) is None
        found = problem("${URL}", {"URL": "nonsense://t0ps3cret"})
        assert found is not None
        assert "t0ps3cret" not in found


def test_a_plugin_that_says_sent_and_made_no_request_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plugin, _ = make("json://127.0.0.1:1/x")
    monkeypatch.setattr(type(plugin), "send", lambda *_args, **_more: True)
    outcome = send(delivery("json://127.0.0.1:1/x", "opened"), may_send=lambda: True)
    assert outcome.kind == "refused"
    assert "made no request" in (outcome.error or "")


def test_a_plugin_that_falls_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_args: Any, **_more: Any) -> bool:
        raise ZeroDivisionError("of json://127.0.0.1/tops3cret")

    plugin, _ = make("json://127.0.0.1:1/x")
    monkeypatch.setattr(type(plugin), "send", fall)
    one = delivery("json://127.0.0.1:1/tops3cret", "opened")
    outcome = send(one, may_send=lambda: True)
    assert outcome.kind == "misconfigured"
    assert "tops3cret" not in str(outcome)


def test_optional_and_retry_of_a_url_do_not_hide_a_failure() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        url = f"json://127.0.0.1:{port}/x?optional=yes"
        outcome = send(delivery(url, "opened"), may_send=lambda: True)
    assert outcome.kind == "unreachable"


def test_a_url_that_apprise_does_not_take_is_said_without_it() -> None:
    with pytest.raises(ChannelUrlError) as error:
        make("slack://tops3cret")
    assert "tops3cret" not in str(error.value)


def test_the_pause_between_targets_is_short() -> None:
    plugin, _ = make(DISCORD)
    plugin.throttle()
    began = time.monotonic()
    plugin.throttle(wait=3_600.0)
    assert time.monotonic() - began < 30


def test_what_others_send_is_not_recorded() -> None:
    recorder = Recorder(lambda: True)
    seen: list[int] = []

    def other() -> None:
        with pytest.raises(requests.ConnectionError):
            requests.get("http://127.0.0.1:1/", timeout=5)
        seen.append(1)

    with recording(recorder):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen
    assert not recorder.exchanges


def test_names_of_plugins_are_those_of_their_modules() -> None:
    assert plugin_name(make("mailto://me:pw@example.com")[0]) == "email"
    assert plugin_name(make("console://")[0]) == ""
    assert apprise.__version__
