"""chDB, the ClickHouse engine in this process: a connection for every statement.

A connection is cheap (0.5 ms) and keeps its settings to itself. One connection does one thing at
a time; with one each, a slow SELECT holds nobody up, and no setting outlives its statement. What
is said here blocks; it is called from threads (the engine lets go of the GIL).
"""

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from portquorum.embedded import tokens
from portquorum.embedded.errors import EmbeddedServiceError, disk_full, extra_missing
from portquorum.embedded.statement import split_settings

_SETTING: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class QueryError(Exception):
    """The engine refused a statement."""

    def __init__(self, message: str) -> None:
        """Takes the engine's text: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`."""
        start = message.find("Code: ")
        super().__init__(message[start:].strip() if start > 0 else message.strip())
        code = re.match(r"Code: (\d+)", str(self))
        self.code = int(code[1]) if code else 1002  # UNKNOWN_EXCEPTION


class Chunk:
    """A part of a result."""

    def __init__(self, result: Any) -> None:
        """Takes what the engine gave."""
        self.data: bytes = result.bytes() or b""
        self.rows = int(result.rows_read())
        self.read_rows = int(result.storage_rows_read())
        self.read_bytes = int(result.storage_bytes_read())


class Engine:
    """The engine on one data directory; the process can have no other one."""

    def __init__(self, path: Path) -> None:
        """Opens the directory, which takes about a second.

        Raises:
            EmbeddedServiceError: chDB is not installed, or it can't open the directory.
        """
        try:
            from chdb.state.sqlitelike import Connection  # noqa: PLC0415 (1 s and 250 MB)
        except ImportError as error:
            raise extra_missing("chdb") from error
        if "?" in str(path):
            raise EmbeddedServiceError(
                f"ClickHouse can't keep its data in {path}: chDB takes what follows the question "
                "mark for options; choose another folder with --data"
            )
        self._connect = Connection
        self._path = str(path)
        self._inserts = path.with_name("inserts")
        # What is there is of an insert that a crash cut short: it was never confirmed.
        shutil.rmtree(self._inserts, ignore_errors=True)
        self._inserts.mkdir(parents=True)
        try:
            tokens.forget_lost(path)
            # As long as one connection is open, so is the engine.
            self._keep = Connection(self._path)
            # chDB begins with a database that shows every file of the machine as a table. Its name
            # must be there for the next connection.
            self._keep.query("DROP DATABASE IF EXISTS default SYNC")
            self._keep.query("CREATE DATABASE default ENGINE = Memory")
        except Exception as error:
            if "No space left" in str(error):
                raise disk_full(path) from error
            raise EmbeddedServiceError(
                f"ClickHouse can't open {path}: {' '.join(str(error).split())[:300]}"
            ) from error

    def session(self, settings: Mapping[str, str], database: str | None = None) -> "Session":
        """A connection with settings of its own.

        Raises:
            QueryError: a setting or database that the engine does not know.
        """
        session = Session(self._connect(self._path), self._inserts)
        try:
            if database:
                session.run(f"USE {quote_name(database)}")
            session.set(settings)
        except BaseException:
            session.close()
            raise
        return session

    def kill(self, name: str) -> None:
        """Ends the statements whose `log_comment` is `name`; they fail soon after this returns."""
        try:
            with self.session({}) as session:
                session.run(f"KILL QUERY WHERE Settings['log_comment'] = {quote(name)} ASYNC")
        except QueryError:
            return  # it ended by itself meanwhile

    def close(self) -> None:
        """Closes the engine; sessions must be closed before."""
        self._keep.close()


class Session:
    """One connection: one statement at a time, from any thread. Must be closed."""

    def __init__(self, connection: Any, folder: Path) -> None:
        """Takes a connection of chDB; in `folder` lies what is on its way into it."""
        self._connection = connection
        self._folder = folder

    def set(self, settings: Mapping[str, str]) -> None:
        """Sets what the next statements run with."""
        if settings:
            pairs = (f"{_setting_name(name)} = {quote(text)}" for name, text in settings.items())
            self.run(f"SET {', '.join(pairs)}")

    def run(
        self, sql: str, as_format: str = "TabSeparated", params: Mapping[str, str] | None = None
    ) -> Chunk:
        """The whole result at once."""
        with _refusals():
            return Chunk(self._connection.query(sql, as_format, params=dict(params or {})))

    def insert(self, head: str, data_format: str) -> "Inserter":
        """Begins an INSERT whose data comes in parts; `head` is what is before its FORMAT."""
        with _refusals():
            return Inserter(self._connection, self._folder, head, data_format)

    def reads(self, sql: str) -> bool:
        """Whether the statement gives a result and changes nothing.

        Raises:
            QueryError: it can't be parsed, or is more than one.
        """
        with _refusals():
            found = self._connection._conn.classify_query(sql)  # noqa: SLF001 (no public name yet)
        if found["statement_count"] > 1:
            raise QueryError(
                "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). "
                "(SYNTAX_ERROR)"
            )
        return bool(found["query_class"].name == "READ_ONLY")

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Inserter:
    """An INSERT whose data comes in parts; nothing of it is stored before `finish`.

    The data goes into a file first, and from there in one statement. chDB's own streaming insert
    (4.4.0) loses errors: of rows that a constraint or a view refused, or for which there were too
    many parts, it says that they were written, and none is stored.
    """

    def __init__(self, connection: Any, folder: Path, head: str, data_format: str) -> None:
        """Begins a file in `folder`."""
        self._connection = connection
        self._head, self._settings = split_settings(head)
        self._format = data_format
        self._file = tempfile.NamedTemporaryFile(dir=folder)  # noqa: SIM115 - `finish` closes it

    def append(self, data: bytes) -> None:
        """The next part of the data, cut anywhere."""
        with _refusals():
            self._file.write(data)

    def finish(self) -> tuple[int, int]:
        """Stores the rows; returns their number and their bytes."""
        with _refusals(), self._file:
            self._file.flush()
            result = self._connection.query(
                f"{self._head} FROM INFILE {quote(self._file.name)} COMPRESSION 'none' "
                f"{self._settings} FORMAT {self._format}"
            )
        return int(result.rows_written()), int(result.bytes_written())

    def cancel(self) -> None:
        """Forgets the rows; nothing after `finish`."""
        self._file.close()


class _refusals:  # noqa: N801 (used as a word: `with _refusals():`)
    """Turns what chDB raises (its own error or a RuntimeError) into QueryError."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, QueryError):
            raise QueryError(str(error)) from error


def quote(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """A quoted identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _setting_name(name: str) -> str:
    if not _SETTING.fullmatch(name):
        raise QueryError(
            f"Code: 115. DB::Exception: Setting {name!r} is unknown. (UNKNOWN_SETTING)"
        )
    return name
