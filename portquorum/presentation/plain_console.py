"""The console of all commands and services: prints plain text and our own colours only."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from schemas.plain_text import plain


class PlainConsole(Console):
    """Prints no control characters and no marks that change the direction of text.

    All output passes through here, including names that people chose, and texts of servers. Their
    brackets and colons are plain text, too: colours come only from `rich.text.Text`.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    @property
    def encoding(self) -> str:
        """For Rich, which draws other boxes without it: `streams` has a form of each for ASCII."""
        return "utf-8"

    def print(self, *objects: Any, **options: Any) -> None:
        """See `Console.print`; a word that is wider than the terminal is neither broken nor cut."""
        if all(isinstance(one, str | Text) for one in objects):
            options.setdefault("overflow", "ignore")
        options.setdefault("crop", False)
        super().print(*objects, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """See `Console.render`."""
        for segment in super().render(renderable, options):
            if segment.control:  # Rich's own, of a spinner for example
                yield segment
            else:
                yield Segment(plain(segment.text), segment.style)
