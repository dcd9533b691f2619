"""Sends one delivery through one channel, and says what became of it."""

import os
from collections.abc import Callable, Mapping
from typing import Final, cast

from msgspec import structs

from schemas.plain_text import one_line
from sinks.notifier.channels.address import ChannelUrlError
from sinks.notifier.channels.by_apprise import send_by_apprise
from sinks.notifier.channels.by_ourselves import PROTOCOLS, send_by_ourselves
from sinks.notifier.channels.classes import class_of, usable
from sinks.notifier.channels.on_call_systems import addressed, on_call_system
from sinks.notifier.model import Delivery, OnCallAction, SendOutcome
from sinks.notifier.secrets import MissingSecretError, scrub

_ERROR_LENGTH: Final = 300
_ON_CALL: Final = frozenset({"trigger", "acknowledge", "resolve"})


def send(
    delivery: Delivery,
    *,
    may_send: Callable[[], bool],
    env: Mapping[str, str] = os.environ,
    source: str | None = None,
) -> SendOutcome:
    """Sends, and waits for the answer: at most 10 s for a connection and 30 s for an answer.

    For a thread: it blocks. Never raises. `may_send` is asked immediately before the request; if it
    says no, the outcome is `not_attempted`. No secret of the URL is in the outcome. A system that
    can't acknowledge or resolve is sent nothing then: `confirmed`, with an empty subject. If only a
    part of the targets of one URL confirmed, the outcome is `confirmed` with an `error` that says
    so: a repetition would tell the others again and again. One URL a target avoids that. `source`
    replaces the `source` of the delivery.
    """
    if source is not None:
        delivery = structs.replace(delivery, source=source)
    try:
        url = usable(delivery.channel.url, env)
    except MissingSecretError as error:
        return SendOutcome(kind="misconfigured", error=str(error))
    try:
        outcome = _send(url, delivery, may_send, env)
    except ChannelUrlError as error:
        return SendOutcome(kind="misconfigured", error=str(error))
    except Exception as error:  # noqa: BLE001 - a plugin's fault must not end the notifier
        outcome = SendOutcome(kind="refused", error=f"{type(error).__name__}: {error}")
    if outcome.error is None:
        return outcome
    clean = scrub(" ".join(one_line(outcome.error).split()), url, delivery.channel.url, env)
    return structs.replace(outcome, error=clean[:_ERROR_LENGTH])


def _send(
    url: str, delivery: Delivery, may_send: Callable[[], bool], env: Mapping[str, str]
) -> SendOutcome:
    scheme = url.partition("://")[0].strip().lower()
    protocol = PROTOCOLS.get(scheme)
    if protocol is not None:
        return send_by_ourselves(protocol, url, delivery, may_send)
    system = on_call_system(scheme)
    if (
        system is not None
        and delivery.action in _ON_CALL
        and class_of(delivery.channel, env) == "on_call"
    ):
        action = cast("OnCallAction", delivery.action)
        known = addressed(system, url, action, delivery.news[0].key)
        if known is None:
            return SendOutcome(kind="confirmed")
        url = known
    return send_by_apprise(url, delivery, may_send)
