"""Servers that say what they are told to, one thread a connection.

Actions, in their order: s:TEXT sends (Python escapes, Latin-1), sx:HEX sends bytes, r reads once,
e:TEXT reads until TEXT has come and breaks off when the peer ends or sends 64 KiB without it,
tag:TEXT reads once and sends the first word of that with TEXT (IMAP's tags),
w:SECONDS waits, h reads until the peer goes, rst resets, tls:FILE begins TLS with certificate and
key of FILE, tls:FILE,CA wants a client's certificate of CA, tls12: the same up to TLS 1.2. At the
end the connection is closed.

`udp` as the first action makes it a server of datagrams: s: and sx: answer each of them, echo sends
it back.
"""

import contextlib
import socket
import ssl
import struct
import threading
import time

_MOST_READ = 65_536


def serve(address: str, port: int, actions: list[str]) -> None:
    """Begins to serve. The port is open when this returns."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if actions[:1] == ["udp"]:
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        datagrams.bind((address, port))
        _begin(_answer_datagrams, datagrams, actions[1:])
    else:
        listener = socket.create_server((address, port), family=family, backlog=128)
        _begin(_accept, listener, actions)


def _begin(work: object, *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()  # type: ignore[arg-type]


def _accept(listener: socket.socket, actions: list[str]) -> None:
    while True:
        connection, _ = listener.accept()
        _begin(_converse, connection, actions)


def _answer_datagrams(sock: socket.socket, actions: list[str]) -> None:
    while True:
        data, peer = sock.recvfrom(_MOST_READ)
        for action in actions:
            sock.sendto(data if action == "echo" else _sent(action), peer)


def _sent(action: str) -> bytes:
    what, _, value = action.partition(":")
    if what == "sx":
        return bytes.fromhex(value)
    return value.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _converse(peer: socket.socket, actions: list[str]) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as held:
        held.callback(lambda: peer.close())  # noqa: PLW0108  (TLS replaces it)
        for action in actions:
            what, _, value = action.partition(":")
            if what in {"s", "sx", "tag"}:
                tag = peer.recv(_MOST_READ).split(b" ")[0] if what == "tag" else b""
                peer.sendall(tag + _sent(action))
            elif what == "r":
                peer.recv(_MOST_READ)
            elif what == "e":
                _read_until(peer, value.encode("latin-1").decode("unicode_escape").encode())
            elif what == "w":
                time.sleep(float(value))
            elif what == "h":
                while peer.recv(_MOST_READ):
                    pass
            elif what == "rst":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            elif what in {"tls", "tls12"}:
                peer = _in_tls(peer, value.split(","), old=what == "tls12")
            else:
                raise ValueError(action)
        peer.shutdown(socket.SHUT_RDWR)


def _read_until(peer: socket.socket, text: bytes) -> None:
    data = b""
    while text not in data:
        more = peer.recv(_MOST_READ)
        data += more
        if not more or len(data) > _MOST_READ:
            raise ConnectionAbortedError


def _in_tls(peer: socket.socket, files: list[str], *, old: bool) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[0])
    if old:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if len(files) > 1:
        context.load_verify_locations(files[1])
        context.verify_mode = ssl.CERT_REQUIRED
    return context.wrap_socket(peer, server_side=True)
