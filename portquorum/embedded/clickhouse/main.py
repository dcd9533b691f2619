"""ClickHouse on this machine: the real engine behind ClickHouse's HTTP interface on loopback.

`python -m portquorum.embedded.clickhouse.main --listen 127.0.0.1:8123 --data DIR` runs it in the
foreground; `EmbeddedClickHouse` runs the same as a child of this process.
"""

import asyncio
import ipaddress
import logging
import os
import secrets
import shlex
import socket
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from foundation.lifecycle import done_before
from foundation.settings import Settings, SettingsError, load
from foundation.telemetry import configure_logging, logger
from portquorum.embedded.service import addresses, announcement, process
from portquorum.embedded.service.child import ServiceProcess
from portquorum.embedded.service.directory import ServiceDirectory
from portquorum.embedded.service.errors import EmbeddedServiceError, extra_missing, storage_error
from portquorum.embedded.service.reports import OnProgress, Progress, Reporter

if TYPE_CHECKING:
    from portquorum.embedded.clickhouse.engine import EngineProcess
    from portquorum.embedded.clickhouse.http_interface import HttpInterface
    from portquorum.embedded.clickhouse.native_hint import HttpServer

DEFAULT_LISTEN: Final = "127.0.0.1:8123"
DATABASE: Final = "portquorum"
OWNER: Final = "portquorum"
SERVICE: Final = "clickhouse"
_GRACE_S: Final = 1.0
"""Time for running requests when the service is stopped, in s."""
_ABORT_AFTER_S: Final = 4.0
"""Time for an orderly end of the engine before a kill, in s; confirmed data is on the disk."""


class EmbeddedClickHouse(ServiceProcess):
    """ClickHouse as a child of this process; `with` and `async with` start and stop it."""

    def __init__(
        self,
        data_dir: Path,
        listen: str = DEFAULT_LISTEN,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            data_dir: the data directory of portquorum; ClickHouse's part is the folder
                `clickhouse`.
            listen: `HOST:PORT`; port 0 takes a free one.
            on_progress: called in the thread that starts.
        """
        super().__init__(
            "portquorum.embedded.clickhouse.main",
            ["--listen", listen, "--data", str(data_dir.absolute())],
            data_dir / SERVICE / "logs" / "process.log",
            on_progress,
        )

    @property
    def url(self) -> str:
        """`http://portquorum:<password>@host:port/portquorum`: all rights."""
        return self.address


def run_clickhouse(data_dir: Path, listen: str = DEFAULT_LISTEN) -> int:
    """ClickHouse in the foreground until SIGTERM or Ctrl-C; tells the terminal how to connect.

    Returns:
        The exit code: 0 after an end in order, 1 if it could not start or go on (and said why).
    """
    return _run(data_dir, listen, _to_terminal(data_dir), None)


def _to_terminal(data_dir: Path) -> Reporter:
    return process.ToTerminal("ClickHouse", partial(how_to_connect, data_dir=data_dir.absolute()))


def how_to_connect(url: str, data_dir: Path) -> Sequence[str]:
    """Instructions for a ClickHouse at `url`, without passwords.

    Whatever runs the service keeps its terminal output in logs.
    """
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    file = data_dir / announcement.FILE
    found = r"""sed -E 's/.*"clickhouse":"([^"]*)".*/\1/'"""
    return (
        f"ClickHouse listens on {place} (Ctrl-C ends it).",
        "The user default reads, within limits (docs/embedded.md):",
        f"  curl '{place}/?query=SELECT+version()'",
        f"The user {parts.username} has all rights; its password is in {file}.",
        "Other commands with the same data directory find it; elsewhere set (all rights)",
        f'  export PORTQUORUM_CLICKHOUSE="$({found} {shlex.quote(str(file))})"',
    )


def password(path: Path) -> str:
    """The owner's password, made at the first start and kept in a file of mode 0600.

    Raises:
        EmbeddedServiceError: the file can't be read or written.
    """
    try:
        if path.exists() and (found := path.read_text(encoding="ascii").strip()):
            return found
        made = secrets.token_urlsafe(24)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made + "\n")
    except OSError as error:
        raise storage_error(error, path) from error
    return made


def _run(data_dir: Path, listen: str, reporter: Reporter, parent: int | None) -> int:
    return process.run(partial(_serve, data_dir.absolute(), listen), reporter, parent)


async def _serve(data_dir: Path, listen: str, reporter: Reporter) -> None:
    address = addresses.parse(listen)
    directory = ServiceDirectory(data_dir, SERVICE)
    try:
        with _listening(address) as server:
            reporter.progress(Progress("starting"))
            await _serve_on(server, data_dir, directory, reporter)
    finally:
        directory.close()


def _listening(address: addresses.ListenAddress) -> socket.socket:
    """The socket, bound early so that nobody can take the port while the engine starts."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        server.listen(128)
    except OSError as error:
        server.close()
        raise addresses.listen_error(error, address) from error
    return server


def _settings() -> Settings:
    try:
        return load()
    except SettingsError as error:
        raise EmbeddedServiceError(str(error)) from error


async def _serve_on(
    server: socket.socket, data_dir: Path, directory: ServiceDirectory, reporter: Reporter
) -> None:
    folder = directory.path
    try:
        from aiohttp import web  # noqa: PLC0415 (of the extra)

        from foundation.http_origin import Served  # noqa: PLC0415
        from portquorum.embedded.clickhouse.access import UserAccess  # noqa: PLC0415
        from portquorum.embedded.clickhouse.engine import EngineProcess  # noqa: PLC0415
        from portquorum.embedded.clickhouse.http_interface import HttpInterface  # noqa: PLC0415
        from portquorum.embedded.clickhouse.sql_guard import SqlGuard  # noqa: PLC0415
    except ImportError as error:
        raise extra_missing((error.name or "aiohttp").partition(".")[0]) from error
    settings = _settings()
    # Standard output is for the parent, who reads no logs there.
    configure_logging(SERVICE, settings)
    secret = settings.owner_password or password(folder / "password")
    engine = EngineProcess(folder, (directory.lock_fd,))
    try:
        host, port = server.getsockname()[:2]
        _without_walls(engine.without_walls, host, settings, reporter)
        with engine.session({}) as session:
            session.run(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")
        guard = SqlGuard(engine)
        access = UserAccess(
            guard,
            secret,
            settings.reader_password,
            open_here=engine.without_walls is None,
        )
        served = Served(host, settings.http_host_names)
        interface = HttpInterface(engine, access, DATABASE, served)
        here = addresses.reachable(addresses.ListenAddress(host, port))
        url = f"http://{OWNER}:{quote(secret, safe='')}@{here}/{DATABASE}"
        stop = process.stop_signal()
        place = f"http://{here}"
        runner = web.ServerRunner(_http_server(interface, place), shutdown_timeout=_GRACE_S)
        await runner.setup()
        try:
            await web.SockSite(runner, server).start()
            async with _native_hint(settings, addresses.ListenAddress(host, port), place):
                announcement.announce(data_dir, SERVICE, url)
                reporter.ready(url)
                await _until_stopped(stop, engine, directory)
        finally:
            # Whatever a statement does, and whoever waits for it.
            abort = threading.Timer(_ABORT_AFTER_S, engine.abort)
            abort.daemon = True
            abort.start()
            announcement.withdraw(data_dir, SERVICE, url)
            await runner.cleanup()
            await asyncio.to_thread(interface.close)
            guard.close()
            abort.cancel()
    finally:
        await asyncio.to_thread(engine.close)


def _http_server(interface: "HttpInterface", place: str) -> "HttpServer":
    """The server; `place` is its URL, without user and password."""
    from portquorum.embedded.clickhouse.native_hint import HttpServer  # noqa: PLC0415

    return HttpServer(
        place,
        interface.handle,
        access_log=None,
        # A client that has gone needs no answer: its statement is killed.
        handler_cancellation=True,
        # Bodies are ours to decompress: aiohttp knows nothing of lz4.
        auto_decompress=False,
        # As ClickHouse's http_max_uri_size: statements and parameters come in the URL.
        max_line_size=1 << 20,
        logger=_http_log(),
        max_field_size=16 << 10,
    )


@asynccontextmanager
async def _native_hint(
    settings: Settings, http: addresses.ListenAddress, place: str
) -> AsyncIterator[None]:
    """Tells clients of the native protocol where to go; that it can't, stops nothing.

    Raises:
        EmbeddedServiceError: `PORTQUORUM_NATIVE_LISTEN` is no address.
    """
    from portquorum.embedded.clickhouse import native_hint  # noqa: PLC0415 (of the extra)

    asked = native_hint.place(settings.native_listen, http)
    if asked is None:
        yield
        return
    try:
        address = addresses.parse(asked)
    except EmbeddedServiceError as error:
        raise EmbeddedServiceError(f"PORTQUORUM_NATIVE_LISTEN: {error}; or off") from error
    try:
        server = await native_hint.listen(address, place)
    except OSError as error:
        logger(__name__).info(
            "no hint for clients of the native protocol",
            listen=asked,
            why=str(error),
            to_do="nothing, or set PORTQUORUM_NATIVE_LISTEN to another HOST:PORT or to off",
        )
        yield
        return
    try:
        yield
    finally:
        server.close()


def _http_log() -> logging.Logger:
    """aiohttp's, without the requests that are none: those are not the operator's trouble.

    Anybody may send as many as he likes, and each would be a page of the log.
    """
    log = logging.getLogger("aiohttp.server")
    log.addFilter(_is_ours)
    return log


def _is_ours(record: logging.LogRecord) -> bool:
    from aiohttp.http_exceptions import HttpProcessingError  # noqa: PLC0415 (of the extra)

    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _until_stopped(
    stop: asyncio.Event, engine: "EngineProcess", directory: ServiceDirectory
) -> None:
    """Waits for the reason to end the service.

    Raises:
        EmbeddedServiceError: the engine has ended by itself.
    """

    async def ended() -> None:
        code = await asyncio.to_thread(engine.wait)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise EmbeddedServiceError(
            f"ClickHouse's engine ended ({how}); what it had confirmed is on the disk; look "
            f"into {directory.logs}"
        )

    await done_before(stop, ended())


def _without_walls(why: str | None, host: str, settings: Settings, reporter: Reporter) -> None:
    """Restricts the service where the kernel offers no sandbox, and prints one line on it.

    `why` is the reason; None: there is a sandbox.

    Raises:
        EmbeddedServiceError: it listens elsewhere than on loopback.
    """
    if why is None:
        return
    if not ipaddress.ip_address(host).is_loopback:
        raise EmbeddedServiceError(
            f"the embedded ClickHouse listens on {host} only behind the kernel's walls, and "
            f"{why}; listen on 127.0.0.1, or run a ClickHouse server"
        )
    readers = (
        "readers need their password"
        if settings.reader_password
        else "readers are not let in before PORTQUORUM_READER_PASSWORD is set"
    )
    reporter.notice(f"no walls around the engine: {why}; {readers} (docs/security.md)")


def main() -> int:
    """The command line of `python -m portquorum.embedded.clickhouse.main`."""
    given = process.arguments("portquorum.embedded.clickhouse.main", DEFAULT_LISTEN)
    if given.parent is None:
        return run_clickhouse(given.data, given.listen)
    return _run(given.data, given.listen, process.ToParent(), given.parent)


if __name__ == "__main__":
    sys.exit(main())
