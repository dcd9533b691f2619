"""What people write in posts: Markdown (CommonMark) to HTML that can do nothing."""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_SCHEMES: Final = frozenset({"http", "https", "mailto"})
_OFF: Final = ("image", "heading", "lheading", "html_block", "html_inline", "reference")
"""Pictures of other places would tell them who reads; headings are the page's own."""


@lru_cache(maxsize=2_000)
def html(text: str) -> Markup:
    """The text as HTML: no element of the writer's, and links to the web or a mailbox only."""
    return Markup(_made().render(text))  # noqa: S704 - html is off


def words(text: str) -> str:
    """The text without its marks, for where there is no HTML."""
    found = []
    for block in _made().parse(text):
        if block.type == "inline":
            found.append("".join(map(_plain, block.children or ())))
        elif block.type in {"fence", "code_block"}:
            found.append(block.content.rstrip())
    return "\n".join(found)


def _plain(token: Token) -> str:
    return "\n" if token.type in {"softbreak", "hardbreak"} else token.content


def is_safe_link(url: str) -> bool:
    """True for an address of the web or a mailbox."""
    try:
        return urlsplit(url.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


@lru_cache(maxsize=1)
def _made() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).disable(list(_OFF))
    made.validateLink = is_safe_link  # type: ignore[method-assign] # how the library means it
    made.add_render_rule("link_open", _link)
    return made


def _link(
    self: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType
) -> str:
    del env
    tokens[place].attrSet("rel", "nofollow noopener noreferrer")
    return self.renderToken(tokens, place, options, {})
