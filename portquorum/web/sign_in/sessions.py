"""Sessions: made at sign-in, ended at sign-out."""

import secrets
import time
from collections.abc import Callable
from typing import Final, Literal

from portquorum.access.principal import Principal
from portquorum.access.tokens import digest
from portquorum.journal.protocol import Journal
from portquorum.web.access.known import LONGEST_MS
from portquorum.web.sign_in.writing import written
from schemas.web import Audit, Scope, Session, User

MOST_SESSIONS: Final = 100
"""Sessions of one person: every process keeps all of them for a week."""

MAX_AGE_S: Final = LONGEST_MS // 1000
"""How long a browser keeps the cookie."""


def wall_ms() -> int:
    """This machine's time, UTC ms."""
    return time.time_ns() // 1_000_000


class Sessions:
    """Makes and ends sessions. All raise ChangeError (503) while Kafka is away.

    A session always gets a new secret, and the one that the browser had before ends: whoever knew
    that one, or put it there, is not signed in with it (session fixation).
    """

    def __init__(self, journal: Journal, clock: Callable[[], int] = wall_ms) -> None:
        """`clock` gives UTC ms."""
        self._journal = journal
        self._clock = clock

    async def of_user(self, user: User, address: str, before: str) -> str:
        """Signs a user in who has shown their password; the secret for the cookie.

        `before` is the cookie that the browser had.
        """
        return await self._made(user.name, "password", address, before, epoch=user.epoch)

    async def of_provider(self, who: Principal, address: str, before: str, *, is_user: bool) -> str:
        """Signs somebody in whom the provider has named; the secret for the cookie.

        `is_user`: they are a user here (without a password), and come in only as long as they are.
        """
        return await self._made(
            who.name,
            "oidc",
            address,
            before,
            epoch=1 if is_user else 0,
            scope=who.scope,
            teams=who.teams,
        )

    async def end(self, secret: str) -> None:
        """Ends a session by its cookie; one that is not there has ended."""
        name = digest(secret)
        if self._journal.book.one(Session, name) is not None:
            await written(self._journal.drop([(Session, name)]))

    async def _made(
        self,
        name: str,
        via: Literal["password", "oidc"],
        address: str,
        before: str,
        *,
        epoch: int = 0,
        scope: Scope = "viewer",
        teams: tuple[str, ...] = (),
    ) -> str:
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        session = Session(
            id=digest(secret),
            user=name,
            via=via,
            epoch=epoch,
            scope=scope,
            teams=teams,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST_MS,
        )
        audit = Audit(
            id=secrets.token_hex(8),
            at=now,
            by=name,
            action="sign in",
            about=name,
            detail=f"by {via}, from {address[:100]}",
        )
        await written(self._journal.put([session, audit]))
        await self._bounded(name)
        if before:
            await self.end(before)
        return secret

    async def _bounded(self, name: str) -> None:
        """Ends the oldest sessions of somebody who has very many."""
        own = [one for one in self._journal.book.every(Session).values() if one.user == name]
        if len(own) > MOST_SESSIONS:
            own.sort(key=lambda one: one.created_at)
            over = own[: len(own) - MOST_SESSIONS]
            await written(self._journal.drop([(Session, one.id) for one in over]))
