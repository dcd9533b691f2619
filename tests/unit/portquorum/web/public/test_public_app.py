import gzip

import brotli
import pytest
from msgspec.structs import replace

from portquorum.web.public.origins import MOST, REST_S, Origins
from tests.unit.portquorum.status_pages.pages import (
    HOUR,
    MINUTE,
    NOW,
    component,
    locked,
    page,
    post,
)
from tests.unit.portquorum.web.public.public_pages import SomePages, built, client

PATHS = (
    *(
        "/status/shop",
        "/status/shop/",
        "/status/shop.json",
        "/status/shop/history",
        "/status/shop/history/1",
    ),
    *("/status/shop/posts/00000000000000aa", "/status/shop/components/web"),
)
NOTHING = (
    *("/status", "/status/", "/status/other", "/status/Shop", "/status/shop/x"),
    *("/status/shop/components/gone", "/status/shop/posts/x", "/status/shop/history/0"),
    *("/status/shop/history/2", "/status/shop/history/99999", "/status/shop.json/x"),
    *("/status/shop/history/01", "/status/shop/history/%D9%A1"),
    *("/status/shop/components", "/status/shop/posts/00000000000000ab", "/status/..%2f..", "/"),
)


@pytest.mark.parametrize("path", PATHS)
async def test_each_address_answers(path: str) -> None:
    async with client(SomePages(built(None, post()))) as asking:
        answer = await asking.get(path)

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert answer.headers["cache-control"].startswith("public, max-age=5, stale")
    assert answer.headers["age"] == "0"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", NOTHING)
async def test_what_is_not_there_is_404(path: str) -> None:
    async with client(SomePages(built(None, post()))) as asking:
        answer = await asking.get(path)

    assert answer.status_code == 404
    assert answer.text.strip() == "not found"


async def test_what_is_locked_looks_as_what_never_was() -> None:
    pages = SomePages(built(locked("x")))

    async with client(pages) as asking:
        closed, none = [await asking.get(f"/status/{one}") for one in ("shop", "other")]
    async with client(pages, may_read=lambda _scope, _page: True) as asking:
        read = await asking.get("/status/shop")

    assert (closed.status_code, closed.content) == (none.status_code, none.content)
    assert dict(closed.headers) == dict(none.headers)
    assert read.status_code == 200
    assert read.headers["cache-control"] == "private, no-cache"
    assert "access-control-allow-origin" not in read.headers


async def test_a_domain_of_its_own_has_the_page_and_nothing_else() -> None:
    own = {"status.example.com": "shop"}.get

    async with client(SomePages(built(None, post())), page_for_host=own) as asking:
        whole = await asking.get("/")
        history = await asking.get("/history")
        twin = await asking.get("/status.json")
        other = await asking.get("/status/shop")

    assert whole.status_code == history.status_code == twin.status_code == 200
    assert 'href="/components/web"' in whole.text
    assert "/status/shop" not in whole.text
    assert other.status_code == 404


@pytest.mark.parametrize("encoding", ["br", "gzip", ""])
async def test_answers_are_packed_as_asked_and_known_by_their_tag(encoding: str) -> None:
    async with client(SomePages(built(None, post()))) as asking:
        asked = {"accept-encoding": encoding or "identity"}
        async with asking.stream("GET", "/status/shop", headers=asked) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        known = {**asked, "if-none-match": answer.headers["etag"]}
        again = await asking.get("/status/shop", headers=known)
        head = await asking.head("/status/shop", headers=asked)

    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}.get(encoding, bytes)
    assert b"Example Shop" in unpack(raw)
    assert answer.headers.get("content-encoding", "") == encoding
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    assert "content-type" not in again.headers
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(raw))


async def test_only_reading_is_allowed() -> None:
    async with client(SomePages(built())) as asking:
        answer = await asking.post("/status/shop")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_page_says_how_old_it_is_and_its_age_grows() -> None:
    now = NOW
    pages = SomePages(built())

    async with client(pages, now=lambda: now) as asking:
        fresh = await asking.get("/status/shop")
        now = NOW + 61_000
        old = await asking.get("/status/shop")
        now = NOW + 10 * MINUTE
        older = await asking.get("/status/shop")
        twin = await asking.get("/status/shop.json")
        tables = await asking.get("/status/shop/components/web")

    assert "can't be reached" not in fresh.text
    assert "61 s ago: our own monitoring can't be reached" in old.text.replace("&#39;", "'")
    assert "10 min ago: our own monitoring can't be reached" in older.text.replace("&#39;", "'")
    assert "10 min ago" in tables.text
    assert older.headers["age"] == "600"
    assert "max-age=605" in older.headers["cache-control"]
    assert (twin.json()["age_s"], twin.json()["as_of"]) == (600, "2026-11-30T00:53:20Z")
    assert len({fresh.headers["etag"], old.headers["etag"], older.headers["etag"]}) == 3


async def test_a_change_is_there_with_the_next_request() -> None:
    pages = SomePages(built())

    async with client(pages) as asking:
        before = await asking.get("/status/shop")
        pages.put(replace(built(), title="Another name"))
        after = await asking.get("/status/shop")

    assert "Another name" not in before.text
    assert "Another name" in after.text


async def test_what_people_wrote_can_do_nothing() -> None:
    evil = '<script>alert(1)</script> <img src=x onerror="a()"> [x](javascript:a) ![p](http://e/p)'
    wrote = post(
        (NOW - HOUR, "identified", f"{evil}\n\n# h\n\n<b>x</b> [ok](https://example.com)"),
        title="<script>1</script>\u202e",
    )
    parts = component("web", name='"><svg onload=a()>', description=evil)

    async with client(
        SomePages(built(page(parts, title="<i>", description=evil), wrote))
    ) as asking:
        texts = [(await asking.get(path)).text for path in PATHS if not path.endswith(".json")]

    for text in texts:
        assert "<script" not in text
        assert "<img" not in text
        assert "<svg onload" not in text
        assert 'href="javascript' not in text
        assert "\u202e" not in text
    assert 'href="https://example.com" rel="nofollow noopener noreferrer"' in texts[0]


async def test_whole_addresses_are_those_that_the_reader_used() -> None:
    async with client(SomePages(built(None, post())), is_secure=lambda _scope: True) as asking:
        secure = await asking.get("/status/shop/feed.json")
        strange = await asking.get("/status/shop/feed.json", headers={"host": 'x"><y'})
    async with client(SomePages(built(None, post()))) as asking:
        plain = await asking.get("/status/shop/feed.json")

    assert secure.json()["home_page_url"] == "https://status.example.com/status/shop"
    assert plain.json()["home_page_url"] == "http://status.example.com/status/shop"
    assert strange.json()["home_page_url"] == "/status/shop"


async def test_whole_addresses_are_made_for_a_few_hosts_only() -> None:
    own = {"status.example.org": "shop"}.get
    async with client(SomePages(built(None, post())), page_for_host=own) as asking:
        found = [
            (
                await asking.get("/status/shop/feed.json", headers={"host": f"h{one}.example.net"})
            ).json()
            for one in range(MOST + 5)
        ]
        known = await asking.get("/status/shop/feed.json", headers={"host": "h0.example.net"})
        of_settings = await asking.get("/feed.json", headers={"host": "status.example.org"})

    homes = [one["home_page_url"] for one in found]
    assert homes[:MOST] == [f"http://h{one}.example.net/status/shop" for one in range(MOST)]
    assert homes[MOST:] == ["/status/shop"] * 5
    assert known.json() == found[0]
    assert of_settings.json()["home_page_url"] == "http://status.example.org/"


def test_a_host_that_nobody_asks_for_gives_its_place() -> None:
    now = [0.0]
    origins = Origins(lambda: now[0])
    first = [origins.taken(f"http://h{one}") for one in range(MOST)]
    assert origins.taken("http://new") == ""
    now[0] = REST_S
    assert [origins.taken(one) for one in first[1:]] == first[1:]
    assert origins.taken("http://new") == "http://new"
    assert origins.taken(first[0]) == ""
    assert origins.taken("") == ""
