"""The console of all commands and services: prints plain text and our own colours only."""

import re
from collections.abc import Iterator
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from schemas.plain_text import plain

_WORD: Final = re.compile(r"\s*\S+\s*")
_INDENT: Final = "  "


class _Paragraph:
    """A text that wraps between words only."""

    def __init__(self, text: Text, end: str) -> None:
        self._text = text
        self._end = end

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self._text
        lines = [text]
        if not (options.no_wrap or text.no_wrap or options.overflow == "ignore"):
            lines = [
                part
                for line in text.split("\n", allow_blank=True)
                for part in line.divide(_breaks(line.plain, options.max_width))
            ]
        for number, line in enumerate(lines, 1):
            line.no_wrap, line.overflow = True, "ignore"
            line.end = self._end if number == len(lines) else "\n"
            if number < len(lines):
                line.rstrip()
            yield line


def _text(value: str | Text) -> Text:
    return value if isinstance(value, Text) else Text(value)


def _breaks(line: str, width: int) -> list[int]:
    """The places at which a line is divided; a word wider than `width` has a line of its own."""
    breaks: list[int] = []
    used = 0
    for found in _WORD.finditer(line):
        word = found[0]
        if used and used + cell_len(word.rstrip()) > width:
            breaks.append(found.start())
            used = 0
        used += cell_len(word)
    return breaks


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

    @property
    def unlimited(self) -> bool:
        """True where a program or a file reads the output, and nobody has set a width."""
        return self._width is None and not self.file.isatty()

    def print_indented(self, text: Text, mark: Text | None = None) -> None:
        """Prints a text with two blanks before each line of it; before the first one `mark`."""
        width = max(20, self.width - len(_INDENT))
        lines = [text.copy()] if self.unlimited else text.divide(_breaks(text.plain, width))
        for number, line in enumerate(lines):
            line.rstrip()
            before = _INDENT if number or mark is None else mark
            self.print(Text.assemble(before, line), soft_wrap=True)

    def print(self, *objects: Any, **options: Any) -> None:
        """See `Console.print`; a word that is wider than the terminal is neither broken nor cut.

        In a pipe or a file a text does not wrap, unless COLUMNS is set.
        """
        options.setdefault("crop", False)
        if objects and all(isinstance(one, str | Text) for one in objects):
            options.setdefault("soft_wrap", self.unlimited)
            text = Text(options.get("sep", " ")).join(map(_text, objects))
            super().print(_Paragraph(text, options.get("end", "\n")), **options)
        else:
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
