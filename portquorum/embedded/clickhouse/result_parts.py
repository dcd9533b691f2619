"""The result of a statement, in parts that fit into memory."""

import os
import threading
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, Final, Protocol

from portquorum.embedded.clickhouse.engine import QueryError
from portquorum.embedded.clickhouse.engine_protocol import StatementResult

PART_BYTES: Final = 1 << 20
"""Bodies move between the network and the engine in parts of at least this size."""
_IN_MEMORY_BYTES: Final = 8 << 20
"""Bytes of a delayed answer (`wait_end_of_query`) that stay in memory; the rest goes to disk."""
_KILL_EVERY_S: Final = 0.2


class ResultParts(Protocol):
    """A result in parts."""

    counts: dict[str, int]
    """For X-ClickHouse-Summary; of the parts so far."""

    def take(self) -> tuple[bytes, bool]:
        """The next part, and True with the last one."""
        ...

    def close(self) -> None:
        """Releases the engine; may be called before the end."""
        ...


class Whole:
    """A result that the engine returned as a whole."""

    def __init__(self, chunk: StatementResult) -> None:
        """Takes the result."""
        self._chunk = chunk
        self.counts = {
            "read_rows": chunk.read_rows,
            "read_bytes": chunk.read_bytes,
            "result_rows": chunk.rows,
            "result_bytes": len(chunk.data),
        }

    def take(self) -> tuple[bytes, bool]:
        """The whole result."""
        return self._chunk.data, True

    def close(self) -> None:
        """Does nothing."""


class Piped:
    """A result that the engine writes into a pipe: in any format, with one header and one footer.

    chDB's own streams return each block as a separate result: headers and footers are repeated,
    totals and extremes are lost. With a file as output there is one writer for all blocks, and a
    pipe is a file that never uses the disk.
    """

    def __init__(self, run: Callable[[int], StatementResult], kill: Callable[[], None]) -> None:
        """Starts the statement.

        Args:
            run: runs the statement; its answer goes into the pipe that it is given.
            kill: ends it, from another thread; the engine goes on when nobody reads.
        """
        self.counts = {"result_bytes": 0}
        self._kill = kill
        self._error: QueryError | None = None
        self._read, write = os.pipe()
        self._running = threading.Thread(target=self._run, args=(run, write), name="piped")
        self._running.start()

    def take(self) -> tuple[bytes, bool]:
        """At least `PART_BYTES`, or the rest; and True with the last part.

        Raises:
            QueryError: the statement failed.
        """
        parts: list[bytes] = []
        size = 0
        while size < PART_BYTES:
            part = os.read(self._read, PART_BYTES)
            if not part:
                self._running.join()
                if self._error is not None:
                    raise self._error
                return b"".join(parts), True
            parts.append(part)
            size += len(part)
            self.counts["result_bytes"] += len(part)
        return b"".join(parts), False

    def close(self) -> None:
        """Kills the statement, if it has not ended."""
        os.close(self._read)
        while self._running.is_alive():
            self._kill()
            self._running.join(_KILL_EVERY_S)

    def _run(self, run: Callable[[int], StatementResult], write: int) -> None:
        try:
            chunk = run(write)
            self.counts["read_rows"] = chunk.read_rows
            self.counts["read_bytes"] = chunk.read_bytes
            self.counts["result_rows"] = chunk.rows
        except QueryError as error:
            self._error = error
        finally:
            # This end is the last one: now the reader has all.
            os.close(write)


class Kept:
    """A complete delayed result, in memory or in an unnamed file."""

    def __init__(self, file: IO[bytes], counts: dict[str, int]) -> None:
        """Takes the file, positioned at its end."""
        self._left = file.tell()
        self._file = file
        self._file.seek(0)
        self.counts = counts

    def take(self) -> tuple[bytes, bool]:
        """`PART_BYTES`, or the rest; and True with the last part."""
        part = self._file.read(PART_BYTES)
        self._left -= len(part)
        return part, self._left == 0

    def close(self) -> None:
        """Drops the result."""
        self._file.close()


def kept_back(parts: ResultParts) -> Kept:
    """The complete result; `parts` is closed on return and on errors.

    Raises:
        QueryError: as `parts` does.
        OSError: the disk is full.
    """
    file = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 (closed by Kept)
    try:
        whole = False
        while not whole:
            part, whole = parts.take()
            file.write(part)
    except BaseException:
        file.close()
        raise
    finally:
        parts.close()
    return Kept(file, parts.counts)
