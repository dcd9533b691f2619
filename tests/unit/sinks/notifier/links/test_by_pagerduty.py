"""Webhooks of PagerDuty: only signed ones count, and of these only a person's word."""

import contextlib
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sinks.notifier.links.by_pagerduty import PagerDutyWebhookError, is_signed, word_of

SECRET = "the secret of the webhook"  # noqa: S105 - of this test


def webhook(event_type: str = "incident.acknowledged", **fields: Any) -> dict[str, Any]:
    """As PagerDuty's documentation shows it, with what we don't read."""
    event = {
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
        "event_type": event_type,
        "resource_type": "incident",
        "occurred_at": "2026-05-20T14:00:00.000Z",
        "agent": {
            "html_url": "https://acme.pagerduty.com/users/PXPGF42",
            "id": "PXPGF42",
            "self": "https://api.pagerduty.com/users/PXPGF42",
            "summary": "Earline Greenholt",
            "type": "user_reference",
        },
        "client": None,
        "data": {
            "id": "PT4KHLK",
            "type": "incident",
            "number": 1234,
            "status": "acknowledged",
            "incident_key": "i1/1",
            "title": "The server is on fire.",
            "assignees": [],
        },
    }
    return {"event": event | fields}


def signature(body: bytes, secret: str = SECRET) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("event_type", "note"),
    [("incident.acknowledged", ""), ("incident.resolved", "resolved in PagerDuty")],
)
def test_a_persons_word(event_type: str, note: str) -> None:
    said = word_of(json.dumps(webhook(event_type)).encode())
    assert said is not None
    assert (said.key, said.word.by, said.word.note) == ("i1/1", "Earline Greenholt", note)


@pytest.mark.parametrize(
    "body",
    [
        webhook("incident.unacknowledged"),
        webhook("incident.triggered"),
        webhook("pagey.ping", data={"message": "Hello from your friend Pagey!", "type": "ping"}),
        webhook(agent=None),
        webhook(agent={"type": "service_reference", "summary": "portquorum"}),
        webhook(agent={"type": "inbound_integration_reference", "summary": "Events API v2"}),
        webhook(data={"id": "PT4KHLK"}),
        webhook(data={"incident_key": None}),
        webhook(data={"incident_key": ""}),
    ],
)
def test_no_word(body: dict[str, Any]) -> None:
    assert word_of(json.dumps(body).encode()) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"event": 5}',
        b'{"event": {}}',
        b"[" * 100_000,
        json.dumps(webhook(data=5)).encode(),
        json.dumps(webhook(data={"incident_key": ["i1/1"]})).encode(),
        json.dumps(webhook(agent={"type": 1})).encode(),
        json.dumps({"event": {"event_type": "incident.acknowledged"}}).encode(),
    ],
)
def test_no_webhook(body: bytes) -> None:
    with pytest.raises(PagerDutyWebhookError):
        word_of(body)


@given(st.binary())
def test_any_bytes_are_a_word_or_an_error(body: bytes) -> None:
    with contextlib.suppress(PagerDutyWebhookError):
        assert word_of(body) is None


@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_only_the_signature_of_this_body_counts(body: bytes, other: str) -> None:
    good = signature(body)
    assert is_signed(body, good, SECRET)
    assert is_signed(body, f"v1={'0' * 64}, {good}", SECRET), "while the secret is replaced"
    assert not is_signed(body + b" ", good, SECRET)
    assert not is_signed(body, good, SECRET + "x")
    assert not is_signed(body, good.removeprefix("v1="), SECRET)
    assert not is_signed(body, good.replace("v1", "v2"), SECRET)
    assume(good not in other)
    assert not is_signed(body, other, SECRET)
    assert not is_signed(body, f"v1={other}", SECRET)


@given(st.integers(0, 63), st.sampled_from("0123456789abcdefABCDEF "))
def test_no_changed_signature_counts(at: int, char: str) -> None:
    body = b"{}"
    good = signature(body).removeprefix("v1=")
    assume(good[at] != char)
    assert not is_signed(body, f"v1={good[:at]}{char}{good[at + 1 :]}", SECRET)
    assert not is_signed(body, f"v1={good[:at]}", SECRET)
