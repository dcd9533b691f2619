"""Addresses of badges: ours by target, and those of Gatus. Pure.

Badges of components lie below their page (`contents.py`). Here are `/badge/TARGET/…`, and Gatus'
`/api/v1/endpoints/KEY/…`, whose KEY is `SLUG_COMPONENT` of a public page, or the id of a target.
"""

from typing import Final

from msgspec import Struct

from portquorum.status_pages.badges import DEFAULT_SPAN, SPAN_NAMES, WHATS, What
from portquorum.web.public.place import Place

OURS: Final = "/badge/"
GATUS: Final = "/api/v1/endpoints/"

_GATUS_SPANS: Final[dict[str, What]] = {"uptimes": "uptime", "response-times": "response"}


class BadgePlace(Struct, frozen=True):
    """A badge: of what, of which span of `SPAN_NAMES`, as `svg` or `json`.

    `page` and `component` are set by an address of Gatus that may mean a component; `target` is
    what else it may mean.
    """

    target: str
    what: What
    span: str
    form: str
    page: str = ""
    component: str = ""


def badge_place(path: str) -> BadgePlace | None:
    """The badge of a path; None: it is none."""
    if path.startswith(OURS):
        return _ours(path[len(OURS) :].split("/"))
    if path.startswith(GATUS):
        return _gatus(path[len(GATUS) :].split("/"))
    return None


def on_page(found: BadgePlace) -> Place:
    """Where the badge of a component lies below its page."""
    last = (f"{found.span}.{found.form}",)
    rest = (f"status.{found.form}",) if found.what == "status" else (found.what, *last)
    return Place(found.page, "", ("badge", found.component, *rest))


def takes(path: str) -> bool:
    """True for paths that nobody else has."""
    return path.startswith(OURS) or badge_place(path) is not None


def _ours(parts: list[str]) -> BadgePlace | None:
    target, *rest = parts
    if len(rest) == 1:
        name, _, form = rest[0].rpartition(".")
        rest = [name, f"{DEFAULT_SPAN}.{form}"]
    elif rest and rest[0] == "status":
        return None
    if len(rest) != 2:
        return None
    span, _, form = rest[1].rpartition(".")
    what = WHATS.get(rest[0])
    if what is None or span not in SPAN_NAMES or form not in {"svg", "json"}:
        return None
    return BadgePlace(target, what, span, form)


def _gatus(parts: list[str]) -> BadgePlace | None:
    match parts:
        case [key, "health", "badge.svg"]:
            return _of_key(key, "status", DEFAULT_SPAN, "svg")
        case [key, "health", "badge.shields"]:
            return _of_key(key, "status", DEFAULT_SPAN, "json")
        case [key, sort, span, "badge.svg"] if sort in _GATUS_SPANS and span in SPAN_NAMES:
            return _of_key(key, _GATUS_SPANS[sort], span, "svg")
        case _:
            return None


def _of_key(key: str, what: What, span: str, form: str) -> BadgePlace:
    page, _, component = key.partition("_")
    return BadgePlace(key, what, span, form, page, component)
