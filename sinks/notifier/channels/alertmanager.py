"""`alertmanager+http(s)://`: Alertmanager's API v2. Pure.

https://prometheus.io/docs/alerting/latest/alerts_api/ and
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (`postAlerts`). An alert is
its labels; it fires until `endsAt`, so what is open is posted again every minute and lives 5 min
longer each time. Posted with `endsAt` in the past it is resolved.

URLs: `alertmanager+https://user:password@host:9093/prefix`, with the prefix of
`--web.route-prefix`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from schemas.plain_text import plain
from sinks.notifier.channels.address import HttpPost, http_url
from sinks.notifier.channels.facts import facts
from sinks.notifier.model import Delivery, News
from sinks.notifier.texts.model import Budget, Text
from sinks.notifier.texts.on_call import summary_line

BUDGET: Final = Budget(title=250, body=4_000)

LIFE_MS: Final = 300_000
"""How long an alert fires without being repeated."""

_PATH: Final = "/api/v2/alerts"
_SUMMARY_LENGTH: Final = 500


def check(url: str) -> None:
    """Looks whether the filled-in `url` can be used.

    Raises:
        ChannelUrlError: it can't.
    """
    http_url(url)


def post(url: str, delivery: Delivery, texts: Sequence[Text]) -> HttpPost:
    """The request for all subjects of `delivery`, each with its text.

    Raises:
        ChannelUrlError: the URL can't be used.
    """
    base, user, password = http_url(url)
    base, _, query = base.partition("?")
    both = zip(delivery.news, texts, strict=True)
    alerts = [alert(news, delivery, text) for news, text in both]
    return HttpPost(
        url=f"{base.rstrip('/')}{_PATH}" + (f"?{query}" if query else ""),
        body=msgspec.json.encode(alerts),
        headers={"Content-Type": "application/json"},
        user=user,
        password=password,
    )


def alert(news: News, delivery: Delivery, text: Text) -> dict[str, Any]:
    """One alert as the API takes it."""
    known = facts(news)
    began_at = min(known.began_at, delivery.at)
    ends_at = delivery.at + LIFE_MS
    if delivery.action == "resolve":
        # Never in the future, which would let it fire on; never before its beginning: refused.
        ends_at = max(min(known.ended_at or delivery.at, delivery.at), began_at)
    annotations = {
        "summary": summary_line(news, _SUMMARY_LENGTH),
        "description": plain(text.body),
        "key": news.key,
    }
    if known.runbook is not None:
        annotations["runbook_url"] = known.runbook
    found: dict[str, Any] = {
        "labels": {name: plain(value) for name, value in known.labels.items()},
        "annotations": annotations,
        "startsAt": _time(began_at),
        "endsAt": _time(ends_at),
    }
    if known.runbook is not None:
        found["generatorURL"] = known.runbook
    return found


def _time(at: int) -> str:
    text = datetime.fromtimestamp(at / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
