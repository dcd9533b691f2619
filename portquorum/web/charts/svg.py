"""SVG as text: elements and paths, without inline styles. Pure.

A chart is an outer drawing as wide as its page, with places in percent of the width and heights in
pixels, so that words keep their size; lines lie in inner drawings that stretch. What a shape is
stands in its class; colours are the style sheet's (`s-down`, `s-slow`, …).
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from schemas.plain_text import one_line


def element(name: str, *children: str, **attributes: object) -> str:
    """An element; children are markup, attributes are escaped.

    `class_` is `class`, `data_at` is `data-at`; an attribute that is None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(children)
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def words(text: str) -> str:
    """A text inside an element: escaped, on one line, and nothing in it turns its direction."""
    return escape(one_line(text))


def title(text: str) -> str:
    """What a pointer over a shape shows."""
    return f"<title>{words(text)}</title>"


class Box(NamedTuple):
    """Place and width in percent, the others in pixels."""

    x: float
    width: float
    y: float
    height: float


class Bar(NamedTuple):
    """A bar, and what a pointer over it shows."""

    box: Box
    tip: str = ""


MOST_TIPS: Final = 20
"""Bars of one class that are elements of their own, with a tip; more are one path without."""


def bars(found: Sequence[Bar], class_: str, height: float) -> str:
    """Bars of one class in a drawing of `height` pixels, as few elements: a page has 2,000."""
    if len(found) <= MOST_TIPS and any(one.tip for one in found):
        return "".join(rect(one.box, class_, one.tip) for one in found)
    drawn = path((_outline(one.box) for one in found), class_)
    return stretched(0, height, drawn, units=height) if drawn else ""


def _outline(box: Box) -> str:
    left, top, right, foot = (
        _text(round(one, 1))
        for one in (10 * box.x, box.y, 10 * (box.x + box.width), box.y + box.height)
    )
    return f"M{left} {top}H{right}V{foot}H{left}z"


def rect(box: Box, class_: str, tip: str = "") -> str:
    """A bar; `tip` is what a pointer over it shows."""
    return element(
        "rect",
        *([title(tip)] if tip else []),
        x=f"{percent(box.x)}%",
        width=f"{percent(box.width)}%",
        y=_text(box.y),
        height=_text(box.height),
        class_=class_,
    )


def label(x: float, y: float, text: str, class_: str, anchor: str | None = None) -> str:
    """Words at a place in percent and pixels; `anchor` is `middle` or `end`."""
    return element(
        "text", words(text), x=f"{percent(x)}%", y=_text(y), class_=class_, text_anchor=anchor
    )


def upright(x: float, y: float, height: float, class_: str, tip: str = "") -> str:
    """A vertical line at a place in percent."""
    place = f"{percent(x)}%"
    return element(
        "line",
        *([title(tip)] if tip else []),
        x1=place,
        x2=place,
        y1=_text(y),
        y2=_text(y + height),
        class_=class_,
    )


def uprights(places: Iterable[float], top: float, foot: float, class_: str) -> str:
    """Vertical lines at places in percent, from `top` to `foot` in pixels, as one path."""
    drawn = path((f"M{_text(round(10 * x, 1))} {top:g}V{foot:g}" for x in places), class_)
    return stretched(0, foot, drawn, units=foot) if drawn else ""


def stretched(y: float, height: float, *children: str, units: float = 100) -> str:
    """An inner drawing of 1,000 by `units` units over the whole width."""
    return element(
        "svg",
        *children,
        x="0",
        y=_text(y),
        width="100%",
        height=_text(height),
        viewBox=f"0 0 1000 {_text(units)}",
        preserveAspectRatio="none",
    )


def path(commands: Iterable[str], class_: str) -> str:
    """A path; nothing without commands."""
    drawn = "".join(commands)
    return element("path", d=drawn, class_=class_) if drawn else ""


def drawing(height: float, name: str, text: str, *children: str) -> str:
    """The outer drawing. `text` says what it shows, for those who do not see it."""
    return element(
        "svg",
        *children,
        class_=f"chart chart-{name}",
        width="100%",
        height=_text(height),
        role="img",
        aria_label=one_line(text),
    )


def percent(value: float) -> str:
    """A place with two decimals, without zeros at its end."""
    return _text(round(min(max(value, -1_000), 1_000), 2))


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
