"""Writes down who changed what."""

import secrets
import time
from collections.abc import Callable
from typing import Final

import msgspec
from aiokafka.errors import KafkaError

from foundation.telemetry import logger
from portquorum.access.principal import Principal
from portquorum.journal.protocol import Journal
from schemas.plain_text import one_line
from schemas.web import Audit

_NAME: Final = 255
_NOTE: Final = 500
_TEXT: Final = 10_000
_LONG: Final = 2**20
_TOO_LONG: Final = '{"left_out":"too long"}'


def now_ms() -> int:
    """This machine's clock, UTC ms."""
    return time.time_ns() // 1_000_000


class AuditLog:
    """The audit log; what it is given must have no secrets."""

    def __init__(self, journal: Journal, now: Callable[[], int] = now_ms) -> None:
        """`now` gives UTC ms."""
        self._journal = journal
        self._now = now

    async def record(  # noqa: PLR0917 - in the order of a sentence: who did what, to what
        self,
        who: Principal,
        action: str,
        about: str,
        detail: str = "",
        before: object = None,
        after: object = None,
        *,
        change: str = "",
    ) -> None:
        """Writes an entry of a change that was made; `change` is that of its edits, if any.

        `before` and `after` become JSON; None: there was nothing. A failure is logged and raises
        nothing: the change was made, and its own record says by whom.
        """
        entry = Audit(
            id=change or secrets.token_hex(8),
            at=self._now(),
            by=_cut(who.name, _NAME),
            action=_cut(action, _NAME),
            about=_cut(about, _TEXT),
            detail=_cut(detail, _NOTE),
            before=_json(before),
            after=_json(after),
        )
        try:
            await self._journal.put([entry])
        except (KafkaError, OSError) as error:
            logger(__name__).warning(
                "a change is not in the audit log",
                action=entry.action,
                about=entry.about,
                by=entry.by,
                error=str(error),
            )


def _cut(text: str, length: int) -> str:
    return one_line(text)[:length]


def _json(value: object) -> str:
    if value is None:
        return ""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONG else _TOO_LONG
