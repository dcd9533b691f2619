"""What stands at each address of a page: its type and its bytes. Pure."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from portquorum.status_pages import rendering
from portquorum.status_pages.document import document
from portquorum.status_pages.model import Snapshot
from portquorum.web.public.place import Place

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"

Content = tuple[str, bytes]


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
    if not number.isdecimal() or len(number) > 4:
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


_MAKERS: Final[dict[tuple[str, int], Callable[..., Content | None]]] = {
    ("", 0): _whole,
    (".json", 0): _json,
    ("history", 0): _history,
    ("history", 1): _history,
    ("posts", 1): _post,
    ("components", 1): _component,
}
"""By the first part of the address, and how many follow."""


def _html(text: str) -> Content:
    return HTML, text.encode()
