"""The client of the ClickHouse engine, for the HTTP side: a connection for each statement.

A connection is cheap (about 1 ms) and has its own settings. It runs one statement at a time; with
one for each statement, a slow SELECT delays nobody, and no setting outlives its statement. All
calls block; they run in threads.
"""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

import portquorum
from portquorum.embedded.clickhouse import engine_protocol as protocol
from portquorum.embedded.clickhouse import insert_tokens
from portquorum.embedded.clickhouse.statement import split_settings
from portquorum.embedded.service.errors import (
    EmbeddedServiceError,
    disk_full,
    extra_missing,
    storage_error,
)
from portquorum.embedded.service.lifeline import tie_to_parent

# chDB looks for this in the text of a statement, strings and names too, before anything is parsed.
_PYTHON: Final = re.compile(r"python\s*\(", re.IGNORECASE)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_WRAPPED: Final = re.compile(
    r"\ACode: (\d+)\. DB::Exception: (Code: \1\. .* \((\w+)\)) \(version [^()]*\)\. \(\3\)\Z",
    re.DOTALL,
)
_SETTING: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_CLOSE_WITHIN_S: Final = 4.0
"""Longest time for an orderly end, in s; a kill loses nothing that was confirmed."""
_hello: Final = msgspec.msgpack.Decoder(protocol.Hello)
_reply: Final = msgspec.msgpack.Decoder(protocol.Reply)


class QueryError(Exception):
    """The engine refused a statement."""

    def __init__(self, message: str) -> None:
        """Takes the engine's text: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`."""
        start = message.find("Code: ")
        super().__init__(message[start:].strip() if start > 0 else message.strip())
        code = re.match(r"Code: (\d+)", str(self))
        self.code = int(code[1]) if code else 1002  # UNKNOWN_EXCEPTION


class EngineGoneError(QueryError):
    """The engine's process has ended."""

    def __init__(self) -> None:
        """Says so as ClickHouse does when it ends."""
        super().__init__("Code: 734. DB::Exception: The engine has ended. (QUERY_WAS_CANCELLED)")


class EngineProcess:
    """The engine on one data directory, in its own process (`engine_process`)."""

    def __init__(self, folder: Path, inherited: Sequence[int] = ()) -> None:
        """Starts the process, which opens the folder; this takes about a second.

        Call it in the main thread: the process is killed when the thread that created it ends.

        Args:
            folder: the service's folder; `data`, `inserts` and `tmp` inside of it are the engine's.
            inherited: descriptors that stay open for as long as the engine runs.

        Raises:
            EmbeddedServiceError: chDB is not installed, or it can't open the folder.
        """
        for package in ("chdb", "py_landlock"):
            if importlib.util.find_spec(package) is None:
                raise extra_missing(package)
        data = folder / protocol.DATA
        if "?" in str(data):
            raise EmbeddedServiceError(
                f"ClickHouse can't keep its data in {data}: chDB takes what follows the question "
                "mark for options; choose another folder with --data"
            )
        self._inserts = folder / protocol.INSERTS
        try:
            # What is there is of a statement that a crash cut short: nothing of it was confirmed.
            for name in (protocol.INSERTS, protocol.TEMPORARY):
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / name).mkdir(parents=True)
            data.mkdir(exist_ok=True)
            insert_tokens.forget_lost(data)
        except OSError as error:
            raise storage_error(error, folder) from error
        self._asking = threading.Lock()
        self._control, theirs = socket.socketpair()
        said, theirs_to_say = socket.socketpair()
        with theirs, theirs_to_say:
            self._process = _start(folder, theirs.fileno(), theirs_to_say.fileno(), inherited)
        threading.Thread(target=_pass_on, args=(said,), name="engine's log", daemon=True).start()
        self.without_walls = self._opened(data)
        """Why only the checks of statements confine SQL; None if the sandbox is active."""

    def session(self, settings: Mapping[str, str], database: str | None = None) -> "Session":
        """A connection with its own settings.

        Raises:
            QueryError: a setting or database that the engine does not know.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._asking:
                protocol.send(self._control, protocol.OpenSession(), theirs.fileno())
        except protocol.GoneError as error:
            ours.close()
            raise EngineGoneError from error
        session = Session(ours, self._inserts)
        try:
            if database:
                session.run(f"USE {quote_name(database)}")
            session.set(settings)
        except BaseException:
            session.close()
            raise
        return session

    def kill(self, name: str) -> None:
        """Kills the statements with `log_comment` `name`; they fail soon after this returns."""
        try:
            with self.session({}) as session:
                session.run(f"KILL QUERY WHERE Settings['log_comment'] = {quote(name)} ASYNC")
        except QueryError:
            return  # it ended by itself meanwhile

    def wait(self) -> int:
        """Waits for the end of the process; returns its exit code, negative after a signal."""
        return self._process.wait()

    def close(self) -> None:
        """Ends the engine: in order within `_CLOSE_WITHIN_S`, otherwise by force.

        Open sessions get EngineGoneError.
        """
        self._control.close()
        try:
            self._process.wait(_CLOSE_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.abort()

    def abort(self) -> None:
        """Ends the engine at once, like a crash: confirmed data is on the disk."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _opened(self, data: Path) -> str | None:
        try:
            hello = _hello.decode(protocol.receive(self._control))
        except protocol.GoneError:
            self.abort()
            code = self._process.returncode
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise EmbeddedServiceError(
                f"ClickHouse's engine ended while it opened {data} ({how})"
            ) from None
        if isinstance(hello, protocol.Opened):
            return hello.without_walls
        self.abort()
        if "No space left" in hello.message:
            raise disk_full(data)
        raise EmbeddedServiceError(
            f"ClickHouse can't open {data}: {' '.join(hello.message.split())[:300]}"
        )


def _pass_on(said: socket.socket) -> None:
    """Writes what the engine's process says to standard error, until that process has ended.

    Standard error itself is not the engine's: SQL can open a pipe or a terminal anew by its
    descriptor (`INTO OUTFILE '/dev/fd/2'`), but no socket. Nor are control characters, which a
    terminal would obey.
    """
    with said:
        while part := said.recv(1 << 16):
            with suppress(OSError):
                os.write(sys.stderr.fileno(), _CONTROL.sub(b"?", part))


def _start(
    folder: Path, descriptor: int, said: int, inherited: Sequence[int]
) -> "subprocess.Popen[bytes]":
    """The process, with nothing of this one's but what it needs."""
    package = Path(portquorum.__file__).parent.parent
    environment = {
        "PYTHONPATH": str(package),
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "TMPDIR": str(folder / protocol.TEMPORARY),
        "LANG": "C.UTF-8",
    }
    if zone := os.environ.get("TZ"):
        environment["TZ"] = zone
    command = [sys.executable, "-m", "portquorum.embedded.clickhouse.engine_process"]
    return subprocess.Popen(  # noqa: S603 (our own module)
        [*command, str(descriptor), str(folder)],
        stdin=subprocess.DEVNULL,
        # Standard output may be the way to the parent (`process.ToParent`).
        stdout=subprocess.DEVNULL,
        stderr=said,
        env=environment,
        cwd=folder,
        pass_fds=(descriptor, *inherited),
        preexec_fn=tie_to_parent,  # noqa: PLW1509 (one C call: other threads hold nothing it needs)
        process_group=0,
    )


class Session:
    """One connection: one statement at a time, from any thread. Close it after use."""

    def __init__(self, asked: socket.socket, folder: Path) -> None:
        """Takes the connection's socket; `folder` holds data on its way into the engine."""
        self._socket = asked
        self._folder = folder

    def set(self, settings: Mapping[str, str]) -> None:
        """Changes the settings for the next statements."""
        if settings:
            pairs = (f"{_setting_name(name)} = {quote(text)}" for name, text in settings.items())
            self.run(f"SET {', '.join(pairs)}")

    def run(
        self, sql: str, as_format: str = "TabSeparated", params: Mapping[str, str] | None = None
    ) -> protocol.StatementResult:
        """Runs a statement; returns the whole result."""
        return self._run(protocol.RunStatement(sql, as_format, dict(params or {})))

    def run_into(
        self, parts: tuple[str, str], as_format: str, params: Mapping[str, str], descriptor: int
    ) -> protocol.StatementResult:
        """Runs a statement with its result into a pipe; returns when the result is complete.

        Args:
            parts: the statement (`statement.around_outfile`).
            as_format: of a statement that names none.
            params: values for `{name:Type}`.
            descriptor: the writing end; the engine gets one of its own and closes that.
        """
        query, rest = parts
        request = protocol.RunStatement(query, as_format, dict(params), into=True, rest=rest)
        return self._run(request, descriptor)

    def insert(self, head: str, data_format: str) -> "Inserter":
        """Starts an INSERT with data in parts; `head` is the text before its FORMAT."""
        return Inserter(self, self._folder, head, data_format)

    def reads(self, sql: str) -> bool:
        """True if the statement returns a result and changes nothing.

        Raises:
            QueryError: it can't be parsed, or is more than one.
        """
        found = self._ask(protocol.Classify(sql))
        assert isinstance(found, protocol.Class)  # noqa: S101 (the protocol)
        if found.statements > 1:
            raise QueryError(
                "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). "
                "(SYNTAX_ERROR)"
            )
        return found.reads

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def _run(
        self, request: protocol.RunStatement, descriptor: int | None = None
    ) -> protocol.StatementResult:
        found = self._ask(request, descriptor)
        assert isinstance(found, protocol.StatementResult)  # noqa: S101 (the protocol)
        return found

    def _ask(self, request: protocol.Request, descriptor: int | None = None) -> protocol.Reply:
        if _PYTHON.search(request.sql):
            # Also what came as a setting's value, a database's name or a query id.
            raise QueryError(
                "Code: 497. DB::Exception: Not enough privileges: python( stands in the statement, "
                "be it in a string. (ACCESS_DENIED)"
            )
        try:
            protocol.send(self._socket, request, descriptor)
            reply: protocol.Reply = _reply.decode(protocol.receive(self._socket))
        except protocol.GoneError as error:
            raise EngineGoneError from error
        except UnicodeEncodeError as error:
            raise QueryError(
                "Code: 62. DB::Exception: The statement is not UTF-8. (SYNTAX_ERROR)"
            ) from error
        if isinstance(reply, protocol.Refused):
            raise QueryError(reply.message)
        return reply

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
    """An INSERT with data in parts; stores nothing before `finish`.

    The data goes into a file first, and from there in one statement. chDB's own streaming insert
    (4.4.0) loses errors: if a constraint, a view or too many parts prevent the insert, it reports
    the rows as written, and stores none.
    """

    def __init__(self, session: Session, folder: Path, head: str, data_format: str) -> None:
        """Creates a file in `folder`."""
        self._session = session
        self._head, self._settings = split_settings(head)
        self._format = data_format
        with _disk():
            self._file = tempfile.NamedTemporaryFile(dir=folder)  # noqa: SIM115 - `finish` closes it

    def append(self, data: bytes) -> None:
        """Appends the next part of the data, which may be cut anywhere."""
        with _disk():
            self._file.write(data)

    def finish(self) -> tuple[int, int]:
        """Stores the rows; returns the number of rows and bytes."""
        with _disk(), self._file:
            self._file.flush()
            try:
                result = self._session.run(
                    f"{self._head} FROM INFILE {quote(self._file.name)} COMPRESSION 'none' "
                    f"{self._settings} FORMAT {self._format}"
                )
            except EngineGoneError:
                raise
            except QueryError as error:
                raise QueryError(_without_file(str(error), Path(self._file.name).name)) from error
        return result.written_rows, result.written_bytes

    def cancel(self) -> None:
        """Drops the rows; does nothing after `finish`."""
        self._file.close()


def _without_file(message: str, name: str) -> str:
    """An INSERT's error without the file `name`, of which its sender knows nothing.

    The engine wraps such an error in another one with the same code, and shows the file's path,
    which is not for readers (external tables of theirs come this way, too).
    """
    message = re.sub(rf"(: )?\(in file/uri [^\n]*{re.escape(name)}\)", "", message)
    message = message.replace(": While executing File: data for INSERT was parsed from file", "")
    return _WRAPPED.sub(r"\2", message)


@contextmanager
def _disk() -> Iterator[None]:
    """Converts OSErrors of an INSERT's file to ClickHouse's error."""
    try:
        yield
    except OSError as error:
        raise QueryError(
            f"Code: 75. DB::Exception: The data of the INSERT can't be kept: {error.strerror}. "
            "(CANNOT_WRITE_TO_FILE_DESCRIPTOR)"
        ) from error


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
