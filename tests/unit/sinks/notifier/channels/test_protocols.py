"""The requests of our own channels, by the pages of each protocol."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.incident import RegionEvent
from schemas.json_schema import WEBHOOK, all_schemas
from sinks.notifier.channels import alertmanager, opsgenie, pagerduty, webhook
from sinks.notifier.channels.address import ChannelUrlError, HttpPost
from sinks.notifier.channels.by_ourselves import PROTOCOLS
from sinks.notifier.model import Action, ChannelEvent, Delivery, News
from sinks.notifier.texts.model import Text
from sinks.notifier.texts.render import render
from tests.unit.sinks.notifier.channels.deliveries import delivery, news
from tests.unit.sinks.notifier.events import AT, targets_event
from tests.unit.sinks.notifier.texts.deliveries import drill_event, mass_event

KEY = "0123456789abcdef0123456789abcdef"
ON_CALL: tuple[Action, ...] = ("trigger", "acknowledge", "resolve")


def region_news() -> News:
    event = RegionEvent(
        event_id="r1",
        event="region.silent",
        region="eu",
        at=AT,
        summary="silent",
        last_beat_at=AT - 9,
    )
    return News(entry="region/eu/silent", event=event, key="region:eu")


def targets_news() -> News:
    return News(entry="targets/c1", event=targets_event(), key="targets:c1")


def channel_news() -> News:
    event = ChannelEvent(
        event_id="c1",
        event="channel.broken",
        channel="ops/0123456789abcdef/slack",
        since=AT - 120_000,
        at=AT,
        error="the channel answered 404 Not Found",
        waiting=3,
    )
    return News(entry="channel/0123456789abcdef", event=event, key="channel:0123456789abcdef")


def mass_news() -> News:
    return News(entry="mass/1", event=mass_event(), key="mass")


def drill_news() -> News:
    return News(entry="drill/drill", event=drill_event(), key="drill:drill")


EVERY = [news(), region_news(), targets_news(), channel_news(), mass_news(), drill_news()]


def texts(one: Delivery) -> Sequence[Text]:
    return [render(one, pagerduty.BUDGET)] * len(one.news)


def posted(url: str, action: Action, *subjects: News, **fields: Any) -> HttpPost:
    one = delivery(url, action, *subjects, **fields)
    return PROTOCOLS[url.partition("://")[0]].post(url, one, texts(one))


class TestPagerDuty:
    def event(self, url: str, action: Action = "trigger", *subjects: News) -> Any:
        return json.loads(posted(url, action, *subjects).body)

    @pytest.mark.parametrize("action", ON_CALL)
    @pytest.mark.parametrize("subject", EVERY, ids=lambda one: one.key)
    def test_the_key_and_the_action(self, action: Action, subject: News) -> None:
        event = self.event(f"pagerduty://{KEY}", action, subject)
        assert event["routing_key"] == KEY
        assert event["event_action"] == action
        assert event["dedup_key"] == subject.key
        assert ("payload" in event) == (action == "trigger")

    @pytest.mark.parametrize(
        ("severity", "said"), [("critical", "critical"), ("warning", "warning"), ("info", "info")]
    )
    def test_the_severity(self, severity: str, said: str) -> None:
        event = self.event(f"pagerduty://{KEY}", "trigger", news(severity=severity))
        assert event["payload"]["severity"] == said

    def test_what_is_wrong_and_where(self) -> None:
        one = news(runbook="https://wiki.example.com/db", team="dba")
        event = self.event(f"pagerduty://{KEY}", "trigger", one)
        payload = event["payload"]
        assert payload["source"] == "db1.example.com:5432"
        assert payload["component"] == "Production DB"
        assert payload["group"] == "dba"
        assert payload["class"] == "PortUnreachable"
        assert datetime.fromisoformat(payload["timestamp"]).timestamp() * 1000 == AT - 3000
        assert payload["custom_details"]["target"] == "prod-db"
        assert event["links"] == [{"href": "https://wiki.example.com/db", "text": "Runbook"}]

    def test_a_runbook_that_is_no_link_is_none(self) -> None:
        event = self.event(f"pagerduty://{KEY}", "trigger", news(runbook="see the wiki"))
        assert "links" not in event

    def test_apprises_older_url(self) -> None:
        event = self.event(f"pagerduty://{KEY}@{'A' * 20}/checks/web")
        assert event["routing_key"] == KEY
        assert event["payload"]["source"] == "checks"
        assert event["payload"]["component"] == "web"

    @pytest.mark.parametrize(
        ("query", "url"),
        [
            ("", "https://events.pagerduty.com/v2/enqueue"),
            ("?region=eu", "https://events.eu.pagerduty.com/v2/enqueue"),
            ("?endpoint=http%3A%2F%2F127.0.0.1%3A8080", "http://127.0.0.1:8080/v2/enqueue"),
            ("?endpoint=https://gw/pd", "https://gw/pd"),
        ],
    )
    def test_the_endpoint(self, query: str, url: str) -> None:
        assert posted(f"pagerduty://{KEY}{query}", "trigger").url == url

    @pytest.mark.parametrize(
        "url",
        [
            "pagerduty://",
            f"pagerduty://{KEY}?region=mars",
            "pagerduty://a-b",
            f"pagerduty://{KEY}?endpoint=x",
        ],
    )
    def test_a_url_that_cannot_be_used(self, url: str) -> None:
        with pytest.raises(ChannelUrlError, match="expected") as error:
            pagerduty.check(url)
        assert KEY not in str(error.value)

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=600))
    def test_a_key_fits(self, key: str) -> None:
        assert len(pagerduty.dedup_key(key)) <= 255
        assert pagerduty.dedup_key(key) == pagerduty.dedup_key(key)

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=3_000))
    def test_what_people_wrote_fits(self, name: str) -> None:
        event = self.event(f"pagerduty://{KEY}", "trigger", news(name=name, summary=name))
        assert 0 < len(event["payload"]["summary"]) <= 1024
        assert 0 < len(event["payload"]["source"]) <= 255


class TestOpsgenie:
    URL = "opsgenie://8418d193-2dab-4490-b331-8c02cdd196b7/@me@example.com/#dba/*night/^esc"

    def test_an_alert(self) -> None:
        post = posted(self.URL, "trigger")
        alert = json.loads(post.body)
        assert post.url == "https://api.opsgenie.com/v2/alerts"
        assert post.headers["Authorization"] == "GenieKey 8418d193-2dab-4490-b331-8c02cdd196b7"
        assert alert["alias"] == "i1/1"
        assert alert["priority"] == "P1"
        assert alert["responders"] == [
            {"type": "user", "username": "me@example.com"},
            {"type": "team", "name": "dba"},
            {"type": "schedule", "name": "night"},
            {"type": "escalation", "name": "esc"},
        ]

    def test_a_responder_by_its_id(self) -> None:
        name = "4513b7ea-3b91-438f-b7e4-e3e54af9147c"
        alert = json.loads(posted(f"opsgenie://key/#{name}", "trigger").body)
        assert alert["responders"] == [{"type": "team", "id": name}]

    @pytest.mark.parametrize(
        ("action", "step"), [("acknowledge", "acknowledge"), ("resolve", "close")]
    )
    def test_the_alias_is_one_segment_of_the_path(self, action: Action, step: str) -> None:
        post = posted(self.URL, action)
        assert post.url == (
            f"https://api.opsgenie.com/v2/alerts/i1%2F1/{step}?identifierType=alias"
        )

    def test_jira_has_the_same_interface(self) -> None:
        post = posted("jira://key/#dba", "resolve")
        base = "https://api.atlassian.com/jsm/ops/integration/v2/alerts"
        assert post.url == f"{base}/i1%2F1/close?identifierType=alias"

    def test_the_region(self) -> None:
        assert posted("opsgenie://key?region=eu", "trigger").url.startswith(
            "https://api.eu.opsgenie.com/"
        )

    @pytest.mark.parametrize("url", ["opsgenie://", "opsgenie://key?region=x", "opsgenie://a%20b"])
    def test_a_url_that_cannot_be_used(self, url: str) -> None:
        with pytest.raises(ChannelUrlError, match="expected"):
            opsgenie.check(url)

    @pytest.mark.parametrize("subject", EVERY, ids=lambda one: one.key)
    def test_the_limits(self, subject: News) -> None:
        alert = json.loads(posted(self.URL, "trigger", subject).body)
        assert 0 < len(alert["message"]) <= 130
        assert len(alert["description"]) <= 15_000
        assert sum(len(name) + len(value) for name, value in alert["details"].items()) <= 8_000


class TestAlertmanager:
    URL = "alertmanager+https://me:p%40ss@am.example.com:9093/prefix/"

    def alerts(self, action: Action, *subjects: News) -> Any:
        return json.loads(posted(self.URL, action, *subjects).body)

    def test_the_place(self) -> None:
        post = posted(self.URL, "trigger")
        assert post.url == "https://am.example.com:9093/prefix/api/v2/alerts"
        assert (post.user, post.password) == ("me", "p@ss")

    @pytest.mark.parametrize("action", ["trigger", "refresh", "acknowledge"])
    def test_what_is_open_fires_for_five_minutes_more(self, action: Action) -> None:
        (alert,) = self.alerts(action)
        assert alert["labels"]["alertname"] == "PortUnreachable"
        assert alert["labels"]["host"] == "db1.example.com"
        assert alert["labels"]["port"] == "5432"
        ends = datetime.fromisoformat(alert["endsAt"]).timestamp() * 1000
        assert ends == AT + 1_000 + alertmanager.LIFE_MS

    def test_what_is_over_has_its_true_end(self) -> None:
        (alert,) = self.alerts("resolve", news(event="closed", closed_at=AT + 500))
        assert datetime.fromisoformat(alert["endsAt"]).timestamp() * 1000 == AT + 500

    def test_an_end_in_the_future_is_now(self) -> None:
        (alert,) = self.alerts("resolve", news(event="closed", closed_at=AT + 60_000))
        assert datetime.fromisoformat(alert["endsAt"]).timestamp() * 1000 == AT + 1_000

    @pytest.mark.parametrize(
        ("opened", "over"),
        [
            (news(), news(event="closed", closed_at=AT, closed_because="recovered", at=AT + 9)),
            (
                targets_news(),
                News(
                    entry="targets/c1",
                    event=targets_event(event="targets.watched", count=0, severity="warning"),
                    key="targets:c1",
                ),
            ),
            (
                region_news(),
                News(
                    entry="region/eu/silent",
                    event=RegionEvent(
                        event_id="r2", event="region.returned", region="eu", at=AT, summary="back"
                    ),
                    key="region:eu",
                ),
            ),
        ],
        ids=["incident", "targets", "region"],
    )
    def test_the_labels_are_the_same_until_the_end(self, opened: News, over: News) -> None:
        (first,), (last,) = self.alerts("trigger", opened), self.alerts("resolve", over)
        assert first["labels"] == last["labels"]
        assert last["startsAt"] <= last["endsAt"]

    def test_a_refresh_has_all_that_is_open(self) -> None:
        alerts = self.alerts("refresh", *EVERY)
        names = [alert["labels"]["alertname"] for alert in alerts]
        assert names == [
            "PortUnreachable",
            "RegionSilent",
            "TargetsUnwatched",
            "ChannelBroken",
            "MassOutage",
            "DrillOverdue",
        ]
        for alert in alerts:
            assert alert["startsAt"] <= alert["endsAt"]
            assert all(alert["labels"].values())

    @pytest.mark.parametrize("url", ["alertmanager+http://", "alertmanager+http://h:99999"])
    def test_a_url_that_cannot_be_used(self, url: str) -> None:
        with pytest.raises(ChannelUrlError, match="expected"):
            alertmanager.check(url)


class TestWebhook:
    SECRET = base64.b64encode(b"thirty-two bytes of a test secret").decode()
    URL = f"webhook+https://me:pw@hooks.example.com/a?x=1&secret=whsec_{SECRET}&y=%26"

    def test_the_place_without_what_is_ours(self) -> None:
        post = posted(self.URL, "trigger")
        assert post.url == "https://hooks.example.com/a?x=1&y=%26"
        assert (post.user, post.password) == ("me", "pw")

    def test_the_source_is_the_installation(self) -> None:
        post = posted(self.URL, "trigger", source="/acme-eu/notifier")
        assert json.loads(post.body)["source"] == "/acme-eu/notifier"

    @pytest.mark.parametrize("action", ON_CALL)
    @pytest.mark.parametrize("subject", EVERY, ids=lambda one: one.key)
    def test_the_event_and_its_data(self, action: Action, subject: News) -> None:
        post = posted(self.URL, action, subject, id="a.b")
        event = json.loads(post.body)
        assert event["specversion"] == "1.0"
        assert event["id"] == "a-b" == post.headers["webhook-id"]
        assert event["type"] == f"portquorum.notification.{action}.v1"
        assert event["source"] == "/portquorum/notifier"
        assert event["time"].endswith("Z")
        data = event["data"]
        assert data["key"] == subject.key
        assert len({"incident", "region", "targets", "channel", "mass", "drill"} & set(data)) == 1
        jsonschema.Draft202012Validator(all_schemas()[WEBHOOK]).validate(data)

    def test_the_signature(self) -> None:
        post = posted(self.URL, "trigger")
        stamp = post.headers["webhook-timestamp"]
        assert int(stamp) == (AT + 1_000) // 1000
        signed = f"d1.{stamp}.".encode() + post.body
        digest = hmac.new(b"thirty-two bytes of a test secret", signed, hashlib.sha256).digest()
        assert post.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"

    def test_the_vector_of_the_libraries(self) -> None:
        # https://github.com/standard-webhooks/standard-webhooks, libraries/python/tests
        secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        assert (
            webhook.signature(
                secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
            )
            == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        )

    def test_without_a_secret_there_is_no_signature(self) -> None:
        assert "webhook-signature" not in posted("webhook+http://h/", "trigger").headers

    def test_a_secret_as_it_is(self) -> None:
        assert webhook.secret_of("webhook+http://h/?secret=plain-secret") == b"plain-secret"

    @pytest.mark.parametrize("secret", ["", "short", "whsec_%%%", "whsec_AAAA"])
    def test_a_secret_that_cannot_be_used(self, secret: str) -> None:
        with pytest.raises(ChannelUrlError, match="expected") as error:
            webhook.check(f"webhook+https://h/?secret={secret}")
        assert secret == "" or secret not in str(error.value)
