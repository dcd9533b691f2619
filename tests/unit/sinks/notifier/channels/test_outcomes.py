"""What an answer means."""

import smtplib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.notifier.channels.body_errors import refusal_in
from sinks.notifier.channels.exchange import Exchange, MailStep
from sinks.notifier.channels.outcomes import (
    MOST_RETRY_AFTER_S,
    of_exchange,
    of_mail,
    retry_after_s,
)


def answer(status: int, body: bytes = b"", **fields: Any) -> Exchange:
    return Exchange(method="POST", carried=True, status=status, body=body, **fields)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "confirmed"),
        (202, "confirmed"),
        (204, "confirmed"),
        (301, "misconfigured"),
        (308, "misconfigured"),
        (400, "refused"),
        (401, "misconfigured"),
        (402, "misconfigured"),
        (403, "misconfigured"),
        (404, "misconfigured"),
        (408, "unreachable"),
        (410, "misconfigured"),
        (413, "refused"),
        (422, "refused"),
        (429, "unreachable"),
        (500, "unreachable"),
        (502, "uncertain"),
        (503, "unreachable"),
        (504, "uncertain"),
        (520, "uncertain"),
        (522, "unreachable"),
        (524, "uncertain"),
        (599, "unreachable"),
    ],
)
def test_the_kind_by_the_status(status: int, kind: str) -> None:
    finding = of_exchange(answer(status))
    assert finding.kind == kind
    assert (finding.error is None) == (kind == "confirmed")


@pytest.mark.parametrize("status", [403, 429, 503, 504])
def test_who_asks_to_wait_is_heeded(status: int) -> None:
    assert of_exchange(answer(status, retry_after="7")).retry_after_s == 7.0


def test_a_redirect_that_drops_the_message_confirms_nothing() -> None:
    finding = of_exchange(answer(200, became_get=True))
    assert finding.kind == "misconfigured"
    assert "redirect" in (finding.error or "")


NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("1e300", MOST_RETRY_AFTER_S),
        ("nan", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(header: str, wait: float | None) -> None:
    date = format_datetime(NOW, usegmt=True)
    assert retry_after_s(answer(429, retry_after=header, date=date)) == wait


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        (b'{"retry_after": 0.65}', 0.65),
        (b'{"ok": false, "parameters": {"retry_after": 35}}', 35.0),
        (b'{"retry_after": "soon"}', None),
        (b'{"parameters": [1]}', None),
        (b"[1, 2]", None),
        (b"not JSON", None),
        (b"[" * 100_000, None),
    ],
)
def test_retry_after_in_the_body(body: bytes, wait: float | None) -> None:
    assert retry_after_s(answer(429, body)) == wait


@given(
    st.integers(100, 599),
    st.binary(max_size=300),
    st.none() | st.text(max_size=30),
    st.none() | st.text(max_size=30),
)
def test_no_answer_makes_it_fall(
    status: int, body: bytes, retry_after: str | None, date: str | None
) -> None:
    finding = of_exchange(answer(status, body, retry_after=retry_after, date=date))
    assert finding.retry_after_s is None or 0 <= finding.retry_after_s <= MOST_RETRY_AFTER_S
    assert (finding.kind == "confirmed") == (200 <= status < 300)


@pytest.mark.parametrize(
    ("plugin", "body", "kind"),
    [
        ("slack", b'{"ok": false, "error": "channel_not_found"}', "misconfigured"),
        ("slack", b'{"ok": false, "error": "msg_too_long"}', "refused"),
        ("slack", b'{"ok": false, "error": "ratelimited"}', "unreachable"),
        ("slack", b'{"ok": true}', None),
        ("slack", b"ok", None),
        ("telegram", b'{"ok": false, "description": "Bad Request"}', "refused"),
        ("dingtalk", b'{"errcode": 310000, "errmsg": "keywords not in content"}', "refused"),
        ("dingtalk", b'{"errcode": 0, "errmsg": "ok"}', None),
        ("wecombot", b'{"errcode": 93000, "errmsg": "invalid webhook url"}', "misconfigured"),
        ("wecombot", b'{"errcode": 45009, "errmsg": "api freq out of limit"}', "unreachable"),
        ("lark", b'{"code": 19024, "msg": "Key Words Not Found"}', "refused"),
        ("feishu", b'{"StatusCode": 0, "StatusMessage": "success"}', None),
        ("synology", b'{"success": false, "error": {"code": 404}}', "refused"),
        ("serverchan", b'{"code": 40001, "message": "bad push token"}', "refused"),
        ("vonage", b'{"messages": [{"status": "0"}, {"status": "9"}]}', "refused"),
        ("vonage", b'{"messages": [{"status": "0"}]}', None),
        ("msteams", b"1", None),
        ("msteams", b"Webhook message delivery failed with error: HTTP error 429", "refused"),
        ("custom_json", b'{"ok": false, "success": false}', None),
        ("custom_json", b"<html>", None),
        ("nextcloudtalk", b"<?xml version='1.0'?><ocs/>", None),
        ("mattermost", b"\n <!DOCTYPE html><title>Sign in</title>", "misconfigured"),
        ("pagerduty", b"<html><form>Log in</form></html>", "misconfigured"),
        ("alertmanager+https", b"<!doctype html>", "misconfigured"),
        ("alertmanager+https", b"", None),
        ("opsgenie", b'{"result": "Request will be processed"}', None),
        ("webhook+https", b"<html>", None),
        ("ntfy", b'{"id": "x", "code": 7}', None),
        ("gotify", b"", None),
    ],
)
def test_a_refusal_in_an_answer_of_200(plugin: str, body: bytes, kind: str | None) -> None:
    finding = refusal_in(plugin, body)
    assert (finding and finding.kind) == kind


def step(name: str, error: Exception | None = None, **refused: Any) -> MailStep:
    return MailStep(name=name, error=error, refused=refused)


LOST = smtplib.SMTPServerDisconnected("Connection unexpectedly closed")


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([step("connect", OSError("refused"))], "unreachable"),
        ([step("connect", TimeoutError("timed out"))], "unreachable"),
        ([step("connect", smtplib.SMTPConnectError(421, b"busy"))], "unreachable"),
        (
            [step("connect"), step("starttls", smtplib.SMTPNotSupportedError("no STARTTLS"))],
            "misconfigured",
        ),
        (
            [step("connect"), step("login", smtplib.SMTPAuthenticationError(535, b"no"))],
            "misconfigured",
        ),
        (
            [step("connect"), step("login", smtplib.SMTPAuthenticationError(454, b"later"))],
            "unreachable",
        ),
        (
            [step("connect"), step("sendmail", smtplib.SMTPSenderRefused(550, b"no", "me"))],
            "misconfigured",
        ),
        (
            [step("connect"), step("sendmail", smtplib.SMTPRecipientsRefused({"a": (550, b"no")}))],
            "misconfigured",
        ),
        (
            [step("connect"), step("sendmail", smtplib.SMTPRecipientsRefused({"a": (451, b"x")}))],
            "unreachable",
        ),
        ([step("connect"), step("sendmail", LOST)], "unreachable"),
        ([step("connect"), step("data", LOST), step("sendmail", LOST)], "uncertain"),
        (
            [step("connect"), step("data"), step("sendmail", smtplib.SMTPDataError(554, b"spam"))],
            "refused",
        ),
        ([step("connect"), step("data"), step("sendmail")], "confirmed"),
        ([step("connect"), step("sendmail"), step("sendmail", LOST)], "confirmed"),
        ([step("connect"), step("sendmail", a=(550, b"no"))], "confirmed"),
        ([step("connect")], "uncertain"),
    ],
)
def test_the_kind_of_a_mail(steps: list[MailStep], kind: str) -> None:
    finding = of_mail(steps)
    assert finding is not None
    assert finding.kind == kind


def test_a_recipient_that_was_not_told_is_named() -> None:
    finding = of_mail([step("connect"), MailStep(name="sendmail", refused={"a@b": (550, b"no")})])
    assert finding is not None
    assert "a@b" in (finding.error or "")
