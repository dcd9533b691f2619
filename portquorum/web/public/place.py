"""Where a request leads: to which page, and to what of it. Pure."""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

PAGES: Final = "/status/"
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_HOST: Final = re.compile(r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?\Z|\[[0-9a-f:.]{2,45}\](:[0-9]{1,5})?\Z")


class Place(Struct, frozen=True):
    """A page, the path before its own addresses, and the rest: `("history", "2")`.

    `slug` is empty for what is of no page. `base` is empty on a domain of the page's own.
    """

    slug: str
    base: str
    rest: tuple[str, ...]


def place_of(path: str, host: str, page_for_host: Callable[[str], str | None]) -> Place | None:
    """The place of a path; None: it is none of a status page."""
    own = page_for_host(host)
    if own is not None:
        return Place(own, "", _own(path))
    if not path.startswith(PAGES):
        return None
    first, *rest = path[len(PAGES) :].split("/")
    slug, json = first.removesuffix(".json"), first.endswith(".json") and not rest
    if not _SLUG.match(slug) or (first.endswith(".json") and rest):
        return Place("", "", ())
    return Place(slug, f"{PAGES}{slug}", (".json",) if json else tuple(rest))


def _own(path: str) -> tuple[str, ...]:
    if path == "/":
        return ()
    return (".json",) if path == "/status.json" else tuple(path[1:].split("/"))


def host_name(host: str) -> str:
    """The name of a `Host` header without its port, in small letters."""
    name = host.lower()
    return name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]


def origin(scheme: str, host: str) -> str:
    """`https://status.example.org`; empty if the header is no host."""
    name = host.lower()
    return f"{scheme}://{name}" if _HOST.match(name) else ""
