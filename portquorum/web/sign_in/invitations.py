"""Links that make one user, once."""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec

from portquorum.access.passwords import Passwords, PasswordsBusyError, problem_of
from portquorum.access.tokens import digest
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.journal.protocol import Journal
from portquorum.web.sign_in.attempts import BUSY
from portquorum.web.sign_in.sessions import wall_ms
from portquorum.web.sign_in.writing import written
from schemas.web import Audit, Invitation, Login, Request, User

OVER: Final = "this link was used, or it is over"
_NO_NAME: Final = (
    "expected small letters, digits and . _ @ + -, with a letter or digit first, 100 at most"
)
_TAKEN: Final = "expected a name that nobody has"


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
        self._passwords = passwords or Passwords()
        self._clock = clock

    def of(self, secret: str) -> Invitation | None:
        """The invitation of a link's secret; None: there is none, or it is over."""
        found = self._journal.book.one(Invitation, digest(secret))
        return None if found is None or found.expires_at <= self._clock() else found

    async def user(self, secret: str, name: str, password: str) -> User:
        """Makes the user.

        Of several who use the link at once, through any process, one is let through: each claims
        it by a versioned record, and the first of a version counts.

        Raises:
            ChangeError: 400 (name or password), 404 (the link is over), 409 (the name is taken).
        """
        found = self.of(secret)
        if found is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, OVER)
        name = name.strip().lower()
        self._refuse_wrong(name, password)
        try:
            hashed = await self._passwords.hash(password)
        except PasswordsBusyError as error:
            raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, BUSY) from error
        change = secrets.token_hex(8)
        claim = await self._claimed(found, name, change)
        user = User(
            version=self._journal.book.version(User, name) + 1,
            change=change,
            at=self._clock(),
            by=found.by,
            name=name,
            scope=found.scope,
            password=hashed,
            teams=found.teams,
            tags=found.tags,
            epoch=1,
            created_at=self._clock(),
        )
        (outcome,) = await written(self._journal.edit([user]))
        if not outcome.accepted:
            await written(
                self._journal.edit(
                    [msgspec.structs.replace(claim, version=claim.version + 1, removed=True)]
                )
            )
            raise _wrong("name", _TAKEN, HTTPStatus.CONFLICT)
        await written(self._journal.drop([(Invitation, found.id)]))
        await written(self._journal.put([_audit(user)]))
        return user

    async def _claimed(self, found: Invitation, name: str, change: str) -> Request:
        key = digest(f"invitation {found.id}")
        claim = Request(
            version=self._journal.book.version(Request, key) + 1,
            change=change,
            at=self._clock(),
            by=name,
            key=key,
            asked=found.id,
        )
        if self._journal.book.get(Request, key) is not None:
            raise ChangeError(HTTPStatus.NOT_FOUND, OVER)
        (outcome,) = await written(self._journal.edit([claim]))
        if not outcome.accepted:
            raise ChangeError(HTTPStatus.NOT_FOUND, OVER)
        return claim

    def _refuse_wrong(self, name: str, password: str) -> None:
        try:
            msgspec.convert(name, Login)
        except msgspec.ValidationError as error:
            raise _wrong("name", _NO_NAME) from error
        if self._journal.book.get(User, name) is not None:
            raise _wrong("name", _TAKEN, HTTPStatus.CONFLICT)
        if (why := problem_of(password)) is not None:
            raise _wrong("password", why)


def _audit(user: User) -> Audit:
    return Audit(
        id=user.change,
        at=user.at,
        by=user.name,
        action="user_made",
        about=f"user/{user.name}",
        detail=f"by a link of {user.by[:100]}, scope {user.scope}",
    )


def _wrong(field: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> ChangeError:
    return ChangeError(
        status, f"{field}: {message}", errors=(FieldError(field=field, message=message),)
    )
