"""The console of all commands and services: what it prints is plain text, and colours of ours."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from schemas.plain_text import plain


class PlainConsole(Console):
    """Prints no control character and no mark that turns the direction of text.

    All that is printed comes by here: names that people chose, and what servers sent. Brackets and
    colons in them are text, too: colours come by `rich.text.Text` alone.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """See `Console.render`."""
        for segment in super().render(renderable, options):
            if segment.control:  # Rich's own, of a spinner for example
                yield segment
            else:
                yield Segment(plain(segment.text), segment.style)
