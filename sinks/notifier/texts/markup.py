"""A line of text, escaped for the markup of a channel and fitted to what the channel counts.

Text is cut first and escaped afterwards, so that no cut lies inside of an escape.
"""

import html
import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sinks.notifier.texts import gsm7
from sinks.notifier.texts.model import Budget, Markup, Units
from sinks.notifier.texts.outside import ELLIPSIS, beginning

_APART: Final = "\u200b"
"""ZERO WIDTH SPACE: the characters beside it stay visible and are no mention any more."""

_ADDRESS: Final = r"(?!\d{1,3}(?:\.\d{1,3}){3}(?:[\s;]|$))"
"""No IPv4 address follows: `dig x @1.1.1.1` is copied into a shell, and nobody has such a name."""

_PLAIN_MENTION: Final = re.compile(rf"(?<!\w)([@\uff20]){_ADDRESS}(?=\S)")
"""Also `@"all"` (Nextcloud Talk), and U+FF20, the wide sign that X takes for the other."""

_MENTION: Final = re.compile(f"@{_ADDRESS}")
_PLAIN_BRACKET: Final = re.compile(r"<(?=[@!#]|users/|at\b)")
_BRACKET: Final = re.compile(r"<(?=\S)(?!/dev/null(?:\s|$))")
"""A `<` that may begin something; not in a first step that is copied into a shell."""

_ENTITY: Final = re.compile(r"&(?=#?\w{1,32};)")
_LIST: Final = re.compile(r"^(\s*)(?=[-+])")
_UNDERLINE: Final = re.compile(r"^(\s*)(?==)")
_NUMBER: Final = re.compile(r"^(\s*\d{1,9})(?=[.)])")
_DISCORD: Final = re.compile(r"[\\`*_~|<>\[\]#]")
_MATTERMOST: Final = re.compile(r"[\\`*_~|>\[\]#]")
_KOOK: Final = re.compile(r"\((?=(?:met|rol|chn)\\?\))")
_COMMONMARK: Final = re.compile(r"[\\`*_~|<>\[\]#&$]")
_SLACK: Final = str.maketrans(
    {
        "*": "\N{ASTERISK OPERATOR}",
        "~": "\N{TILDE OPERATOR}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
    }
)
_SLACK_UNDERSCORE: Final = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_FULLWIDTH_UNDERSCORE: Final = "\N{FULLWIDTH LOW LINE}"


def escaped(text: str, markup: Markup) -> str:
    """One line of text, as the channel must get it so that people read `text`.

    It mentions nobody: a zero width space (plain text: a blank) stands after each `@` that no
    address follows.
    """
    return _ESCAPE[markup](text)


def _plain(text: str) -> str:
    return _PLAIN_BRACKET.sub("< ", _PLAIN_MENTION.sub(r"\1 ", text))


def _apart(text: str) -> str:
    return _MENTION.sub(f"@{_APART}", text)


def _telegram(text: str) -> str:
    return _apart(html.escape(text, quote=False))


def _slack(text: str) -> str:
    # Slack has no escape for these: https://docs.slack.dev/messaging/formatting-message-text
    text = _SLACK_UNDERSCORE.sub(_FULLWIDTH_UNDERSCORE, text.translate(_SLACK))
    return _apart(html.escape(text, quote=False))


def _no_list(text: str) -> str:
    """Without a list, or a line of `=` that makes a heading of the line before."""
    text = _UNDERLINE.sub(rf"\1{_APART}", text)
    return _NUMBER.sub(r"\1\\", _LIST.sub(r"\1\\", text))


def _discord(text: str) -> str:
    text = _ENTITY.sub(f"&{_APART}", _BRACKET.sub(f"<{_APART}", text))
    return _apart(_no_list(_DISCORD.sub(r"\\\g<0>", text)))


def _mattermost(text: str) -> str:
    # Mattermost reads Slack's `<!channel>` too, and has no escape for `<` and `&`.
    # KOOK mentions by `(met)all(met)`: https://developer.kookapp.cn/doc/kmarkdown
    text = _KOOK.sub(f"({_APART}", text)
    text = _ENTITY.sub(f"&{_APART}", _BRACKET.sub(f"<{_APART}", text))
    return _apart(_no_list(_MATTERMOST.sub(r"\\\g<0>", text)))


def _commonmark(text: str) -> str:
    text = _COMMONMARK.sub(r"\\\g<0>", _BRACKET.sub(f"<{_APART}", text))
    return _apart(_no_list(text))


_ESCAPE: Final[dict[Markup, Callable[[str], str]]] = {
    "plain": _plain,
    "html": _plain,
    "telegram": _telegram,
    "discord": _discord,
    "slack": _slack,
    "mattermost": _mattermost,
    "markdown": _commonmark,
}


def linked(url: str, markup: Markup) -> str:
    """A URL that stays a link; without a preview where the markup can say so."""
    match markup:
        case "plain" | "html":
            return url
        case "telegram":
            return html.escape(url, quote=False)
        case "slack":
            return f"<{html.escape(url, quote=False)}>"
        case _:
            return f"<{url.replace('@', '%40')}>"


def size(text: str, units: Units) -> int:
    """The length of `text` as a channel counts it."""
    match units:
        case "characters":
            return len(text)
        case "utf16":
            return len(text) + sum(char > "\uffff" for char in text)
        case "bytes":
            return len(text.encode())
        case "sms":
            return gsm7.septets(text)


class Pen(Struct, frozen=True):
    """Writes for one channel."""

    markup: Markup
    units: Units

    @classmethod
    def of(cls, budget: Budget) -> "Pen":
        """The pen for the messages of a channel; an SMS has no markup."""
        return cls("plain" if budget.units == "sms" else budget.markup, budget.units)

    @property
    def line_break(self) -> str:
        """What ends a line: CommonMark joins lines that do not end with two blanks."""
        return "  \n" if self.markup == "markdown" else "\n"

    def write(self, text: str) -> str:
        """One line of text, escaped."""
        if self.units == "sms":
            # First: a character that looks like `@` becomes one.
            text = gsm7.transliterated(text)
        return escaped(text, self.markup)

    def link(self, url: str) -> str:
        """A URL that stays a link."""
        return linked(url, self.markup)

    def size(self, written: str) -> int:
        """The length of a written text."""
        return size(written, self.units)

    def fit(self, text: str, limit: int) -> str:
        """One line of text, escaped: the longest beginning of it that fits, with an ellipsis."""
        return self.longest(lambda length: _cut(text, length), len(text), limit)

    def beginning(self, text: str, limit: int) -> str:
        """The longest beginning of a line that has at most `limit` before it is escaped."""
        return _longest(lambda length: _cut(text, length), len(text), limit, self.size)

    def longest(self, at: Callable[[int], str], most: int, limit: int) -> str:
        """`at(n)`, escaped, with the largest `n` of 0 … `most` that fits into `limit`.

        A longer `n` gives no shorter text. Empty if not even `at(0)` fits.
        """
        return _longest(lambda length: self.write(at(length)), most, limit, self.size)


def _longest(at: Callable[[int], str], most: int, limit: int, measure: Callable[[str], int]) -> str:
    whole = at(most)
    if measure(whole) <= limit:
        return whole
    best, low, high = "", 0, most - 1
    while low <= high:
        middle = (low + high) // 2
        written = at(middle)
        if measure(written) <= limit:
            best, low = written, middle + 1
        else:
            high = middle - 1
    return best


def _cut(text: str, length: int) -> str:
    if length >= len(text):
        return text
    return (beginning(text, length).rstrip() + ELLIPSIS) if length else ""
