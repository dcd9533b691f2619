"""Apps in front of others: the first that takes a request answers it."""

from typing import Any

import pytest

from portquorum.serving.front import Front, only_lifespan
from portquorum.serving.plain_answer import say


class Takes:
    def __init__(self, beginning: str, text: bytes) -> None:
        self._beginning = beginning
        self._text = text

    def takes(self, scope: Any) -> bool:
        return bool(scope["path"].startswith(self._beginning))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        del receive
        await say(scope, send, 200, self._text)


async def asked(app: Any, scope: dict[str, str], *coming: dict[str, str]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    left = list(coming)

    async def receive() -> dict[str, str]:
        return left.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("path", "method", "status", "body"),
    [
        ("/a/1", "GET", 200, b"first"),
        ("/b", "GET", 200, b"second"),
        ("/b", "HEAD", 200, b""),
        ("/c", "GET", 404, b"not found"),
        ("/c", "HEAD", 404, b""),
    ],
)
async def test_who_answers(path: str, method: str, status: int, body: bytes) -> None:
    app = Front([Takes("/a", b"first"), Takes("/b", b"second"), Takes("/", b"")], only_lifespan)
    if path == "/c":
        app = Front([Takes("/a", b"first")], only_lifespan)
    start, end = await asked(app, {"type": "http", "path": path, "method": method})
    assert (start["status"], end["body"]) == (status, body)


async def test_the_lifespan_is_that_of_the_last_one() -> None:
    app = Front([Takes("/", b"")], only_lifespan)
    coming = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    sent = await asked(app, {"type": "lifespan"}, *coming)
    assert [one["type"] for one in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
