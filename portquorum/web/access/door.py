"""Who is let in, decided for each request before its route."""

import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from foundation.http_origin import Served
from portquorum.access.principal import Principal
from portquorum.access.rules import AccessRules
from portquorum.access.tokens import digest
from portquorum.journal.protocol import Journal
from portquorum.web.access.asker import Asker, Headers, asker_of, headers_of, values
from portquorum.web.access.cookies import FORM, SESSION, cookie
from portquorum.web.access.known import by_name, by_session, by_token, has_users
from portquorum.web.access.last_use import LastUse
from portquorum.web.access.visit import Visit
from schemas.duration import HOUR_MS
from schemas.web import Session

if TYPE_CHECKING:
    from litestar.types import HTTPScope

AWAY_MS: Final = 12 * HOUR_MS
"""While Kafka is away, who was let in is let in on; nobody is after so long, since nothing said
here who may not come in any more."""

LOCAL: Final = Principal(name="local", scope="admin", via="local")
"""Anybody on this machine, as long as there are no users."""

UNREAD: Final = "who may come in is not known yet: the topic of users is being read"
AWAY: Final = "who may come in is not known any more: Kafka is away for more than 12 h"
UNKNOWN: Final = "expected a token that is valid, found one that is unknown, expired or revoked"

_OF_A_BROWSER: Final = frozenset({"origin", "cookie", "referer"})


class Door(Protocol):
    """Decides on each request."""

    def visit(self, scope: "HTTPScope") -> Visit | str:
        """Who asks; a sentence: 403, whatever they ask for."""


class _Papers(Struct, frozen=True, kw_only=True):
    """What a request shows of who sends it; `bearer` None: no token."""

    asker: Asker
    bearer: str | None
    session: str
    form_secret: str


class _Stranger(Struct, frozen=True):
    """Nobody who may come in, and why."""

    status: HTTPStatus = HTTPStatus.UNAUTHORIZED
    why: str = ""


class RecordsDoor:
    """Lets in by the records of the topic [web] and the settings.

    As long as there is no user, everybody on this machine is `LOCAL`. The last user is never
    removed: where there were some and are none any more, the topic is another one, and nobody comes
    in until somebody starts the process anew.
    """

    def __init__(
        self,
        journal: Journal,
        served: Served,
        rules: AccessRules | None = None,
        *,
        last_use: LastUse | None = None,
        away_since: Callable[[], int | None] = lambda: None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`served` are the names that this server answers for.

        `away_since`: since when Kafka does not answer (UTC ms), None: it does.
        """
        self._journal = journal
        self._served = served
        self._rules = rules or AccessRules()
        self._last_use = last_use or LastUse(journal)
        self._away_since = away_since
        self._clock = clock
        self._had_users = False

    def visit(self, scope: "HTTPScope") -> Visit | str:
        """Refuses what came from elsewhere, by another proxy or from another site's page."""
        asker = asker_of(scope, self._served, self._rules)
        if isinstance(asker, str):
            return asker
        headers = headers_of(scope)
        is_secure = asker.scheme == "https"
        form, is_new = form_secret(headers, is_secure=is_secure)
        papers = _Papers(
            asker=asker,
            bearer=_bearer(headers),
            session=cookie(headers, SESSION, is_secure=is_secure),
            form_secret=form,
        )
        found = self._who(papers)
        principal = None if isinstance(found, _Stranger) else found
        if principal is not None:
            self._used(papers, principal)
        has_form = principal is None or principal.via in {"local", "proxy"}
        return Visit(
            principal=principal,
            status=found.status if isinstance(found, _Stranger) else HTTPStatus.OK,
            why=found.why if isinstance(found, _Stranger) else "",
            form_secret=form if principal is None else principal.session,
            is_new=is_new and has_form,
            goes_on=lambda: not isinstance(self._who(papers), _Stranger),
            asker=asker,
        )

    def _who(self, papers: _Papers) -> Principal | _Stranger:
        if not self._journal.is_present.is_set():
            return _Stranger(HTTPStatus.SERVICE_UNAVAILABLE, UNREAD)
        now = self._clock()
        book = self._journal.book
        self._had_users = self._had_users or has_users(book)
        if papers.bearer is not None:
            return self._in_time(by_token(book, papers.bearer, now), now) or _Stranger(why=UNKNOWN)
        if papers.asker.user:
            named = by_name(
                book,
                papers.asker.user,
                self._rules.granted(papers.asker.groups),
                "proxy",
                papers.form_secret,
            )
            if isinstance(named, str):
                return _Stranger(HTTPStatus.FORBIDDEN, named)
            return self._in_time(named, now) or _Stranger()
        if papers.asker.is_local and not self._had_users:
            return Principal(
                name=LOCAL.name, scope=LOCAL.scope, via="local", session=papers.form_secret
            )
        return self._in_time(self._of_session(papers.session, now), now) or _Stranger()

    def _of_session(self, secret: str, now: int) -> Principal | None:
        if not secret:
            return None
        name = digest(secret)
        record = self._journal.book.one(Session, name)
        if record is None or (record.via == "oidc" and self._rules.provider is None):
            return None  # whoever takes the provider away takes its sessions away
        return by_session(self._journal.book, record, secret, now, self._last_use.of_session(name))

    def _in_time(self, found: Principal | None, now: int) -> Principal | _Stranger | None:
        """Nobody whose rights may have been taken away long ago."""
        away = self._away_since()
        if found is not None and away is not None and now - away >= AWAY_MS:
            return _Stranger(HTTPStatus.SERVICE_UNAVAILABLE, AWAY)
        return found

    def _used(self, papers: _Papers, principal: Principal) -> None:
        if principal.via == "token" and papers.bearer is not None:
            self._last_use.token(papers.bearer.split("_")[1], self._clock())
        elif principal.via in {"password", "oidc"}:
            self._last_use.session(digest(papers.session), self._clock())


def form_secret(headers: Headers, *, is_secure: bool) -> tuple[str, bool]:
    """The secret for forms of who has no session, and whether it is new; empty for a program.

    A program sends none of the headers that a browser does (Origin, Sec-Fetch-Site, Cookie).
    """
    names = {name for name, _ in headers}
    if names.isdisjoint(_OF_A_BROWSER) and not any(name.startswith("sec-fetch-") for name in names):
        return "", False
    found = cookie(headers, FORM, is_secure=is_secure)
    return (found, False) if found else (secrets.token_urlsafe(32), True)


def _bearer(headers: Headers) -> str | None:
    """The token of a request; None: it has none. Other schemes are those of a proxy."""
    found = values(headers, "authorization")
    tokens = [one.partition(" ")[2].strip() for one in found if one[:7].lower() == "bearer "]
    if not tokens:
        return None
    return tokens[0] if len(found) == 1 else ""
