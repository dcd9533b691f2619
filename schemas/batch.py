"""A batch: newline-delimited JSON, one check result a line, the value of one [results] message."""

from collections.abc import Sequence
from typing import Final

import msgspec

from schemas.result import CheckResult

MAX_RESULTS: Final = 500
"""A prober puts at most this many results into one message."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CheckResult)


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
    are neither.
    """
    try:
        return _decoder.decode_lines(value), []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_each(value)


def decode_numbered(value: bytes) -> tuple[list[tuple[int, CheckResult]], list[BadLine]]:
    """As `decode`, with each result's line number (from 0), by which a row is found again."""
    results, bad = decode(value)
    if not bad and value.count(b"\n") + (not value.endswith(b"\n")) == len(results):
        return list(enumerate(results)), bad
    taken = {line.line for line in bad}
    numbers = (
        number
        for number, line in enumerate(value.split(b"\n"))
        if line.strip() and number not in taken
    )
    return list(zip(numbers, results, strict=True)), bad


def _decode_each(value: bytes) -> tuple[list[CheckResult], list[BadLine]]:
    results: list[CheckResult] = []
    bad: list[BadLine] = []
    for number, line in enumerate(value.split(b"\n")):
        if not line.strip():
            continue
        try:
            results.append(_decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            bad.append(BadLine(number, line, f"{type(error).__name__}: {error}"))
    return results, bad
