"""TLS servers of OpenSSL with the settings that a test needs."""

import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

Talk = Callable[[socket.socket], None]


def server_context(
    pair: Path,
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    clients: ssl.VerifyMode = ssl.CERT_NONE,
    ca: Path | None = None,
) -> ssl.SSLContext:
    """`clients`: whether a client's certificate (of `ca`) is wanted."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if 0 < newest < ssl.TLSVersion.TLSv1_2:
        made.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is asked for
        if 0 < newest < ssl.TLSVersion.TLSv1_2:
            made.minimum_version = newest
        made.maximum_version = newest
    made.load_cert_chain(pair)
    made.verify_mode = clients
    if ca is not None:
        made.load_verify_locations(ca)
    return made


@contextlib.contextmanager
def listening(
    context: ssl.SSLContext | None, *talks: Talk, before: Talk | None = None
) -> Iterator[int]:
    """A server on a free port: `before` TLS (none without a context), then the talks in it.

    Each gets the connection. Without talks the connection is read until the client goes.
    """

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.closing(connection):
            if before is not None:
                before(connection)
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            with contextlib.closing(connection):
                for talk in talks or (drained,):
                    talk(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(20)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def drained(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def read(connection: socket.socket) -> None:
    connection.recv(65_536)


def says(data: bytes) -> Talk:
    """Sends these bytes."""
    return lambda connection: connection.sendall(data)
