"""A public post drafted from an incident: with names that readers know, and nothing else. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from portquorum.changing.status_edits import WantedPost
from portquorum.status_editing.page_rules import components_of
from portquorum.status_editing.post_rules import MOST_TITLE
from schemas.web import Impact, StatusComponent, StatusPage

_MOST_NAMED: Final = 2
_NAMELESS: Final = "One of our services"


class Outage(Struct, frozen=True, kw_only=True):
    """Of an incident what a draft may use; `target` finds components, and is never written.

    `sort`: the incident's type. Times are UTC ms; `ended_at` None: it goes on.
    """

    id: str
    target: str
    sort: str
    began_at: int
    ended_at: int | None = None


class _Words(Struct, frozen=True):
    """What a type of incidents is called in public: in a title, and as what was seen."""

    title: str
    seen: str
    impact: Impact


_USUAL: Final = _Words("{names}: problems", "problems", "minor")
_WORDS: Final = {
    "unreachable": _Words("{names}: not available", "not available", "major"),
    "flapping": _Words("{names}: at times not available", "at times not available", "major"),
    "slow": _Words("{names}: slow", "slower than usual", "minor"),
}


def drafted(pages: Sequence[StatusPage], outage: Outage) -> WantedPost:
    """A post about the components that have the target; without any, the pages are empty.

    A name is one that all readers may know: of the public pages, or one that all locked pages have.
    """
    shown = [
        (page, component)
        for page in pages
        for _, component in components_of(page)
        if outage.target in component.targets
    ]
    names = _names(shown_names(shown))
    words = _WORDS.get(outage.sort, _USUAL)
    title = words.title.replace("{names}", names)
    is_over = outage.ended_at is not None
    said = (
        f"{names}: {words.seen} from {_clock(outage.began_at)} to {_clock(outage.ended_at or 0)}. "
        "This is over."
        if is_over
        else f"{names}: {words.seen} since {_clock(outage.began_at)}. We are looking into it."
    )
    return WantedPost(
        title=title[:MOST_TITLE],
        text=said,
        pages=tuple(dict.fromkeys(page.slug for page, _ in shown)),
        components=tuple(f"{page.slug}/{one.id}" for page, one in shown),
        state="resolved" if is_over else "investigating",
        impact=words.impact,
        starts_at=outage.began_at,
        ends_at=outage.ended_at,
        incident_id=outage.id,
    )


def shown_names(shown: Sequence[tuple[StatusPage, StatusComponent]]) -> list[str]:
    """Names that may be on every page on which the post will be."""
    by_page: dict[str, list[str]] = {}
    public: list[str] = []
    for page, component in shown:
        by_page.setdefault(page.slug, []).append(component.name)
        if page.access == "public":
            public.append(component.name)
    if public or not by_page:
        return list(dict.fromkeys(public))
    first, *others = by_page.values()
    return [one for one in dict.fromkeys(first) if all(one in names for names in others)]


def _names(names: Sequence[str]) -> str:
    if not names:
        return _NAMELESS
    if len(names) <= _MOST_NAMED:
        return " and ".join(names)
    return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, tz=UTC):%H:%M} UTC"
