"""Servers of HTTP/2 and gRPC that break the rules, or only seem to."""

import asyncio
import gzip
import random
import time
import zlib
from collections.abc import Iterable

import pytest
from hpack import Encoder

from tests.integration.kinds.checking import assert_down, assert_up
from tests.integration.kinds.hostile import answered, checked

DATA, HEADERS, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, MORE = 0, 1, 3, 4, 5, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
SERVING = b"\0\0\0\0\x02\x08\x01"


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def block(fields: Iterable[tuple[str, str]]) -> bytes:
    # Without the dynamic table each block stands for itself.
    encoder = Encoder()
    return encoder.encode([(name, value, True) for name, value in fields])


def head(*more: tuple[str, str], status: str = "200", ends: bool = False) -> bytes:
    kind = () if any(name == "content-type" for name, _ in more) else (GRPC,)
    fields = ((":status", status), *kind, *more)
    flags = END_HEADERS | (END_STREAM if ends else 0)
    return frame(HEADERS, block(fields), flags=flags, stream=1)


def data(message: bytes, *, ends: bool = False) -> bytes:
    return frame(DATA, message, flags=END_STREAM if ends else 0, stream=1)


def trailers(*fields: tuple[str, str]) -> bytes:
    found = fields or (("grpc-status", "0"),)
    return frame(HEADERS, block(found), flags=END_HEADERS | END_STREAM, stream=1)


def goaway(last: int, code: int, words: bytes = b"") -> bytes:
    return frame(GOAWAY, last.to_bytes(4) + code.to_bytes(4) + words)


GRPC = ("content-type", "application/grpc")
START = frame(SETTINGS)
FINE = head() + data(SERVING) + trailers()
SPLIT = block([(":status", "200"), GRPC])
PACKED = gzip.compress(b"\x08\x01")
DEFLATED = zlib.compress(b"\x08\x01")

UP = {
    "plain": FINE,
    "pings, windows, and a frame of another day": frame(PING, b"12345678")
    + frame(WINDOW, b"\0\0\1\0")
    + frame(0xEE, b"x")
    + FINE,
    "about to stop": goaway(2**31 - 1, 0) + head() + goaway(1, 0) + data(SERVING) + trailers(),
    "informational": frame(HEADERS, block([(":status", "103")]), flags=END_HEADERS, stream=1)
    + FINE,
    "a head in two parts": frame(HEADERS, SPLIT[:2], stream=1)
    + frame(MORE, SPLIT[2:], flags=END_HEADERS, stream=1)
    + data(SERVING)
    + trailers(),
    "in many parts": head() + b"".join(data(bytes([one])) for one in SERVING) + trailers(),
    "padded": head() + frame(DATA, b"\x02" + SERVING + b"\0\0", flags=8, stream=1) + trailers(),
    "with other fields": head()
    + data(b"\0\0\0\0\x14\x08\x01\x12\x02hi\x19" + b"x" * 8 + b"\x25" + b"y" * 4)
    + trailers(),
    "gzip": head(("grpc-encoding", "gzip"))
    + data(b"\1" + len(PACKED).to_bytes(4) + PACKED)
    + trailers(),
    "deflate": head(("grpc-encoding", "deflate"))
    + data(b"\1" + len(DEFLATED).to_bytes(4) + DEFLATED)
    + trailers(),
    "another content type of gRPC": head(("content-type", "application/grpc+proto"))
    + data(SERVING)
    + trailers(),
}


@pytest.mark.parametrize("case", UP)
async def test_answers_that_clients_take(case: str) -> None:
    async with answered(lambda _: START + UP[case]) as port:
        assert_up(await checked("grpc", port))
    async with answered(lambda _: START + UP[case], one_by_one=True) as port:
        assert_up(await checked("grpc", port, timeout_s=10))


BOMB = gzip.compress(b"\0" * 10_000_000)
DOWN = {
    "enhance your calm": (
        goaway(0, 11, b"too_many_pings"),
        "the server ended the connection: GOAWAY (ENHANCE_YOUR_CALM: 'too_many_pings')",
    ),
    "goes before our call": (goaway(0, 0), "GOAWAY (NO_ERROR)"),
    "an error of another day": (goaway(1, 99), "GOAWAY (error 99)"),
    "half a GOAWAY": (frame(GOAWAY, b"\0"), "a GOAWAY of 1 bytes"),
    "reset": (head() + frame(RESET, b"\0\0\0\x07", stream=1), "RST_STREAM (REFUSED_STREAM)"),
    "a long frame": (frame(DATA, b"x" * 16_385, stream=1), "a frame of 16385 bytes"),
    "not served": (
        head(("grpc-status", "12"), ("grpc-message", "unknown%20service"), ends=True),
        "UNIMPLEMENTED ('unknown service'): the server has no health service",
    ),
    "words that are none": (
        head(("grpc-status", "14"), ("grpc-message", "%zz%ff%0a%1b[2J" + "x" * 900), ends=True),
        "server: expected SERVING, found UNAVAILABLE ('%zz",
    ),
    "a status that is none": (head(("grpc-status", "x"), ends=True), "found the status 'x'"),
    "a status of another day": (head(("grpc-status", "99"), ends=True), "the status '99'"),
    "digits of others": (head() + trailers(("grpc-status", "٣")), "found the status"),
    "a status of thousands of digits": (
        frame(HEADERS, block([(":status", "9" * 5_000), GRPC]), flags=5, stream=1),
        "found the HTTP status 999",
    ),
    "no status": (head() + data(SERVING, ends=True), "expected a grpc-status at the end"),
    "no message": (head() + trailers(), "expected one message, found none"),
    "two messages": (head() + data(SERVING * 2) + trailers(), "expected one message of 2 bytes"),
    "a length that lies": (
        head() + data(b"\0\xff\xff\xff\xff\x08\x01") + trailers(),
        "expected one message of 4294967295 bytes, found 2 bytes",
    ),
    "no protobuf": (head() + data(b"\0\0\0\0\2\x08\xff") + trailers(), "HealthCheckResponse"),
    "a field that leaves": (
        head() + data(b"\0\0\0\0\3\x12\x7f\x01") + trailers(),
        "HealthCheckResponse",
    ),
    "a status as text": (head() + data(b"\0\0\0\0\3\x0a\x01x") + trailers(), "HealthCheckRespon"),
    "a status that is unknown": (
        head() + data(b"\0\0\0\0\2\x08\x07") + trailers(),
        "found the unknown status 7",
    ),
    "nothing in it": (head() + data(b"\0\0\0\0\0") + trailers(), "expected SERVING, found UNKNOWN"),
    "a bomb": (
        head(("grpc-encoding", "gzip")) + data(b"\1" + len(BOMB).to_bytes(4) + BOMB) + trailers(),
        "expected at most 65536 bytes packed by gzip",
    ),
    "packed otherwise": (
        head(("grpc-encoding", "br")) + data(b"\1\0\0\0\1x") + trailers(),
        "expected a message packed by gzip or deflate, found 'br'",
    ),
    "packed by nothing": (head() + data(b"\1\0\0\0\1x") + trailers(), "found 'identity'"),
    "no gzip": (
        head(("grpc-encoding", "gzip")) + data(b"\1\0\0\0\4nope") + trailers(),
        "expected a message packed by gzip: Error -3",
    ),
    "a page": (
        head(("content-type", "text/html")) + data(b"<html>", ends=True),
        "Content-Type 'text/html'",
    ),
    "an endless page": (
        head(("content-type", "text/html"), status="404") + data(b"gone " * 900),
        "found the HTTP status 404: 'gone gone",
    ),
    "no HPACK": (frame(HEADERS, b"\xff" * 20, flags=END_HEADERS, stream=1), "hold to HTTP/2"),
    "data before the head": (data(SERVING), "does not hold to HTTP/2"),
    "another's head": (
        frame(HEADERS, SPLIT, flags=END_HEADERS, stream=2),
        "does not hold to HTTP/2",
    ),
    "a push": (
        frame(PUSH, b"\0\0\0\2" + block([(":method", "GET")]), flags=END_HEADERS, stream=1),
        "does not hold to HTTP/2",
    ),
    "parts without end": (
        frame(HEADERS, SPLIT[:1], stream=1) + frame(MORE, b"", stream=1) * 100,
        "does not hold to HTTP/2",
    ),
    "a head without end": (
        frame(
            HEADERS,
            block([(":status", "200"), *((f"a{n}", "x" * 900) for n in range(14))]),
            stream=1,
        )
        + b"".join(
            frame(MORE, block((f"b{n}", "x" * 900) for n in range(14)), stream=1) for _ in range(5)
        )
        + frame(MORE, b"", flags=END_HEADERS, stream=1),
        "does not hold to HTTP/2",
    ),
    "more data than was allowed": (
        head() + data(b"\0" * 16_000) * 5,
        "an answer of more than 32768 bytes",
    ),
    "capital letters": (
        frame(HEADERS, block([(":status", "200"), ("Grpc-Status", "0")]), flags=5, stream=1),
        "does not hold to HTTP/2",
    ),
}


@pytest.mark.parametrize("case", DOWN)
async def test_answers_that_no_client_takes(case: str) -> None:
    speech, words = DOWN[case]
    async with answered(lambda _: START + speech) as port:
        assert_down(await checked("grpc", port), "unexpected_response", words)


def _informational(count: int) -> bytes:
    """Answers of 103 whose fields of 4 kB are a byte each, by HPACK's table."""
    encoder = Encoder()
    first = encoder.encode([(b":status", b"103"), (b"x-a", b"v" * 4_000)])
    again = encoder.encode([(b":status", b"103")]) + b"\xbe" * 15
    blocks = (first, *[again] * count)
    return b"".join(frame(HEADERS, one, flags=END_HEADERS, stream=1) for one in blocks)


FLOODS = {
    "informational answers": _informational(1_900),
    "settings": START * 2_500,
    "pings": frame(PING, b"12345678") * 2_500,
    "empty data": head() + data(b"") * 2_500,
    "priorities": frame(2, b"\0\0\0\0\x10", stream=1) * 2_500,
    "of another day": frame(0xEE) * 2_500,
}


@pytest.mark.parametrize("case", FLOODS)
async def test_floods(case: str) -> None:
    async with answered(lambda _: START + FLOODS[case]) as port:
        check = asyncio.create_task(checked("grpc", port, timeout_s=20))
        longest_s = 0.0
        while not check.done():
            began = time.monotonic()
            await asyncio.sleep(0.005)
            longest_s = max(longest_s, time.monotonic() - began)
        outcome = await check
    assert_down(outcome, "unexpected_response", "")
    print(f"the loop stood still for {longest_s * 1000:.0f} ms at most")  # noqa: T201


@pytest.mark.parametrize("then", ["held", "closed", "reset"])
@pytest.mark.parametrize("length", [0, 4, 9, 30])
async def test_an_answer_that_is_cut(length: int, then: str) -> None:
    async with answered(lambda _: (START + FINE)[:length], then=then) as port:
        outcome = await checked("grpc", port, timeout_s=0.4)
    assert outcome.status == "down"
    if then == "held":
        reasons = {0: "no_answer", 4: "protocol_mismatch"}
        assert outcome.reason == reasons.get(length, "unexpected_response")
    elif then == "closed":
        assert outcome.reason == ("protocol_mismatch" if length < 9 else "unexpected_response")


async def test_a_page_that_stays() -> None:
    """The status is told, also of an answer that does not end."""
    speech = START + head(("content-type", "text/html"), status="503")
    async with answered(lambda _: speech) as port:
        outcome = await checked("grpc", port, timeout_s=0.4)
    text = "no whole answer within 400 ms: the HTTP status 503 came"
    assert_down(outcome, "unexpected_response", text)


NO_HTTP_2 = {
    "HTTP/1": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server speaks HTTP/1 there"),
    "TLS": (bytes.fromhex("15030100020246"), "the server speaks TLS there (tls: true)"),
    "ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", "found 'SSH-2.0-OpenSSH_9.2"),
    "a frame, and not of settings": (frame(PING, b"12345678"), "expected SETTINGS of HTTP/2"),
    "an answer to ours first": (frame(SETTINGS, flags=1), "expected SETTINGS of HTTP/2"),
    "settings of a stream": (frame(SETTINGS, stream=1), "expected SETTINGS of HTTP/2"),
    "zeros": (bytes(1_000), "expected SETTINGS of HTTP/2"),
}


@pytest.mark.parametrize("case", NO_HTTP_2)
async def test_other_protocols(case: str) -> None:
    speech, words = NO_HTTP_2[case]
    async with answered(lambda _: speech) as port:
        assert_down(await checked("grpc", port), "protocol_mismatch", words)


async def test_changed_bytes_are_never_our_fault() -> None:
    """A fine answer with a few bytes changed, cut or doubled, again and again."""
    chance = random.Random(20)  # noqa: S311
    whole = START + FINE
    speeches = []
    for _ in range(150):
        made = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            made[chance.randrange(9, len(made))] = chance.randrange(256)
        speeches.append(bytes(made))
    given = iter(speeches)
    async with answered(lambda _: next(given, whole), then="closed") as port:
        for _ in speeches:
            await checked("grpc", port)
