"""When sessions and tokens were used last: at once in memory, and now and then in the topic."""

import asyncio
from typing import Final

from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.log_throttle import LogThrottle
from portquorum.journal.protocol import Journal
from schemas.duration import HOUR_MS
from schemas.web import Session, SessionUse, Single, Token, TokenSeen

SESSION_MS: Final = 900_000
"""A use of a session is written down if the last one that is written down is so old."""
WRITE_S: Final = 5.0

_log: Final = telemetry.logger(__name__)


class LastUse:
    """The last uses of one process."""

    def __init__(self, journal: Journal) -> None:
        """Writes nothing until `run`."""
        self._journal = journal
        self._sessions: dict[str, int] = {}
        self._tokens: dict[str, int] = {}
        self._throttle: LogThrottle[str] = LogThrottle()

    def of_session(self, name: str) -> int:
        """When a session was used last, UTC ms; 0: never since it was made."""
        return max(self._sessions.get(name, 0), self._written_at(name))

    def session(self, name: str, now: int) -> None:
        """A session is used."""
        self._sessions[name] = now

    def token(self, name: str, now: int) -> None:
        """A token is used."""
        self._tokens[name] = now

    async def run(self) -> None:
        """Writes without end; cancel the task to stop. What can't be written now is tried again."""
        while True:
            await asyncio.sleep(WRITE_S)
            await self.write()

    async def write(self) -> None:
        """Writes what is due."""
        records = [*self._due_sessions(), *self._due_tokens()]
        if not records or not self._journal.is_present.is_set():
            return
        try:
            await self._journal.put(records)
        except (KafkaError, OSError, TimeoutError) as error:
            if self._throttle.times("unwritten"):
                _log.warning("the last use of sessions can't be written", error=str(error))

    def _due_sessions(self) -> list[Single]:
        """Forgets sessions that are gone."""
        book = self._journal.book
        due: list[Single] = []
        for name, at in list(self._sessions.items()):
            record = book.one(Session, name)
            if record is None:
                del self._sessions[name]
            elif at - max(record.seen_at, self._written_at(name)) >= SESSION_MS:
                # Never the session anew: it may have been ended at this moment.
                due.append(SessionUse(id=name, at=at))
        return due

    def _written_at(self, name: str) -> int:
        written = self._journal.book.one(SessionUse, name)
        return 0 if written is None else written.at

    def _due_tokens(self) -> list[Single]:
        book = self._journal.book
        due: list[Single] = []
        for name, at in list(self._tokens.items()):
            hour = at - at % HOUR_MS
            seen = book.one(TokenSeen, name)
            if book.get(Token, name) is None or (seen is not None and seen.at >= hour):
                del self._tokens[name]
            else:
                due.append(TokenSeen(id=name, at=hour))
        return due
