"""The receivers themselves: unchanged Apprise reaches each, and each misbehaviour is one."""

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.receivers import faults, neighbourhood
from tests.receivers.authority import Authority
from tests.receivers.discord import pinged
from tests.receivers.http_receiver import HttpReceiver
from tests.receivers.neighbourhood import BlackHole, Neighbourhood
from tests.receivers.smtp import SmtpReceiver
from tests.receivers.telegram import TelegramRefusalError, read_text

PROGRAM = """
import json, sys, apprise
for url in json.loads(sys.argv[1]):
    one = apprise.Apprise()
    assert one.add(url), url
    title, body, kind = sys.argv[2:]
    said = one.notify(title=title, body=body, body_format="text", notify_type=kind)
    print("yes" if said else "no")
"""


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with Neighbourhood(tmp_path_factory.mktemp("receivers")) as all_of_them:
        yield all_of_them


@pytest.fixture(autouse=True)
def quiet_street(street: Neighbourhood) -> Iterator[None]:
    yield
    street.behave()


def apprise(
    street: Neighbourhood,
    *urls: str,
    title: str = "Title",
    body: str = "Body",
    kind: str = "failure",
) -> list[bool]:
    """What Apprise says, in a program of its own that has only the environment."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(urls), title, body, kind],
        env=os.environ | street.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [line == "yes" for line in done.stdout.split()]


def post(street: Neighbourhood, url: str, timeout: float = 5, **more: Any) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"https": street.tunnel.url}
    session.verify = str(street.authority.bundle)
    return session.post(url, timeout=timeout, **more)


def test_unchanged_apprise_reaches_every_receiver(street: Neighbourhood) -> None:
    before = {one: len(one.told) for one in street.http}
    urls = (
        neighbourhood.SLACK_URL,
        neighbourhood.SLACK_BOT_URL,
        neighbourhood.TELEGRAM_URL,
        neighbourhood.DISCORD_URL,
        f"pagerduty://{neighbourhood.PAGERDUTY_KEY}@{'a' * 20}/monitor/database",
        f"opsgenie://{neighbourhood.OPSGENIE_KEY}/",
        street.mattermost_url,
        street.json_url(),
        street.smtp.url(),
    )
    assert apprise(street, *urls, title="Gate down", body="nobody answers") == [True] * len(urls)
    for receiver in street.http:
        if receiver is not street.webhook:
            assert len(receiver.told) == before[receiver] + 1, receiver.host
            assert "Gate down" in receiver.texts[-1], receiver.host
    assert street.smtp.subjects[-1:] == ["Gate down"]
    assert street.smtp.told[-1].recipients == ("ops@example.com",)
    assert street.pagerduty.incidents[-1].severity == "critical"
    assert street.opsgenie.alerts[-1].state == "open"
    assert street.tunnel.strangers == []


def test_a_name_without_a_receiver_does_not_leave_this_machine(street: Neighbourhood) -> None:
    with pytest.raises(requests.exceptions.ProxyError):
        post(street, "https://api.pushover.net/1/messages.json")
    assert street.tunnel.strangers.pop() == "api.pushover.net:443"


@pytest.mark.parametrize("certificate", ["self_signed", "expired", "other_name"])
def test_a_certificate_that_nobody_may_accept(
    street: Neighbourhood, certificate: faults.Certificate
) -> None:
    before = len(street.slack.arrivals)
    street.slack.certificate = certificate
    with pytest.raises(requests.exceptions.SSLError):
        post(street, "https://hooks.slack.com/services/T1/B1/x", json={"text": "x"})
    assert len(street.slack.arrivals) == before
    street.slack.behave()
    assert post(street, "https://hooks.slack.com/services/T1/B1/x", json={"text": "x"}).text == "ok"


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("fault", ["reset", "reset_unread", "hang", "hang_unread", "garbage"])
def test_no_answer(street: Neighbourhood, fault: str, secure: bool) -> None:
    receiver: HttpReceiver = street.telegram if secure else street.json
    url = (
        f"https://api.telegram.org/bot1:{'x' * 35}/sendMessage"
        if secure
        else f"http://127.0.0.1:{street.json.port}/"
    )
    before = len(receiver.told)
    receiver.misbehave(getattr(faults, fault.upper()), times=1)
    with pytest.raises(requests.exceptions.RequestException) as caught:
        post(street, url, json={"chat_id": 1, "text": "x"}, timeout=1)
    hangs = isinstance(caught.value, requests.exceptions.ReadTimeout)
    assert hangs == fault.startswith("hang"), caught.value
    told = not fault.endswith("_unread")
    receiver.wait(lambda one: len(one.told) == before + told, "as many as were read whole")
    if told:
        assert receiver.told[-1].answered is None
    assert post(street, url, json={"chat_id": 1, "text": "again"}).status_code == 200
    assert len(receiver.told) == before + told + 1


def test_too_many_in_seconds_and_as_a_date(street: Neighbourhood) -> None:
    url = f"http://127.0.0.1:{street.json.port}/"
    street.json.misbehave(faults.too_many(7), times=1)
    answer = post(street, url, json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    street.json.misbehave(faults.too_many(90, as_date=True), times=1)
    answer = post(street, url, json={})
    at = parsedate_to_datetime(answer.headers["retry-after"])
    assert 80 <= at.timestamp() - time.time() <= 91
    assert [arrival.told for arrival in street.json.arrivals[-2:]] == [False, False]


def test_too_many_in_the_words_of_each_service(street: Neighbourhood) -> None:
    for receiver in street.http:
        receiver.misbehave(faults.too_many(3), times=1)
    telegram = post(street, f"https://api.telegram.org/bot1:{'x' * 35}/sendMessage", json={})
    assert telegram.json()["parameters"] == {"retry_after": 3}
    discord = post(street, "https://discord.com/api/webhooks/1/x", json={"content": "x"})
    assert discord.json()["retry_after"] == 3
    slack = post(street, "https://slack.com/api/chat.postMessage", json={})
    assert (slack.status_code, slack.json()) == (429, {"ok": False, "error": "ratelimited"})


def test_an_answer_that_comes_late_drips_or_never_ends(street: Neighbourhood) -> None:
    url = f"http://127.0.0.1:{street.json.port}/"
    street.json.misbehave(faults.slow(1.5), times=1)
    began = time.monotonic()
    assert post(street, url, json={}).status_code == 200
    assert time.monotonic() - began >= 1.5
    street.json.misbehave(faults.Fault("drip", seconds=0.05), times=1)
    with socket.create_connection(("127.0.0.1", street.json.port), 5) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        assert client.recv(1) == b"H"
        assert client.recv(1) == b"T"
    street.json.misbehave(faults.FLOOD, times=1)
    with post(street, url, json={}, stream=True) as answer:
        assert sum(len(piece) for piece, _ in zip(answer.iter_content(65_536), range(50))) > 10**6  # noqa: B905


def test_a_gate_shows_its_page_with_200_and_tells_nobody(street: Neighbourhood) -> None:
    before = len(street.json.told)
    street.json.misbehave(faults.LOGIN, times=1)
    answer = post(street, f"http://127.0.0.1:{street.json.port}/hook", json={"title": "x"})
    assert (answer.status_code, answer.request.method) == (200, "GET")
    assert "Please log in" in answer.text
    assert len(street.json.told) == before


def test_a_receiver_that_is_away_comes_back_on_its_port(street: Neighbourhood) -> None:
    url = f"http://127.0.0.1:{street.json.port}/"
    street.json.stop_listening()
    with pytest.raises(requests.exceptions.ConnectionError):
        post(street, url, json={})
    street.json.listen_again()
    assert post(street, url, json={}).status_code == 200


def test_a_black_hole_answers_no_connect() -> None:
    with BlackHole() as hole, pytest.raises(requests.exceptions.ConnectTimeout):
        requests.post(f"http://127.0.0.1:{hole.port}/", timeout=(1, 1), json={})


def test_what_services_refuse(street: Neighbourhood) -> None:
    hook = "https://discord.com/api/webhooks/1/x"
    assert post(street, hook, json={"content": "x" * 2000}).status_code == 204
    assert post(street, hook, json={"content": "x" * 2001}).json()["code"] == 50035
    assert post(street, hook, json={"content": " "}).json()["code"] == 50006
    bot = f"https://api.telegram.org/bot1:{'x' * 35}/sendMessage"
    assert post(street, bot, json={"chat_id": 1, "text": "x" * 4096}).json()["ok"]
    said = post(street, bot, json={"chat_id": 1, "text": "x" * 4097})
    assert (said.status_code, said.json()["description"]) == (
        400,
        "Bad Request: message is too long",
    )
    slack = "https://hooks.slack.com/services/T1/B1/x"
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    assert post(street, slack, json={"blocks": [block]}).text == "invalid_blocks"
    assert post(street, slack, json={}).text == "no_text"
    assert post(street, "https://hooks.slack.com/services/nobody", json={}).status_code == 404
    duty = "https://events.pagerduty.com/v2/enqueue"
    event = {"routing_key": "r" * 32, "event_action": "resolve"}
    assert "'dedup_key' is missing for resolve" in post(street, duty, json=event).json()["errors"]
    genie = {"Authorization": f"GenieKey {neighbourhood.OPSGENIE_KEY}"}
    alerts = "https://api.opsgenie.com/v2/alerts"
    assert post(street, alerts, json={"message": "x"}).status_code == 401
    assert post(street, alerts, json={"message": "x" * 131}, headers=genie).status_code == 422


def test_incidents_and_alerts_by_their_keys(street: Neighbourhood) -> None:
    duty = "https://events.pagerduty.com/v2/enqueue"
    payload = {"summary": "down", "source": "here", "severity": "critical"}
    event = {"routing_key": "r" * 32, "dedup_key": "i1/1"}
    for action in ("trigger", "trigger", "acknowledge", "resolve", "trigger"):
        more = {"payload": payload} if action == "trigger" else {}
        said = post(street, duty, json={**event, "event_action": action, **more})
        assert (said.status_code, said.json()["dedup_key"]) == (202, "i1/1")
    mine = [one for one in street.pagerduty.incidents if one.key == "i1/1"]
    assert [(one.state, one.triggers) for one in mine] == [("resolved", 2), ("triggered", 1)]
    post(street, duty, json={**event, "dedup_key": "nobody", "event_action": "resolve"})
    assert street.pagerduty.without_effect == [("resolve", "nobody")]
    genie = {"Authorization": f"GenieKey {neighbourhood.OPSGENIE_KEY}"}
    alerts = "https://api.opsgenie.com/v2/alerts"
    for _ in range(2):
        said = post(street, alerts, json={"message": "x", "alias": "i1/1"}, headers=genie)
    for action in ("acknowledge", "close", "close"):
        url = f"{alerts}/i1%2F1/{action}?identifierType=alias"
        assert post(street, url, json={}, headers=genie).status_code == 202
    alert = next(one for one in street.opsgenie.alerts if one.alias == "i1/1")
    assert (alert.state, alert.count) == ("closed", 2)
    assert street.opsgenie.without_effect[-1] == ("close", "i1/1")
    # The id of a request is no id of an alert (docs.opsgenie.com/docs/alert-api).
    url = f"{alerts}/{said.json()['requestId']}/close"
    assert post(street, url, json={}, headers=genie).status_code == 202
    assert street.opsgenie.without_effect[-1][0] == "close"


def test_who_is_pinged(street: Neighbourhood) -> None:
    content = "@everyone <@123> <@&456> @here"
    assert pinged(content, None) == ("@everyone", "@here", "<@&456>", "<@123>")
    assert pinged(content, {"parse": []}) == ()
    assert pinged(content, {"parse": ["users"]}) == ("<@123>",)
    assert pinged(content, {"parse": [], "roles": ["456"]}) == ("<@&456>",)
    slack = "https://hooks.slack.com/services/T1/B1/x"
    post(street, slack, json={"text": "554 <!channel> &lt;!here&gt;"})
    assert street.slack.told[-1].mentions == ("!channel",)
    assert street.slack.texts[-1] == "554 <!channel> <!here>"
    post(
        street,
        street.mattermost_url.replace("mmost", "http").replace("/3c", "/hooks/3c"),
        json={"text": "554 @all a@b.example"},
    )
    assert street.mattermost.told[-1].mentions == ("@all",)


def test_what_telegram_parses() -> None:
    assert read_text("<b>a &lt;b&gt; c</b> &amp; d", "HTML") == "a <b> c & d"
    for wrong in ("a < b", "<b>a", "<u>a</b>", "<font>a</font>", "<!doctype html>x"):
        with pytest.raises(TelegramRefusalError, match="can't parse entities"):
            read_text(wrong, "HTML")
    assert read_text("a *b* c\\_d [e](http://f)", "Markdown") == "a b c_d e"
    with pytest.raises(TelegramRefusalError, match="byte offset 3"):
        read_text("é snake_case"[:2] + "_case", "Markdown")
    with pytest.raises(TelegramRefusalError, match="reserved"):
        read_text("a.b", "MarkdownV2")
    assert read_text("a\\.b *c*", "MarkdownV2") == "a.b c"
    with pytest.raises(TelegramRefusalError, match="too long"):
        read_text("\U0001f534" * 2049, None)


def test_a_signed_webhook_takes_only_what_is_signed(street: Neighbourhood) -> None:
    body = json.dumps({"specversion": "1.0", "id": "a", "source": "/b", "type": "c"}).encode()
    stamp = str(int(time.time()))
    key = base64.b64decode(street.webhook.secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"m1.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": "m1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    url = f"http://127.0.0.1:{street.webhook.port}/"
    assert post(street, url, data=body, headers=headers).status_code == 200
    assert post(street, url, data=body + b" ", headers=headers).status_code == 401
    assert (
        post(street, url, data=body, headers={**headers, "webhook-timestamp": "1"}).status_code
        == 401
    )
    assert street.webhook.ids == ["m1"]
    assert [event["type"] for event in street.webhook.events] == ["c"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (faults.status(451), False),
        (faults.TOO_LONG, False),
        (faults.RESET, True),
        (faults.RESET_UNREAD, False),
        (faults.GARBAGE, True),
    ],
)
def test_a_mail_server_misbehaves(street: Neighbourhood, fault: faults.Fault, told: bool) -> None:
    before = len(street.smtp.told)
    street.smtp.misbehave(fault, times=1)
    assert apprise(street, street.smtp.url()) == [False]
    assert len(street.smtp.told) == before + told
    assert apprise(street, street.smtp.url()) == [True]


def test_a_mail_server_with_starttls(tmp_path: Path, street: Neighbourhood) -> None:
    with SmtpReceiver(street.authority, "starttls") as server:
        assert apprise(street, server.url("&mode=starttls", "mailtos")) == [True]
        assert [mail.encrypted for mail in server.told] == [True]
    with SmtpReceiver(Authority(tmp_path), "starttls") as server:
        assert apprise(street, server.url("&mode=starttls", "mailtos")) == [False]
        assert server.mails == []
    with SmtpReceiver(street.authority, "starttls", "expired") as server:
        assert apprise(street, server.url("&mode=starttls", "mailtos")) == [False]


def test_waiting_sees_what_comes_later(street: Neighbourhood) -> None:
    url = f"http://127.0.0.1:{street.json.port}/"
    before = len(street.json.told)
    later = threading.Timer(0.2, lambda: post(street, url, json={"title": "later"}))
    later.start()
    street.json.wait(lambda one: len(one.told) > before, "the later one")
    later.join()
    with pytest.raises(AssertionError, match="never"):
        street.json.wait(lambda one: not one.told, "never", within_s=0.2)
