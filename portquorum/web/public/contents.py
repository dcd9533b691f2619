"""What stands at each address of a page: its type and its bytes. Pure."""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from portquorum.status_pages import badges, rendering
from portquorum.status_pages.calendar import calendar
from portquorum.status_pages.document import document
from portquorum.status_pages.feeds import atom, json_feed
from portquorum.status_pages.model import Snapshot
from portquorum.web.public.place import Place

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"
ATOM: Final = "application/atom+xml; charset=utf-8"
JSON_FEED: Final = "application/feed+json"
ICAL: Final = "text/calendar; charset=utf-8"
SVG: Final = "image/svg+xml"

Content = tuple[str, bytes]
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")


def content_of(page: Snapshot, place: Place, now: int, origin: str) -> Content | None:
    """The content at a place of a page; None: there is nothing.

    `origin` is the scheme and host by which it was asked for, for whole addresses; it may be empty.
    """
    name, rest = (place.rest[0], place.rest[1:]) if place.rest else ("", ())
    maker = _MAKERS.get((name, len(rest)))
    return None if maker is None else maker(_Asked(page, place.base, now, origin), *rest)


class _Asked(Struct, frozen=True):
    page: Snapshot
    base: str
    now: int
    origin: str


def _whole(asked: _Asked) -> Content:
    return _html(rendering.page(asked.page, asked.now, asked.base))


def _json(asked: _Asked) -> Content:
    return JSON, document(asked.page, asked.now)


def _history(asked: _Asked, number: str = "1") -> Content | None:
    # One address for each page: what can be written in many ways would be made as often.
    if _NUMBER.fullmatch(number) is None:
        return None
    text = rendering.history(asked.page, asked.now, asked.base, int(number))
    return None if text is None else _html(text)


def _post(asked: _Asked, name: str) -> Content | None:
    one = asked.page.post(name)
    return None if one is None else _html(rendering.post(asked.page, one, asked.now, asked.base))


def _component(asked: _Asked, name: str) -> Content | None:
    one = asked.page.component(name)
    if one is None:
        return None
    return _html(rendering.component(asked.page, one, asked.now, asked.base))


def _atom(asked: _Asked) -> Content:
    return ATOM, atom(asked.page, asked.origin, asked.base)


def _json_feed(asked: _Asked) -> Content:
    return JSON_FEED, json_feed(asked.page, asked.origin, asked.base)


def _calendar(asked: _Asked) -> Content:
    return ICAL, calendar(asked.page, asked.origin, asked.base)


def _page_badge(asked: _Asked, name: str) -> Content | None:
    what, form = _named(name)
    if what != "status":
        return None
    return badge_content(badges.of_page(asked.page, asked.now), form)


def _badge(asked: _Asked, component: str, name: str) -> Content | None:
    return _span_badge(asked, component, *_named(name), badges.DEFAULT_SPAN)


def _badge_of_span(asked: _Asked, component: str, what: str, name: str) -> Content | None:
    span, form = _named(name)
    return None if what == "status" else _span_badge(asked, component, what, form, span)


def _span_badge(asked: _Asked, component: str, what: str, form: str, span: str) -> Content | None:
    one = asked.page.component(component)
    sort = badges.WHATS.get(what)
    if one is None or sort is None or span not in badges.SPAN_NAMES:
        return None
    badge = badges.of_component(asked.page, one, sort, span, asked.now)
    return None if badge is None else badge_content(badge, form)


def badge_content(badge: badges.Badge, form: str) -> Content | None:
    """A badge in a form: `svg`, `json`; None: there is no such form."""
    match form:
        case "svg":
            return SVG, badges.svg(badge)
        case "json":
            return JSON, badges.shields(badge)
        case _:
            return None


def _named(name: str) -> tuple[str, str]:
    """`status.svg` as `status`, `svg`."""
    what, _, form = name.rpartition(".")
    return what, form


_MAKERS: Final[dict[tuple[str, int], Callable[..., Content | None]]] = {
    ("", 0): _whole,
    (".json", 0): _json,
    ("history", 0): _history,
    ("history", 1): _history,
    ("posts", 1): _post,
    ("components", 1): _component,
    ("feed.atom", 0): _atom,
    ("feed.json", 0): _json_feed,
    ("maintenance.ics", 0): _calendar,
    ("badge", 1): _page_badge,
    ("badge", 2): _badge,
    ("badge", 3): _badge_of_span,
}
"""By the first part of the address, and how many follow."""


def _html(text: str) -> Content:
    return HTML, text.encode()
