"""Silences in Alertmanager on alerts of ours: who made one has the incident in hand.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml: `getAlerts` gives each
alert with the ids of the silences in force on it, `getSilence` says who made one, and why. We know
an alert by its annotation `key`.
"""

import re
from collections.abc import Collection
from typing import Annotated, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta, Raw, Struct

from schemas.json_decoder import JsonDecoder
from sinks.notifier.channels.address import http_url
from sinks.notifier.links.fetching import Fetch, FetchError, HttpGet
from sinks.notifier.links.returned import ReturnedWord

MOST_SILENCES: Final = 50
"""Silences that are asked for at a time."""

_PARAMETERS: Final = frozenset({"cto", "rto"})
_OURS: Final = (
    'alertname=~"PortUnreachable|PortSlow|PortFlapping|CertificateExpiring|PortTrouble|PortOpen|'
    'DomainNotRenewed|DomainExpiring|JobFailing|JobFlapping"'
)
ASKED: Final = (
    ("active", "false"),
    ("silenced", "true"),
    ("inhibited", "false"),
    ("unprocessed", "false"),
    ("filter", _OURS),
)
"""The question for silenced alerts of targets."""
_ID: Final = re.compile(r"[0-9a-fA-F-]{1,64}")
_Short = Annotated[str, Meta(max_length=10_000)]


class _Annotations(Struct):
    key: _Short = ""


class _AlertStatus(Struct):
    silenced_by: Annotated[tuple[_Short, ...], Meta(max_length=1_000)] = msgspec.field(
        default=(), name="silencedBy"
    )


class _SilencedAlert(Struct):
    annotations: _Annotations
    status: _AlertStatus


class _ForeignSilence(Struct):
    created_by: _Short = msgspec.field(default="", name="createdBy")
    comment: _Short = ""


_alerts: Final[JsonDecoder[list[Raw]]] = JsonDecoder(list[Raw])
_alert: Final[JsonDecoder[_SilencedAlert]] = JsonDecoder(_SilencedAlert)
_silence: Final[JsonDecoder[_ForeignSilence]] = JsonDecoder(_ForeignSilence)


def silenced(url: str, keys: Collection[str], fetch: Fetch) -> dict[str, ReturnedWord]:
    """Those of `keys` whose alerts somebody has silenced, and who.

    `url` is the filled-in URL of the channel.

    Raises:
        ChannelUrlError: the URL can't be used.
        FetchError: no answer, or one that is none of this API.
    """
    found: dict[str, str] = {}
    try:
        for raw in _alerts.decode(fetch(_get(url, "alerts", ASKED))):
            try:
                alert = _alert.decode(bytes(raw))
            except msgspec.DecodeError:
                continue  # of somebody else
            ids = [one for one in alert.status.silenced_by if _ID.fullmatch(one)]
            if ids and alert.annotations.key in keys:
                found[alert.annotations.key] = ids[0]
    except msgspec.DecodeError as error:
        raise FetchError("expected a list of alerts, found no such answer") from error
    makers: dict[str, ReturnedWord] = {}
    for silence_id in list(dict.fromkeys(found.values()))[:MOST_SILENCES]:
        try:
            made = _silence.decode(fetch(_get(url, f"silence/{quote(silence_id, safe='')}")))
        except (FetchError, msgspec.DecodeError):
            continue  # it ended meanwhile; the next look will say
        makers[silence_id] = ReturnedWord(made.created_by, made.comment)
    return {key: makers[one] for key, one in found.items() if one in makers}


def _get(url: str, path: str, query: tuple[tuple[str, str], ...] = ()) -> HttpGet:
    base, user, password = http_url(url, drop=_PARAMETERS)
    base, _, given = base.partition("?")
    asked = "&".join(part for part in (given, urlencode(query)) if part)
    full = f"{base.rstrip('/')}/api/v2/{path}" + (f"?{asked}" if asked else "")
    return HttpGet(url=full, user=user, password=password)
