"""How connections end after their check, as the server sees it: sockets on loopback."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme

from producers.checks import tcp_socket
from producers.checks.resolver import Address, literal
from producers.engine.single_check import check_once
from producers.kinds import closing
from producers.kinds.closing import Closer, FirstFins, Peer
from schemas.probe import HandshakeProbe, HttpProbe, TlsProbe

PEER = ("127.0.0.1", 1)


@contextlib.contextmanager
def connected() -> Iterator[tuple[socket.SocketType, socket.socket]]:
    """Our side, as a check makes it, and the server's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = literal("127.0.0.1")
        assert isinstance(address, Address)
        ours = tcp_socket.begin(address, server.getsockname()[1], None, reset=False)
        theirs, _ = server.accept()
        theirs.settimeout(10)
        with theirs:
            yield ours, theirs


async def end_of(theirs: socket.socket) -> bytes:
    """What the server reads up to our FIN; a reset raises ConnectionResetError."""

    def read() -> bytes:
        data = b""
        while more := theirs.recv(65_536):
            data += more
        return data

    return await asyncio.to_thread(read)


async def test_a_server_that_was_told_goodbye_closes_first() -> None:
    closer = Closer()
    with connected() as (ours, theirs):
        theirs.sendall(b"221 bye\r\n")
        closer.close(ours, PEER, server_first=True)
        theirs.shutdown(socket.SHUT_WR)
        assert await end_of(theirs) == b""
        await closer.closed(10)
        assert len(closer) == 0
        assert ours.fileno() == -1


async def test_without_a_goodbye_our_fin_comes_at_once_and_unread_bytes_make_no_reset() -> None:
    closer = Closer()
    with connected() as (ours, theirs):
        theirs.sendall(b"R" * 1000)
        closer.close(ours, PEER, server_first=False)
        assert await end_of(theirs) == b""
        theirs.sendall(b"still talking")  # before the end of the wait this is no error
        theirs.shutdown(socket.SHUT_WR)
        await closer.closed(10)
        assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


@pytest.mark.parametrize("server_first", [True, False])
async def test_a_server_that_never_closes_is_not_waited_for(server_first: bool) -> None:
    closer = Closer()
    with connected() as (ours, theirs):
        closer.close(ours, PEER, server_first=server_first)
        await closer.closed(10)
        assert ours.fileno() == -1
        assert await end_of(theirs) == b""


async def test_a_server_that_waits_for_our_fin_gets_it_and_may_end_in_peace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(closing, "WITHIN_S", 2.0)
    closer = Closer()
    with connected() as (ours, theirs):
        closer.close(ours, PEER, server_first=True)
        assert await end_of(theirs) == b""
        assert ours.fileno() != -1
        theirs.sendall(b"221 closing connection\r\n")
        theirs.shutdown(socket.SHUT_WR)
        await closer.closed(10)
        assert ours.fileno() == -1
        assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


async def test_a_server_that_sends_without_end_is_reset() -> None:
    closer = Closer()
    with connected() as (ours, theirs):
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(100):
                theirs.send(b"x" * closing.MOST_BYTES)
        closer.close(ours, PEER, server_first=True)
        await closer.closed(10)
        theirs.settimeout(10)
        with pytest.raises(ConnectionError):
            await end_of(theirs)


async def test_the_number_that_waits_is_bounded() -> None:
    closer = Closer()
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(connected()) for _ in range(closing.MOST + 5)]
        for ours, _ in pairs:
            closer.close(ours, PEER, server_first=True)
            assert len(closer) <= closing.MOST
        for ours, theirs in pairs[:5]:
            assert ours.fileno() == -1
            assert await end_of(theirs) == b"", "the oldest ends early, in order"
        closer.end()
        for ours, theirs in pairs[5:]:
            assert ours.fileno() == -1
            assert await end_of(theirs) == b""


async def test_after_the_end_each_connection_is_closed_as_it_comes() -> None:
    closer = Closer()
    closer.end()
    with connected() as (ours, theirs):
        closer.close(ours, PEER, server_first=True)
        assert ours.fileno() == -1
        assert await end_of(theirs) == b""


def test_ports_in_time_wait_are_bounded_for_each_server() -> None:
    fins = FirstFins()
    other: Peer = ("127.0.0.2", 1)
    assert all(fins.allows(PEER, 100.0) for _ in range(closing.FIRST_FINS))
    assert not fins.allows(PEER, 130.0)
    assert fins.allows(other, 130.0)
    assert fins.allows(PEER, 160.0)


@pytest.mark.parametrize("server_first", [True, False])
async def test_beyond_the_bound_a_reset_keeps_no_port(
    monkeypatch: pytest.MonkeyPatch, server_first: bool
) -> None:
    monkeypatch.setattr(closing, "FIRST_FINS", 0)
    closer = Closer()
    with connected() as (ours, theirs):
        closer.close(ours, PEER, server_first=server_first)
        with pytest.raises(ConnectionResetError):
            await end_of(theirs)


async def scripted(server: socket.socket, *answers: bytes) -> bytes:
    """The server's side of one check: after each read it says the next; returns all it read."""

    def serve() -> bytes:
        theirs, _ = server.accept()
        with theirs:
            theirs.settimeout(10)
            heard = b""
            for answer in answers:
                heard += theirs.recv(65_536)
                theirs.sendall(answer)
            while more := theirs.recv(65_536):
                heard += more
            return heard

    return await asyncio.to_thread(serve)


async def test_postgres_in_the_middle_of_authentication_gets_a_fin_and_no_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        served = asyncio.create_task(scripted(server, b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"))
        outcome = await check_once(
            "127.0.0.1", server.getsockname()[1], "postgres", 10, probe=HandshakeProbe()
        )
        heard = await served
    assert outcome.status == "up", outcome
    size = int.from_bytes(heard[:4], "big")
    assert len(heard) == size, "the startup message, and nothing after it"


async def test_http_reads_what_it_did_not_ask_for_and_ends_with_a_fin() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\nConnection: close\r\n\r\n" + b"x" * 20_000
    with socket.create_server(("127.0.0.1", 0)) as server:
        served = asyncio.create_task(scripted(server, page))
        outcome = await check_once(
            "127.0.0.1", server.getsockname()[1], "http", 10, probe=HttpProbe(tls=False)
        )
        heard = await served
    assert outcome.status == "up", outcome
    assert heard.startswith(b"GET / ")


async def test_a_failure_in_the_middle_ends_with_a_fin_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        served = asyncio.create_task(scripted(server, b"what is this\r\n"))
        outcome = await check_once(
            "127.0.0.1", server.getsockname()[1], "redis", 10, probe=HandshakeProbe()
        )
        await served
    assert (outcome.status, outcome.reason) == ("down", "protocol_mismatch")


async def test_tls_ends_with_close_notify() -> None:
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)

    def serve() -> bytes:
        theirs, _ = server.accept()
        theirs.settimeout(10)
        # `suppress_ragged_eofs`: otherwise a FIN without close_notify would look the same.
        with context.wrap_socket(theirs, server_side=True, suppress_ragged_eofs=False) as secured:
            return secured.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        served = asyncio.create_task(asyncio.to_thread(serve))
        outcome = await check_once(
            "127.0.0.1", server.getsockname()[1], "tls", 10, probe=TlsProbe(verify=False)
        )
        assert await served == b""
    assert outcome.status == "up", outcome
