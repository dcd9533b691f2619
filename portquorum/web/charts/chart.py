"""A chart: the drawing, and the same as a table."""

from markupsafe import Markup
from msgspec import Struct


class Chart(Struct, frozen=True, kw_only=True):
    """`svg` is markup of ours, in which every text is escaped; `name` is unique on a page.

    `head` and `rows` are the table: plain texts, the first cell of a row names it.
    """

    name: str
    title: str
    svg: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
