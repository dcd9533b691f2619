"""Expected content of an answer: bytes, or a match of a regular expression."""

from functools import lru_cache
from typing import Any, Final

import re2
from msgspec import Struct

from schemas.probe import Exchange

# RE2 is linear in the length of the data: no data of a server makes a pattern hang.
_OPTIONS: Final = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.dot_nl = True
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class Expected(Struct, frozen=True):
    """The expected content: bytes, or a match of a regular expression."""

    words: str
    part: bytes | None = None
    regex: Any = None

    def end_in(self, data: bytes) -> int | None:
        """The end of the first match in `data`, None if there is none."""
        if self.part is not None:
            found = data.find(self.part)
            return None if found < 0 else found + len(self.part)
        match = self.regex.search(data)
        return None if match is None else int(match.end())


@lru_cache(maxsize=4096)
def expected(step: Exchange) -> Expected | None:
    """The expectation of a step, None if it has none.

    Raises:
        ValueError: `expect_regex` is not a regular expression.
    """
    if step.expect_regex is not None:
        try:
            regex = re2.compile(step.expect_regex.encode("latin-1"), _OPTIONS)
        except UnicodeEncodeError as error:
            text = "expected a regular expression of Latin-1 characters, each of which is one byte"
            raise ValueError(f"{text} of the answer, found {step.expect_regex!r}") from error
        except re2.error as error:
            why = error.args[0] if error.args else ""
            why = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
            text = f"expected a regular expression (RE2), found {step.expect_regex!r}"
            raise ValueError(f"{text}: {why}") from error
        return Expected(f"a match of {step.expect_regex!r}", regex=regex)
    if step.expect_hex is not None:
        return Expected(f"the bytes {step.expect_hex}", part=bytes.fromhex(step.expect_hex))
    if step.expect is not None:
        return Expected(repr(step.expect), part=step.expect.encode())
    return None
