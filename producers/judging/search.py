"""Expected content of an answer: bytes, or a match of a regular expression."""

from functools import lru_cache
from typing import Any, Final

import re2
from msgspec import Struct

from schemas.probe import Exchange


def _options(encoding: Any) -> Any:
    """RE2 is linear in the length of the data: no data of a server makes a pattern hang."""
    options = re2.Options()
    options.encoding = encoding
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


_OF_BYTES: Final = _options(re2.Options.Encoding.LATIN1)
_OF_TEXT: Final = _options(re2.Options.Encoding.UTF8)


class Expected(Struct, frozen=True):
    """The expected content: bytes, or a match of one of `regexes`."""

    words: str
    part: bytes | None = None
    regexes: tuple[Any, ...] = ()

    def end_in(self, data: bytes) -> int | None:
        """The end of the first match in `data`, None if there is none."""
        if self.part is not None:
            found = data.find(self.part)
            return None if found < 0 else found + len(self.part)
        matches = (regex.search(data) for regex in self.regexes)
        return next((int(match.end()) for match in matches if match is not None), None)


@lru_cache(maxsize=4096)
def expected(step: Exchange) -> Expected | None:
    """The expectation of a step, None if it has none.

    Raises:
        ValueError: `expect_regex` is not a regular expression.
    """
    if step.expect_regex is not None:
        return Expected(f"a match of {step.expect_regex!r}", regexes=_regexes(step.expect_regex))
    if step.expect_hex is not None:
        return Expected(f"the bytes {step.expect_hex}", part=bytes.fromhex(step.expect_hex))
    if step.expect is not None:
        return Expected(repr(step.expect), part=step.expect.encode())
    return None


def _regexes(text: str) -> tuple[Any, ...]:
    """The expression of bytes, each of which is a character (Latin-1), and that of UTF-8.

    They differ where `text` has characters beyond ASCII: "ü" is what a server sends in either way.
    """
    if text.isascii():
        return (_compiled(text, "latin-1", _OF_BYTES),)
    of_text = _compiled(text, "utf-8", _OF_TEXT)
    try:
        return _compiled(text, "latin-1", _OF_BYTES), of_text
    except UnicodeEncodeError:
        return (of_text,)


def _compiled(text: str, encoding: str, options: Any) -> Any:
    try:
        return re2.compile(text.encode(encoding), options)
    except re2.error as error:
        why = error.args[0] if error.args else ""
        why = why.decode(encoding, "replace") if isinstance(why, bytes) else str(why)
        wanted = f"expected a regular expression (RE2), found {text!r}"
        raise ValueError(f"{wanted}: {why}") from error
