"""Servers of WebSocket that break RFC 6455 after, or in, the upgrade."""

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
import struct
import time
from typing import Any

import pytest

from producers.checks import tcp_socket
from tests.integration.kinds.checking import assert_down, assert_up
from tests.integration.kinds.hostile import answered, checked
from tests.standstill import Standstill

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
END = b"\r\n\r\n"
HELLO = b"\x81\x05hello"


def accept(asked: bytes) -> bytes:
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", asked)
    assert found is not None
    return base64.b64encode(hashlib.sha1(found[1] + GUID).digest())  # noqa: S324


def upgraded(asked: bytes, *fields: bytes) -> bytes:
    lines = (
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept(asked),
    )
    return b"\r\n".join([*lines, *fields, b"", b""])


def frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes([first, length]) + payload
    if length < 65_536:
        return bytes([first, 126]) + struct.pack(">H", length) + payload
    return bytes([first, 127]) + struct.pack(">Q", length) + payload


WRONG_FRAMES = {
    "masked": (b"\x81\x85abcdhello", "masked frame"),
    "unknown opcode": (frame(0x83, b"x"), "opcode"),
    "reserved bit": (frame(0xC1, b"x"), "Reserved bit"),
    "control in parts": (frame(0x09, b"x"), "fragment control frame"),
    "long ping": (b"\x89\x7e\0\x7e" + b"x" * 126, "125"),
    "continued nothing": (frame(0x80, b"x"), "CONTINUATION"),
    "text within text": (frame(0x01, b"x") + frame(0x81, b"y"), "CONTINUATION"),
    "not UTF-8": (frame(0x81, b"\xc3\x28"), "utf-8"),
    "surrogate": (frame(0x81, b"\xed\xa0\x80"), "utf-8"),
    "half a character": (frame(0x81, b"\xe2\x82"), "utf-8"),
    "length with a sign": (b"\x81\x7f" + b"\xff" * 8, "MSB"),
    "length in too many bytes": (b"\x81\x7e\0\x05hello", "2 bytes"),
    "close with a byte": (frame(0x88, b"\x03"), "1 byte"),
    "close with 999": (frame(0x88, struct.pack(">H", 999)), "invalid code"),
    "close with 1006": (frame(0x88, struct.pack(">H", 1006)), "local-only"),
    "close with 65535": (frame(0x88, b"\xff\xff"), "invalid code"),
    "close with words that are none": (frame(0x88, b"\x03\xe8\xff"), "CLOSE reason"),
}


@pytest.mark.parametrize("case", WRONG_FRAMES)
async def test_frames_that_no_client_takes(case: str) -> None:
    data, words = WRONG_FRAMES[case]
    async with answered(lambda asked: upgraded(asked) + HELLO + data, until=END) as port:
        outcome = await checked("websocket", port, steps=[{"expect": "never"}])
        assert_down(outcome, "unexpected_response", "the server does not hold to RFC 6455")
        assert words in (outcome.detail or "")
        assert "step 1: expected a message with 'never', found 'hello'" in (outcome.detail or "")
        # What came before the fault counts.
        assert_up(await checked("websocket", port, steps=[{"expect": "hello"}]))
        assert_up(await checked("websocket", port))


COSTLY = {
    "20,001 empty frames": (frame(0x81, b"") * 20_001, "more than 20000 frames"),
    "as many pings": (frame(0x89, b"x" * 30) * 20_001, "more than 20000 frames"),
    "as many parts": (frame(0x01, b"x") + frame(0x00, b"x") * 20_001, "more than 20000 frames"),
    "a message that is too long": (frame(0x81, b"x" * 1_000_000), "more than 900000 bytes"),
    "a length without end": (b"\x82\x7f\x7f" + b"\xff" * 7 + b"x" * 950_000, "more than 900000"),
}


@pytest.mark.parametrize("case", COSTLY)
async def test_what_costs_most_to_read(case: str) -> None:
    data, words = COSTLY[case]
    async with answered(lambda asked: upgraded(asked) + data, until=END) as port:
        check = asyncio.create_task(
            checked("websocket", port, timeout_s=20, steps=[{"expect_regex": "x.{300}y"}])
        )
        longest_s = 0.0
        while not check.done():
            began = time.monotonic()
            await asyncio.sleep(0.005)
            longest_s = max(longest_s, time.monotonic() - began)
        outcome = await check
    assert_down(outcome, "unexpected_response", words)
    print(f"the loop stood still for {longest_s * 1000:.0f} ms at most")  # noqa: T201


async def test_pings_of_a_server_that_reads_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline passes within a send; nobody would end a goodbye behind it."""
    begin = tcp_socket.begin

    def small(*settings: Any, **more: Any) -> socket.SocketType:
        sock = begin(*settings, **more)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        return sock

    monkeypatch.setattr(tcp_socket, "begin", small)
    loop = asyncio.get_running_loop()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)

        ended = asyncio.Event()

        async def flood() -> None:
            peer, _ = await loop.sock_accept(listener)
            with peer, contextlib.suppress(OSError):
                await loop.sock_sendall(peer, upgraded(await loop.sock_recv(peer, 4_096)))
                await loop.sock_sendall(peer, frame(0x89, b"x" * 125) * 7_000)
                await ended.wait()

        server = asyncio.create_task(flood())
        port = listener.getsockname()[1]
        with Standstill() as standstill:
            began = time.monotonic()
            outcome = await checked("websocket", port, 0.5, steps=[{"expect": "never"}])
            took_s = time.monotonic() - began
        assert_down(outcome, "unexpected_response", "no message that fits (step 1")
        assert took_s < 5 + standstill.lost_s
        ended.set()
        await asyncio.wait_for(server, 5)


async def test_messages_in_pieces() -> None:
    data = frame(0x01, b"he") + frame(0x89, b"?") + frame(0x8A, b"unasked") + frame(0x80, b"llo")
    async with answered(lambda asked: upgraded(asked) + data, until=END, one_by_one=True) as port:
        assert_up(await checked("websocket", port, timeout_s=10, steps=[{"expect": "hello"}]))


@pytest.mark.parametrize("then", ["held", "closed", "reset"])
async def test_a_message_that_is_cut(then: str) -> None:
    async with answered(
        lambda asked: upgraded(asked) + b"\x81\x7e\x10\0hel", until=END, then=then
    ) as port:
        outcome = await checked("websocket", port, steps=[{"expect": "hel"}])
    words = {
        "held": "no message that fits (step 1: expected a message with 'hel', found none)",
        "closed": "closed by the server without a close frame; step 1",
        "reset": "step 1: expected",
    }
    assert outcome.status == "down"
    if then != "reset":
        assert outcome.reason == "unexpected_response"
    assert words[then] in (outcome.detail or "")


def _without(asked: bytes, line: bytes) -> bytes:
    return b"\r\n".join(one for one in upgraded(asked).split(b"\r\n") if not one.startswith(line))


WRONG_UPGRADES = {
    "no proof": (lambda asked: _without(asked, b"Sec-"), "expected Sec-WebSocket-Accept: "),
    "another's proof": (
        lambda asked: upgraded(asked).replace(b"Accept: ", b"Accept: x"),
        "expected Sec-WebSocket-Accept: ",
    ),
    "two proofs": (
        lambda asked: upgraded(asked, b"Sec-WebSocket-Accept: x"),
        "expected Sec-WebSocket-Accept: ",
    ),
    "no Upgrade": (lambda asked: _without(asked, b"Upgrade"), "Upgrade: websocket, found none"),
    "another Upgrade": (
        lambda asked: upgraded(asked).replace(b"Upgrade: websocket", b"Upgrade: h2c"),
        "Upgrade: websocket, found 'h2c'",
    ),
    "no Connection": (lambda asked: _without(asked, b"Connection"), "Connection: Upgrade"),
    "an extension": (
        lambda asked: upgraded(asked, b"Sec-WebSocket-Extensions: permessage-deflate"),
        "no Sec-WebSocket-Extensions, since none was offered, found 'permessage-deflate'",
    ),
    "a subprotocol": (
        lambda asked: upgraded(asked, b"Sec-WebSocket-Protocol: chat"),
        "no subprotocol, since none was offered (subprotocols), found 'chat'",
    ),
    "200": (lambda _: b"HTTP/1.1 200 OK\r\n\r\nok", "found 200 (OK): 'ok'"),
    "426": (
        lambda _: b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\n\r\n",
        "found 426 (Upgrade Required, Sec-WebSocket-Version: 8)",
    ),
    "a redirect without a place": (lambda _: b"HTTP/1.1 302 x\r\n\r\n", "found 302 (x)"),
}


@pytest.mark.parametrize("case", WRONG_UPGRADES)
async def test_answers_that_no_client_takes(case: str) -> None:
    speech, words = WRONG_UPGRADES[case]
    async with answered(speech, until=END, then="closed") as port:
        assert_down(await checked("websocket", port), "unexpected_response", words)


async def test_answers_that_clients_take() -> None:
    def odd(asked: bytes) -> bytes:
        lines = (
            b"HTTP/1.1 103 Early\n\nHTTP/1.1 101",
            b"UPGRADE : foo, WebSocket",
            b"connection: keep-alive, upgrade",
            b"sec-websocket-accept:" + accept(asked),
            b"Sec-WebSocket-Extensions: ",
        )
        return b"\n".join([*lines, b"", b""]) + HELLO

    async with answered(odd, until=END, one_by_one=True) as port:
        assert_up(await checked("websocket", port, timeout_s=10, steps=[{"expect": "hello"}]))


NO_HTTP = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2": bytes.fromhex("000012040000000000000300000064000400100000000600004000"),
    "TLS alert": bytes.fromhex("15030100020228"),
    "random": bytes(range(256)),
}


@pytest.mark.parametrize("case", NO_HTTP)
async def test_other_protocols(case: str) -> None:
    async with answered(lambda _: NO_HTTP[case], until=END, then="closed") as port:
        assert_down(await checked("websocket", port), "protocol_mismatch", "HTTP answer")


async def test_silence_and_a_head_without_end() -> None:
    async with answered(lambda _: b"", until=END) as port:
        outcome = await checked("websocket", port, timeout_s=0.3)
    assert_down(outcome, "no_answer", "no answer to the upgrade within 300 ms")
    async with answered(lambda _: b"HTTP/1.1 101 x\r\nA: b", until=END) as port:
        outcome = await checked("websocket", port, timeout_s=0.3)
    assert_down(outcome, "unexpected_response", "no complete head of the answer within 300 ms")
    async with answered(lambda _: b"HTTP/1.1 101 x\r\nA: " + b"b" * 310_000, until=END) as port:
        outcome = await checked("websocket", port)
    assert_down(outcome, "unexpected_response", "300 KiB")
