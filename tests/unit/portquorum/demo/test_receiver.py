import asyncio
import json
from typing import Any

import apprise
import pytest
from aiohttp import ClientSession

from portquorum.demo.receiver import ReceivedMessage, Receiver

FINE = {"title": "down", "message": "db1 is down"}


async def posted(receiver: Receiver, body: Any = FINE, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://127.0.0.1:{receiver.port}/"
    async with (
        ClientSession() as session,
        session.post(url, data=json.dumps(body), headers=named) as answer,
    ):
        return answer.status


async def test_it_takes_what_apprise_sends() -> None:
    async with Receiver() as receiver:
        channel = apprise.Apprise()
        channel.add(receiver.url)
        assert await asyncio.to_thread(channel.notify, title="down", body="db1 is down")
        assert receiver.messages.get_nowait() == ReceivedMessage("down", "db1 is down")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "same-site"},
        {"Referer": "http://evil.example/"},
        {"X_Forwarded_For": "10.0.0.1"},
    ],
)
async def test_no_page_puts_a_message_into_the_demo(headers: dict[str, str]) -> None:
    async with Receiver() as receiver:
        assert await posted(receiver, Content_Type="text/plain", **headers) == 403
        assert receiver.messages.empty()
        assert await posted(receiver) == 200


@pytest.mark.parametrize("body", ["x", [], {}, {"title": 1, "message": "x"}])
async def test_what_is_no_message_is_refused(body: Any) -> None:
    async with Receiver() as receiver:
        assert await posted(receiver, body) == 400
        assert receiver.messages.empty()
