"""What a user and a token may be, and who may make them. Pure."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import UNSET, Struct, structs

from portquorum.access.passwords import problem_of
from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.office import WantedToken, WantedUser
from schemas.plain_text import one_line
from schemas.web import Login, Scope, Token, User

LONGEST_DAYS: Final = 3650
MOST_NAMES: Final = 100
_NAME: Final = 255
_SCOPES: Final[tuple[Scope, ...]] = ("viewer", "operator", "admin")

FIRST: Final = "the first user must be an admin without limits: nobody else could make another one"
LAST: Final = (
    "expected an admin without limits who is not disabled, and there would be none: make another "
    "one first"
)


class UserShown(Struct, frozen=True, kw_only=True):
    """A user in the audit log: no hash."""

    name: str
    scope: Scope
    teams: tuple[str, ...]
    tags: tuple[str, ...]
    disabled: bool
    has_password: bool


def shown(user: User) -> UserShown:
    """A user without the hash."""
    return UserShown(
        name=user.name,
        scope=user.scope,
        teams=user.teams,
        tags=user.tags,
        disabled=user.disabled,
        has_password=user.password is not None,
    )


def expect_full_admin(who: Principal) -> None:
    """Users are made by admins without limits: others could make one who has none.

    Raises:
        ChangeError: 403.
    """
    if not who.may("admin") or who.is_limited:
        raise ChangeError(HTTPStatus.FORBIDDEN, "users are for admins without limits")


def expect_version(found: int, if_version: int | None) -> None:
    """Holds If-Match: `found` is the present version, 0: there is none.

    Raises:
        ChangeError: 412.
    """
    if if_version is None or if_version == found:
        return
    expected = f"version {if_version}" if if_version else "none"
    there = f"version {found}" if found else "none"
    raise ChangeError(
        HTTPStatus.PRECONDITION_FAILED, f"expected {expected}, found {there}", version=found
    )


def login_of(name: str) -> str:
    """The name of a user.

    Raises:
        ChangeError: 400, it can be nobody's.
    """
    try:
        return msgspec.convert(name, Login)
    except msgspec.ValidationError as error:
        words = (
            "expected 1 to 100 of a-z 0-9 . _ @ + -, beginning with a letter or digit, found "
            f"{one_line(name)[:100]!r}"
        )
        raise _wrong([FieldError(field="name", message=words)]) from error


def changed_user(before: User | None, new: User, wanted: WantedUser) -> User:
    """`before` (None: `new`, a user with defaults) with what is wanted, but for the password.

    Raises:
        ChangeError: 400, names each wrong field.
    """
    base = new if before is None else before
    errors: list[FieldError] = []
    teams = base.teams if wanted.teams is UNSET else names_of("teams", wanted.teams, errors)
    tags = base.tags if wanted.tags is UNSET else names_of("tags", wanted.tags, errors)
    if isinstance(wanted.password, str) and (problem := problem_of(wanted.password)):
        errors.append(FieldError(field="password", message=problem))
    if errors:
        raise _wrong(errors)
    return structs.replace(
        new,
        scope=base.scope if wanted.scope is UNSET else wanted.scope,
        teams=teams,
        tags=tags,
        disabled=base.disabled if wanted.disabled is UNSET else wanted.disabled,
        password=None if wanted.password is None else base.password,
        epoch=base.epoch,
        created_at=base.created_at,
    )


def ends_sessions(before: User, after: User) -> bool:
    """True if who has signed in as this user must do so again."""
    return before.password != after.password or (after.disabled and not before.disabled)


def has_admin(users: Iterable[User]) -> bool:
    """True if somebody can change users."""
    return any(map(is_full_admin, users))


def is_full_admin(user: User) -> bool:
    """True if this user can change users: they come in, and have no limits."""
    return user.scope == "admin" and not (user.disabled or user.teams or user.tags)


def expect_admin_stays(users: Mapping[str, User], name: str, after: User | None) -> None:
    """Somebody must be able to change users afterwards; `after` None: the user is removed.

    Raises:
        ChangeError: 409.
    """
    then = {other: one for other, one in users.items() if other != name}
    if after is not None:
        then[name] = after
    if not has_admin(then.values()):
        raise ChangeError(HTTPStatus.CONFLICT, LAST if users else FIRST)


def checked_token(who: Principal, wanted: WantedToken) -> WantedToken:
    """What is wanted, within what who asks may do.

    Raises:
        ChangeError: 400 or 403, names each wrong field.
    """
    if who.via == "token" and not who.may("admin"):
        raise ChangeError(
            HTTPStatus.FORBIDDEN, "a token makes no tokens: sign in, or use an admin's"
        )
    errors: list[FieldError] = []
    name = one_line(wanted.name).strip()
    if not 1 <= len(name) <= _NAME:
        errors.append(FieldError(field="name", message="expected 1 to 255 characters"))
    if not 0 <= wanted.expires_in_days <= LONGEST_DAYS:
        words = f"expected 0 (never) to {LONGEST_DAYS} days, found {wanted.expires_in_days}"
        errors.append(FieldError(field="expires_in_days", message=words))
    teams = names_of("teams", wanted.teams, errors)
    tags = names_of("tags", wanted.tags, errors)
    if errors:
        raise _wrong(errors)
    if who.is_limited and not (teams or tags):
        teams, tags = who.teams, who.tags
    errors = _beyond(who, wanted.scope, teams, tags)
    if errors:
        raise ChangeError(
            HTTPStatus.FORBIDDEN, "a token does no more than who makes it", errors=errors
        )
    return structs.replace(wanted, name=name, teams=teams, tags=tags)


def may_end(who: Principal, token: Token) -> bool:
    """True if who asks may revoke this token: its owner, and admins without limits."""
    return token.owner == who.name or (who.may("admin") and not who.is_limited)


def names_of(field: str, names: Iterable[str], errors: list[FieldError]) -> tuple[str, ...]:
    """Teams or tags, each once; adds to `errors`."""
    found = tuple(dict.fromkeys(one_line(name).strip() for name in names))
    if any(not 1 <= len(name) <= _NAME for name in found):
        errors.append(FieldError(field=field, message="expected names of 1 to 255 characters"))
    if len(found) > MOST_NAMES:
        words = f"expected {MOST_NAMES} names at most, found {len(found)}"
        errors.append(FieldError(field=field, message=words))
    return found


def _beyond(
    who: Principal, scope: Scope, teams: tuple[str, ...], tags: tuple[str, ...]
) -> list[FieldError]:
    found = []
    if _SCOPES.index(scope) > _SCOPES.index(who.scope):
        words = f"expected {who.scope} or less, found {scope}"
        found.append(FieldError(field="scope", message=words))
    if who.is_limited:
        for field, names, own in (("teams", teams, who.teams), ("tags", tags, who.tags)):
            more = [name for name in names if name not in own]
            if more:
                words = f"expected some of {', '.join(own) or 'none'}, found {more[0]}"
                found.append(FieldError(field=field, message=words))
    return found


def _wrong(errors: list[FieldError]) -> ChangeError:
    named = "; ".join(f"{one.field}: {one.message}" for one in errors)
    return ChangeError(HTTPStatus.BAD_REQUEST, named, errors=errors)
