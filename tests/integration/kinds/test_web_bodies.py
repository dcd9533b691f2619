"""Bodies: judged as they come, unpacked, and told as far as they came at the deadline."""

import asyncio
import contextlib
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.kinds.answering import answering, http
from tests.integration.kinds.checking import assert_down
from tests.integration.kinds.odd_answers import ok

SHORT_S = 1.0
"""The timeout of checks that are to run into it."""

STREAM = b"Content-Type: text/event-stream"


@contextlib.asynccontextmanager
async def streaming(first: bytes, again: bytes) -> AsyncIterator[int]:
    """A server that never ends its answer: `again` comes for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(first)
            while True:
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


# The deadline


async def test_a_body_that_stalls_is_told_with_its_status() -> None:
    """statping 265, telegraf 16614."""
    async with answering(ok(b"Content-Length: 100", body=b"status ok"), held=True) as port:
        outcome = await http(port, SHORT_S, expect="all is well")
    assert_down(outcome, "unexpected_response", "not yet 'all is well' in it, within 1000 ms")
    assert "the status 200 and 9 bytes of the body came" in (outcome.detail or "")
    assert "begins with 'status ok'" in (outcome.detail or "")
    assert outcome.http_status == 200


async def test_half_a_head_is_told() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nServer: slow", held=True) as port:
        outcome = await http(port, SHORT_S)
    assert_down(outcome, "unexpected_response", "no complete head of the answer within 1000 ms")
    assert "HTTP/1.1 200 OK Server: slow" in (outcome.detail or "")


async def test_a_server_that_is_silent_gives_no_answer() -> None:
    async with answering(held=True) as port:
        outcome = await http(port, SHORT_S)
    assert_down(outcome, "no_answer", "no HTTP answer within 1000 ms")


async def test_a_silent_server_after_a_redirect_is_named() -> None:
    async with answering(held=True) as silent:
        target = f"http://127.0.0.1:{silent}/b".encode()
        moved = b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\nContent-Length: 0\r\n\r\n"
        async with answering(moved) as port:
            outcome = await http(port, SHORT_S)
    assert_down(outcome, "no_answer", f"after 1 redirect: {target.decode()}")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (ok(b"Content-Length: 100"), "the server closed after 2 of 100 bytes"),
        (ok(b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n"), "closed without its last chunk"),
        (
            ok(b"Content-Encoding: gzip", body=gzip.compress(b"x" * 99, mtime=0)[:15]),
            "within packed data",
        ),
    ],
)
async def test_a_body_that_is_cut_off_is_told(answer: bytes, text: str) -> None:
    async with answering(answer) as port:
        assert_down(await http(port, expect="all is well"), "unexpected_response", text)


@pytest.mark.parametrize(
    "probe",
    [
        {},
        {"expect": "ready"},
        {"expect_regex": "r[e]ady"},
        {"expect_json": "$.state", "json_value": '"ready"'},
    ],
)
async def test_what_came_before_a_reset_is_enough(probe: dict[str, Any]) -> None:
    """Some servers end each of their connections with a reset."""
    async with answering(ok(body=b'{"state": "ready"}'), reset=True) as port:
        outcome = await http(port, **probe)
        wrong = await http(port, expect="all is well")
    assert (outcome.status, outcome.detail) == ("up", None)
    assert_down(wrong, "connection_reset", "the status 200 and 18 bytes of the body came")
    assert wrong.http_status == 200


async def test_what_must_not_be_in_a_body_needs_its_end() -> None:
    """More bytes could have it."""
    absent = [{"body": True, "contains": "error", "not": True}]
    async with streaming(ok(STREAM, body=b""), b"fine\n") as port:
        outcome = await http(port, SHORT_S, conditions=absent)
    assert_down(outcome, "unexpected_response", "the whole of it (body: no text with 'error')")
    async with answering(ok(b"Content-Length: 100", body=b"fine")) as port:
        outcome = await http(port, conditions=absent)
    assert_down(outcome, "unexpected_response", "and the server closed after 4 of 100 bytes")


async def test_conditions_that_hold_end_the_read_of_a_stream() -> None:
    conditions = [
        {"body": True, "contains": "ready"},
        {"body": True, "matches": "st.te"},
        {"header": "content-type", "contains": "event-stream"},
    ]
    async with streaming(ok(STREAM, body=b"state: ready\n"), b"more\n") as port:
        outcome = await http(port, conditions=conditions)
    assert (outcome.status, outcome.detail) == ("up", None)


async def test_half_a_head_before_a_reset_is_told() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nServer: x", reset=True) as port:
        assert_down(await http(port), "connection_reset", "HTTP/1.1 200 OK Server: x")


async def test_a_refusal_before_the_request_is_heard() -> None:
    """A server that is full answers at once, and reads nothing."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Too many connections\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        outcome = await http(server.sockets[0].getsockname()[1])
    assert_down(outcome, "too_many_connections", "found 503 (Too many connections)")


# As the bytes come


@pytest.mark.parametrize(
    ("body", "probe"),
    [
        (b"data: ready\n\n", {"expect": "ready"}),
        (b"data: ready", {"expect_regex": "re[a-d]+y"}),
        (b"data: ready\n\n", {"expect_regex": r"\bready\b"}),
        (b"data: ready\n\n", {"expect_regex": "(?m)ready$"}),
        (b'{"state": "ready"}\n', {"expect_json": "$.state", "json_value": '"ready"'}),
        (b'["ready"]', {"expect_json": "$[0]", "expect": "ready", "expect_regex": "^..r"}),
    ],
)
@pytest.mark.parametrize("field", [STREAM, b"Content-Length: 1000"])
async def test_what_has_come_is_enough(body: bytes, field: bytes, probe: dict[str, Any]) -> None:
    """The answer never ends, and its deadline does not pass."""
    async with answering(ok(field, body=body), held=True) as port:
        outcome = await http(port, **probe)
    assert (outcome.status, outcome.detail) == ("up", None)


@pytest.mark.parametrize(
    ("body", "probe"),
    [
        # What comes next could change it.
        (b"ready", {"expect_regex": "^ready$"}),
        (b"ready", {"expect_regex": r"ready\b"}),
        (b"1", {"expect_json": "$", "json_value": "1"}),
        (b'{"state": {}', {"expect_json": "$.state"}),
        (b'{"state": "starting"}', {"expect_json": "$.state", "json_value": '"ready"'}),
    ],
)
async def test_what_has_come_is_not_enough(body: bytes, probe: dict[str, Any]) -> None:
    async with answering(ok(STREAM, body=body), held=True) as port:
        outcome = await http(port, SHORT_S, **probe)
    assert_down(outcome, "unexpected_response", "no end of the body")
    assert outcome.http_status == 200
    async with answering(ok(STREAM, body=body)) as port:
        outcome = await http(port, **probe)
    assert (outcome.status == "up") == (b"state" not in body), outcome


@pytest.mark.parametrize(
    "probe", [{"expect": "here"}, {"expect_regex": "h[e]re"}, {"expect_regex": "n(ot )+here$|here"}]
)
async def test_a_word_in_two_pieces_of_a_stream_is_found(probe: dict[str, Any]) -> None:
    async with streaming(ok(STREAM, body=b"data: he"), b"re\n" + b"data: no\n" * 10) as port:
        outcome = await http(port, **probe)
    assert (outcome.status, outcome.detail) == ("up", None)


@pytest.mark.parametrize("probe", [{"expect": "never"}, {"expect_regex": "(n.{90}){9}ever"}])
async def test_a_stream_without_it_is_down_at_the_deadline(probe: dict[str, Any]) -> None:
    async with streaming(ok(STREAM), b"data: no\n" * 100) as port:
        outcome = await http(port, SHORT_S, **probe)
    assert outcome.status == "down"
    assert outcome.reason == "unexpected_response"
    assert outcome.http_status == 200


# Packed


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ([b"Content-Encoding: gzip"], gzip.compress(b'{"state": "ok"}', mtime=0)),  # kuma 4375
        ([b"Content-Encoding: x-gzip"], gzip.compress(b'{"state": "ok"}', mtime=0)),
        ([b"Content-Encoding: deflate"], zlib.compress(b'{"state": "ok"}')),
        # kuma 2475, 3816: "incorrect header check"
        ([b"Content-Encoding: deflate"], zlib.compress(b'{"state": "ok"}', wbits=-15)),
        ([b"Content-Encoding: identity"], b'{"state": "ok"}'),
        ([b"Transfer-Encoding: gzip"], gzip.compress(b'{"state": "ok"}', mtime=0)),
    ],
)
@pytest.mark.parametrize(
    "probe",
    [
        {"expect": '"state": "ok"'},
        {"expect_regex": '^{"state'},
        {"expect_json": "$.state", "json_value": '"ok"'},
    ],
)
async def test_a_packed_body_is_unpacked(
    fields: list[bytes], body: bytes, probe: dict[str, Any]
) -> None:
    async with answering(ok(*fields, body=body)) as port:
        outcome = await http(port, **probe)
    assert (outcome.status, outcome.detail) == ("up", None)


@pytest.mark.parametrize(
    ("coding", "text"),
    [
        (b"compress", "is packed as compress, and only gzip"),
        (b"gzip", "is not gzip, as its head says: 'plain'"),
    ],
)
async def test_what_can_not_be_unpacked_is_told(coding: bytes, text: str) -> None:
    async with answering(ok(b"Content-Encoding: " + coding, body=b"plain")) as port:
        assert_down(await http(port, expect="plain"), "unexpected_response", text)
        assert (await http(port)).status == "up"


async def test_a_bomb_is_searched_in_its_beginning() -> None:
    bomb = gzip.compress(b"begin" + bytes(300_000_000), mtime=0)
    async with answering(ok(b"Content-Encoding: gzip", body=bomb)) as port:
        assert (await http(port, expect="begin")).status == "up"
        assert_down(await http(port, expect="end"), "unexpected_response", "expected 'end'")


# Encodings


@pytest.mark.parametrize(
    ("field", "body"),
    [
        (b"Content-Type: text/html; charset=utf-8", "schön".encode()),
        (b"Content-Type: text/html", "schön".encode()),
        (b"Content-Type: text/html; charset=iso-8859-1", "schön".encode("latin-1")),
        (b"Content-Type: text/html; charset=utf-16", "schön".encode("utf-16")),
        (b"Content-Type: text/html; charset=utf-16le", "schön".encode("utf-16-le")),
        (b"Content-Type: text/html", b"<meta charset=latin1>" + "schön".encode("latin-1")),
        (b"Content-Type: text/html; charset=utf-8", "schön".encode("utf-16")),
    ],
)
async def test_text_is_found_in_the_encoding_of_the_page(field: bytes, body: bytes) -> None:
    async with answering(ok(field, body=body)) as port:
        outcome = await http(port, expect="schön")
    assert (outcome.status, outcome.detail) == ("up", None)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_an_expression_beyond_ascii_is_found_in_both_encodings(encoding: str) -> None:
    async with answering(ok(body="Grüße aus Köln".encode(encoding))) as port:
        assert (await http(port, expect_regex="aus Köln$")).status == "up"
        wrong = await http(port, expect_regex="aus Bönn")
    assert_down(wrong, "unexpected_response", "expected a match of 'aus Bönn'")


@pytest.mark.parametrize(
    "probe",
    [
        {"expect": "END"},
        {"expect_regex": "END"},
        {"expect_json": "$.a"},
        {"conditions": [{"body": True, "contains": "END"}]},
    ],
)
async def test_what_stands_behind_the_part_that_is_read_is_not_told_as_missing(
    probe: dict[str, Any],
) -> None:
    async with answering(ok(body=b"x" * 1_200_000 + b"END")) as port:
        outcome = await http(port, **probe)
    assert_down(outcome, "unexpected_response", " kB, and no more is read")


async def test_json_in_another_encoding_is_json() -> None:
    body = '{"name": "schön"}'.encode("latin-1")
    field = b"Content-Type: application/json; charset=iso-8859-1"
    async with answering(ok(field, body=body)) as port:
        outcome = await http(port, expect_json="$.name", json_value=json.dumps("schön"))
    assert (outcome.status, outcome.detail) == ("up", None)


# Headers and refusals


@pytest.mark.parametrize("pattern", ["^b$", "^a$", "^a, b$"])
async def test_of_a_repeated_header_one_must_match_or_all_together(pattern: str) -> None:
    async with answering(ok(b"X-A : a", b"x-a: b")) as port:
        outcome = await http(port, expect_headers={"X-a": pattern})
        wrong = await http(port, expect_headers={"X-a": "^c$"})
    assert (outcome.status, outcome.detail) == ("up", None)
    assert_down(wrong, "unexpected_response", "header X-a: expected a match of '^c$', found 'a, b'")


@pytest.mark.parametrize(
    ("answer", "reason", "text"),
    [
        # Windows XP: learn.microsoft.com, "IIS Request Restrictions on Windows Client OS"
        (
            b"HTTP/1.1 403 Access Forbidden\r\n\r\n<h2>HTTP 403.9 - Too many users are connected",
            "too_many_connections",
            "found 403 (Access Forbidden)",
        ),
        (b"HTTP/1.1 503 Too Many Connections\r\n\r\n", "too_many_connections", "found 503"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nno", "unexpected_response", "found 403 (Forbidden): 'no'"),
        (
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\n\r\n",
            "unexpected_response",
            "found 429 (Too Many Requests, Retry-After: 30)",
        ),
        # MySQL's words, not the web server's.
        (b"HTTP/1.1 500 x\r\n\r\nToo many connections", "unexpected_response", "found 500"),
    ],
)
async def test_a_refusal_has_the_servers_words(answer: bytes, reason: str, text: str) -> None:
    async with answering(answer) as port:
        assert_down(await http(port), reason, text)


async def test_a_refusal_whose_body_stalls_is_told_before_the_deadline() -> None:
    answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nso"
    async with answering(answer, held=True) as port:
        assert_down(await http(port), "unexpected_response", "found 503 (Busy): 'so'")
