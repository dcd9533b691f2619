"""A page in Markdown (GitHub's, for its tables)."""

from collections.abc import Iterator

from portquorum.inventory.page import Cell, InventoryPage, Section
from schemas.plain_text import plain


def document(page: InventoryPage) -> str:
    """The page. Text from users is inserted verbatim, without Markdown meaning."""
    return plain("\n".join([*_lines(page), ""]))


def _lines(page: InventoryPage) -> Iterator[str]:
    yield from (f"# {_text(page.title)}", "", page.lead)
    for section in page.sections:
        yield from ("", f"## {_text(section.title)}", "")
        if section.text is not None:
            yield from (_text(section.text), "")
        yield from _table(section)


def _table(section: Section) -> Iterator[str]:
    yield f"| {' | '.join(section.head)} |"
    yield f"|{'---|' * len(section.head)}"
    for row in section.rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(cell: Cell) -> str:
    if cell.code:
        return f"`{cell.text}`"
    text = _text(cell.text)
    return text if cell.link is None else f"[{text}](<{_url(cell.link)}>)"


def _url(url: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in "<>|\\" or ord(c) <= ord(" ") else c for c in url)


def _text(text: str) -> str:
    plain = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#" else c for c in plain)
