"""Who may no longer send ends its request before the body: the other side has no message then."""

import socket
from contextlib import suppress
from threading import Thread

import pytest

from sinks.notifier.channels.exchange import NotAllowedError, _send_all
from sinks.notifier.channels.send import send
from sinks.notifier.model import SendOutcome
from tests.unit.sinks.notifier.channels.deliveries import delivery

YES = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
MOST_ASKED = 20


def sent(scheme: str, times: int) -> tuple[SendOutcome, bytes]:
    """The outcome if `may_send` says yes so many times, and what the other side has read."""
    asked, read = 0, bytearray()

    def may_send() -> bool:
        nonlocal asked
        asked += 1
        return asked <= times

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):  # nobody connected
                connection, _ = server.accept()
                with connection:
                    while part := connection.recv(65_536):
                        read.extend(part)
                        if b'"' in read.partition(b"\r\n\r\n")[2]:
                            connection.sendall(YES)

        thread = Thread(target=answer, daemon=True)
        thread.start()
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/hook"
        action = "trigger" if "+" in scheme else "opened"
        outcome = send(delivery(url, action), may_send=may_send)
        socket.create_connection(server.getsockname()).close()  # ends a wait for nobody
        thread.join(10)
    return outcome, bytes(read)


@pytest.mark.parametrize("scheme", ["json", "webhook+http"])
def test_a_lease_that_ends_within_a_request_ends_the_request(scheme: str) -> None:
    after_the_header = False
    for times in range(MOST_ASKED):
        outcome, read = sent(scheme, times)
        if outcome.kind == "confirmed":
            break
        header, found, body = read.partition(b"\r\n\r\n")
        assert not body
        after_the_header |= bool(header and found)
    assert outcome.kind == "confirmed", outcome
    assert after_the_header, "the lease was not asked for between header and body"


def mailed(times: int) -> tuple[SendOutcome, list[bytes]]:
    """The outcome if `may_send` says yes so many times, and the lines that the server has read."""
    asked, lines = 0, []

    def may_send() -> bool:
        nonlocal asked
        asked += 1
        return asked <= times

    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as words:
                    connection.sendall(b"220 hello\r\n")
                    text = False
                    for line in words:
                        lines.append(line)
                        begins = line.upper().startswith(b"DATA")
                        if text and line != b".\r\n":
                            continue
                        text = begins
                        connection.sendall(b"354 go on\r\n" if begins else b"250 yes\r\n")

        thread = Thread(target=talk, daemon=True)
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        url = f"mailto://{place}?from=a@example.com&to=b@example.com&mode=insecure"
        outcome = send(delivery(url, "opened"), may_send=may_send)
        socket.create_connection(server.getsockname()).close()  # ends a wait for nobody
        thread.join(10)
    return outcome, lines


def test_a_lease_that_ends_as_the_mail_server_waits_for_the_text_ends_the_mail() -> None:
    without_text = False
    for times in range(MOST_ASKED):
        outcome, lines = mailed(times)
        if outcome.kind == "confirmed":
            break
        assert outcome.kind == "not_attempted", outcome
        assert b".\r\n" not in lines
        without_text |= bool(lines) and lines[-1].upper().startswith(b"DATA")
    assert outcome.kind == "confirmed", outcome
    assert without_text, "the lease was not asked for when the server waited for the text"


def test_the_lease_is_asked_for_again_after_a_wait_for_the_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        ours.settimeout(10)
        asked = 0

        reader = Thread(target=theirs.recv, args=(1 << 20,), daemon=True)

        def ask() -> None:
            nonlocal asked
            asked += 1
            if asked == 2:
                raise NotAllowedError("the lease has ended")
            reader.start()

        with pytest.raises(NotAllowedError):
            _send_all(ours, b"x" * (1 << 20), ask)
        reader.join(10)
        assert ours.gettimeout() == 10
        assert asked == 2


def test_a_socket_that_takes_nothing_ends_at_its_timeout() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.1)
        with pytest.raises(TimeoutError):
            _send_all(ours, b"x" * (1 << 22), lambda: None)
        assert ours.gettimeout() == 0.1
