"""One rendering for all who ask for the same page at the same state; other pages for others."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from functools import partial
from unittest.mock import Mock

import brotli
import httpx
import pytest
from litestar.testing import RequestFactory
from msgspec.structs import replace

from foundation.http_origin import Served
from portquorum.web import metrics, packing
from portquorum.web.app import create_app
from portquorum.web.page_cache import PageCache
from portquorum.web.parts import Parts
from portquorum.web.routes import ROUTES
from tests.browser.web.fakes import HandMadeFleet, HandMadeHistory, HandMadeHub
from tests.browser.web.nights import calm

PATHS = ("/", "/targets?state=down", "/incidents", "/regions", "/maintenance")


class Client(httpx.AsyncClient):
    def __init__(self) -> None:
        self.fleet = HandMadeFleet()
        app = create_app(
            Parts(self.fleet, HandMadeHub(), HandMadeHistory(), asyncio.Event()),
            Served("127.0.0.1"),
            routes=ROUTES,
        )
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        super().__init__(
            transport=transport, base_url="http://127.0.0.1", headers={"Accept-Encoding": "br"}
        )


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as made:
        yield made


def rendered() -> float:
    return float(metrics.PAGES.labels("rendered")._value.get())


@pytest.mark.parametrize("path", PATHS)
async def test_viewers_of_one_change_cost_one_rendering_and_one_packing(
    client: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = Mock(side_effect=packing.packed)
    monkeypatch.setattr("portquorum.web.page_cache.packed", packs)
    for _ in range(2):
        client.fleet.become(client.fleet.now)
        before, packs.call_count = rendered(), 0
        answers = await asyncio.gather(*(client.get(path) for _ in range(20)))
        assert {one.status_code for one in answers} == {200}
        assert len({one.text for one in answers}) == 1
        assert rendered() - before == 1
        assert packs.call_count == 1


async def test_what_varies_by_viewer_is_rendered_for_each(client: Client) -> None:
    before = rendered()
    texts = {
        (await client.get(path, headers={"Cookie": cookie, "Host": host})).text
        for path in ("/targets", "/targets?q=db")
        for cookie in ("", "portquorum_theme=dark", "portquorum_zone=Europe%2FBerlin")
        for host in ("127.0.0.1", "localhost")
    }
    assert len(texts) == 6  # the list names no host
    assert rendered() - before == 12


async def test_a_second_later_ages_are_right_and_the_etag_is_another_one(client: Client) -> None:
    first = await client.get("/")
    assert (
        await client.get("/", headers={"If-None-Match": first.headers["etag"]})
    ).status_code == 304
    fresh = client.fleet.now.freshness
    client.fleet.now = replace(client.fleet.now, freshness=replace(fresh, now=fresh.now + 61_000))
    later = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200
    assert later.headers["etag"] != first.headers["etag"]
    assert later.text != first.text


async def test_a_change_shows_at_once(client: Client) -> None:
    assert "<title>(54) Overview" in (await client.get("/")).text
    client.fleet.become(calm())
    assert "<title>Overview" in (await client.get("/")).text


async def test_each_client_gets_a_coding_that_it_takes(client: Client) -> None:
    plain = await client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for accepted, used in (
        *(("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")),
        *(("*", "br"), ("*, br;q=0.0", "gzip"), ("gzip;q=0.5, BR ; q=1", "br")),
    ):
        answer = await client.get("/", headers={"Accept-Encoding": accepted})
        assert answer.headers["content-encoding"] == used
        assert answer.headers["etag"] == plain.headers["etag"]
        assert answer.text == plain.text
        assert "accept-encoding" in answer.headers["vary"].lower()


@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
def test_pages_take_no_more_memory_than_there_is(accepted: str) -> None:
    fleet, cache = HandMadeFleet(), PageCache(most_bytes=100_000)
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepted})
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}.get(accepted, bytes)
    for number in [*range(40), 3]:
        text = f"{number} " * 3000
        answer = cache.answer(request, fleet, asked=number, render=partial(str, text))
        assert unpack(answer.content).decode() == text
        assert cache.kept_bytes <= 100_000
    fleet.version += 1
    cache.answer(request, fleet, asked=0, render=lambda: "x")
    assert cache.kept_bytes == 1


def test_a_page_of_another_past_is_another_page() -> None:
    fleet, cache = HandMadeFleet(), PageCache()
    request = RequestFactory().get("/")
    pasts = [object(), object()]
    found = [
        cache.answer(request, fleet, asked="a", past=past, render=partial(str, n)).content
        for n, past in enumerate([pasts[0], pasts[0], pasts[1], pasts[1], pasts[0]])
    ]
    assert found == [b"0", b"0", b"2", b"2", b"4"]
