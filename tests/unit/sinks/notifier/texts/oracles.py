"""Readers of each markup that do not share code with what writes it.

Each says what a program of the channel would make of a text: whom it would notify, what it would
link to, what it would show in another shape.
"""

import html
import re
from html.parser import HTMLParser
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN: Final = MarkdownIt("commonmark").enable(["strikethrough", "table"])
_TEXTUAL: Final = frozenset({"text", "softbreak", "hardbreak", "text_special"})

# https://docs.discord.com/developers/reference#message-formatting; discord.py's escape_mentions.
_DISCORD: Final = re.compile(
    r"@(everyone|here)|<@[!&]?\d+>|<#\d+>|<a?:\w+:\d+>|<t:\d+|<id:\w+>|</[\w ]+:\d+>"
)
# https://docs.mattermost.com/end-user-guide/collaborate/mention-people.html and the conversion of
# Slack's mentions in incoming webhooks; Rocket.Chat, Zulip and GitHub are as strict or stricter.
_MATTERMOST: Final = re.compile(r"(?<![\w.])@[\w.\-*]|<!(here|channel|all)|<[@#]\w")
# https://developer.kookapp.cn/doc/kmarkdown: `(met)all(met)`. KOOK is given Mattermost's markup.
_KOOK: Final = re.compile(r"\((?:met|rol|chn)\)")
# https://core.telegram.org/bots/api#formatting-options: a name of a user anywhere in a text.
_AT: Final = re.compile(r"@\w")


def mentions(text: str, markup: str) -> list[str]:
    """Everything in `text` that would notify somebody."""
    match markup:
        case "discord":
            return [found[0] for found in _DISCORD.finditer(text)]
        case "slack":
            # A mention is written in angle brackets; what is an entity is no bracket.
            return [found for found in re.findall(r"<([^>]*)>", text) if found[:1] in "@!#"] + [
                found[0] for found in _AT.finditer(html.unescape(text))
            ]
        case "telegram":
            return [found[0] for found in _AT.finditer(html.unescape(text))]
        case "mattermost" | "markdown":
            read = [token.content for token in _flat(_MARKDOWN.parse(text))]
            raw = [text] if markup == "mattermost" else []
            found = [found[0] for one in (*raw, *read) for found in _MATTERMOST.finditer(one)]
            return found + [found for one in raw for found in _KOOK.findall(one)]
        case _:
            # A program that knows mentions in plain text looks for a name after a blank; Nextcloud
            # Talk for one in quotation marks, too; X (twitter-text) takes the wide sign as well.
            names = '(?<!\\w)[@\N{FULLWIDTH COMMERCIAL AT}]["\\w]|<[@!#]|<users/'
            return [found[0] for found in re.finditer(names, text)]


class _Document(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", {"text": data}))

    handle_decl = handle_comment
    unknown_decl = handle_comment
    handle_pi = handle_comment


def tags(document: str) -> list[tuple[str, dict[str, str | None]]]:
    """The tags of an HTML text, with their attributes; comments and such as well."""
    reader = _Document()
    reader.feed(document)
    reader.close()
    return [tag for tag in reader.tags if tag != ("comment", {"text": "DOCTYPE html"})]


def text_of(document: str) -> str:
    """What people read of an HTML text."""
    reader = _Document()
    reader.feed(document)
    reader.close()
    return "".join(reader.text)


def _flat(tokens: list[Token]) -> list[Token]:
    found = []
    for token in tokens:
        found += _flat(token.children) if token.type == "inline" and token.children else [token]
    return found


def shapes(text: str, markup: str) -> list[str]:
    """Everything in `text` that is shown in another way than as lines of text; links apart."""
    match markup:
        case "discord" | "mattermost" | "markdown":
            found = [
                token.type
                for token in _flat(_MARKDOWN.parse(text))
                if token.type not in _TEXTUAL
                and token.type not in {"paragraph_open", "paragraph_close", "inline"}
                and not token.type.startswith("link_")
            ]
            if markup == "discord":
                found += re.findall(r"(?<!\\)(?:\\\\)*\|\|", text)
            return found
        case "slack":
            # Slack: a mark at the edge of a word and its partner; without partner it is text.
            return re.findall(r"[*~`]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", links_out(text, markup))
        case "telegram":
            return [name for name, _ in tags(text)]
        case _:
            return []


def links(text: str, markup: str) -> list[str]:
    """The URLs that become links, or are fetched for a preview."""
    if markup in {"discord", "mattermost", "markdown"}:
        found = [
            str(token.attrs.get("href") or token.attrs.get("src"))
            for token in _flat(_MARKDOWN.parse(text))
            if token.type in {"link_open", "image"}
        ]
    elif markup == "slack":
        found = [html.unescape(one) for one in re.findall(r"<([^>]*)>", text)]
    else:
        found = []
    # What looks like a URL becomes a link everywhere, without any markup.
    shown = html.unescape(links_out(text, markup).replace("\\", ""))
    urls = r"[\w+.-]*://\S*|\bwww\.\w\S*|\b(?:mailto|tel|javascript):\S+"
    found += re.findall(urls, shown)
    rest = re.sub(urls, "", shown)
    return found + re.findall(r"\b[a-z0-9-]+\.[a-z]{2,24}/\S*", rest, re.IGNORECASE)


def links_out(text: str, markup: str) -> str:
    """`text` without what stands in angle brackets as a link."""
    if markup in {"discord", "mattermost", "markdown", "slack"}:
        return re.sub(r"<https?://[^>\s]*>", "", text)
    return text


def unescaped(text: str, markup: str) -> list[str]:
    """Ampersands that begin no entity, where entities are read."""
    if markup in {"slack", "telegram"}:
        return re.findall(r"&(?!amp;|lt;|gt;)", text)
    return []
