"""A ClickHouse query that may take long: its progress, and its end by Ctrl-C."""

import contextlib
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Final, cast

import typer
from clickhouse_connect.driver.client import Client
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from portquorum.cli.errors import TroubleError, WrongUseError
from portquorum.presentation.plain_console import PlainConsole

_SHOWN_AFTER_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.3
_PART_BYTES: Final = 1 << 16
# A real server knows the statement by the id that was sent with it; the embedded one by its
# log_comment, the engine in it having ids of its own.
_MINE: Final = "query_id = {id:String} OR Settings['log_comment'] = {id:String}"
_BROKEN: Final = b"\r\n__exception__\r\n"
_QUESTION: Final = re.compile(r"\s*\(*\s*(SELECT|WITH|SHOW|DESC|EXPLAIN|EXISTS)", re.IGNORECASE)
_INSERT: Final = re.compile(r"\bINSERT\s+INTO\b", re.IGNORECASE)
_EXIT_INTERRUPTED: Final = 130


class QueryProgress:
    """One statement, which the server knows by its id."""

    def __init__(self, connect: Callable[[], Client], query_id: str) -> None:
        """Takes a factory of clients: progress and kill need a second one."""
        self._connect = connect
        self._id = query_id

    def ask(
        self, text: str, form: str | None, options: Mapping[str, object], out: IO[bytes]
    ) -> None:
        """Writes the answer to `out`, as it arrives.

        Args:
            text: a statement.
            form: a format of ClickHouse, None if the statement names its own.
            options: settings of ClickHouse; those that this user may not change are left out.
            out: is flushed at the end.

        Raises:
            clickhouse_connect.driver.exceptions.Error: not reachable, or refused.
            TroubleError: the answer broke off.
            WrongUseError: not a question, where the server does not hold the user to reading.
            typer.Exit: with 130, after Ctrl-C; the statement has been ended at the server.
        """
        with self._connect() as client, _quiet_when(out.isatty(), self._watched()) as quiet:
            settings = _reading(client, text) | _changeable(client, options)
            settings["query_id"] = self._id
            try:
                with client.raw_stream(text, fmt=form, settings=settings) as answer:
                    quiet()
                    _copy(cast("HTTPResponse", answer), out)
            except KeyboardInterrupt:
                self._kill()
                raise typer.Exit(_EXIT_INTERRUPTED) from None
        out.flush()

    def _kill(self) -> None:
        with contextlib.suppress(Exception), self._connect() as client:
            client.command(f"KILL QUERY WHERE {_MINE} ASYNC", parameters={"id": self._id})
        print("portquorum: interrupted; the query is ended", file=sys.stderr)  # noqa: T201

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Shows the progress of the statement on a terminal, if it takes longer than a second."""
        if not sys.stderr.isatty():
            yield
            return
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _watch(self, ended: threading.Event) -> None:
        if ended.wait(_SHOWN_AFTER_S):
            return
        sql = f"SELECT read_rows, total_rows_approx FROM system.processes WHERE {_MINE}"  # noqa: S608
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        console = PlainConsole(stderr=True)
        # A look that fails shows nothing; what the statement itself meets is told by it.
        with (
            contextlib.suppress(Exception),
            self._connect() as client,
            Progress(*columns, console=console, transient=True) as progress,
        ):
            task = progress.add_task("…", total=None)
            while not ended.wait(_LOOK_EVERY_S):
                for read, total in client.query(sql, parameters={"id": self._id}).result_rows:
                    shown = f"{read:,} rows" + (f" of about {total:,}" if total > read else "")
                    progress.update(
                        task, description=shown, completed=read, total=max(total, read) or None
                    )


def _changeable(client: Client, options: Mapping[str, object]) -> dict[str, object]:
    """The settings that the server lets this user change."""
    known = client.server_settings
    return {name: v for name, v in options.items() if not (name in known and known[name].readonly)}


def _reading(client: Client, text: str) -> dict[str, object]:
    """The setting by which a statement may only read; none for a user who only reads anyway.

    Raises:
        WrongUseError: the user may write, the server takes no `readonly`, and this is no question.
    """
    known = client.server_settings.get("readonly")
    if known is None or known.value != "0":
        return {} if known else {"readonly": 2}
    if not known.readonly:
        return {"readonly": 2}
    if not _QUESTION.match(text) or _INSERT.search(text):
        raise WrongUseError(
            f"expected a question (SELECT, SHOW, DESCRIBE, EXPLAIN, EXISTS), found {text[:40]!r}: "
            "the server's profile lets this user write, and does not let `readonly` be set"
        )
    return {}


@contextlib.contextmanager
def _quiet_when(
    shared: bool, watched: contextlib.AbstractContextManager[None]
) -> Iterator[Callable[[], None]]:
    """Ends the progress display on the same terminal when the answer begins."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(watched)
        yield stack.close if shared else lambda: None


def _copy(answer: HTTPResponse, out: IO[bytes]) -> None:
    # One part is held back: what breaks an answer off is told at its end.
    held = b""
    try:
        for part in answer.stream(_PART_BYTES):
            out.write(held)
            held = part
    except HTTPError as error:
        held, _, why = held.partition(_BROKEN)
        out.write(held)
        out.flush()
        said = why.decode(errors="replace").splitlines()
        found = next((line for line in said if "DB::Exception" in line), str(error))
        reason = found.rpartition("DB::Exception: ")[2]
        raise TroubleError(
            f"the answer broke off, what was written is not all: {reason}"
        ) from error
    out.write(held)
