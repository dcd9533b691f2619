"""Whom the records know, and what they may do now. Pure."""

from typing import Final

from portquorum.access import tokens
from portquorum.access.principal import Principal, Via
from portquorum.access.rules import Grant
from portquorum.journal.protocol import Book
from schemas.duration import DAY_MS, HOUR_MS
from schemas.plain_text import one_line
from schemas.web import Session, Token, User

IDLE_MS: Final = 12 * HOUR_MS
"""A session ends that nobody has used for so long."""
LONGEST_MS: Final = 7 * DAY_MS
"""A session ends, however much it is used."""

_LONGEST_NAME: Final = 255

DISABLED: Final = "the user {name} is disabled here"
ANOTHER: Final = (
    "{name} is a user with a password here: sign in by it, or let an admin take the password away"
)
NO_NAME: Final = "expected the name of a person of 1 to {most} characters, found another one"
NO_GROUP: Final = (
    "{name} is in no group that may come in here: an admin maps groups by PORTQUORUM_WEB_GROUPS"
)


def has_users(book: Book) -> bool:
    """True if there is a user: then everybody must say who they are."""
    return bool(book.all(User))


def by_token(book: Book, written: str, now: int) -> Principal | None:
    """Whose token this is; None: nobody's, or it is over."""
    parsed = tokens.parse(written)
    token = None if parsed is None else book.get(Token, parsed.id)
    if parsed is None or token is None or not tokens.is_secret_of(token, parsed.secret):
        return None
    owner = user_named(book, token.owner)
    is_gone = owner is None and book.version(User, login_of(token.owner)) > 0
    return tokens.principal_of(token, owner, now, is_gone=is_gone)


def by_session(
    book: Book, record: Session, secret: str, now: int, seen_at: int
) -> Principal | None:
    """Whose session this is; None: it is over, or its user may not come in any more.

    `seen_at`: when it was used last, if that is later than the record says.
    """
    if now >= record.expires_at or now - max(record.seen_at, seen_at) >= IDLE_MS:
        return None
    user = user_named(book, record.user)
    if record.via == "password":
        if user is None or user.disabled or user.password is None or user.epoch != record.epoch:
            return None
        return of_user(user, "password", secret)
    if record.epoch and user is None:
        return None  # came as a user, who was removed
    found = by_name(book, record.user, Grant("", record.scope, record.teams), "oidc", secret)
    return None if isinstance(found, str) else found


def by_name(book: Book, name: str, granted: Grant | None, via: Via, secret: str) -> Principal | str:
    """Somebody whom a provider or a proxy has named; a sentence: why they may not come in.

    A user of this name without a password is the same person, whose scope goes before that of the
    groups. One with a password is not: whoever can choose their name there would be anybody here.
    """
    if not name or len(name) > _LONGEST_NAME or one_line(name) != name:
        return NO_NAME.format(most=_LONGEST_NAME)
    user = user_named(book, name)
    if user is not None:
        if user.disabled:
            return DISABLED.format(name=name)
        if user.password is not None:
            return ANOTHER.format(name=name)
        return of_user(user, via, secret)
    if granted is None:
        return NO_GROUP.format(name=name)
    return Principal(name=name, scope=granted.scope, via=via, teams=granted.teams, session=secret)


def user_named(book: Book, name: str) -> User | None:
    """The user whom a provider or a proxy means: capitals make nobody another one.

    Else a user who is disabled, or has less than their groups, could come by them.
    """
    return book.get(User, login_of(name))


def login_of(name: str) -> str:
    """The name that a user of this name would have here."""
    return name.strip().lower()


def of_user(user: User, via: Via, secret: str) -> Principal:
    """A user as they may act now."""
    return Principal(
        name=user.name,
        scope=user.scope,
        via=via,
        teams=user.teams,
        tags=user.tags,
        session=secret,
    )
