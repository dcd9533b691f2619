"""The inventory as a page for people, in Markdown and in HTML."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from portquorum.inventory import check, html, markdown
from portquorum.inventory.page import InventoryPage, page

TEXT = """\
regions: {a: {allow: [10.1.0.0/16], deny: [10.9.0.0/16]}, b: {internal: true, source: 10.0.0.7}}
teams: {web: {routes: [pager]}}
routes: {pager: {urls: ["json://localhost"]}}
defaults: {team: web}
targets:
  - {name: Shop - HTTP 443, kind: http, host: shop.example.com, port: 443, purpose: "sells | a_b"}
  - {name: Shop - SSH 22, kind: ssh, host: shop.example.com, purpose: the way in}
  - {name: DB - PostgreSQL 5432, kind: postgres, host: db.example.com, purpose: orders}
  - {name: DB - app 7000, host: db.example.com, port: 7000, runbook: "https://w/x?a=1&b=<\\"|>"}
maintenance:
  - name: patches
    targets: [shop-http-443]
    start: 2026-12-01T02:00Z
    duration: 90m
    rrule: FREQ=MONTHLY
"""

NASTY = """\
regions: {a: {}}
targets:
  - {id: x, host: a.test, port: 1, name: "</td><script>alert(1)</script>", runbook: "javascript:a"}
  - {id: y, host: b.test, port: 1, name: '" onclick="a()', runbook: 'https://w/" onclick="a()'}
  - {id: z, host: c.test, port: 1, name: "[x](javascript:a) `y`", purpose: "# one\\n| two"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine & <b>.yaml"


def made(file: Path, text: str) -> InventoryPage:
    file.write_text(text)
    return page(check([file]))


class Seen(HTMLParser):
    """What a browser would make of it: tags with their attributes, and the text of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.rstrip("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.rows.append([])


def seen(text: str) -> Seen:
    parser = Seen()
    parser.feed(text)
    parser.close()
    return parser


def test_the_markdown_has_everything(file: Path) -> None:
    text = markdown.document(made(file, TEXT))
    assert text.startswith("# What is watched: mine & \\<b\\>\n")
    assert "4 targets on 2 hosts." in text
    assert "## web" in text
    assert "Told by: pager." in text
    row = "| Shop - HTTP 443 | `shop.example.com:443` | http | 5m | a, b | normal |"
    assert f"{row} sells \\| a\\_b |" in text
    assert '| [DB - app 7000](<https://w/x?a=1&b=%3C"%7C%3E>) |' in text
    assert "| a | public, 10.1.0.0/16 | 10.9.0.0/16 |  |" in text
    assert "| b | private addresses too |  | 10.0.0.7 |" in text
    window = "| patches | shop-http-443 | 2026-12-01 02:00 UTC | 90m | FREQ=MONTHLY |"
    assert window in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_the_html_has_everything(file: Path) -> None:
    found = seen(html.document(made(file, TEXT)))
    assert "What is watched: mine & <b>" in found.text
    assert "4 targets on 2 hosts." in found.text
    assert "Told by: pager." in found.text
    shop = ["Shop - HTTP 443", "shop.example.com:443", "http", "5m", "a, b", "normal"]
    assert [*shop, "sells | a_b"] in found.rows
    assert ["a", "public, 10.1.0.0/16", "10.9.0.0/16", ""] in found.rows
    assert "FREQ=MONTHLY" in found.text
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert links == ["#s0", "#s1", "#s2", "#s3", 'https://w/x?a=1&b=<"|>']


def test_the_html_needs_nothing_else(file: Path) -> None:
    """No picture, script, font or style of another place: it is read where there is no network."""
    for tag, attributes in seen(html.document(made(file, TEXT))).tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
        assert not attributes.keys() & {"src", "srcset", "style", "background"}
    assert "url(" not in html.document(made(file, TEXT))


def test_no_text_of_others_becomes_markup(file: Path) -> None:
    nasty = made(file, NASTY)
    found = seen(html.document(nasty))
    assert "script" not in {tag for tag, _ in found.tags}
    assert "</td><script>alert(1)</script>" in found.text
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert [link for link in links if link and not link.startswith("#")] == [
        'https://w/" onclick="a()'
    ]
    text = markdown.document(nasty)
    assert "\\<script\\>" in text
    assert "\\[x\\](javascript:a) \\`y\\`" in text
    assert "| \\# one \\| two |" in text
    assert "](<javascript" not in text


def test_routes_and_windows_are_on_the_clock_of_their_zone(file: Path) -> None:
    text = """\
regions: {a: {}}
targets: [{id: x, host: x, port: 1}]
routes:
  night:
    rotation: {people: {ann: ["json://secret"], bob: ["json://secret"]}, since: 2026-11-30}
    severities: [critical, warning]
    tags: [prod]
    when: ["mon-fri 18:00-08:00", "sat,sun"]
    quiet: {hours: 22:00-07:00, unless: [critical]}
    timezone: Europe/Berlin
    default: true
  ops: {urls: ["json://secret"], operators: true}
maintenance:
  - {name: w, targets: [x], start: 2027-07-04T02:00, duration: 1h, timezone: Europe/Berlin}
"""
    rows = [[cell.text for cell in row] for part in made(file, text).sections for row in part.rows]
    assert [
        "night",
        "severity critical or warning, tag prod, if no other route does",
        "mon-fri 18:00-08:00, sat,sun; quiet 22:00-07:00 unless critical (Europe/Berlin)",
        "ann, bob: 7 days each from 2026-11-30 on, handover at 09:00 Europe/Berlin",
    ] in rows
    assert [
        "ops",
        "what befalls regions, targets that nobody can judge, very many targets",
        "always",
        "",
    ] in rows
    assert ["w", "x", "2027-07-04 02:00 Europe/Berlin", "1h", ""] in rows
    assert "secret" not in str(rows)


def test_a_port_that_must_be_closed_does_not_look_like_one_that_must_be_open(file: Path) -> None:
    text = "regions: {a: {}}\ntargets: [{host: a.test, port: 23, expect: closed}]\n"
    assert "| tcp (must be closed) |" in markdown.document(made(file, text))
