"""Who may make and revoke which keys, and what they may be. Pure."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import structs

from portquorum.access.principal import Need, Principal
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.keys import KeyUse, WantedKey
from portquorum.sharing.key_text import problem_of
from schemas.plain_text import one_line
from schemas.target import Target
from schemas.web import ShareKey, Slug

LONGEST_DAYS: Final = 3650
MOST_NAMES: Final = 100
LONGEST_NAME: Final = 100
_LIMIT: Final = 255
"""Characters of a team or a tag."""

DEFAULT_NAMES: Final[dict[KeyUse, str]] = {
    "ping": "reports",
    "badge": "badge",
    "page": "link",
}


def checked(who: Principal, wanted: WantedKey, target: Target | None) -> WantedKey:
    """What is wanted, with defaults, within what `who` may do.

    Raises:
        ChangeError: 400 (names each wrong field), 403, 404 (no such target).
    """
    _expect_scope(who, wanted.use, wanted.about)
    errors: list[FieldError] = []
    name = one_line(wanted.name).strip() or DEFAULT_NAMES[wanted.use]
    if len(name) > LONGEST_NAME:
        errors.append(_at("name", f"expected 1 to {LONGEST_NAME} characters, found {len(name)}"))
    if not 0 <= wanted.expires_in_days <= LONGEST_DAYS:
        words = f"expected 0 (never) to {LONGEST_DAYS} days, found {wanted.expires_in_days}"
        errors.append(_at("expires_in_days", words))
    if wanted.secret is not None and (problem := problem_of(wanted.secret)):
        errors.append(_at("secret", problem))
    errors += _wrong_about(wanted, target)
    teams = _names("teams", wanted.teams, errors)
    tags = _names("tags", wanted.tags, errors)
    if wanted.about is not None and (teams or tags):
        errors.append(_at("teams" if teams else "tags", "expected none for a key of one thing"))
    if errors:
        named = "; ".join(f"{one.field}: {one.message}" for one in errors)
        raise ChangeError(HTTPStatus.BAD_REQUEST, named, errors=errors)
    if wanted.about is None and who.is_limited and not (teams or tags):
        teams, tags = who.teams, who.tags
    _expect_within(who, teams, tags, target)
    return structs.replace(wanted, name=name, teams=teams, tags=tags)


def expect_may_revoke(who: Principal, key: ShareKey, target: Target | None) -> None:
    """Revoking needs what making needs; who made a key may revoke it, too.

    Raises:
        ChangeError: 403.
    """
    _expect_scope(who, key.use, key.about)
    if not who.is_limited or key.owner == who.name:
        return
    if key.use == "page":
        return
    if key.about is None:
        is_within = bool(key.teams or key.tags) and not _beyond(who, key.teams, key.tags)
    else:
        is_within = target is not None and who.may_change(target)
    if not is_within:
        raise ChangeError(HTTPStatus.FORBIDDEN, "this key is beyond your limits")


def _expect_scope(who: Principal, use: KeyUse, about: str | None) -> None:
    need: Need = "operator" if use != "page" and about is not None else "admin"
    if who.may(need):
        return
    of = "locked status pages" if use == "page" else "all targets" if about is None else "a target"
    raise ChangeError(HTTPStatus.FORBIDDEN, f"keys of {of} need the right {need}")


def _wrong_about(wanted: WantedKey, target: Target | None) -> list[FieldError]:
    """What is wrong with what a key is about.

    Raises:
        ChangeError: 404, there is no such target.
    """
    if wanted.use == "page":
        try:
            msgspec.convert(wanted.about, Slug)
        except msgspec.ValidationError:
            return [_at("about", "expected the name of a status page in its address")]
        return []
    if wanted.about is None:
        return []
    if target is None or target.id != wanted.about:
        about = one_line(wanted.about)[:100]
        raise ChangeError(HTTPStatus.NOT_FOUND, f"there is no target {about!r}")
    if wanted.use == "ping" and target.kind != "heartbeat":
        words = f"expected a heartbeat; {target.id!r} is checked by {target.kind}"
        return [_at("about", words)]
    return []


def _expect_within(
    who: Principal, teams: tuple[str, ...], tags: tuple[str, ...], target: Target | None
) -> None:
    if not who.is_limited:
        return
    if target is not None and not who.may_change(target):
        raise ChangeError(HTTPStatus.FORBIDDEN, f"{target.id!r} is beyond your limits")
    if errors := _beyond(who, teams, tags):
        raise ChangeError(
            HTTPStatus.FORBIDDEN, "a key does no more than who makes it", errors=errors
        )


def _beyond(who: Principal, teams: tuple[str, ...], tags: tuple[str, ...]) -> list[FieldError]:
    found = []
    for field, names, own in (("teams", teams, who.teams), ("tags", tags, who.tags)):
        more = [name for name in names if name not in own]
        if more:
            found.append(
                _at(field, f"expected some of {', '.join(own) or 'none'}, found {more[0]}")
            )
    return found


def _names(field: str, names: Iterable[str], errors: list[FieldError]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(one_line(name).strip() for name in names))
    if any(not 1 <= len(name) <= _LIMIT for name in found):
        errors.append(_at(field, f"expected names of 1 to {_LIMIT} characters"))
    if len(found) > MOST_NAMES:
        errors.append(_at(field, f"expected {MOST_NAMES} names at most, found {len(found)}"))
    return found


def _at(field: str, message: str) -> FieldError:
    return FieldError(field=field, message=message)
