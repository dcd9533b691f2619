"""Each recipe of docs/recipes.md is up at the server that it is for, and at no other."""

import asyncio
import socket
from typing import cast

import pytest

from tests.integration.recipes.page import recipes
from tests.integration.recipes.servers import HELD
from tests.integration.recipes.trying import tried, tried_at
from tests.wide.server import Pems

RECIPES = recipes()


@pytest.mark.parametrize("name", HELD)
async def test_the_recipe_is_up_at_its_server(name: str, pems: Pems) -> None:
    for outcome in await tried_at(RECIPES[name], HELD[name], pems):
        assert (outcome.status, outcome.reason, outcome.detail) == ("up", None, None), outcome


class _Stranger(asyncio.DatagramProtocol):
    """Says `words`, or everything back for None, over TCP and UDP alike."""

    def __init__(self, words: bytes | None) -> None:
        self._words = words
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        assert self._transport is not None
        said = data if self._words is None else self._words
        if said:
            self._transport.sendto(said, addr)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data if self._words is None else self._words)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<h1>Hello</h1>"


@pytest.fixture
def port() -> int:
    """A port that is free over TCP and UDP."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        number = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", number))
    return number


@pytest.mark.parametrize(
    "words", [b"", None, _PAGE], ids=["says nothing", "says all back", "web server"]
)
async def test_no_recipe_is_up_at_a_stranger(words: bytes | None, port: int) -> None:
    stranger = _Stranger(words)
    loop = asyncio.get_running_loop()
    udp, _ = await loop.create_datagram_endpoint(lambda: stranger, local_addr=("127.0.0.1", port))
    server = await asyncio.start_server(stranger.talk, "127.0.0.1", port)
    async with server:
        outcomes = await asyncio.gather(*[tried(one, port, 1) for one in RECIPES.values()])
    udp.close()
    for recipe, outcome in zip(RECIPES.values(), outcomes, strict=True):
        assert outcome.status == "down", (recipe.name, outcome)
        assert outcome.reason != "prober_error", (recipe.name, outcome)
