"""A batch: newline-delimited JSON, one check result a line, the value of one [results] message."""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import msgspec

from schemas.json_decoder import DECODE_ERRORS
from schemas.result import CheckResult

MAX_RESULTS: Final = 500
"""The most results in one message of a prober."""

_encoder = msgspec.json.Encoder()

Result = TypeVar("Result", bound=CheckResult)


class BadLine(msgspec.Struct, frozen=True, gc=False):
    """A line of a batch that is not a check result. `line` counts from 0."""

    line: int
    raw: bytes
    error: str


class BatchDecoder(Generic[Result]):
    """A decoder of batches; each line is decoded as a `Result`."""

    def __init__(self, kind: type[Result]) -> None:
        self._decode_line = msgspec.json.Decoder(kind).decode

    def decode(self, value: bytes) -> tuple[list[Result], list[BadLine]]:
        """All results of a message in their order, and the lines that can't be decoded.

        Raises nothing: each line is either a result or a bad line, whatever the bytes are. Empty
        lines are neither. A result over several lines, or two on one line, are bad lines.
        """
        whole = self._decode_whole(value)
        if whole is not None:
            return whole, []
        numbered, bad = self._decode_each(value)
        return [result for _, result in numbered], bad

    def decode_numbered(self, value: bytes) -> tuple[list[tuple[int, Result]], list[BadLine]]:
        """As `decode`, with each result's line number (from 0), which identifies its row."""
        whole = self._decode_whole(value)
        return self._decode_each(value) if whole is None else (list(enumerate(whole)), [])

    def _decode_whole(self, value: bytes) -> list[Result] | None:
        """All results when every line is one, else None."""
        try:
            # Line by line: `decode_lines` treats any white space as the end of a line.
            return list(map(self._decode_line, value.removesuffix(b"\n").split(b"\n")))
        except DECODE_ERRORS:
            return None

    def _decode_each(self, value: bytes) -> tuple[list[tuple[int, Result]], list[BadLine]]:
        results: list[tuple[int, Result]] = []
        bad: list[BadLine] = []
        for number, line in enumerate(value.split(b"\n")):
            if not line.strip():
                continue
            try:
                results.append((number, self._decode_line(line)))
            except DECODE_ERRORS as error:
                bad.append(BadLine(number, line, f"{type(error).__name__}: {error}"))
        return results, bad


_decoder = BatchDecoder(CheckResult)


def encode(results: Sequence[CheckResult]) -> bytes:
    """The lines of `results`, each ended by a newline."""
    # A list: msgspec 0.22 never frees an iterator of anything else and leaks bytes at each call.
    return _encoder.encode_lines(results if isinstance(results, list) else list(results))


def decode(value: bytes) -> tuple[list[CheckResult], list[BadLine]]:
    """See `BatchDecoder.decode`."""
    return _decoder.decode(value)


def decode_numbered(value: bytes) -> tuple[list[tuple[int, CheckResult]], list[BadLine]]:
    """See `BatchDecoder.decode_numbered`."""
    return _decoder.decode_numbered(value)
