"""A connection with bounded reads that can switch to TLS."""

import asyncio
import contextlib
import socket
import ssl
from typing import Final

from producers.checks import tcp_socket
from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import answer_of, reason_of, shown, text_of
from producers.kinds.closing import Closer, Peer
from producers.kinds.readiness import LoopReadiness, Readiness
from producers.kinds.tls_errors import (
    ClientCertificateError,
    RefusedCertificateError,
    tls_failure,
)
from producers.kinds.tls_records import has_certificate, is_tls

MOST_BYTES: Final = 1 << 20
"""The most bytes of a server in one check; with more the connection is closed."""

_CHUNK: Final = 16_384
_READS_AT_ONCE: Final = 4
_FREE_READS: Final = 32
_BYTES_A_READ: Final = 1_024
_PAUSE_S: Final = 0.01
_SHOWN: Final = 160


class Connection:
    """A connection begun by `tcp_socket.begin`. One reader at a time.

    Errors are raised as `CheckFailedError`: `connection_reset` and similar for the connection,
    `tls_failed` for TLS. `server_first`: the server was told that this is the end, and closes
    first.
    """

    __slots__ = (
        "_closed",
        "_closing",
        "_from_peer",
        "_number",
        "_offers_certificate",
        "_readiness",
        "_reads",
        "_received_in_handshake",
        "_tls",
        "_to_peer",
        "asked_for_certificate",
        "began_with",
        "received",
        "server_first",
        "sock",
        "tls",
    )

    def __init__(self, sock: socket.SocketType, readiness: Readiness | None = None) -> None:
        self.sock = sock
        self._number = sock.fileno()
        self._readiness = LoopReadiness() if readiness is None else readiness
        self.received = 0
        """Received bytes, including the encrypted ones of TLS."""
        self.server_first = False
        self._closing: tuple[Closer, Peer] | None = None
        self._closed = False
        self._reads = 0
        self.tls: ssl.SSLObject | None = None
        """The TLS session from the beginning of its handshake on, also if the handshake fails."""
        self.began_with = b""
        """The beginning of what came in the TLS handshake, at least 160 bytes if so many came."""
        self.asked_for_certificate = False
        """Whether the server has asked for a client's certificate."""
        self._offers_certificate = False
        self._received_in_handshake: int | None = None
        """`received` at the end of a TLS 1.3 handshake in which it has asked for one."""
        self._tls: ssl.SSLObject | None = None
        self._from_peer: ssl.MemoryBIO
        self._to_peer: ssl.MemoryBIO

    async def connected(self, within_s: float | None) -> bool:
        """Whether the connect was answered (connected or failed) in time.

        None: the check's own deadline is the limit, and cancels this.
        """
        if within_s is None:
            await self._ready(write=True)
            return True
        try:
            async with asyncio.timeout(within_s):
                await self._ready(write=True)
        except TimeoutError:
            return tcp_socket.answered(self.sock)
        return True

    async def send(self, data: bytes) -> None:
        """Sends all of it."""
        if self._tls is None:
            await self._push(data)
            return
        left = memoryview(data)
        while left:
            try:
                left = left[self._tls.write(left) :]
            except ssl.SSLWantReadError:
                await self._pull()
            except ssl.SSLError as error:
                raise self._tls_failed(error) from error
            try:
                await self._push(self._to_peer.read())
            except CheckFailedError as error:
                raise await self._told(error) from error

    async def receive(self, most: int = _CHUNK) -> bytes:
        """At least one byte and at most `most`; empty at the end of the peer's data."""
        if self._tls is None:
            return await self._take(most)
        while True:
            try:
                data = self._tls.read(most)
            except ssl.SSLWantReadError:
                await self._push(self._to_peer.read())
                try:
                    await self._pull()
                except CheckFailedError as error:
                    if error.reason == "connection_reset" and self._is_refused_silently():
                        raise ClientCertificateError from error
                    raise
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
            except ssl.SSLError as error:
                raise self._tls_failed(error) from error
            if not data and self._is_refused_silently():
                raise ClientCertificateError
            return data

    async def secure(
        self, context: ssl.SSLContext, server_name: str | None, *, offers_certificate: bool = False
    ) -> ssl.SSLObject:
        """Begins TLS and returns when the handshake is done.

        `offers_certificate`: the context has a client's certificate.

        Raises:
            ssl.SSLCertVerificationError: the certificate is not valid.
            ClientCertificateError: the server wants a certificate of the client's.
            CheckFailedError: the handshake failed otherwise.
        """
        # Not before: OpenSSL makes them at a cost that a connection without TLS would have, too.
        self._from_peer, self._to_peer = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            tls = context.wrap_bio(self._from_peer, self._to_peer, server_hostname=server_name)
        except (ValueError, UnicodeError) as error:
            text = f"no TLS with the name {server_name!r}: {error}"
            raise CheckFailedError("tls_failed", text) from error
        self.tls, self.began_with = tls, b""
        self._offers_certificate = offers_certificate
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._fly()
                await self._next_flight()
            except ssl.SSLCertVerificationError:
                with contextlib.suppress(CheckFailedError):
                    await self._push(self._to_peer.read())  # sends the TLS alert to the server
                raise
            except ssl.SSLZeroReturnError as error:
                raise CheckFailedError("tls_failed", self._closed_text()) from error
            except ssl.SSLError as error:
                raise self._tls_failed(error, self.began_with) from error
            else:
                break
        await self._fly()
        self._tls = tls
        if self.asked_for_certificate and tls.version() == "TLSv1.3":
            self._received_in_handshake = self.received
        return tls

    async def first_word(self) -> None:
        """Returns when anything has come in TLS after the handshake; a part of it may be lost.

        A server of TLS 1.3 says only then that it does not take a client's certificate. One that
        takes it mostly sends a session ticket.

        Raises:
            RefusedCertificateError: it does not.
            CheckFailedError: it closed or reset the connection.
        """
        tls, heard = self._tls, self.received
        if tls is None:
            return
        while True:
            try:
                data = tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                await self._push(self._to_peer.read())
                if self.received > heard:
                    return
                await self._pull()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
                break
            except ssl.SSLError as error:
                raise self._tls_failed(error) from error
            else:
                break
        if not data:
            text = "closed by the server right after the TLS handshake, without a word"
            raise CheckFailedError("tls_failed", text)

    def address_literal(self) -> bytes:
        """Our end's address as SMTP writes it: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.

        RFC 5321, section 4.1.3.
        """
        name = self.sock.getsockname()
        ip = str(name[0]).partition("%")[0] if isinstance(name, tuple) else "127.0.0.1"
        if ":" in ip and not ip.startswith("::ffff:"):
            return f"[IPv6:{ip}]".encode()
        return f"[{ip.removeprefix('::ffff:')}]".encode()

    def close_by(self, closer: Closer, peer: Peer) -> None:
        """Says who closes the connection now that it exists; `peer` is the server's address."""
        self._closing = closer, peer

    def close(self) -> None:
        """Ends TLS (close_notify) and the connection (FIN). May be called again.

        A connection without `close_by` ends by a reset.
        """
        if self._closed:
            return
        self._closed = True
        self._readiness.forget(self._number)
        if self._closing is None:
            self.sock.close()
            return
        if self._tls is not None:
            self._close_notify(self._tls)
        closer, peer = self._closing
        closer.close(self.sock, peer, server_first=self.server_first)

    def _close_notify(self, tls: ssl.SSLObject) -> None:
        # Errors (all are OSError) do not matter: the outcome is known. The server's own
        # close_notify is not waited for (RFC 8446, section 6.1).
        with contextlib.suppress(OSError):
            tls.unwrap()
        with contextlib.suppress(OSError):
            self.sock.send(self._to_peer.read())

    async def _fly(self) -> None:
        """Sends a flight of our handshake messages."""
        flight = self._to_peer.read()
        self.asked_for_certificate = self.asked_for_certificate or has_certificate(flight)
        await self._push(flight)

    async def _next_flight(self) -> None:
        """Receives what the server sends next in the handshake.

        Some servers refuse a client without a certificate by closing, without an alert (asyncio,
        and so uvicorn and aiohttp).
        """
        wants = self.asked_for_certificate and not self._offers_certificate
        try:
            if await self._pull(keep=True):
                return
        except CheckFailedError as error:
            if wants and error.reason == "connection_reset":
                raise ClientCertificateError from error
            raise
        if wants:
            raise ClientCertificateError
        raise CheckFailedError("tls_failed", self._closed_text())

    def _is_refused_silently(self) -> bool:
        """Whether a server of TLS 1.3 that has asked for a certificate sent nothing after it.

        Our handshake is done before the server has seen that we have none. One that goes on sends
        a session ticket first (RFC 8446, section 4.6.1), also if it closes then for another cause.
        """
        return self.received == self._received_in_handshake and not self._offers_certificate

    async def _told(self, error: CheckFailedError) -> CheckFailedError:
        """The server's own word before it broke the connection, if it wants a certificate."""
        if self.asked_for_certificate:
            try:
                while await self.receive():
                    pass
            except (ClientCertificateError, RefusedCertificateError) as told:
                return told
            except CheckFailedError:
                pass
        return error

    def _closed_text(self) -> str:
        text = "closed by the server during the TLS handshake"
        if not self.began_with:
            return f"{text}, without a word"
        return text if is_tls(self.began_with) else f"{text}, after {shown(self.began_with)!r}"

    def _tls_failed(self, error: ssl.SSLError, start: bytes = b"") -> CheckFailedError:
        return tls_failure(
            error,
            asked=self.asked_for_certificate,
            offered=self._offers_certificate,
            start=start,
        )

    async def _pull(self, *, keep: bool = False) -> bool:
        """Receives encrypted bytes; False at the end of the data. `keep`: see `began_with`."""
        data = await self._take(_CHUNK)
        if keep and len(self.began_with) < _SHOWN:
            self.began_with += data
        if data:
            self._from_peer.write(data)
        else:
            self._from_peer.write_eof()
        return bool(data)

    async def _take(self, most: int) -> bytes:
        await self._let_others()
        try:
            while True:
                try:
                    data = self.sock.recv(most)
                except BlockingIOError:
                    await self._ready(write=False)
                else:
                    break
        except OSError as error:
            raise _broken(answer_of(error.errno or 0)) from error
        self.received += len(data)
        if self.received > MOST_BYTES:
            text = f"the server sent more than {MOST_BYTES >> 10} KiB"
            raise CheckFailedError("unexpected_response", text)
        return data

    async def _let_others(self) -> None:
        """After a few reads each further one first lets other tasks run, also with a fast peer.

        The caller examines all data again after each read: with a peer that sends single bytes
        this happens at most 100 times a second.
        """
        self._reads += 1
        if self._reads <= _READS_AT_ONCE:
            return
        dribbles = self._reads > _FREE_READS and self.received < self._reads * _BYTES_A_READ
        await asyncio.sleep(_PAUSE_S if dribbles else 0)

    async def _push(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                try:
                    left = left[self.sock.send(left) :]
                except BlockingIOError:
                    await self._ready(write=True)
        except OSError as error:
            raise _broken(answer_of(error.errno or 0)) from error

    async def _ready(self, *, write: bool) -> None:
        await self._readiness.wait(self._number, write=write)


def _broken(number: int) -> CheckFailedError:
    return CheckFailedError(reason_of(number), text_of(number))
