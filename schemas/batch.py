"""A batch: newline-delimited JSON, one check result a line, the value of one [results] message."""

from collections.abc import Sequence
from typing import Final

import msgspec

from schemas._decode import JsonDecoder
from schemas.result import CheckResult

MAX_RESULTS: Final = 500
"""A prober puts at most this many results into one message."""

_encoder = msgspec.json.Encoder()
_lines = msgspec.json.Decoder(CheckResult)
_line: JsonDecoder[CheckResult] = JsonDecoder(CheckResult)


class BadLine(msgspec.Struct, frozen=True, gc=False):
    """A line of a batch that is no check result. `line` counts from 0."""

    line: int
    raw: bytes
    error: str


def encode(results: Sequence[CheckResult]) -> bytes:
    """The lines of `results`, each ended by a newline."""
    return _encoder.encode_lines(results)


def decode(value: bytes) -> tuple[list[CheckResult], list[BadLine]]:
    """All results of a message in their order, and the lines that can't be read.

    Never raises: whatever the bytes are, each line is either a result or a bad line. Empty lines
    are neither. A result that goes over several lines, or shares its line, is no line of a batch.
    """
    whole = _decode_whole(value)
    if whole is not None:
        return whole, []
    numbered, bad = _decode_each(value)
    return [result for _, result in numbered], bad


def decode_numbered(value: bytes) -> tuple[list[tuple[int, CheckResult]], list[BadLine]]:
    """As `decode`, with each result's line number (from 0), by which a row is found again."""
    whole = _decode_whole(value)
    return _decode_each(value) if whole is None else (list(enumerate(whole)), [])


def _decode_whole(value: bytes) -> list[CheckResult] | None:
    """All results at once when every line is just one result, else None.

    msgspec takes any white space between values, so `A A` on one line and `A` on two decode as
    well. Here n results in n lines with n - 1 times `}`, newline, `{` between them are one a line:
    inside a JSON value no `}` is followed by `{`, and no string has a raw newline.
    """
    try:
        results = _lines.decode_lines(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    lines = value.count(b"\n") + (not value.endswith(b"\n"))
    one_a_line = (
        value.startswith(b"{")
        and lines == len(results)
        and value.count(b"}\n{") == len(results) - 1
    )
    return results if one_a_line else None


def _decode_each(value: bytes) -> tuple[list[tuple[int, CheckResult]], list[BadLine]]:
    results: list[tuple[int, CheckResult]] = []
    bad: list[BadLine] = []
    for number, line in enumerate(value.split(b"\n")):
        if not line.strip():
            continue
        try:
            results.append((number, _line.decode(line)))
        except msgspec.DecodeError as error:
            bad.append(BadLine(number, line, f"{type(error).__name__}: {error}"))
    return results, bad
