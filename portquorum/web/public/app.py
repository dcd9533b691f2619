"""The ASGI app of what everybody may see. It stands before the door, and knows no user."""

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from portquorum.serving.scopes import is_http
from portquorum.status_pages.badges import Badge
from portquorum.status_pages.model import Snapshot
from portquorum.web import metrics
from portquorum.web.packing import NOT_PACKED, encoding_for
from portquorum.web.public import badge_place
from portquorum.web.public.badge_place import BadgePlace
from portquorum.web.public.contents import badge_content, content_of
from portquorum.web.public.headers import NOT_FOUND, badge_headers, headers_of, plain_headers
from portquorum.web.public.keeper import Kept
from portquorum.web.public.kept_answers import Answer, KeptAnswers
from portquorum.web.public.origins import Origins
from portquorum.web.public.place import Place, host_name, origin, place_of

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Scope, Send

MayRead = Callable[["HTTPScope", Snapshot], bool]
Unlock = Callable[["HTTPScope", "Receive", "Send", Snapshot], Awaitable[None]]


class Pages(Protocol):
    """Where snapshots come from; `portquorum.web.public.keeper.Keeper` is it."""

    def get(self, slug: str) -> Kept | None:
        """The page of a slug; None: there is none."""


def is_public(_scope: "HTTPScope", page: Snapshot) -> bool:
    """Whoever asks may read what is not locked."""
    return page.access == "public"


class Badges(Protocol):
    """Badges of targets; `portquorum.web.public.target_badges.TargetBadges` makes them."""

    def may_see(self, target: str, query: bytes) -> bool:
        """Whether a key in the query opens the badges of a target."""

    async def badge(self, place: BadgePlace) -> Badge | None:
        """The badge; None: there is no such target."""


def nobody(_scope: "HTTPScope") -> bool:
    """Nobody is known."""
    return False


class PublicParts(Struct, frozen=True, kw_only=True):
    """What the app asks.

    `page_for_host`: the page that a name shows at `/`, None: none. `may_read`: whether a request
    may read a page. `unlock` answers requests to a locked page that may not read it (any method:
    its form, its key); None: 404. `badges` are those of targets; they need a key, unless `is_known`
    says that a request comes from somebody who may see the monitor. `is_secure`: whether the
    browser spoke TLS, to us or to a proxy. `now` gives UTC ms.
    """

    pages: Pages
    page_for_host: Callable[[str], str | None] = lambda _host: None
    may_read: MayRead = is_public
    unlock: Unlock | None = None
    badges: Badges | None = None
    is_known: Callable[["HTTPScope"], bool] = nobody
    is_secure: Callable[["HTTPScope"], bool] = lambda scope: scope["scheme"] == "https"
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000


class PublicApp:
    """An app in front of others (`portquorum.serving.front`): it takes what is public."""

    def __init__(self, parts: PublicParts) -> None:
        self._parts = parts
        self._kept = KeptAnswers()
        self._origins = Origins()

    def takes(self, scope: "HTTPScope") -> bool:
        """True for status pages, their domains and badges, also for those that are not there."""
        return self._place(scope) is not None or badge_place.takes(scope["path"])

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers a request; 404 for what it does not take."""
        if not is_http(scope):
            return
        place = self._place(scope)
        if place is None:
            await self._badge(scope, receive, send)
        else:
            await self._page(scope, receive, send, place)

    async def _badge(self, scope: "HTTPScope", receive: "Receive", send: "Send") -> None:
        """A badge of a target, or of a component by an address of Gatus."""
        found = badge_place.badge_place(scope["path"])
        if found is None:
            await _nothing(scope, send)
            return
        kept = self._parts.pages.get(found.page) if found.component else None
        if kept is not None and kept.snapshot.component(found.component) is not None:
            await self._page(scope, receive, send, badge_place.on_page(found))
            return
        badges = self._parts.badges
        if badges is None or not (
            badges.may_see(found.target, scope["query_string"]) or self._parts.is_known(scope)
        ):
            await _nothing(scope, send)
            return
        badge = await badges.badge(found)
        content = None if badge is None else badge_content(badge, found.form)
        if content is None:
            await _nothing(scope, send)
        elif scope["method"] in {"GET", "HEAD"}:
            await _send(scope, send, HTTPStatus.OK, badge_headers(*content), content[1])
        else:
            await _say(scope, send, HTTPStatus.METHOD_NOT_ALLOWED)

    def _origin(self, scope: "HTTPScope", place: Place) -> str:
        """The origin for what has whole addresses; else empty."""
        if not place.rest or place.rest[-1] not in _ABSOLUTE:
            return ""
        scheme = "https" if self._parts.is_secure(scope) else "http"
        host = _value(scope, b"host")
        at = origin(scheme, host)
        is_set = not place.base and ":" not in host  # a name of the settings
        return at if is_set else self._origins.taken(at)

    def _place(self, scope: "HTTPScope") -> Place | None:
        host = _value(scope, b"host")
        return place_of(scope["path"], host_name(host), self._parts.page_for_host)

    async def _page(
        self, scope: "HTTPScope", receive: "Receive", send: "Send", place: Place
    ) -> None:
        kept = self._parts.pages.get(place.slug)
        if kept is None:
            await _nothing(scope, send)
            return
        snapshot = kept.snapshot
        if not self._parts.may_read(scope, snapshot):
            if self._parts.unlock is None or snapshot.access == "public":
                await _nothing(scope, send)
            else:
                await self._parts.unlock(scope, receive, send, snapshot)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await _say(scope, send, HTTPStatus.METHOD_NOT_ALLOWED)
            return
        now = self._parts.now()
        at = self._origin(scope, place)
        answer = self._kept.get(
            (place, at),
            _state(kept, now),
            lambda: content_of(snapshot, place, now, at),
        )
        if answer is None:
            await _nothing(scope, send)
            return
        await _answer(scope, send, answer, snapshot, now)


_ABSOLUTE: Final = frozenset({"feed.atom", "feed.json", "maintenance.ics"})
"""What has whole addresses in it."""


def _state(kept: Kept, now: int) -> tuple[int, int, int]:
    """An answer changes with its content, and each minute: it says how old it is."""
    seen = kept.snapshot.seen_at
    age = -1 if seen is None else max(0, now - seen) // 60_000
    return kept.revision, now // 60_000, age


async def _answer(
    scope: "HTTPScope", send: "Send", answer: Answer, snapshot: Snapshot, now: int
) -> None:
    encoding, body = answer.coded(
        encoding_for(
            value.decode("latin-1")
            for name, value in scope["headers"]
            if name == b"accept-encoding"
        )
    )
    headers = headers_of(answer, snapshot, now)
    status = HTTPStatus.OK
    if _knows(scope, answer.etag):
        status, body = HTTPStatus.NOT_MODIFIED, b""
    else:
        headers.append((b"content-type", answer.kind))
        headers.append((b"content-length", str(len(body)).encode()))
        if encoding != NOT_PACKED:
            headers.append((b"content-encoding", encoding.encode()))
    await _send(scope, send, status, headers, body)


def _knows(scope: "HTTPScope", etag: str) -> bool:
    wanted = etag.removeprefix("W/")
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = {one.strip().removeprefix("W/") for one in value.decode("latin-1").split(",")}
            if "*" in tags or wanted in tags:
                return True
    return False


async def _nothing(scope: "HTTPScope", send: "Send") -> None:
    """404: the same for what never was, what is locked and what is nobody's business."""
    await _say(scope, send, HTTPStatus.NOT_FOUND)


async def _say(scope: "HTTPScope", send: "Send", status: HTTPStatus) -> None:
    body = NOT_FOUND if status == HTTPStatus.NOT_FOUND else f"{status.phrase}\n".encode()
    await _send(scope, send, status, plain_headers(status, body), body)


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


def _value(scope: "HTTPScope", wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")
