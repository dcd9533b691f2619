"""`webhook+http(s)://`: a CloudEvent for a service of one's own, signed. Pure.

CloudEvents 1.0 in structured mode
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md,
section 3.2); the data are `schemas.webhook.WebhookData`, published as
schemas/json/webhook.schema.json with examples in schemas/examples/webhook. Id and signature are
those of Standard Webhooks 1.0.0
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
`webhook-id` is the same in each repetition, `webhook-timestamp` is the time of the attempt, and
`webhook-signature` is `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`.

URLs: `webhook+https://user:password@host/path?secret=${SECRET}`. A secret that begins with `whsec_`
is Base64, any other is taken as it is. Without `secret` there is no signature. All other parameters
stay in the URL.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent, subject
from schemas.plain_text import plain
from schemas.webhook import BrokenChannel, FireDrill, MassOutage, WebhookData
from sinks.notifier.channels.address import ChannelUrlError, HttpPost, http_url, parameters
from sinks.notifier.channels.facts import facts
from sinks.notifier.model import ChannelEvent, Delivery, DrillEvent, MassEvent
from sinks.notifier.texts.model import Budget, Text

BUDGET: Final = Budget(title=250, body=16_000)

_OURS: Final = frozenset({"secret"})
_MOST_HOSTS: Final = 1_000
_PREFIX: Final = "whsec_"
_SHORTEST_SECRET: Final = 8


def check(url: str) -> None:
    """Looks whether the filled-in `url` can be used.

    Raises:
        ChannelUrlError: it can't.
    """
    http_url(url)
    secret_of(url)


def post(url: str, delivery: Delivery, texts: Sequence[Text]) -> HttpPost:
    """The request for the one subject of `delivery`.

    Raises:
        ChannelUrlError: the URL can't be used.
    """
    target, user, password = http_url(url, _OURS)
    event = cloud_event(delivery, texts[0])
    body = msgspec.json.encode(event)
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": event["id"],
        "webhook-timestamp": str(delivery.at // 1000),
    }
    secret = secret_of(url)
    if secret is not None:
        headers["webhook-signature"] = signature(
            secret, headers["webhook-id"], headers["webhook-timestamp"], body
        )
    return HttpPost(url=target, body=body, headers=headers, user=user, password=password)


def cloud_event(delivery: Delivery, text: Text) -> dict[str, Any]:
    """The event: attributes and `data`."""
    news = delivery.news[0]
    event = news.event
    data = WebhookData(
        action=cast("Any", delivery.action),
        key=news.key,
        episode=news.episode,
        severity=facts(news).urgency,
        title=text.line,
        text=plain(text.body),
        incident=event if isinstance(event, IncidentEvent) else UNSET,
        region=event if isinstance(event, RegionEvent) else UNSET,
        targets=event if isinstance(event, TargetsEvent) else UNSET,
        channel=_broken(event) if isinstance(event, ChannelEvent) else UNSET,
        mass=_mass(event) if isinstance(event, MassEvent) else UNSET,
        drill=_drill(event) if isinstance(event, DrillEvent) else UNSET,
    )
    at = datetime.fromtimestamp(event.at / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return {
        "specversion": "1.0",
        # Without the character that separates what is signed.
        "id": delivery.id.replace(".", "-"),
        "source": delivery.source,
        "type": f"portquorum.notification.{delivery.action}.v1",
        "subject": _about(event),
        "time": at.replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }


def signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return f"v1,{base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()}"


def secret_of(url: str) -> bytes | None:
    """The key of the signature; None if the URL has no `secret`.

    Raises:
        ChannelUrlError: the secret is shorter than 8 bytes, or `whsec_` without Base64 behind it.
    """
    given = parameters(url).get("secret")
    if given is None:
        return None
    key = given.encode()
    if given.startswith(_PREFIX):
        try:
            key = base64.b64decode(given[len(_PREFIX) :], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ChannelUrlError(
                "expected Base64 behind whsec_ in the parameter secret, found something else"
            ) from error
    if len(key) < _SHORTEST_SECRET:
        raise ChannelUrlError(
            f"expected at least {_SHORTEST_SECRET} bytes in the parameter secret, found fewer"
        )
    return key


def _about(event: "Event | ChannelEvent | MassEvent | DrillEvent") -> str:
    match event:
        case ChannelEvent():
            return event.channel
        case MassEvent():
            return "mass"
        case DrillEvent():
            return "drill"
        case _:
            return subject(event)


def _mass(event: MassEvent) -> MassOutage:
    return MassOutage(
        event=event.event,
        down=event.down,
        total=event.total,
        hosts=event.hosts[:_MOST_HOSTS],
        since=event.since,
        at=event.at,
    )


def _drill(event: DrillEvent) -> FireDrill:
    return FireDrill(
        event="drill.overdue" if event.event == "drill.overdue" else "drill.done",
        every_ms=event.every_ms,
        since=event.since,
        at=event.at,
        stage=event.stage,
        last_at=UNSET if event.last_at is None else event.last_at,
    )


def _broken(event: ChannelEvent) -> BrokenChannel:
    return BrokenChannel(
        channel=event.channel,
        event=event.event,
        since=event.since,
        at=event.at,
        error=event.error,
        waiting=event.waiting,
    )
