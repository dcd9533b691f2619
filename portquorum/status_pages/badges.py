"""Badges: a label and a value as a small picture (SVG), or as JSON for shields.io."""

from html import escape
from typing import Final, Literal

import msgspec
from msgspec import Struct

from portquorum.status_pages import words
from portquorum.status_pages.day_bars import percent_words
from portquorum.status_pages.model import SPANS, Component, ComponentState, Snapshot
from portquorum.status_pages.rendering import response_of, uptime_of
from portquorum.status_pages.view import response_words
from schemas.plain_text import one_line

What = Literal["status", "uptime", "response"]

WHATS: Final[dict[str, What]] = {"status": "status", "uptime": "uptime", "response": "response"}

OLD_MS: Final = 300_000
"""From this age of a page on its badges say "no data": a picture can't say how old it is."""

MOST_CHARS: Final = 50
SPAN_NAMES: Final = {"24h" if days == 1 else f"{days}d": days for days in SPANS}
"""`24h`, `7d`, `30d`, `90d`, as days."""

DEFAULT_SPAN: Final = "30d"

_GREEN: Final = "#1f6b52"
_AMBER: Final = "#855400"
_RED: Final = "#a5200b"
_GREY: Final = "#56606f"
_BLUE: Final = "#34508f"
_COLOURS: Final[dict[ComponentState, str]] = {
    "major_outage": _RED,
    "partial_outage": _RED,
    "degraded": _AMBER,
    "unknown": _GREY,
    "maintenance": _BLUE,
    "operational": _GREEN,
}
_LABEL_COLOUR: Final = "#3a424b"
_GOOD: Final = 99.9
_FAIR: Final = 99.0

# Widths (px) of Verdana at 11 px, which the fonts after it are not wider than; others are wide.
_NARROW: Final = frozenset("iljtfrI.,:;!|'()[] ")
_WIDE: Final = frozenset("mwMW%@")


class Badge(Struct, frozen=True):
    """What a badge says; `colour` is that of the value's side."""

    label: str
    value: str
    colour: str


class _Shields(Struct, frozen=True, rename="camel", kw_only=True):
    """An endpoint badge of shields.io."""

    schema_version: int = 1
    label: str
    message: str
    color: str
    cache_seconds: int = 300


def status(state: ComponentState, label: str) -> Badge:
    """How something is."""
    return Badge(label, words.STATE[state].lower(), _COLOURS[state])


def uptime(value: float | None, span: str) -> Badge:
    """The uptime (percent) over a span of `SPAN_NAMES`."""
    colour = _GREY
    if value is not None:
        colour = _GREEN if value >= _GOOD else _AMBER if value >= _FAIR else _RED
    return Badge(f"uptime {span}", percent_words(value) if value is not None else _NONE, colour)


def response(value: float | None, span: str) -> Badge:
    """The median response time (ms) over a span of `SPAN_NAMES`."""
    colour = _GREY if value is None else _BLUE
    return Badge(f"response {span}", response_words(value) or _NONE, colour)


_NONE: Final = "no data"


def of_page(page: Snapshot, now: int) -> Badge:
    """The state of a whole page at `now` (UTC ms)."""
    return status("unknown" if is_old(page, now) else page.state, page.title)


def of_component(page: Snapshot, one: Component, what: What, span: str, now: int) -> Badge | None:
    """A badge of a component; None: its page does not show that."""
    if what == "status":
        return status("unknown" if is_old(page, now) else one.state, one.name)
    days = SPAN_NAMES[span]
    if what == "uptime":
        return uptime(uptime_of(one.past, days), span) if page.show_uptime else None
    return response(response_of(one.past, days), span) if page.show_response_times else None


def is_old(page: Snapshot, now: int) -> bool:
    """True if its states say nothing of now."""
    return page.seen_at is None or now - page.seen_at > OLD_MS


def shields(badge: Badge) -> bytes:
    """The JSON that shields.io makes a badge of (https://shields.io/badges/endpoint-badge)."""
    label, value = _cut(badge.label), _cut(badge.value)
    return msgspec.json.encode(_Shields(label=label, message=value, color=badge.colour))


def svg(badge: Badge) -> bytes:
    """The picture. Text is squeezed or spread to the width that it was given."""
    label, value = _cut(badge.label), _cut(badge.value)
    left, right = width_of(label) + 12, width_of(value) + 12
    said = escape(f"{label}: {value}")
    whole = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" '
        f'aria-label="{said}"><title>{said}</title>'
        f'<clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{_LABEL_COLOUR}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{badge.colour}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" '
        f'font-size="11" aria-hidden="true">{_text(label, left / 2, left - 12)}'
        f"{_text(value, left + right / 2, right - 12)}</g></svg>"
    ).encode()


def _text(text: str, middle: float, width: int) -> str:
    return f'<text x="{middle:g}" y="14" textLength="{width}">{escape(text)}</text>'


def width_of(text: str) -> int:
    """The width (px) of a text, about: enough for it, never much too wide."""
    return round(sum(map(_char_width, text))) or 1


def _char_width(char: str) -> float:
    if char in _NARROW:
        return 4.5
    if char in _WIDE or ord(char) >= 0x2E80:
        return 11.0
    return 8.0 if char.isupper() else 7.0


def _cut(text: str) -> str:
    """On one line, without what can't stand in XML, at most `MOST_CHARS` characters."""
    clean = "".join(one for one in one_line(text) if one not in "\ufffe\uffff").strip() or "?"
    return clean if len(clean) <= MOST_CHARS else f"{clean[: MOST_CHARS - 1]}…"
