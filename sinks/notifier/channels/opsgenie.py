"""`opsgenie://` and `jira://`: the Alert API v2 of Opsgenie and Jira Service Management. Pure.

https://docs.opsgenie.com/docs/alert-api (create, acknowledge, close; `message` 130, `alias` 512,
`description` 15000 characters, 50 responders, 20 tags of 50), answers 202. Jira's is at
https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/;
that it takes `identifierType=alias` too says https://jira.atlassian.com/browse/JSDCLOUD-14179.

URLs as Apprise has them: `opsgenie://API_KEY/@user/#team/*schedule/^escalation`; without a prefix
it is a user. Parameters: `region=us|eu`, `tags`, `endpoint`.
"""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from schemas.plain_text import plain
from sinks.notifier.channels.address import (
    Address,
    ChannelUrlError,
    HttpPost,
    endpoint_of,
    parts_of,
)
from sinks.notifier.channels.facts import facts
from sinks.notifier.model import Delivery, News
from sinks.notifier.texts.model import Budget, Text
from sinks.notifier.texts.on_call import details, summary_line

BUDGET: Final = Budget(title=250, body=14_000)

_PATH: Final = "/v2/alerts"
_ENDPOINTS: Final = {
    "us": f"https://api.opsgenie.com{_PATH}",
    "eu": f"https://api.eu.opsgenie.com{_PATH}",
}
_JIRA: Final = "https://api.atlassian.com/jsm/ops/integration/v2/alerts"
_KINDS: Final = {
    "@": ("user", "username"),
    "#": ("team", "name"),
    "*": ("schedule", "name"),
    "^": ("escalation", "name"),
}
_PRIORITIES: Final = {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}
_ALIAS_LENGTH: Final = 512
_MESSAGE_LENGTH: Final = 130
_DESCRIPTION_LENGTH: Final = 15_000
_MOST_RESPONDERS: Final = 50
_MOST_TAGS: Final = 20
_TAG_LENGTH: Final = 50
_ENTITY_LENGTH: Final = 512


def check(url: str) -> None:
    """Looks whether the filled-in `url` can be used.

    Raises:
        ChannelUrlError: it can't.
    """
    address = parts_of(url)
    _api_key(address)
    _endpoint(url, address)


def post(url: str, delivery: Delivery, texts: Sequence[Text]) -> HttpPost:
    """The request for the one subject of `delivery`.

    Raises:
        ChannelUrlError: the URL can't be used.
    """
    address = parts_of(url)
    news, text = delivery.news[0], texts[0]
    endpoint = _endpoint(url, address)
    alias = alias_of(news.key)
    if delivery.action == "trigger":
        body = _alert(news, address, text, alias)
    else:
        step = "acknowledge" if delivery.action == "acknowledge" else "close"
        endpoint = f"{endpoint}/{quote(alias, safe='')}/{step}?identifierType=alias"
        body = {"source": "portquorum", "note": plain(text.body)[:_DESCRIPTION_LENGTH]}
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"GenieKey {_api_key(address)}",
    }
    return HttpPost(url=endpoint, body=msgspec.json.encode(body), headers=headers)


def api_of(url: str) -> tuple[str, str]:
    """The URL of the alerts and the key of the API, of the filled-in URL of a channel.

    Raises:
        ChannelUrlError: the URL can't be used.
    """
    address = parts_of(url)
    return _endpoint(url, address), _api_key(address)


def alias_of(key: str) -> str:
    """The subject's key; its SHA-256 if it is too long for Opsgenie."""
    return key if len(key) <= _ALIAS_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def _alert(news: News, address: Address, text: Text, alias: str) -> dict[str, Any]:
    known = facts(news)
    tags = [tag for tag in address.query.get("tags", "").replace(",", " ").split() if tag]
    alert = {
        "message": summary_line(news, _MESSAGE_LENGTH),
        "alias": alias,
        "description": plain(text.body)[:_DESCRIPTION_LENGTH],
        "entity": plain(known.source)[:_ENTITY_LENGTH],
        "source": "portquorum",
        "priority": _PRIORITIES[known.urgency],
        "details": details(news),
        "responders": _responders(address),
        "tags": [tag[:_TAG_LENGTH] for tag in tags[:_MOST_TAGS]],
    }
    return {name: value for name, value in alert.items() if value}


def _responders(address: Address) -> list[dict[str, str]]:
    named = address.query.get("to", "").replace(",", " ").split()
    found = []
    for target in (*address.path, *named):
        kind, field = _KINDS.get(target[:1], _KINDS["@"])
        name = target[1:] if target[:1] in _KINDS else target
        if name:
            found.append({"type": kind, "id" if _is_id(name) else field: name})
    return found[:_MOST_RESPONDERS]


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name.lower()
    except ValueError:
        return False


def _api_key(address: Address) -> str:
    key = address.query.get("apikey") or address.first
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ChannelUrlError(
            "expected opsgenie://API_KEY/… (jira://API_KEY/…) with the key of an API integration, "
            "found no such key"
        )
    return key


def _endpoint(url: str, address: Address) -> str:
    region = address.query.get("region", "us").lower()
    if region not in _ENDPOINTS:
        raise ChannelUrlError("expected region=us or region=eu in the opsgenie:// URL")
    jira = url.partition("://")[0].lower() == "jira"
    default = _JIRA if jira else _ENDPOINTS[region]
    return endpoint_of(address.query.get("endpoint"), default, _PATH).rstrip("/")
