"""Deliveries for tests of channels."""

from typing import Any

from sinks.notifier.model import Action, Channel, Delivery, News
from tests.unit.sinks.notifier.events import AT, incident_event


def news(key: str = "i1/1", **fields: Any) -> News:
    return News(entry="incident/i1", event=incident_event(**fields), key=key, due_at=AT)


def delivery(url: str, action: Action = "opened", *subjects: News, **fields: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": "d1",
        "channel": Channel("ops", url),
        "action": action,
        "news": subjects or (news(),),
        "attempt": 1,
        "plain": False,
        "at": AT + 1_000,
    }
    return Delivery(**(values | fields))
