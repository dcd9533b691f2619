"""PagerDuty's webhooks (version 3): who acknowledged or resolved an incident of ours there.

https://developer.pagerduty.com/docs/webhooks/v3-overview/ (event, `incident_key`, agent), and
https://developer.pagerduty.com/docs/webhooks/webhook-signatures/ : `X-PagerDuty-Signature` has one
or more `v1=` and the HMAC-SHA256 of the body as it came, in hexadecimal, by comma. Several: its
secret is being replaced.

A person who takes an acknowledgement back there (`incident.unacknowledged`) changes nothing here:
the stream knows no such word. Pure.
"""

import hashlib
import hmac
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.json_decoder import JsonDecoder
from sinks.notifier.links.returned import ReturnedWord

SIGNATURE: Final = "X-PagerDuty-Signature"
MOST_BODY: Final = 256 * 1024
"""Bytes of the largest webhook."""

_MOST_SIGNATURES: Final = 10
_VERSION: Final = "v1="
_HEARD: Final = {
    "incident.acknowledged": "",
    "incident.resolved": "resolved in PagerDuty",
}
"""Events that say that somebody has it in hand, and the note of each. What a person resolved there
may be down all the same: the regions decide when it is over."""

_Short = Annotated[str, Meta(max_length=10_000)]


class PagerDutyWebhookError(ValueError):
    """Not a webhook of PagerDuty's; the text says why."""


class _Agent(Struct):
    type: _Short = ""
    summary: _Short = ""


class _Data(Struct):
    incident_key: _Short | None = None


class _WebhookEvent(Struct):
    event_type: _Short
    agent: _Agent | None = None
    data: msgspec.Raw = msgspec.Raw()


class _Webhook(Struct):
    event: _WebhookEvent


class PagerDutyWord(Struct, frozen=True):
    """The key of our alert, and what was said of it."""

    key: str
    word: ReturnedWord


_webhook: Final[JsonDecoder[_Webhook]] = JsonDecoder(_Webhook)
_data: Final[JsonDecoder[_Data]] = JsonDecoder(_Data)


def is_signed(body: bytes, signatures: str, secret: str) -> bool:
    """Whether one of the header's signatures is that of the body."""
    wanted = hmac.digest(secret.encode(), body, hashlib.sha256).hex().encode()
    given = [part.strip() for part in signatures.split(",")[:_MOST_SIGNATURES]]
    found = [
        hmac.compare_digest(part.removeprefix(_VERSION).encode("utf-8", "replace"), wanted)
        for part in given
        if part.startswith(_VERSION)
    ]
    return any(found)


def word_of(body: bytes) -> PagerDutyWord | None:
    """What a webhook says; None if it is about something else (a test ping, a note).

    Without a person it is none, too: what our own events or a rule did there is no word.

    Raises:
        PagerDutyWebhookError: not a webhook of version 3.
    """
    try:
        event = _webhook.decode(body).event
        note = _HEARD.get(event.event_type)
        if note is None:
            return None
        key = _data.decode(bytes(event.data)).incident_key
    except msgspec.DecodeError as error:
        raise PagerDutyWebhookError(
            "expected a webhook of PagerDuty's version 3, found another body"
        ) from error
    if not key or event.agent is None or not event.agent.type.startswith("user"):
        return None
    return PagerDutyWord(key, ReturnedWord(event.agent.summary, note))
