"""Delivers one message through one channel: Apprise in a thread, with the text of its failure."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import apprise
from msgspec import Struct

from sinks.notifier.message import Text
from sinks.notifier.secrets import MissingSecretError, fill_in, scrub

THREADS: Final = 32
"""Number of channels that may be slow at the same time; Apprise's own timeouts end each call."""

_ERROR_LENGTH: Final = 300


class DeliveryOutcome(Struct, frozen=True):
    """`error` is None if the channel confirmed. `final`: another attempt can't help."""

    error: str | None = None
    final: bool = False


class Deliverer:
    """Sends through Apprise; one instance for a process."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")
        # What Apprise logs may show secrets; what it says of a failure comes with the result.
        log = logging.getLogger("apprise")
        log.propagate = False
        if not log.handlers:
            log.addHandler(logging.NullHandler())

    def close(self) -> None:
        """Prevents further calls; running ones end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def deliver(self, url: str, text: Text) -> DeliveryOutcome:
        """Sends `text` to the channel `url` (with placeholders). Never raises.

        The outcome's error contains no secret.
        """
        try:
            full = fill_in(url)
        except MissingSecretError as error:
            return DeliveryOutcome(str(error), final=True)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._send, full, text)

    def _send(self, url: str, text: Text) -> DeliveryOutcome:
        try:
            channel = apprise.Apprise()
            if not channel.add(url):
                return DeliveryOutcome(
                    "Apprise does not accept the URL of this channel", final=True
                )
            result = channel.notify(
                body=text.body, title=text.subject, body_format=apprise.NotifyFormat.TEXT
            )
            if result:
                return DeliveryOutcome()
            # Apprise 1 gives a plain bool.
            said = [entry.message for entry in result.logs()] if hasattr(result, "logs") else []
            why = "; ".join(said) or "the channel did not confirm"
        except Exception as error:  # noqa: BLE001 - a plugin's fault must not end the notifier
            why = f"{type(error).__name__}: {error}"
        return DeliveryOutcome(scrub(" ".join(why.split()), url)[:_ERROR_LENGTH])
