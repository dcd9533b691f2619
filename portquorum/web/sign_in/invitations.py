"""Links that make one user, once: as the form of `/welcome` takes them."""

from collections.abc import Callable

from portquorum.access.passwords import Passwords
from portquorum.journal.protocol import Journal
from portquorum.web.office.office import RecordsOffice
from portquorum.web.sign_in.sessions import wall_ms
from schemas.web import Invitation, User


class Invitations:
    """Takes links in. All raise ChangeError; 503 while Kafka is away."""

    def __init__(
        self,
        journal: Journal,
        passwords: Passwords | None = None,
        clock: Callable[[], int] = wall_ms,
    ) -> None:
        """`clock` gives UTC ms."""
        self._journal = journal
        self._office = RecordsOffice(journal, passwords, clock)

    def of(self, secret: str) -> Invitation | None:
        """The invitation of a link's secret; None: there is none, or it is over."""
        return self._office.invitation(secret)

    async def user(self, secret: str, name: str, password: str) -> User:
        """Makes the user.

        Raises:
            ChangeError: 400 (name or password), 404 (the link is over), 409 (the name is taken).
        """
        made = await self._office.accept(secret, name.strip().lower(), password)
        return self._journal.book.all(User)[made.name]
