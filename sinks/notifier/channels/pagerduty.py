"""`pagerduty://`: Events API v2. Pure.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ (fields, severities, 202), and
https://developer.pagerduty.com/docs/events-api-v2/overview/ (limits: `dedup_key` 255 and `summary`
1024 characters, an event 512 KB). A `resolve` or `acknowledge` of a key that is not open does
nothing.

URLs: `pagerduty://ROUTING_KEY`, and Apprise's `pagerduty://ROUTING_KEY@API_KEY/source/component`,
whose API key the Events API does not need. Parameters: `region=us|eu`, `endpoint` (of a gateway, or
of tests), and Apprise's `source`, `component`, `group`, `class`.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from schemas.plain_text import plain
from sinks.notifier.channels.address import (
    Address,
    ChannelUrlError,
    HttpPost,
    endpoint_of,
    parts_of,
)
from sinks.notifier.channels.facts import Facts, facts
from sinks.notifier.model import Delivery, News
from sinks.notifier.texts.model import Budget, Text
from sinks.notifier.texts.on_call import details, summary_line

BUDGET: Final = Budget(title=1_024, body=10_000)

_PATH: Final = "/v2/enqueue"
_ENDPOINTS: Final = {
    "us": f"https://events.pagerduty.com{_PATH}",
    "eu": f"https://events.eu.pagerduty.com{_PATH}",
}
_KEY_LENGTH: Final = 255
_SUMMARY_LENGTH: Final = 1_024
_SHORT: Final = 255


def check(url: str) -> None:
    """Looks whether the filled-in `url` can be used.

    Raises:
        ChannelUrlError: it can't.
    """
    address = parts_of(url)
    _routing_key(address)
    _endpoint(address)


def post(url: str, delivery: Delivery, texts: Sequence[Text]) -> HttpPost:
    """The request for the one subject of `delivery`.

    Raises:
        ChannelUrlError: the URL can't be used.
    """
    address = parts_of(url)
    news, text = delivery.news[0], texts[0]
    event: dict[str, Any] = {
        "routing_key": _routing_key(address),
        "event_action": delivery.action,
        "dedup_key": dedup_key(news.key),
        "client": "portquorum",
    }
    if delivery.action == "trigger":
        known = facts(news)
        event["payload"] = _payload(known, address, news, text)
        if known.runbook is not None:
            event["links"] = [{"href": known.runbook, "text": "Runbook"}]
    return HttpPost(
        url=_endpoint(address),
        body=msgspec.json.encode(event),
        headers={"Content-Type": "application/json"},
    )


def dedup_key(key: str) -> str:
    """The subject's key; its SHA-256 if it is too long for PagerDuty."""
    return key if len(key) <= _KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def _payload(known: Facts, address: Address, news: News, text: Text) -> dict[str, Any]:
    # People who come from Apprise keep their URL, with its parameters.
    path = (*address.path, "", "")
    payload = {
        "summary": summary_line(news, _SUMMARY_LENGTH),
        "source": address.query.get("source") or path[0] or known.source,
        "severity": known.urgency,
        "timestamp": datetime.fromtimestamp(known.began_at / 1000, tz=UTC).isoformat(
            timespec="milliseconds"
        ),
        "component": address.query.get("component") or path[1] or known.component,
        "group": address.query.get("group") or known.group,
        "class": address.query.get("class") or known.alert,
    }
    made: dict[str, Any] = {
        name: value if name == "summary" else plain(value)[:_SHORT]
        for name, value in payload.items()
        if value
    }
    made["custom_details"] = details(news) | {"text": plain(text.body)}
    return made


def _routing_key(address: Address) -> str:
    """The user where there is one (Apprise's form), else what stands first."""
    given = address.query.get("integrationkey") or address.query.get("routing_key")
    key = given or address.user or address.first
    if not key or not key.isalnum():
        raise ChannelUrlError(
            "expected pagerduty://ROUTING_KEY with the 32 letters and digits of an Events API v2 "
            "integration, found no such key"
        )
    return key


def _endpoint(address: Address) -> str:
    region = address.query.get("region", "us").lower()
    if region not in _ENDPOINTS:
        raise ChannelUrlError("expected region=us or region=eu in the pagerduty:// URL")
    return endpoint_of(address.query.get("endpoint"), _ENDPOINTS[region], _PATH)
