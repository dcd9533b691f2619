"""The HTML part of a mail: one small document, no content from elsewhere."""

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from schemas.plain_text import plain
from sinks.notifier.texts import layout
from sinks.notifier.texts.layout import Draft, Passage
from sinks.notifier.texts.markup import Pen
from sinks.notifier.texts.telling import Ending

_LEAST: Final = 200
_COLOUR: Final[dict[Ending, str]] = {"none": "#b42318", "good": "#1a7f37", "other": "#57606a"}
"""For the quick look; the words say the same."""


def document(draft: Draft, pen: Pen, limit: int, ending: Ending) -> str | None:
    """The document with as much as fits into `limit`; None if not even a little does."""
    room = limit
    while room >= _LEAST:
        _, shown = layout.fitted(draft.passages, pen, room)
        found = plain(_template().render(values(draft, shown, ending)))
        length = pen.size(found)
        if length <= limit:
            return found
        # What the tags take is in proportion to what they enclose.
        room = min(room * limit // length, room - 1) - 50
    return None


def values(draft: Draft, shown: list[Passage], ending: Ending) -> dict[str, object]:
    """What the document shows."""
    return {"title": draft.heading.text, "colour": _COLOUR[ending], "passages": shown}


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("mail.html")
