"""Splits a child's output into lines, for any bytes."""

from typing import Final

MAX_LINE_BYTES: Final = 64 * 1024


class LineCutter:
    r"""Takes chunks and returns complete lines as text, without line ends.

    Splits a line longer than `MAX_LINE_BYTES`; replaces bytes that are not UTF-8 by `\ufffd`.
    """

    def __init__(self) -> None:
        """Starts at the beginning of a line."""
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that `chunk` completes."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            whole.append(self._rest)
            self._rest = b""
        return [_text(line) for line in whole]

    def end(self) -> list[str]:
        """The last line, if it has no line end."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")
