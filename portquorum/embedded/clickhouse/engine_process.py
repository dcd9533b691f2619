"""The process of the ClickHouse engine (chDB), inside the sandbox of `sandbox`.

It knows no password, has no environment and no socket but those that it was given, and ends when
the HTTP side does. `python -m portquorum.embedded.clickhouse.engine_process DESCRIPTOR FOLDER`.
"""

import importlib.util
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

from portquorum.embedded.clickhouse import engine_protocol as protocol
from portquorum.embedded.clickhouse import sandbox

# chDB offers answers as objects of these when they are installed. Nobody asks for such, and
# loading them takes time, memory and threads.
_NOT_LOADED: Final = ("pyarrow", "pandas", "numpy")
_request: Final = msgspec.msgpack.Decoder(protocol.Request)


def main(control: socket.socket, folder: Path) -> None:
    """Opens the engine on `folder`/data and serves sessions until the control socket ends."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        # The HTTP side ends first and takes this process with it.
        signal.signal(number, signal.SIG_IGN)
    # How an import is refused.
    sys.modules.update(dict.fromkeys(_NOT_LOADED))  # type: ignore[arg-type]
    own = [folder / name for name in (protocol.DATA, protocol.INSERTS, protocol.TEMPORARY)]
    reason = sandbox.enter(own, _libraries())
    # Not in the main thread: the engine would ask for the bounds of its stack, which stand in
    # /proc (pthread_getattr_np).
    worker = threading.Thread(target=_serve, args=(control, folder, reason), name="control")
    worker.start()
    worker.join()


def _libraries() -> list[Path]:
    """The folders of chDB, and of the shared libraries that its wheels install beside them."""
    found = importlib.util.find_spec("chdb")
    folders = [Path(path) for path in (found.submodule_search_locations or ())] if found else []
    beside = [path for folder in folders for path in folder.parent.glob("chdb*") if path.is_dir()]
    return [*folders, *beside]


def _serve(control: socket.socket, folder: Path, reason: str | None) -> None:
    try:
        from chdb.state.sqlitelike import Connection  # noqa: PLC0415 - only behind the walls

        path = str(folder / protocol.DATA)
        # As long as one connection is open, so is the engine.
        keep = Connection(path)
        # chDB begins with a database that shows every file of the machine as a table. Its name
        # must be there for the next connection.
        keep.query("DROP DATABASE IF EXISTS default SYNC")
        keep.query("CREATE DATABASE default ENGINE = Memory")
    except Exception as error:  # noqa: BLE001 - whatever it is, a person must see it
        protocol.send(control, protocol.OpenFailed(str(error)))
        return
    sessions: list[threading.Thread] = []
    try:
        protocol.send(control, protocol.Opened(reason))
        while True:
            protocol.receive(control)  # OpenSession: there is no other message
            descriptor = protocol.receive_descriptor(control)
            session = threading.Thread(
                target=_session, args=(socket.socket(fileno=descriptor), Connection, path)
            )
            sessions = [thread for thread in sessions if thread.is_alive()]
            sessions.append(session)
            session.start()
    except protocol.GoneError:
        pass
    # Whoever closes the control socket has closed the sessions' sockets before.
    for session in sessions:
        session.join()
    keep.close()


def _session(asked: socket.socket, connect: Any, path: str) -> None:
    """Serves one connection of the engine: statements in turn, until the socket ends."""
    with asked:
        try:
            connection = connect(path)
        except Exception as error:  # noqa: BLE001 - the engine's, whatever its type
            _answer_all(asked, protocol.Refused(str(error)))
            return
        try:
            while True:
                protocol.send(asked, _answer(asked, connection))
        except protocol.GoneError:
            pass
        finally:
            connection.close()


def _answer_all(asked: socket.socket, reply: protocol.Refused) -> None:
    try:
        while True:
            request = _request.decode(protocol.receive(asked))
            if isinstance(request, protocol.RunStatement) and request.into:
                os.close(protocol.receive_descriptor(asked))
            protocol.send(asked, reply)
    except protocol.GoneError:
        pass


def _answer(asked: socket.socket, connection: Any) -> protocol.Reply:
    request = _request.decode(protocol.receive(asked))
    descriptor = None
    if isinstance(request, protocol.RunStatement) and request.into:
        descriptor = protocol.receive_descriptor(asked)
    try:
        if isinstance(request, protocol.Classify):
            return _classify(connection, request)
        return _run(connection, request, descriptor)
    except UnicodeDecodeError as error:
        # Of an error of the engine's that shows bytes of the data: here is its text.
        return protocol.Refused(error.object.decode(errors="replace"))
    except Exception as error:  # noqa: BLE001 - chDB raises its own error or a RuntimeError
        return protocol.Refused(str(error))
    finally:
        if descriptor is not None:
            # This end is the last one: now the reader has all.
            os.close(descriptor)


def _run(
    connection: Any, request: protocol.RunStatement, descriptor: int | None
) -> protocol.StatementResult:
    sql = request.sql
    if descriptor is not None:
        sql = f"{sql} INTO OUTFILE '/dev/fd/{descriptor}' APPEND {request.rest}"
    # Not `connection.query`: that one makes objects of formats that are called `dataframe`.
    result = connection._conn.query(sql, request.format, params=request.params)  # noqa: SLF001
    return protocol.StatementResult(
        result.bytes() or b"",
        int(result.rows_read()),
        int(result.storage_rows_read()),
        int(result.storage_bytes_read()),
        int(result.rows_written()),
        int(result.bytes_written()),
    )


def _classify(connection: Any, request: protocol.Classify) -> protocol.Class:
    found = connection._conn.classify_query(request.sql)  # noqa: SLF001 (no public name yet)
    return protocol.Class(
        int(found["statement_count"]), bool(found["query_class"].name == "READ_ONLY")
    )


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
