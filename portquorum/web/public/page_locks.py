"""Locked status pages: who may read them, and how one is let in, by a password or by a key.

To all others there is nothing at the addresses of a locked page, but that its HTML addresses ask
for the password, if it has one: with no title and no name of it.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qs, parse_qsl, quote, urlencode

from aiokafka.errors import KafkaError
from litestar.datastructures import Cookie
from msgspec import Struct

from portquorum.access.passwords import PasswordsBusyError
from portquorum.access.rules import AccessRules
from portquorum.changing.keys import Keys
from portquorum.journal.protocol import Journal
from portquorum.status_pages.build import lock_of
from portquorum.status_pages.model import Snapshot
from portquorum.status_pages.rendering import locked as locked_page
from portquorum.web import metrics
from portquorum.web.access.asker import client_address, headers_of, values
from portquorum.web.office.attempts import TooManyAttemptsError
from portquorum.web.public import lock_ticket
from portquorum.web.public.headers import NOT_FOUND, lock_headers, plain_headers
from portquorum.web.public.request_body import form_of
from schemas.web import ShareKey, StatusPage

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Send

COOKIE: Final = "portquorum_status_"
KEY: Final = "key"
FIELD: Final = "password"
_NO_HTML: Final = (".json", ".atom", ".ics", ".svg", ".shields")
_MOST_KEY: Final = 200
_MOST_TYPED: Final = 1_024

_W: Final = {
    "wrong": "This is not the password.",
    "many": "Too many wrong passwords: try again in {wait} s.",
    "away": "The password can't be checked at the moment: try again later.",
}


class Attempts(Protocol):
    """Checks passwords of pages, and makes who fails wait."""

    async def page(self, slug: str, hashed: str, password: str, address: str) -> bool:
        """As of `portquorum.web.office.attempts.Attempts.page`."""


class _Way(Struct, frozen=True):
    """A way in: what the ticket's key is, and when it ends at the latest (s since 1970)."""

    via: str
    secret: str
    expires_s: int


class PageLocks:
    """The locks of one process; see `portquorum.web.public.app.PublicParts`."""

    def __init__(
        self,
        journal: Journal,
        keys: Keys,
        attempts: Attempts,
        rules: AccessRules | None = None,
        *,
        is_known: Callable[["HTTPScope"], bool] = lambda _scope: False,
        is_away: Callable[[], bool] = lambda: False,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`rules` name the proxies whose headers count; `now` gives UTC ms.

        `is_known`: whether a request comes from somebody who may see the monitor, and so all pages.
        `is_away`: whether Kafka is, so that no failure could be written down.
        """
        self._journal = journal
        self._keys = keys
        self._attempts = attempts
        self._rules = rules or AccessRules()
        self._is_known = is_known
        self._is_away = is_away
        self._now = now

    def may_read(self, scope: "HTTPScope", page: Snapshot) -> bool:
        """True for a public page, for who has a ticket or is known, and for a program with a key.

        A browser that comes with a key is led to the address without it first.
        """
        record = self._record(page.slug)
        if page.access == "public" and (record is None or record.access == "public"):
            return True
        if self._key_of(scope, page.slug) is not None:
            return not _is_html(scope["path"])
        ticket = lock_ticket.read(self._cookie(scope, page.slug))
        if ticket is not None:
            secret = self._secret_of(ticket, page, record)
            if lock_ticket.is_good(ticket, secret, page.slug, self._now() // 1000):
                return True
        return self._is_known(scope)

    async def unlock(
        self, scope: "HTTPScope", receive: "Receive", send: "Send", page: Snapshot
    ) -> None:
        """Answers a request that may not read a locked page."""
        record = self._record(page.slug)
        key = self._key_of(scope, page.slug)
        if key is not None:
            await self._let_in(scope, send, page.slug, self._way_of(key))
        elif not _is_html(scope["path"]) or (record is not None and record.password is None):
            await _nothing(scope, send)
        elif scope["method"] == "POST":
            await self._tried(scope, receive, send, page.slug, record)
        elif scope["method"] in {"GET", "HEAD"}:
            await _ask(scope, send, HTTPStatus.FORBIDDEN)
        else:
            await _nothing(scope, send)

    def _record(self, slug: str) -> StatusPage | None:
        """The page as it is now; None: nobody knows yet."""
        if not self._journal.is_present.is_set():
            return None
        return self._journal.book.get(StatusPage, slug)

    def _key_of(self, scope: "HTTPScope", slug: str) -> ShareKey | None:
        """The key in the query, if it opens this page; None also while nobody knows yet."""
        if b"key=" not in scope["query_string"] or not self._journal.is_present.is_set():
            return None
        try:
            given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=50)
        except ValueError:
            return None
        for text in given.get(KEY, ())[:1]:
            key = self._keys.find(text[:_MOST_KEY], "page")
            if key is not None and key.about == slug:
                return key
        return None

    def _secret_of(
        self, ticket: lock_ticket.Ticket, page: Snapshot, record: StatusPage | None
    ) -> str:
        """The key of a ticket's HMAC; empty: no ticket of its kind is good."""
        if ticket.via == lock_ticket.BY_PASSWORD:
            # A page without a password has a lock that everybody can reckon.
            if record is not None:
                return lock_of(record) if record.password is not None else ""
            return page.lock if page.lock != _NO_PASSWORD else ""
        key = self._journal.book.get(ShareKey, ticket.via)
        if key is None or key.use != "page" or key.about != page.slug:
            return ""
        is_over = key.expires_at is not None and key.expires_at <= self._now()
        return "" if is_over else key.secret

    def _way_of(self, key: ShareKey) -> _Way:
        longest = self._now() // 1000 + lock_ticket.LONGEST_S
        ends = longest if key.expires_at is None else key.expires_at // 1000
        return _Way(key.id, key.secret, min(longest, ends))

    def _cookie(self, scope: "HTTPScope", slug: str) -> str:
        wanted = _cookie_name(slug, is_secure=self.is_secure(scope))
        found = [
            value
            for header in values(headers_of(scope), "cookie")
            for part in header.split(";")
            for name, _, value in [part.strip().partition("=")]
            if name == wanted
        ]
        return found[0] if len(found) == 1 else ""

    async def _tried(
        self,
        scope: "HTTPScope",
        receive: "Receive",
        send: "Send",
        slug: str,
        record: StatusPage | None,
    ) -> None:
        """A password was sent."""
        if _is_of_another_site(scope):
            await _ask(scope, send, HTTPStatus.FORBIDDEN)
            return
        typed = (await form_of(scope, receive)).get(FIELD, "")[:_MOST_TYPED]
        # Without a record of failures somebody could try passwords without end, and see the right
        # one let in.
        if record is None or record.password is None or self._is_away():
            await _ask(scope, send, HTTPStatus.SERVICE_UNAVAILABLE, _W["away"])
            return
        try:
            is_it = await self._attempts.page(slug, record.password, typed, self._address(scope))
        except TooManyAttemptsError as error:
            said = _W["many"].replace("{wait}", str(error.wait_s))
            wait = (b"retry-after", str(error.wait_s).encode())
            await _ask(scope, send, HTTPStatus.TOO_MANY_REQUESTS, said, wait)
            return
        except (PasswordsBusyError, KafkaError, OSError):
            await _ask(scope, send, HTTPStatus.SERVICE_UNAVAILABLE, _W["away"])
            return
        if not is_it:
            await _ask(scope, send, HTTPStatus.FORBIDDEN, _W["wrong"])
            return
        expires = self._now() // 1000 + lock_ticket.LONGEST_S
        way = _Way(lock_ticket.BY_PASSWORD, lock_of(record), expires)
        await self._let_in(scope, send, slug, way)

    async def _let_in(self, scope: "HTTPScope", send: "Send", slug: str, way: _Way) -> None:
        """Gives a ticket, and leads to the address without the key."""
        is_secure = self.is_secure(scope)
        cookie = Cookie(
            key=_cookie_name(slug, is_secure=is_secure),
            value=lock_ticket.written(way.secret, slug, way.via, way.expires_s),
            # Not the page's own path: its JSON is beside it, and the name has the slug.
            path="/status" if scope["path"].startswith("/status/") else "/",
            max_age=max(0, way.expires_s - self._now() // 1000),
            httponly=True,
            samesite="lax",
            secure=is_secure,
        )
        headers = [
            *plain_headers(HTTPStatus.SEE_OTHER, b""),
            (b"location", _clean_address(scope).encode()),
            (b"set-cookie", cookie.to_header(header="").encode("latin-1")),
        ]
        await _send(scope, send, HTTPStatus.SEE_OTHER, headers, b"")

    def _address(self, scope: "HTTPScope") -> str:
        peer = scope["client"][0] if scope["client"] is not None else ""
        if not self._rules.trusts(peer):
            return peer
        forwarded = ",".join(values(headers_of(scope), "x-forwarded-for"))
        return client_address(peer, forwarded, self._rules)

    def is_secure(self, scope: "HTTPScope") -> bool:
        """Whether the browser spoke TLS, to us or to a proxy of ours."""
        peer = scope["client"][0] if scope["client"] is not None else ""
        if self._rules.trusts(peer):
            said = ",".join(values(headers_of(scope), "x-forwarded-proto"))
            if said:
                return said.rpartition(",")[2].strip() == "https"
        return scope["scheme"] == "https"


_NO_PASSWORD: Final = lock_of(
    StatusPage(
        version=1,
        change="0" * 16,
        at=0,
        by="",
        slug="x",
        title="x",
        groups=(),
        access="locked",
        password=None,
    )
)
"""The lock of a page without a password: no secret."""


def _cookie_name(slug: str, *, is_secure: bool) -> str:
    """With TLS it begins with `__Secure-`: no page without TLS can set it (RFC 6265bis)."""
    return f"{'__Secure-' if is_secure else ''}{COOKIE}{slug}"


def _is_html(path: str) -> bool:
    return not path.endswith(_NO_HTML) and not path.startswith(("/api/", "/badge/"))


def _is_of_another_site(scope: "HTTPScope") -> bool:
    """A page of a stranger would have its visitors try passwords."""
    sites = values(headers_of(scope), "sec-fetch-site")
    return any(one not in {"same-origin", "none"} for one in sites)


def _clean_address(scope: "HTTPScope") -> str:
    """The address that was asked for without its key: a path of this server, never another one."""
    path = "/" + quote(scope["path"].lstrip("/\\"), safe="/-._~")
    try:
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=50)
    except ValueError:
        pairs = []
    query = urlencode([pair for pair in pairs if pair[0] != KEY])
    return f"{path}?{query}" if query else path


async def _nothing(scope: "HTTPScope", send: "Send") -> None:
    status = HTTPStatus.NOT_FOUND
    await _send(scope, send, status, plain_headers(status, NOT_FOUND), NOT_FOUND)


async def _ask(
    scope: "HTTPScope",
    send: "Send",
    status: HTTPStatus,
    trouble: str = "",
    *more: tuple[bytes, bytes],
) -> None:
    """Asks for the password."""
    body = locked_page(quote(scope["path"], safe="/-._~"), trouble).encode()
    await _send(scope, send, status, [*lock_headers(body), *more], body)


async def _send(
    scope: "HTTPScope",
    send: "Send",
    status: HTTPStatus,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    metrics.REQUESTS.labels("public", str(int(status))).inc()
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown, "more_body": False})
