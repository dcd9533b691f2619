"""Sign-in by name and password: what a browser hears of an attempt."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from foundation import telemetry
from portquorum.access.passwords import Passwords, PasswordsBusyError
from portquorum.journal.protocol import Journal
from portquorum.web import metrics
from portquorum.web.access.door import UNREAD
from portquorum.web.office.attempts import Attempts as CountedAttempts
from portquorum.web.office.attempts import TooManyAttemptsError
from portquorum.web.problem import RETRY_AFTER, ProblemError
from portquorum.web.sign_in.sessions import wall_ms
from portquorum.web.sign_in.writing import written
from schemas.duration import duration_text
from schemas.web import User

WRONG: Final = "user or password is wrong"
"""Also said where there is no such user, or they are disabled: nobody learns who there is."""
TOO_MANY: Final = "too many attempts to sign in failed; the next one counts in {wait}"
BUSY: Final = "too many people sign in at this moment"

_LONGEST_NAME: Final = 100

_log: Final = telemetry.logger(__name__)


class Attempts:
    """Checks passwords, some at a time, and makes who fails wait."""

    def __init__(
        self,
        journal: Journal,
        passwords: Passwords | None = None,
        clock: Callable[[], int] = wall_ms,
    ) -> None:
        """`clock` gives UTC ms."""
        self._journal = journal
        self._counted = CountedAttempts(journal, passwords or Passwords(), clock)

    async def user_of(self, name: str, password: str, address: str) -> User:
        """The user with this password.

        `address` empty: not known (a proxy does not say it), and only the name is counted.

        Raises:
            ProblemError: 401 (wrong), 429 (wait), 503 (nobody can sign in now); the same for names
                that nobody has.
            ChangeError: 503, Kafka is away.
        """
        if not self._journal.is_present.is_set():
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, UNREAD, headers=RETRY_AFTER)
        name = name.strip().lower()[:_LONGEST_NAME]
        try:
            user = await written(self._counted.user(name, password, address))
        except TooManyAttemptsError as error:
            metrics.SIGN_INS.labels("early").inc()
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                TOO_MANY.format(wait=duration_text(error.wait_s * 1000)),
                headers={"Retry-After": str(error.wait_s)},
            ) from error
        except PasswordsBusyError as error:
            metrics.SIGN_INS.labels("busy").inc()
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, BUSY, headers=RETRY_AFTER) from error
        if user is None:
            metrics.SIGN_INS.labels("wrong").inc()
            _log.warning("a sign-in failed", user=name, address=address)
            raise ProblemError(HTTPStatus.UNAUTHORIZED, WRONG)
        metrics.SIGN_INS.labels("right").inc()
        return user
