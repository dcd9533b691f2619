"""Sign-in by name and password: each attempt is counted before it is checked."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from foundation import telemetry
from portquorum.access import lockout
from portquorum.access.passwords import MAX_LENGTH, Passwords, PasswordsBusyError
from portquorum.journal.protocol import Journal
from portquorum.web import metrics
from portquorum.web.access.door import UNREAD
from portquorum.web.problem import RETRY_AFTER, ProblemError
from portquorum.web.sign_in.sessions import wall_ms
from portquorum.web.sign_in.writing import written
from schemas.duration import duration_text
from schemas.web import Lockout, User

WRONG: Final = "expected the name and the password of a user"
"""Also said where there is no such user, or they are disabled: nobody learns who there is."""
TOO_MANY: Final = "too many attempts to sign in failed; the next one counts in {wait}"
BUSY: Final = "too many people sign in at this moment"

_LONGEST_NAME: Final = 100
_MOST_KEPT: Final = 10_000

_log: Final = telemetry.logger(__name__)


class Attempts:
    """Checks passwords, some at a time, and makes who fails wait.

    A failure is in memory before the password is checked, so that a hundred attempts at once are
    no more than one after the other; and in the topic, for the other processes, after it.
    """

    def __init__(
        self,
        journal: Journal,
        passwords: Passwords | None = None,
        clock: Callable[[], int] = wall_ms,
    ) -> None:
        """`clock` gives UTC ms."""
        self._journal = journal
        self._passwords = passwords or Passwords()
        self._clock = clock
        self._here: dict[str, Lockout] = {}

    async def user_of(self, name: str, password: str, address: str) -> User:
        """The user with this password.

        `address` empty: not known (a proxy does not say it), and only the name is counted.

        Raises:
            ProblemError: 401 (wrong), 429 (wait), 503 (nobody can sign in now); the same for names
                that nobody has.
        """
        if not self._journal.is_present.is_set():
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, UNREAD, headers=RETRY_AFTER)
        name = name.strip().lower()[:_LONGEST_NAME]
        its_name = lockout.id_of_name(name)
        ids = [its_name]
        if address:
            ids.append(lockout.id_of_address(address))
        self._refuse_early(ids)
        before = {one: self._of(one) for one in ids}
        self._count(ids)
        user = self._journal.book.get(User, name)
        hashed = None if user is None or user.disabled else user.password
        try:
            is_right = await self._passwords.verify(hashed, password[: MAX_LENGTH + 1])
        except PasswordsBusyError as error:
            self._restore(before)
            metrics.SIGN_INS.labels("busy").inc()
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, BUSY, headers=RETRY_AFTER) from error
        user = self._journal.book.get(User, name)  # as it is now
        if is_right and user is not None and user.password == hashed and not user.disabled:
            # The address's failures stay: they may be others' who guess from there.
            self._restore(before)
            await self._forget(its_name)
            metrics.SIGN_INS.labels("right").inc()
            return user
        metrics.SIGN_INS.labels("wrong").inc()
        _log.warning("a sign-in failed", user=name, address=address)
        await written(self._journal.put([self._here[one] for one in ids if one in self._here]))
        raise ProblemError(HTTPStatus.UNAUTHORIZED, WRONG)

    def _refuse_early(self, ids: list[str]) -> None:
        now = self._clock()
        wait = max(lockout.wait_ms(self._of(one), now) for one in ids)
        if wait:
            metrics.SIGN_INS.labels("early").inc()
            seconds = -(-wait // 1000)
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                TOO_MANY.format(wait=duration_text(seconds * 1000)),
                headers={"Retry-After": str(seconds)},
            )

    def _of(self, ident: str) -> Lockout | None:
        """What is known here and in the topic, whichever has more failures."""
        found = [one for one in (self._here.get(ident), self._kept(ident)) if one is not None]
        return max(found, key=lambda one: (one.until, one.failures), default=None)

    def _kept(self, ident: str) -> Lockout | None:
        return self._journal.book.one(Lockout, ident)

    def _count(self, ids: list[str]) -> None:
        now = self._clock()
        for ident in ids:
            counted = lockout.failed(self._of(ident), ident, now)
            self._here.pop(ident, None)
            self._here[ident] = counted
        while len(self._here) > _MOST_KEPT:
            self._here.pop(next(iter(self._here)))

    def _restore(self, before: dict[str, Lockout | None]) -> None:
        """As if there had been no attempt."""
        for ident, record in before.items():
            if record is None:
                self._here.pop(ident, None)
            else:
                self._here[ident] = record

    async def _forget(self, ident: str) -> None:
        self._here.pop(ident, None)
        if self._kept(ident) is not None:
            await written(self._journal.drop([(Lockout, ident)]))
