"""What a message says in the order of reading, and what of it fits.

A `Draft` is the message without limits. Its passages have ranks: those with a low rank are fitted
first, whatever their place in the message is. Each list first gets a few lines, so that no list
takes the room of all that follows; then the lists grow in the order of their ranks.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice
from typing import Final, Literal

from msgspec import Struct, structs

from sinks.notifier.texts.markup import Pen
from sinks.notifier.texts.outside import ELLIPSIS, beginning, shortened

TIMES: Final = -1
"""The rank of the lines that say since when: short, and never left out."""

_HEAD: Final = 0
"""The rank of what is said of all: it leaves room for one line of the places that it is about."""

PLACES: Final = 1
"""The rank of a list of what the message is about."""

_FEW: Final = 4
"""Lines of a list that come before any other list gets more."""

_MOST: Final = 1000
"""Lines of a list in the largest message."""

_LEAST_CUT: Final = 20
"""Characters of a line below which its beginning says nothing."""

_WHAT_LENGTH: Final = 40
_LEAST_LINE: Final = 100
_HOST_LENGTH: Final = 253
_PARAGRAPH: Final = "\n\n"

Cut = Literal["lines", "list", "whole"]
"""How a passage gets shorter: `lines` loses its end, also inside of a line; a `list` loses whole
lines and says how many; a `whole` passage is there or not."""


class Link(Struct, frozen=True):
    """A line with a URL that stays a link."""

    label: str
    url: str


Line = str | Link


class Passage(Struct, frozen=True):
    """Lines that belong together. `total` counts the lines of a list before any cut."""

    rank: int
    lines: tuple[Line, ...]
    title: str = ""
    cut: Cut = "lines"
    total: int = 0
    more: str = "  and {} more"


class Heading(Struct, frozen=True):
    """`what: name (where)`; `name` or `where` may be empty.

    A heading that is too long loses the end of the name first, then of `what` beyond 40 characters
    (`brief` is written in its place, if there is one), then of the host. `where_first`: the order
    is `what: where (name)`.
    """

    what: str
    name: str = ""
    host: str = ""
    port: str = ""
    where_first: bool = False
    brief: str = ""

    @property
    def text(self) -> str:
        """The whole heading."""
        return self._with(self.what, self.name, self.host)

    @property
    def bare(self) -> str:
        """The heading without the name."""
        return self._with(self.what, "", self.host)

    @property
    def briefest(self) -> str:
        """The shortest heading that says all that must be said."""
        return self._with(self.brief or self.what, "", self.host)

    def fitted(self, pen: Pen, limit: int) -> str:
        """The heading, escaped, in at most `limit`."""
        name, host = shortened(self.name, limit + 1), shortened(self.host, _HOST_LENGTH + 2)
        tries: tuple[tuple[Callable[[int], str], int], ...] = (
            (lambda length: self._with(self.what, _short(name, length), host), len(name)),
            (lambda _: self._with(self.what, "", host), 0),
            (lambda _: self._with(self.brief or self.what, "", host), 0),
            (
                lambda length: self._with(shortened(self.what, _WHAT_LENGTH + length), "", host),
                max(0, len(self.what) - _WHAT_LENGTH),
            ),
            (
                lambda length: self._with(
                    shortened(self.what, _WHAT_LENGTH), "", _short(host, length)
                ),
                len(host),
            ),
        )
        for at, most in tries:
            written = pen.longest(at, most, limit)
            if written:
                return written
        return pen.fit(self.what, limit)

    def _with(self, what: str, name: str, host: str) -> str:
        where = host + self.port
        if not (name and where):
            return f"{what}: {name or where}" if name or where else what
        first, second = (where, name) if self.where_first else (name, where)
        return f"{what}: {first} ({second})"


class Draft(Struct, frozen=True):
    """A message without limits.

    `why` and `since` are for the one-line forms: the reason in a few words; `since 14:02 UTC`.
    """

    heading: Heading
    passages: tuple[Passage, ...]
    why: str = ""
    since: str = ""


def listing(
    rank: int, title: str, lines: Iterable[Line], total: int, more: str = "  and {} more"
) -> Passage:
    """A passage that is a list of `total` lines, of which the first 1,000 may be shown."""
    return Passage(rank, tuple(islice(lines, _MOST)), title, "list", total, more)


def fitted(
    passages: Sequence[Passage], pen: Pen, limit: int, first: str = ""
) -> tuple[str, list[Passage]]:
    """The body in at most `limit`, with `first` (already written) as its first line.

    Returns the body, and the passages as far as they were taken, in the order of reading.
    """
    longest = max(_LEAST_LINE, limit // 3)
    blocks = [_Block(_narrow(passage, longest, pen), pen) for passage in passages]
    left = limit - pen.size(first)
    by_rank = sorted(blocks, key=lambda block: block.passage.rank)
    kept = next((block.least for block in by_rank if block.is_places), 0)
    for most in (_FEW, _MOST):
        for block in by_rank:
            free = kept if most == _FEW and block.passage.rank == _HEAD else 0
            left = block.grow(left - free, most) + free
    taken = [block for block in blocks if block.written]
    body = _PARAGRAPH.join(block.written for block in taken)
    if first:
        body = f"{first}{pen.line_break}{body}" if body else first
    return body, [block.shown for block in taken]


class _Block:
    """A passage while it is fitted."""

    def __init__(self, passage: Passage, pen: Pen) -> None:
        self.passage = passage
        self._pen = pen
        self._break = len(pen.line_break)
        self._title = pen.write(passage.title) if passage.title else ""
        self._lines = [self._write(line) for line in passage.lines]
        self._ends = [0, *accumulate(pen.size(line) + self._break for line in self._lines)]
        self._total = max(passage.total, len(self._lines))
        self._taken = 0
        self._cost = 0
        self._rest = ""

    def grow(self, left: int, most: int) -> int:
        """Takes what fits into `left`, of a list `most` lines; returns what is left then."""
        left += self._cost
        whole = len(self._lines)
        self._rest = ""
        if self.passage.cut == "whole":
            # Only what the lists leave.
            self._taken = whole if most == _MOST and self._price(whole) <= left else 0
        elif self._total <= most and self._price(whole) <= left:
            self._taken = whole
        else:
            few = min(whole, most if self.passage.cut == "list" else whole)
            self._taken = bisect_right(range(few + 1), left, lo=1, key=self._price) - 1
        self._cost = self._price(self._taken) if self._taken else 0
        if self.passage.cut == "lines" and self._taken < whole:
            left = self._cut(left)
        return left - self._cost

    @property
    def is_places(self) -> bool:
        """Whether it is the list of what the message is about."""
        return self.passage.cut == "list" and self.passage.rank == PLACES

    @property
    def least(self) -> int:
        """The length of its first line with all that belongs to it."""
        return self._price(min(1, len(self._lines)))

    @property
    def written(self) -> str:
        """The text, empty if nothing was taken."""
        lines = self._lines[: self._taken]
        if self._rest:
            lines.append(self._rest)
        if not lines:
            return ""
        if self._title:
            lines.insert(0, self._title)
        if self._hidden:
            lines.append(self._more(self._hidden))
        return self._pen.line_break.join(lines)

    @property
    def shown(self) -> Passage:
        """What was taken, not escaped."""
        lines = self.passage.lines[: self._taken]
        hidden = self._hidden
        return structs.replace(
            self.passage, lines=lines, more=self.passage.more.format(hidden) if hidden else ""
        )

    @property
    def _hidden(self) -> int:
        return self._total - self._taken if self.passage.cut == "list" else 0

    def _price(self, count: int) -> int:
        """The length of `count` lines with all that belongs to them."""
        price = len(_PARAGRAPH) + self._break + self._ends[count]
        if self._title:
            price += self._pen.size(self._title) + self._break
        if self.passage.cut == "list" and count < self._total:
            price += self._pen.size(self._more(self._total)) + self._break
        return price

    def _more(self, hidden: int) -> str:
        return self._pen.write(self.passage.more.format(hidden))

    def _cut(self, left: int) -> int:
        """Takes the beginning of the next line, too, if that says something."""
        line = self.passage.lines[self._taken]
        room = left - self._price(self._taken) - self._break
        if isinstance(line, Link) or room < _LEAST_CUT:
            return left
        self._rest = self._pen.fit(line, room)
        self._cost = self._price(self._taken) + self._break + self._pen.size(self._rest)
        return left

    def _write(self, line: Line) -> str:
        if isinstance(line, Link):
            return self._pen.write(line.label) + self._pen.link(line.url)
        return self._pen.write(line)


def _narrow(passage: Passage, longest: int, pen: Pen) -> Passage:
    """The passage without lines that take the room of all others, as the channel counts it."""
    lines = (
        line if isinstance(line, Link) else pen.beginning(shortened(line, longest), longest)
        for line in passage.lines
    )
    return structs.replace(passage, lines=tuple(lines))


def _short(text: str, length: int) -> str:
    if length >= len(text):
        return text
    return beginning(text, length).rstrip() + ELLIPSIS if length else ""
