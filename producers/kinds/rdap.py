"""RDAP answers (RFC 9083) and IANA's list of its servers (RFC 9224). Pure: no sockets, no clock.

Registries differ in what they leave out and in how they write dates, so what is not needed is not
looked at; what is needed and can't be understood is an error of the registry, not of the domain.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from producers.checks.os_errors import shown
from schemas.partition import canonical_host

_LATEST_MS: Final = 9_999_999_999_999
_ENDS: Final = frozenset({"expiration", "registrar expiration"})
"""Events with the end (RFC 9083, section 10.2.3): the registry's, and the registrar's own."""

_FIRST_DOMAIN_MS: Final = 479_692_800_000
"""15 March 1985, when the first domain was registered: an end before it stands for none, as the
1st of January of the years 1 and 1970 does."""

_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

_GONE: Final = ("redemption period", "pending delete")
"""Statuses (RFC 8056) of a registration that has ended and is not deleted yet."""

_RENEWED_BY_REGISTRY: Final = "auto renew period"
_MEDIA_TYPE: Final = "application/rdap+json"
_NAME_OF_REGISTRAR: Final = "registrar"
_URL: Final = re.compile(r"https?://[\x21-\x7e]{1,500}\Z")
_MOST_SHOWN: Final = 5


class RdapError(ValueError):
    """An answer that can't be understood; the text says what was expected and what was found."""


class Registration(Struct, frozen=True):
    """What a registry says of a domain.

    `ends_at` (UTC ms) is the earliest end that it names, None if it names none. `gone`: the
    statuses by which the registration has ended already. `on_trial`: the registry has renewed it
    by itself, and the registrar may still let it go. `referral` is the URL of the same domain at
    its registrar.
    """

    ends_at: int | None
    status: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    on_trial: bool = False
    registrar: str | None = None
    referral: str | None = None

    @property
    def words(self) -> str:
        """Registrar and statuses, for people; empty without any."""
        told = [self.registrar] if self.registrar else []
        if self.status:
            told.append(", ".join(self.status[:_MOST_SHOWN]))
        return "; ".join(told)


def registration(body: bytes, name: str) -> Registration:
    """The answer to a question for the domain `name` (in A-labels).

    Raises:
        RdapError: it is none about this domain, or an end of it can't be read.
    """
    answer = _object(body)
    what = answer.get("objectClassName")
    if not isinstance(what, str) or what.lower() != "domain":
        raise RdapError(f"expected a domain, found {_found(what, answer)}")
    of = answer.get("ldhName")
    if isinstance(of, str) and not _same_name(of, name):
        raise RdapError(f"expected an answer about {name}, found one about {_short(of)}")
    status = tuple(dict.fromkeys(map(_status, _texts(answer.get("status")))))
    ends = [at for event in _ends(answer) if (at := _date(event)) >= _FIRST_DOMAIN_MS]
    return Registration(
        ends_at=min(ends, default=None),
        status=status,
        gone=tuple(one for one in status if one in _GONE),
        on_trial=_RENEWED_BY_REGISTRY in status,
        registrar=_registrar(answer),
        referral=_referral(answer),
    )


def error_text(body: bytes) -> str:
    """What an error says for people: the title and description of RDAP, or its beginning."""
    try:
        answer = _object(body)
    except RdapError:
        return shown(body).strip()
    told = [one for one in (answer.get("title"), *_texts(answer.get("description"))) if one]
    return _short("; ".join(one for one in told if isinstance(one, str))) or shown(body)


def servers(body: bytes) -> dict[str, str]:
    """IANA's list: the base URL by the suffix of the names that the server answers for.

    Of several URLs the first one with TLS. Entries that can't be read are left out.

    Raises:
        RdapError: it is no such list.
    """
    services = _object(body).get("services")
    if not isinstance(services, list):
        raise RdapError(f"expected a list of services (RFC 9224), found {shown(body[:200])!r}")
    found: dict[str, str] = {}
    for service in services:
        if not isinstance(service, list) or len(service) < 2:
            continue
        urls = [one for one in _texts(service[1]) if _URL.match(one)]
        secure = [one for one in urls if one.startswith("https:")]
        if urls:
            url = (secure or urls)[0]
            found |= {suffix.lower(): url for suffix in _texts(service[0])}
    return found


def server_of(known: dict[str, str], name: str) -> str | None:
    """The base URL for a name: that of the longest suffix (RFC 9224, section 4)."""
    labels = name.split(".")
    suffixes = (".".join(labels[at:]) for at in range(len(labels) + 1))
    return next((known[one] for one in suffixes if one in known), None)


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise RdapError(f"expected JSON, found {shown(body[:200])!r}") from error
    if not isinstance(answer, dict):
        raise RdapError(f"expected a JSON object, found {shown(body[:200])!r}")
    return answer


def _found(what: object, answer: dict[str, Any]) -> str:
    if isinstance(what, str):
        return f"an answer about a {_short(what)!r}"
    title = answer.get("title")
    return _short(title) if isinstance(title, str) else "an answer without objectClassName"


def _same_name(found: str, name: str) -> bool:
    if found.lower().removesuffix(".") == name:
        return True
    try:
        return canonical_host(found) == name
    except ValueError:
        return False


def _status(written: str) -> str:
    """A status in the words of RFC 8056; EPP has `pendingDelete`, some with a URL behind it."""
    words = (one for one in written.split() if "://" not in one)
    return _CAPITAL.sub(" ", " ".join(words).replace("_", " ")).lower()


def _ends(answer: dict[str, Any]) -> Iterator[object]:
    """The dates of all ends; one that is left empty, as a redacted one is (RFC 9537), is none."""
    for event in _objects(answer.get("events")):
        action, date = event.get("eventAction"), event.get("eventDate")
        empty = date is None or (isinstance(date, str) and not date.strip())
        if isinstance(action, str) and action.strip().lower() in _ENDS and not empty:
            yield date


def _date(written: object) -> int:
    """A date of RFC 3339 in UTC ms; without an offset it is UTC, without a time its first moment.

    Raises:
        RdapError: it is no date.
    """
    try:
        if not isinstance(written, str):
            raise ValueError(written)  # noqa: TRY301, TRY004  (one outcome for all that is wrong)
        at = datetime.fromisoformat(written.strip().upper().removesuffix(" UTC"))
        ms = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        text = f"expected the date of the end, found {_short(str(written))!r}"
        raise RdapError(text) from error
    return min(max(0, ms), _LATEST_MS)


def _registrar(answer: dict[str, Any]) -> str | None:
    """The name of the registrar; jCard (RFC 7095) has it as `["fn", {}, "text", NAME]`."""
    for entity in _objects(answer.get("entities")):
        if _NAME_OF_REGISTRAR not in _texts(entity.get("roles")):
            continue
        card = entity.get("vcardArray")
        fields = card[1] if isinstance(card, list) and len(card) > 1 else None
        for field in fields if isinstance(fields, list) else ():
            if isinstance(field, list) and field[:1] == ["fn"] and field[3:]:
                return _short(field[3]) if isinstance(field[3], str) and field[3] else None
        handle = entity.get("handle")
        return _short(handle) if isinstance(handle, str) else None
    return None


def _referral(answer: dict[str, Any]) -> str | None:
    for link in _objects(answer.get("links")):
        href = link.get("href")
        if (
            link.get("rel") == "related"
            and link.get("type", _MEDIA_TYPE) == _MEDIA_TYPE
            and isinstance(href, str)
            and _URL.match(href)
        ):
            return href
    return None


def _texts(found: object) -> list[str]:
    """The texts of a list; a single text is a list of one, as some registries write it."""
    if isinstance(found, str):
        return [found]
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _objects(found: object) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _short(text: str) -> str:
    return shown(text.encode("utf-8", "replace")[:160])
