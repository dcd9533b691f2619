"""Posts as feeds: Atom (RFC 4287) and JSON Feed 1.1 (https://jsonfeed.org/version/1.1).

An entry is a post with its whole timeline: it is updated as that grows, and its id stays. It is
made of the post's own id, which no other post has.
"""

import re
import uuid
from typing import Final

import msgspec
from markupsafe import Markup
from msgspec import Struct

from portquorum.status_pages import markdown, words
from portquorum.status_pages.model import Post, Snapshot
from portquorum.status_pages.rendering import rendered
from portquorum.status_pages.times import iso, short
from portquorum.status_pages.view import names_of
from schemas.plain_text import one_line, plain

MOST: Final = 50
"""Entries of a feed, the newest update first."""

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Entry(Struct, frozen=True, kw_only=True):
    """A post as a feed has it; `html` is its timeline, the newest first."""

    id: str
    url: str
    title: str
    html: str
    text: str
    summary: str
    published: str
    updated: str
    tags: tuple[str, ...]


class _Author(Struct, frozen=True):
    name: str


class _Item(Struct, frozen=True, kw_only=True):
    id: str
    url: str
    title: str
    content_html: str
    content_text: str
    summary: str
    date_published: str
    date_modified: str
    tags: tuple[str, ...]


class _Feed(Struct, frozen=True, kw_only=True):
    version: str = "https://jsonfeed.org/version/1.1"
    title: str
    home_page_url: str
    feed_url: str
    description: str
    language: str = words.LANG
    authors: tuple[_Author, ...]
    items: list[_Item]


def atom(page: Snapshot, origin: str, base: str) -> bytes:
    """The Atom feed of a page whose addresses begin with `origin` and `base`."""
    entries = _entries(page, origin, base)
    text = rendered(
        "feed.atom",
        id=_urn(f"{origin.partition('://')[2]}/{page.slug}"),
        title=_clean(page.title),
        subtitle=_clean(markdown.words(page.description)),
        home=f"{origin}{base or '/'}",
        own=f"{origin}{base}/feed.atom",
        updated=_updated(page),
        entries=entries,
    )
    return text.encode()


def json_feed(page: Snapshot, origin: str, base: str) -> bytes:
    """The JSON Feed of a page whose addresses begin with `origin` and `base`."""
    return msgspec.json.encode(
        _Feed(
            title=_clean(page.title),
            home_page_url=f"{origin}{base or '/'}",
            feed_url=f"{origin}{base}/feed.json",
            description=_clean(markdown.words(page.description)),
            authors=(_Author(_clean(page.title)),),
            items=[_item(one) for one in _entries(page, origin, base)],
        )
    )


def _item(one: Entry) -> _Item:
    return _Item(
        id=one.id,
        url=one.url,
        title=one.title,
        content_html=one.html,
        content_text=one.text,
        summary=one.summary,
        date_published=one.published,
        date_modified=one.updated,
        tags=one.tags,
    )


def _entries(page: Snapshot, origin: str, base: str) -> list[Entry]:
    posts = sorted(page.posts, key=lambda one: (one.updates[-1].at, one.id), reverse=True)
    return [_entry(one, page, f"{origin}{base}/posts/{one.id}") for one in posts[:MOST]]


def _entry(post: Post, page: Snapshot, url: str) -> Entry:
    newest = post.updates[-1]
    names = names_of(post.components, page)
    when = when_words(post)
    first = " · ".join(one for one in (words.IMPACT[post.impact], when, names) if one)
    parts = [Markup("<p>{}</p>").format(first)]
    texts = [first]
    for one in reversed(post.updates):
        head = f"{words.POST[one.state]}, {short(one.at, one.at - _YEAR_MS)}"
        parts.append(Markup("<h3>{}</h3>{}").format(head, markdown.html(one.text)))
        texts.append(f"{head}\n{markdown.words(one.text)}")
    return Entry(
        id=_urn(f"post/{post.id}"),
        url=url,
        title=_clean(post.title),
        html=_xml(str(Markup().join(parts))),
        text=_xml("\n\n".join(texts)),
        summary=_clean(f"{words.POST[newest.state]}: {markdown.words(newest.text)}"[:300]),
        published=iso(post.created_at),
        updated=iso(newest.at),
        tags=(post.sort, post.state),
    )


_DAY_MS: Final = 86_400_000
_YEAR_MS: Final = 365 * _DAY_MS
"""Times in feeds have their year: they are read later."""


def when_words(post: Post) -> str:
    """From when to when, with the year."""
    begin = short(post.starts_at, post.starts_at - _YEAR_MS)
    if post.ends_at is None:
        return begin
    return f"{begin} – {short(post.ends_at, post.ends_at - _YEAR_MS)}"


def _updated(page: Snapshot) -> str:
    """The newest update; of a page without posts the day as which it is known.

    It changes once a day, not with each request.
    """
    seen = page.seen_at or page.history_at or 0
    return iso(max((one.updates[-1].at for one in page.posts), default=seen - seen % _DAY_MS))


def _urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://portquorum.invalid/{name}").urn


def _clean(text: str) -> str:
    return _xml(one_line(text))


def _xml(text: str) -> str:
    """A text that can stand in XML 1.0."""
    return _NO_XML.sub("\ufffd", plain(text))
