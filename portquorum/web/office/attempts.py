"""Attempts to show a password, with back-off for the name and the address."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from portquorum.access import lockout
from portquorum.access.passwords import Passwords
from portquorum.journal.audit_log import now_ms
from portquorum.journal.protocol import Journal
from schemas.web import Audit, Lockout, User

MOST_IN_LINE: Final = 10
"""Attempts for one name or address that wait for their turn."""


class TooManyAttemptsError(Exception):
    """Nobody may try now; `wait_s`: in how many seconds again."""

    def __init__(self, wait_s: int) -> None:
        """At least 1 s."""
        super().__init__(f"too many wrong passwords: try again in {wait_s} s")
        self.wait_s = wait_s


class Attempts:
    """All attempts of one process.

    Those for one name, and those from one address, come one after the other: else a hundred at
    once would count as one failure.
    """

    def __init__(
        self, journal: Journal, passwords: Passwords, now: Callable[[], int] = now_ms
    ) -> None:
        """`now` gives UTC ms."""
        self._journal = journal
        self._passwords = passwords
        self._now = now
        self._lines: dict[str, tuple[asyncio.Lock, int]] = {}

    async def user(self, name: str, password: str, address: str = "") -> User | None:
        """The user of this name and password, None: the attempt failed, and that is written down.

        A name that nobody has, one without a password and a disabled one take as long and look the
        same. `address` is the client's, empty: it does not count. A success forgets the failures of
        the name, not those of the address: who has one account could try others without end.

        Raises:
            TooManyAttemptsError: too many have failed; nothing was tried.
            PasswordsBusyError: too many wait.
            KafkaError, OSError: the failure could not be written down.
        """
        login = name.strip().lower()
        of_name = lockout.id_of_name(login)
        ids = [of_name, *([lockout.id_of_address(address)] if address else [])]
        async with self._in_line(ids):
            self._expect_no_wait(ids)
            user = self._journal.book.get(User, login)
            hashed = None if user is None or user.disabled else user.password
            if await self._passwords.verify(hashed, password):
                if self._of(of_name) is not None:
                    await self._journal.drop([(Lockout, of_name)])
                return user
            now = self._now()
            failed = [lockout.failed(self._of(one), one, now) for one in ids]
            told = [_locked_out(login, user, address, now)] if any(map(_begins, failed)) else []
            await self._journal.put([*failed, *told])
            return None

    async def page(self, slug: str, hashed: str, password: str, address: str) -> bool:
        """Whether it is the password of a locked status page; a failure is written down.

        Failures count for this page and the client's address together.

        Raises:
            TooManyAttemptsError, PasswordsBusyError, KafkaError, OSError: as of `user`.
        """
        ident = lockout.id_of_page(slug, address)
        async with self._in_line([ident]):
            self._expect_no_wait([ident])
            if await self._passwords.verify(hashed, password):
                if self._of(ident) is not None:
                    await self._journal.drop([(Lockout, ident)])
                return True
            now = self._now()
            failed = lockout.failed(self._of(ident), ident, now)
            told = [_kept_out(slug, address, now)] if _begins(failed) else []
            await self._journal.put([failed, *told])
            return False

    def _expect_no_wait(self, ids: Iterable[str]) -> None:
        now = self._now()
        wait_ms = max(lockout.wait_ms(self._of(one), now) for one in ids)
        if wait_ms:
            raise TooManyAttemptsError(-(-wait_ms // 1000))

    def _of(self, ident: str) -> Lockout | None:
        return self._journal.book.one(Lockout, ident)

    @asynccontextmanager
    async def _in_line(self, ids: Iterable[str]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in sorted(ids):  # in one order, so that no two wait for each other
                await stack.enter_async_context(self._turn(one))
            yield

    @asynccontextmanager
    async def _turn(self, ident: str) -> AsyncIterator[None]:
        lock, waiting = self._lines.get(ident, (asyncio.Lock(), 0))
        if waiting >= MOST_IN_LINE:
            raise TooManyAttemptsError(1)
        self._lines[ident] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            _, waiting = self._lines[ident]
            if waiting > 1:
                self._lines[ident] = lock, waiting - 1
            else:
                del self._lines[ident]


def _begins(one: Lockout) -> bool:
    """True at the first failure that makes who tries wait: later ones are not told again."""
    return one.failures == lockout.FREE + 1


def _locked_out(login: str, user: User | None, address: str, now: int) -> Audit:
    """The entry of the audit log.

    A name that nobody has is not in it: people type passwords in its place.
    """
    return Audit(
        id=secrets.token_hex(8),
        at=now,
        by="nobody",
        action="sign-in failed",
        about=login if user is not None else "a name that nobody has",
        detail=f"{lockout.FREE + 1} times in a row, from {address[:100] or 'an unknown address'}: "
        "who tries has to wait from now on",
    )


def _kept_out(slug: str, address: str, now: int) -> Audit:
    return Audit(
        id=secrets.token_hex(8),
        at=now,
        by="nobody",
        action="password of status page failed",
        about=slug,
        detail=f"{lockout.FREE + 1} times in a row, from {address[:100] or 'an unknown address'}: "
        "who tries has to wait from now on",
    )
