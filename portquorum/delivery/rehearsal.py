"""Test messages by the channels of a route, sent from this machine."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Final

from msgspec import Struct

from schemas.incident import IncidentEvent, RegionVerdict, Votes
from sinks.notifier.model import (
    Action,
    Channel,
    ChannelClass,
    Delivery,
    News,
    OutcomeKind,
    SendOutcome,
)

HOST: Final = "test.invalid"
"""The host of test messages: nobody has a name below `invalid` (RFC 6761, section 6.4)."""

_THREADS: Final = 32

Send = Callable[[Delivery], SendOutcome]


class Rehearsed(Struct, frozen=True, kw_only=True):
    """What became of one test message. `error` has no secrets."""

    route: str
    id: str
    scheme: str
    action: Action
    outcome: OutcomeKind
    ms: int
    error: str | None

    @property
    def confirmed(self) -> bool:
        """True if the channel said yes."""
        return self.outcome == "confirmed"


def rehearse(
    channels: Sequence[Channel], class_of: Callable[[Channel], ChannelClass], send: Send
) -> list[Rehearsed]:
    """Sends a test message through each channel, to all at the same time; in their order.

    People get one text. An on-call system gets a trigger with a key of its own, and then its
    resolve: without it if the trigger can't have arrived.
    """
    if not channels:
        return []
    with ThreadPoolExecutor(min(_THREADS, len(channels))) as threads:
        each = threads.map(lambda one: list(_one(one, class_of(one), send)), channels)
        return list(chain.from_iterable(each))


def _one(channel: Channel, kind: ChannelClass, send: Send) -> Iterator[Rehearsed]:
    at = time.time_ns() // 1_000_000
    of = uuid.uuid4().hex
    first = _sent(_delivery(channel, "opened" if kind == "people" else "trigger", of, at), send)
    yield first
    if kind == "on_call" and first.outcome in {"confirmed", "uncertain"}:
        yield _sent(_delivery(channel, "resolve", of, at), send)


def _sent(delivery: Delivery, send: Send) -> Rehearsed:
    began = time.monotonic()
    outcome = send(delivery)
    return Rehearsed(
        route=delivery.channel.route,
        id=delivery.channel.id,
        scheme=delivery.channel.scheme,
        action=delivery.action,
        outcome=outcome.kind,
        ms=round((time.monotonic() - began) * 1000),
        error=outcome.error,
    )


def _delivery(channel: Channel, action: Action, of: str, at: int) -> Delivery:
    event = sample_event(channel.route, of, at, over=action == "resolve")
    news = News(
        entry=f"incident/{event.incident_id}",
        event=event,
        key=f"{event.incident_id}/1",
        due_at=at,
        told_before=action == "resolve",
    )
    return Delivery(
        id=f"{event.incident_id}/{action}",
        channel=channel,
        action=action,
        news=(news,),
        attempt=1,
        plain=False,
        at=at,
    )


def sample_event(route: str, of: str, at: int, *, over: bool) -> IncidentEvent:
    """The event of a test message: it says in its name and its summary that it is a test."""
    ended = " The test is over." if over else ""
    return IncidentEvent(
        event_id=f"test-{of}-{'closed' if over else 'opened'}",
        event="closed" if over else "opened",
        incident_id=f"test-{of}",
        incident_type="unreachable",
        severity="info",
        target="portquorum-test",
        name=f"TEST of the route {route}, nothing is wrong",
        kind="tcp",
        host=HOST,
        port=1,
        team=None,
        tags=("test",),
        criticality="normal",
        depends_on=(),
        regions={"test": RegionVerdict(verdict="up" if over else "down", since=at)},
        votes=Votes(down=0 if over else 1, need=1, fresh=1, configured=1),
        first_failed_at=at,
        opened_at=at,
        closed_at=at if over else None,
        closed_because="recovered" if over else None,
        at=at,
        host_targets=(),
        summary=f"This is a test message of `portquorum notify test`: nothing is wrong.{ended}",
        first_steps=(),
        runbook=None,
    )
