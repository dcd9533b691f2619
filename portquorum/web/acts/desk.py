"""What all acts need: the fleet, a producer, the journal, and their errors."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.kafka.reconnecting_producer import SEND_ERRORS, KeyedMessage, ReconnectingProducer
from foundation.settings import Settings
from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.journal.protocol import Journal
from portquorum.web.fleet import Fleet
from portquorum.web.fleet.kept_target import KeptTarget
from portquorum.web.ports import Hub
from schemas import control, topics
from schemas.control import Control
from schemas.plain_text import plain
from schemas.web import Audit

AWAY: Final = (KafkaError, OSError)
"""Errors of Kafka; a time limit's `TimeoutError` is an OSError."""

WRITE_S: Final = 10.0
"""Longest wait for the broker's confirmation."""
SEEN_S: Final = 2.0
"""Longest wait until this page shows a change that is confirmed."""
_CONNECT_S: Final = 5.0
_CLOSE_S: Final = 1.0

_log: Final = telemetry.logger(__name__)


def wall_ms() -> int:
    """Now, in UTC ms."""
    return time.time_ns() // 1_000_000


class Desk:
    """One for each process. Its producer connects with the first act."""

    def __init__(self, settings: Settings, fleet: Fleet, hub: Hub, journal: Journal) -> None:
        """Connects to nothing yet."""
        self.settings = settings
        self.fleet = fleet
        self.hub = hub
        self.journal = journal
        self._producer = ReconnectingProducer(settings, start_s=_CONNECT_S)

    async def close(self) -> None:
        """Closes the producer."""
        await self._producer.close(_CLOSE_S / 2, _CLOSE_S)

    def must_be_read(self) -> None:
        """Checks that this process knows what there is.

        Raises:
            ChangeError: 503.
        """
        if not self.fleet.freshness().is_read or not self.journal.is_present.is_set():
            raise ChangeError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the page has not read everything yet: nothing was changed; try again",
            )

    def target(self, target_id: str) -> KeptTarget:
        """A target that there is.

        Raises:
            ChangeError: 404.
        """
        found = self.fleet.inventory.get(target_id)
        if found is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, f"there is no target {target_id[:128]!r}")
        return found

    def is_within(self, who: Principal) -> Callable[[str], bool]:
        """Whether the target of an id is there, and within the limits of `who`."""

        def within(target_id: str) -> bool:
            found = self.fleet.inventory.get(target_id)
            return found is not None and who.may_touch(found.shared.team, found.shared.tags)

        return within

    async def control(self, records: Sequence[tuple[int, Control]]) -> None:
        """Writes control records to partitions of [results]; all are confirmed on return.

        Raises:
            ChangeError: 503, Kafka is away.
        """
        topic = self.settings.topic(topics.RESULTS.name)
        try:
            async with asyncio.timeout(WRITE_S):
                await self._producer.connect()
                sent = [
                    await self._producer.send(
                        topic, b"", partition=partition, headers=control.headers(record)
                    )
                    for partition, record in records
                ]
                await asyncio.gather(*sent)
        except SEND_ERRORS as error:
            await self._producer.give_up()
            raise away(error) from error

    async def policy(self, entries: Mapping[bytes, bytes | None]) -> None:
        """As `write_policy`.

        Raises:
            ChangeError: 503, Kafka is away.
        """
        try:
            await self.write_policy(entries)
        except SEND_ERRORS as error:
            raise away(error) from error

    async def write_policy(self, entries: Mapping[bytes, bytes | None]) -> None:
        """Writes entries of [policy] by their keys; all are confirmed on return.

        Raises:
            KafkaError, OSError: Kafka is away.
        """
        messages = [KeyedMessage(key, value) for key, value in entries.items()]
        try:
            async with asyncio.timeout(WRITE_S):
                await self._producer.write(
                    self.settings.topic(topics.POLICY.name), messages, partition=0
                )
        except SEND_ERRORS:
            # What it holds would be written when the broker is back, long after the answer.
            await self._producer.give_up()
            raise

    async def until(self, is_so: Callable[[], bool], within_s: float) -> bool:
        """Waits until the fleet, of which each change is looked at, is so; False: it is not."""
        if is_so():
            return True
        try:
            async with asyncio.timeout(within_s), self.hub.subscribe() as changes:
                if is_so():
                    return True
                async for _ in changes:
                    if is_so():
                        return True
        except TimeoutError:
            pass
        return is_so()

    async def seen(self, is_so: Callable[[], bool]) -> None:
        """Waits a moment until this page shows what is confirmed: the next look has it."""
        await self.until(is_so, SEEN_S)

    async def audit(
        self,
        who: Principal,
        action: str,
        about: Sequence[str],
        detail: str = "",
        *,
        before: object = None,
        after: object = None,
    ) -> None:
        """Writes down what was done to each of `about`; a failure is logged, for it is done."""
        at = wall_ms()
        records = [
            Audit(
                id=secrets.token_hex(8),
                at=at,
                by=who.name,
                action=action,
                about=one[:2000],
                detail=detail[:500],
                before=_json(before),
                after=_json(after),
            )
            for one in about
        ]
        try:
            await self.journal.put(records)
        except AWAY as error:
            _log.warning("the audit log lacks changes", action=action, error=repr(error))


def away(error: Exception) -> ChangeError:
    """503 because of Kafka. What was written may be there all the same."""
    _log.warning("a change is not confirmed", error=repr(error))
    return ChangeError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Kafka does not answer: it is not confirmed, and may be done all the same; look, and try "
        "again",
    )


def wrong(field: str, message: str) -> ChangeError:
    """400 because of one field."""
    return ChangeError(
        HTTPStatus.BAD_REQUEST,
        f"{field}: {message}",
        errors=[FieldError(field=field, message=message)],
    )


def cleaned(field: str, text: str, most: int, *, needed: bool = False) -> str:
    """A text of a person as records take it: without unsafe characters and outer blanks.

    Raises:
        ChangeError: 400, it is longer than `most` characters, or empty though it is `needed`.
    """
    found = plain(text).strip()
    if len(found) > most:
        raise wrong(field, f"expected at most {most} characters, found {len(found)}")
    if needed and not found:
        raise wrong(field, "expected some words for other people to read, found none")
    return found


def _json(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
