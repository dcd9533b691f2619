import pytest

from producers.checks.errors import CheckFailedError
from producers.kinds.http_head import Head, HeadReader
from producers.kinds.websocket_upgrade import accepted, refused, request

# RFC 6455, section 1.3.
KEY = b"the sample nonce"
PROOF = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def head(text: str) -> Head:
    found = HeadReader().feed(text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert found is not None
    return found


def upgraded(*more: str) -> Head:
    lines = ("HTTP/1.1 101 x", "Upgrade: websocket", "Connection: Upgrade")
    return head("\n".join([*lines, f"Sec-WebSocket-Accept: {PROOF.decode()}", *more]))


def test_the_request_is_that_of_the_rfc() -> None:
    made = request("/chat", "server.example.com", KEY, {}, ("chat", "superchat"))
    assert made == (
        b"GET /chat HTTP/1.1\r\n"
        b"Host: server.example.com\r\n"
        b"User-Agent: portquorum\r\n"
        b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: chat, superchat\r\n"
        b"\r\n"
    )


def test_headers_of_the_user_replace_ours_but_not_those_of_the_upgrade() -> None:
    headers = {"HOST": "other", "user-agent": " me ", "upgrade": "h2c", "Origin": "https://x"}
    own = {name.lower(): (name, value) for name, value in headers.items()}
    lines = request("/", "server", KEY, own, ()).split(b"\r\n")
    assert lines[1:4] == [b"HOST: other", b"user-agent: me", b"Upgrade: websocket"]
    assert b"Origin: https://x" in lines
    assert not any(line.startswith(b"Sec-WebSocket-Protocol") for line in lines)


def test_the_answer_of_the_rfc_is_taken() -> None:
    assert accepted(upgraded(), KEY, ()) is None
    assert accepted(upgraded("Sec-WebSocket-Protocol: chat"), KEY, ("chat", "other")) == "chat"


@pytest.mark.parametrize(
    ("found", "offered"),
    [
        (upgraded("Sec-WebSocket-Protocol: chat"), ()),
        (upgraded("Sec-WebSocket-Protocol: CHAT"), ("chat",)),
        (upgraded("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a"), ("a",)),
        (upgraded(), ("a",)),
        (upgraded("Sec-WebSocket-Extensions: x"), ()),
        (head("HTTP/1.1 101 x\nUpgrade: websocket\nConnection: Upgrade"), ()),
    ],
)
def test_what_browsers_refuse_is_refused(found: Head, offered: tuple[str, ...]) -> None:
    with pytest.raises(CheckFailedError) as raised:
        accepted(found, KEY, offered)
    assert raised.value.reason == "unexpected_response"


def test_the_proof_is_of_this_key() -> None:
    with pytest.raises(CheckFailedError, match="expected Sec-WebSocket-Accept: "):
        accepted(upgraded(), b"another 16 bytes", ())


def test_another_status_is_told_with_what_helps() -> None:
    assert refused(upgraded(), has_origin=False) is None
    moved = refused(head("HTTP/1.1 301 Gone\nLocation: https://a/b?token=c"), has_origin=False)
    assert moved is not None
    assert moved.endswith(
        "found 301 (Gone): a redirect to https://a/b, which a client of WebSocket does not follow"
    )
    later = refused(head("HTTP/1.1 503 Busy\nRetry-After: 9"), has_origin=False)
    assert later is not None
    assert later.endswith("found 503 (Busy, Retry-After: 9)")
    forbidden = head("HTTP/1.1 403 Forbidden")
    assert "Origin" in (refused(forbidden, has_origin=False) or "")
    assert "Origin" not in (refused(forbidden, has_origin=True) or "")
