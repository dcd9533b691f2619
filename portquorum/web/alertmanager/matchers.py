"""Matchers of labels as Alertmanager writes them: `team="db"`, `target=~"db-.*"`. Pure.

The grammar is that of https://prometheus.io/docs/alerting/latest/configuration/#matcher.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import re2
from msgspec import Struct

LabelValues = Mapping[str, Sequence[str]]
"""The values of each label; most have one, `tag` and `region` several."""

MOST_CHARS: Final = 5_000
_MATCHER: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_ESCAPED: Final = re.compile(r'\\(["\\n])')
_BARE_QUOTE: Final = re.compile(r'(?<!\\)(?:\\\\)*"')


class MatcherError(ValueError):
    """A text is no matcher; the message is one sentence."""


class LabelMatcher(Struct, frozen=True):
    """A condition on one label."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def __str__(self) -> str:
        sign = ("=" if self.is_equal else "!") + ("~" if self.is_regex else "=")
        written = "=" if sign == "==" else sign
        return f'{self.name}{written}"{self.value}"'

    def holds(self, labels: LabelValues) -> bool:
        """True if one of the label's values is equal or matches; of `!=` and `!~` none may.

        A label that is not there has the empty value.
        """
        fits = _fits(self.value) if self.is_regex else self.value.__eq__
        return any(map(fits, labels.get(self.name) or ("",))) == self.is_equal


def parsed(text: str) -> LabelMatcher:
    """The matcher that a text is.

    Raises:
        MatcherError: it is none.
    """
    found = _MATCHER.fullmatch(text) if len(text) <= MOST_CHARS else None
    if found is None:
        raise MatcherError(f'expected a matcher such as team="db", found {text[:200]!r}')
    name, sign, written = found.groups()
    is_regex = "~" in sign
    value = _unquoted(written)
    if is_regex:
        _fits(value)
    return LabelMatcher(name, value, is_regex, not sign.startswith("!"))


@lru_cache(maxsize=1024)
def regex_fits(text: str) -> Callable[[str], bool]:
    """Whether a regular expression matches a whole text, in time linear in it.

    Raises:
        MatcherError: it is no regular expression of RE2.
    """
    options: Any = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled = re2.compile(text, options=options)
    except (re2.error, UnicodeError) as error:
        raise MatcherError(f"{text[:200]!r} is no regular expression: {error}") from error
    return lambda value: compiled.fullmatch(value) is not None


_fits: Final = regex_fits


def _unquoted(written: str) -> str:
    quoted = len(written) > 1 and written.startswith('"') and written.endswith('"')
    inner = written[1:-1] if quoted else written
    if _BARE_QUOTE.search(inner):
        raise MatcherError(f"expected a value without bare double quotes, found {written[:200]!r}")
    return _ESCAPED.sub(lambda one: "\n" if one[1] == "n" else one[1], inner)
