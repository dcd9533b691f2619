"""Alerts of ours in Opsgenie that somebody has acknowledged there.

https://docs.opsgenie.com/docs/alert-api, "List Alerts": `GET /v2/alerts` with a query, at most 100
alerts at a time, each with `alias`, `acknowledged` and `report.acknowledgedBy`. One request tells
of all our alerts, whatever their number, so this is one request a minute for a key.

Not of Jira Service Management (`jira://`): the key of its integration may not list alerts.
"""

from collections.abc import Collection
from typing import Annotated, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Meta, Raw, Struct

from schemas.json_decoder import JsonDecoder
from sinks.notifier.channels.opsgenie import alias_of, api_of
from sinks.notifier.links.fetching import Fetch, FetchError, HttpGet
from sinks.notifier.links.returned import ReturnedWord

MOST_ALERTS: Final = 100
"""The API gives no more at a time; the newest of them."""

_ASKED: Final = {
    "query": "status: open AND acknowledged: true AND source: portquorum",
    "sort": "updatedAt",
    "order": "desc",
    "limit": str(MOST_ALERTS),
}
_Short = Annotated[str, Meta(max_length=10_000)]


class _Report(Struct):
    acknowledged_by: _Short = msgspec.field(default="", name="acknowledgedBy")


class _OpsgenieAlert(Struct):
    alias: _Short
    acknowledged: bool = False
    status: _Short = ""
    owner: _Short | None = None
    report: _Report | None = None


class _AlertList(Struct):
    data: list[Raw]


_list: Final[JsonDecoder[_AlertList]] = JsonDecoder(_AlertList)
_alert: Final[JsonDecoder[_OpsgenieAlert]] = JsonDecoder(_OpsgenieAlert)


def acknowledged(url: str, keys: Collection[str], fetch: Fetch) -> dict[str, ReturnedWord]:
    """Those of `keys` whose alerts somebody has acknowledged, and who.

    `url` is the filled-in URL of the channel.

    Raises:
        ChannelUrlError: the URL can't be used.
        FetchError: no answer, or one that is none of this API.
    """
    endpoint, api_key = api_of(url)
    ours = {alias_of(key): key for key in keys}
    parts = urlsplit(endpoint)
    get = HttpGet(
        url=f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(_ASKED)}",
        headers={"Authorization": f"GenieKey {api_key}"},
    )
    try:
        listed = _list.decode(fetch(get)).data
    except msgspec.DecodeError as error:
        raise FetchError("expected a list of alerts, found no such answer") from error
    found = {}
    for raw in listed:
        try:
            alert = _alert.decode(bytes(raw))
        except msgspec.DecodeError:
            continue  # of somebody else
        key = ours.get(alert.alias)
        # A closed alert keeps its alias.
        if key is not None and alert.acknowledged and alert.status in {"", "open"}:
            by = "" if alert.report is None else alert.report.acknowledged_by
            found[key] = ReturnedWord(by or alert.owner or "")
    return found
