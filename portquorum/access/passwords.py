"""Passwords: what is one, their hashes (argon2id), and checking them without saying who exists.

Parameters: the second recommended option of RFC 9106, section 4 (3 passes, 64 MiB, 4 lanes), for
machines where the first one's 2 GiB for each sign-in is too much. Length without rules of what it
must consist of: NIST SP 800-63B, section 5.1.1.2.
"""

import asyncio
import unicodedata
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
AT_ONCE: Final = 2
"""Hashes that are made at the same time: 64 MiB and a core each."""

MAX_WAITING: Final = 100
"""Checks that wait for their turn: about 5 s."""

_MOST_TYPED: Final = 4 * MAX_LENGTH
"""Characters before they are normalized, which takes the square of their number for marks: of
500,000 some minutes, in which nobody is answered."""

_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


class PasswordsBusyError(RuntimeError):
    """Too many passwords wait to be checked; try again later."""


def problem_of(password: str) -> str | None:
    """Why this can be nobody's password, in one sentence; None: it can."""
    text = password if len(password) > _MOST_TYPED else _normal(password)
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        return f"expected {MIN_LENGTH} to {MAX_LENGTH} characters, found {len(text)}"
    if not _is_text(text):
        return "expected a text that can be written as UTF-8"
    if len(set(text)) == 1:
        return "expected more than one character again and again"
    return None


def _normal(password: str) -> str:
    """One spelling of what different keyboards send for the same keys."""
    return unicodedata.normalize("NFKC", password)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _nobodys() -> str:
    """A hash that no password has, and that takes as long to check as another one."""
    of = RFC_9106_LOW_MEMORY
    salt, digest = (
        b64encode(bytes(length)).decode().rstrip("=") for length in (of.salt_len, of.hash_len)
    )
    cost = f"m={of.memory_cost},t={of.time_cost},p={of.parallelism}"
    return f"$argon2id$v={of.version}${cost}${salt}${digest}"


NOBODYS: Final = _nobodys()


class Passwords:
    """Hashes and checks in threads, `AT_ONCE` at the same time; for one event loop."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        """`hasher` is another one in tests, where thousands are made."""
        self._hasher = hasher
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The hash (PHC string) of a password that has no `problem_of`.

        Raises:
            PasswordsBusyError: too many wait.
        """
        return await self._hashed(_normal(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """True if it is the password of this hash.

        None (no such user, or one without a password) takes as long and is False.

        Raises:
            PasswordsBusyError: too many wait.
        """
        if len(password) > _MOST_TYPED:
            return False
        text = _normal(password)
        if len(text) > MAX_LENGTH or not _is_text(text):
            return False
        is_it = await self._checked(hashed or NOBODYS, text)
        return is_it and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """True if it was made with other parameters: make a new one at the next sign-in."""
        try:
            return self._hasher.check_needs_rehash(hashed)
        except InvalidHashError:
            return True

    async def _checked(self, hashed: str, text: str) -> bool:
        async with self._turn():
            return await asyncio.to_thread(self._is_it, hashed, text)

    async def _hashed(self, text: str) -> str:
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, text)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise PasswordsBusyError("too many passwords wait to be checked; try again later")
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    def _is_it(self, hashed: str, text: str) -> bool:
        try:
            return self._hasher.verify(hashed, text)
        except (Argon2Error, InvalidHashError):
            return False
