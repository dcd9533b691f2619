"""Numbers and places in words: the filters of the templates."""

import re
from typing import Final
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from schemas.duration import WHOLE_SECONDS, duration_text

_ADDRESS: Final = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]])")
_NAME: Final = re.compile(r"\{(\w+)\}")


def number(value: int) -> str:
    """With thousands apart: `9,852`."""
    return f"{value:,}"


def many(text: str, count: int) -> str:
    """The form of `one form|other form` for `count`, with `{n}` filled in."""
    one, _, other = text.partition("|")
    return (one if count == 1 else other or one).replace("{n}", number(count))


def unit(text: str, count: int) -> str:
    """As `many`, without the number: `targets`."""
    return many(text.replace("{n}", ""), count).strip()


def fill(text: str, **values: object) -> str:
    """`text` with its names in braces filled in; a brace in a value stays as it is."""
    return _NAME.sub(lambda one: str(values.get(one[1], one[0])), text)


def cut(text: str, most: int) -> str:
    """At most `most` characters of `text`; what is longer ends with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def minus(later: int, earlier: int) -> str:
    """The length between two times in UTC ms: `3 min 5 s`."""
    return duration_text(later - earlier, WHOLE_SECONDS)


def milliseconds(value: float) -> str:
    """A latency: `0.42 ms`, `12.3 ms`, `1,204 ms`."""
    for least, decimals in ((100, 0), (10, 1)):
        if value >= least:
            return f"{value:,.{decimals}f} ms"
    return f"{value:.2f} ms"


def signed_length(ms: int) -> str:
    """A length with its sign: `+6 s`, `-3 min 5 s`."""
    return f"{'-' if ms < 0 else '+'}{duration_text(abs(ms))}"


def is_web_link(text: str) -> bool:
    """True for an address of the web, without a user name that would look like a host."""
    try:
        there = urlsplit(text)
    except ValueError:
        return False
    return there.scheme in {"http", "https"} and bool(there.hostname) and "@" not in there.netloc


def linked(text: str) -> Markup:
    """A text that somebody typed, escaped, with its addresses of the web as links."""
    made = Markup()
    for part in _ADDRESS.split(text):
        if _ADDRESS.fullmatch(part) and is_web_link(part):
            made += Markup('<a href="{0}" rel="noopener nofollow noreferrer">{0}</a>').format(part)
        else:
            made += escape(part)
    return made


def path(*parts: str) -> str:
    """A path on this server of parts that may have any characters."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
