"""Runs the on-call systems against the proxy: as the notifier sends, and as Apprise alone would."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import apprise
import pytest
from msgspec import Struct, structs

from schemas import incident
from schemas.incident import IncidentEvent
from sinks.notifier.channels.send import send
from sinks.notifier.model import Channel, Delivery, News, OnCallAction, SendOutcome
from tests.integration.sinks.notifier.on_call.intercept import Intercept, Request
from tests.integration.sinks.notifier.on_call.systems import Plugin

_EXAMPLES = Path(__file__).parents[5] / "schemas" / "examples" / "incidents"

OPENED = "TCP Port Unreachable: Shop (shop.example.org:443)"
CLOSED = "TCP Port Reachable Again: Shop (shop.example.org:443)"
BODY = "Shop (shop.example.org:443) refuses connections since 12:00 UTC."

KEY_1, KEY_2 = "i-7f3a/1", "i-7f3a/2"
"""The keys of the first and the second episode of one incident."""

STORY: tuple[tuple[str, tuple[tuple[OnCallAction, str], ...]], ...] = (
    ("opened", (("trigger", KEY_1),)),
    ("acknowledged", (("acknowledge", KEY_1),)),
    ("worsened", (("resolve", KEY_1), ("trigger", KEY_2))),
    ("closed", (("resolve", KEY_2),)),
)
"""What happens, and what the decision gives an on-call channel for it."""

WRITTEN = (
    ("opened", OPENED, "failure"),
    ("another host", OPENED.replace("hop", "helf"), "failure"),
    ("no type", OPENED, "info"),
    ("closed", CLOSED, "success"),
)
"""Messages to the URL as written: a title and a type; without a type, Apprise takes `info`."""


class Told(Struct, frozen=True):
    """What was received, and whether the sender was told that it was sent."""

    confirmed: bool
    requests: tuple[Request, ...]


@contextlib.contextmanager
def through(proxy: Intercept) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in proxy.environment.items():
            patch.setenv(name, value)
        yield


def as_notifier(plugin: Plugin, proxy: Intercept) -> dict[str, tuple[Told, ...]]:
    """What the system receives for each part of the story, by the notifier's own code."""
    story: dict[str, tuple[Told, ...]] = {}
    for part, deliveries in STORY:
        told = []
        for action, key in deliveries:
            outcome = send(_delivery(plugin, part, action, key), may_send=lambda: True)
            told.append(Told(_sent(outcome), tuple(proxy.taken())))
        story[part] = tuple(told)
    return story


def as_written(plugin: Plugin, proxy: Intercept) -> dict[str, Told]:
    """What the system receives with Apprise's types alone."""
    return {part: _notify(plugin.url, title, kind, proxy) for part, title, kind in WRITTEN}


def _sent(outcome: SendOutcome) -> bool:
    assert outcome.kind == "confirmed", outcome
    return bool(outcome.subject)


def _delivery(plugin: Plugin, part: str, action: OnCallAction, key: str) -> Delivery:
    name = {"opened": "opened", "acknowledged": "updated"}.get(part, part)
    event = incident.decode((_EXAMPLES / f"{name}.json").read_bytes())
    assert isinstance(event, IncidentEvent)
    if part == "acknowledged":
        event = structs.replace(event, acknowledged_by="ann")
    news = News(entry="incident/i-7f3a", event=event, key=key, episode=int(key[-1]))
    return Delivery(
        id=f"{key}/{action}",
        channel=Channel("ops", plugin.url),
        action=action,
        news=(news,),
        attempt=1,
        plain=False,
        at=event.at,
    )


def _notify(url: str, title: str, kind: str, proxy: Intercept) -> Told:
    # A new object each time, as after a restart.
    channel = apprise.Apprise()
    assert channel.add(url), url
    confirmed = channel.notify(
        body=BODY,
        title=title,
        notify_type=getattr(apprise.NotifyType, kind.upper()),  # Apprise 1: plain strings
        body_format=apprise.NotifyFormat.TEXT,
    )
    return Told(bool(confirmed), tuple(proxy.taken()))
