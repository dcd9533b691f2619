"""A page as one self-contained HTML file."""

from html import escape
from typing import Final

from portquorum.inventory.page import Cell, Page, Section
from schemas.plain_text import plain

_STYLE: Final = """
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #17212e; --dim: #64748b;
  --line: #e3e8ef; --link: #1d6fa5; }
@media (prefers-color-scheme: dark) { :root { --back: #0f151d; --card: #18212c; --ink: #e6edf5;
  --dim: #93a3b8; --line: #2a3747; --link: #6cb8ea; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
  margin: 0 auto; max-width: 76rem; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; letter-spacing: -.02em;
  overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 span { font-weight: 400; }
.dim, h2 span, th { color: var(--dim); }
a { color: var(--link); }
nav { margin: 1rem 0; } nav a { margin-right: 1.1rem; white-space: nowrap; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .7rem;
  padding: 1.1rem 1.3rem; margin-top: 1rem; overflow-x: auto; }
section p { margin: 0 0 .6rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 500; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem 1.1rem .4rem 0;
  border-bottom: 1px solid var(--line); }
td:first-child, td:last-child { overflow-wrap: anywhere; min-width: 10rem; }
code { white-space: nowrap; font-size: .9em; }
tr:last-child td { border-bottom: 0; }
@media print { body { max-width: none; padding: 0; } nav { display: none; }
  section { border: 0; padding: 0; } tr { break-inside: avoid; } }
"""


def document(page: Page) -> str:
    """The page. All text from outside is escaped."""
    title = escape(page.title)
    ways = "".join(
        f"<a href=#s{number}>{escape(section.title)}</a> "
        for number, section in enumerate(page.sections)
    )
    sections = "".join(_section(number, one) for number, one in enumerate(page.sections))
    return plain(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body><h1>{title}</h1>"
        f"<p class=dim>{escape(page.lead)}</p><nav>{ways}</nav>\n{sections}</body></html>\n"
    )


def _section(number: int, section: Section) -> str:
    text = "" if section.text is None else f"<p class=dim>{escape(section.text)}</p>"
    head = "".join(f"<th>{escape(title)}" for title in section.head)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}\n" for row in section.rows)
    return (
        f"<section id=s{number}><h2>{escape(section.title)} <span>{len(section.rows):,}</span></h2>"
        f"{text}<table><thead><tr>{head}<tbody>{rows}</table></section>\n"
    )


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.code:
        text = f"<code>{text}</code>"
    if cell.link is not None:
        text = f'<a href="{escape(cell.link)}">{text}</a>'
    return f"<td>{text}"
