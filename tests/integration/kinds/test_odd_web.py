"""HTTP servers that hold to no RFC: what curl takes is taken, of the rest the status is told."""

import asyncio
import subprocess

import pytest

from tests.integration.kinds.answering import answering, http
from tests.integration.kinds.odd_answers import ANSWERS
from tests.integration.kinds.servers import program

INTERNAL_WORDS = ("bytearray", "h11", "zlib", "Error -3", "Exception", "Traceback")
# curl takes neither, and browsers do.
WE_TAKE = {
    "ICY",
    "leading CRLF",
    "leading blank",
    "tab",
    "no colon",
    "first folded",
    "HTTP/3 200",
    "HTTP/1.2",
}


def by_curl(port: int) -> tuple[int, int, bytes]:
    """curl's exit code, the status that it saw, and the body."""
    command = [program("curl"), "-q", "-sS", "-m", "10", "-o", "-", "-w", "|%{http_code}"]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}/"], capture_output=True, check=False)
    body, _, status = done.stdout.rpartition(b"|")
    return done.returncode, int(status), body


@pytest.mark.parametrize("odd", ANSWERS)
async def test_what_curl_takes_is_taken(odd: str) -> None:
    async with answering(ANSWERS[odd]) as port:
        code, status, body = await asyncio.to_thread(by_curl, port)
        plain = await http(port)
        wanting = await http(port, expect="ok", status=[min(plain.http_status or 200, 599)])
    for outcome in (plain, wanting):
        assert outcome.reason in {None, "unexpected_response", "protocol_mismatch"}, outcome
        assert not any(word in (outcome.detail or "") for word in INTERNAL_WORDS)
    if not code:
        assert plain.http_status == status, plain
        assert (plain.status == "up") == (200 <= status < 300), plain
        assert (wanting.status == "up") == (body == b"ok" and status < 600), wanting
    elif status:
        # Where curl has seen a status, HTTP is spoken.
        assert plain.reason != "protocol_mismatch", plain
    elif odd in WE_TAKE:
        assert plain.status == "up", plain
    else:
        assert plain.status == "down", plain


async def test_what_it_speaks_instead_is_told() -> None:
    async with answering(ANSWERS["h2 preface"], held=True) as port:
        outcome = await http(port)
    assert outcome.reason == "protocol_mismatch"
    assert "the server speaks HTTP/2 alone there" in (outcome.detail or "")
    async with answering(b"\x15\x03\x01\0\x02\x02\x46", held=True) as port:
        outcome = await http(port)
    assert outcome.reason == "protocol_mismatch"
    assert "tls: true" in (outcome.detail or "")
