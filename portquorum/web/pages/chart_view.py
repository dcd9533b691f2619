"""A chart as a template shows it: the drawing, and the same as a table."""

from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct


class ChartView(Struct, frozen=True, kw_only=True):
    """`svg` is our own markup, in which every text is escaped. `name` is unique on a page."""

    name: str
    title: str
    svg: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
