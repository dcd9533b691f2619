"""Text that came from outside (servers, people, the inventory), cleaned for any channel.

What is cleaned here is the same for all channels: control characters and marks that turn the
direction of text, length, links. `markup` does the rest, for one channel.
"""

import re
from typing import Final

from schemas.plain_text import one_line

ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
LINE_LENGTH: Final = 500
"""Characters of one piece of text from outside: a detail, a name, a note, a step."""

SUMMARY_LENGTH: Final = 2000

_SCHEME: Final = re.compile(
    r"\b(mailto|tel|sms|tg|xmpp|magnet|javascript|data):(?=\S)", re.IGNORECASE
)
_WWW: Final = re.compile(r"\bwww\.(?=\w)", re.IGNORECASE)
_PATH: Final = re.compile(
    r"\b((?:[a-z0-9-]{1,63}\.){0,8}[a-z0-9-]{1,63})\.(?=[a-z]{2,24}(?::\d{1,5})?[/?#])",
    re.IGNORECASE,
)
_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?#][A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?")
_URL_LENGTH: Final = 1000
# A cut before these would take a mark from its letter, or an emoji apart.
_JOINED: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff"
    "\ufe00-\ufe0f\ufe20-\ufe2f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
_JOINER: Final = "\u200d"
_MOST_JOINED: Final = 32
_FLAG_FIRST: Final = 0x1F1E6
_FLAG_LAST: Final = 0x1F1FF


def said(text: str, limit: int = LINE_LENGTH) -> str:
    """`text` on one line of at most `limit` characters, without live links.

    A program that shows messages makes links of URLs by itself, and may fetch them for a preview:
    `https://a.example/b` becomes `https[:]//a.example/b`, and `a.example/b` `a[.]example/b`. Names
    of hosts alone stay as they are: people copy them.
    """
    # Twice the limit is enough for the blanks that go; a text of a mebibyte is not read through.
    read = text[: 2 * limit + 2]
    line = " ".join(one_line(read).split()) + (ELLIPSIS if len(read) < len(text) else "")
    line = line.replace("://", "[:]//")
    line = _SCHEME.sub(r"\1[:]", line)
    line = _WWW.sub("www[.]", line)
    return shortened(_PATH.sub(r"\1[.]", line), limit)


def shortened(text: str, limit: int) -> str:
    """`text` if it has at most `limit` characters; otherwise its beginning and an ellipsis."""
    return text if len(text) <= limit else beginning(text, limit - 1).rstrip() + ELLIPSIS


def beginning(text: str, length: int) -> str:
    """At most `length` characters of `text`; letters keep their marks, emoji their parts.

    Of more than 32 marks in a row the rest goes: nobody reads them.
    """
    if length >= len(text):
        return text
    end = max(0, length)
    for shorter in range(end, max(-1, end - _MOST_JOINED), -1):
        if not _joined(text, shorter):
            return text[:shorter]
    return text[:end]


def link(url: str | None) -> str | None:
    """`url` if it is an ordinary URL of HTTP(S) that every markup takes; otherwise None."""
    if url is None or len(url) > _URL_LENGTH or not _URL.fullmatch(url):
        return None
    return url


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and after position `at` belong together."""
    if at <= 0 or at >= len(text):
        return False
    if _JOINED.match(text[at]) or text[at - 1] == _JOINER:
        return True
    # A flag is two letters; an odd number of them before the cut means that one is cut in two.
    flags = 0
    while flags < at and _is_flag(text[at - 1 - flags]) and flags <= _MOST_JOINED:
        flags += 1
    return flags % 2 == 1 and _is_flag(text[at])


def _is_flag(char: str) -> bool:
    return _FLAG_FIRST <= ord(char) <= _FLAG_LAST
