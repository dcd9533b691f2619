from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portquorum.web.public.app import PublicApp, PublicParts
from tests.unit.portquorum.status_pages.pages import NOW, post
from tests.unit.portquorum.web.public.public_pages import SomePages, built
from tests.unit.portquorum.web.public.test_public_badges import key, target_badges

PARTS = st.sampled_from(
    [
        *("status", "shop", "shop.json", "history", "posts", "components", "web", "badge", "1"),
        *("status.svg", "uptime", "7d.json", "feed.atom", "maintenance.ics", "api", "v1", "٣"),
        *("endpoints", "shop_web", "health", "badge.svg", "uptimes", "7d", "..", "", "\u202e"),
    ]
)
paths = st.lists(st.one_of(PARTS, st.text(max_size=5)), max_size=7).map(lambda p: "/" + "/".join(p))
headers = st.lists(
    st.tuples(
        st.sampled_from([b"host", b"accept-encoding", b"if-none-match", b"x"]),
        st.one_of(st.binary(max_size=20), st.sampled_from([b"br, gzip;q=0", b"*", b"a.b"])),
    ),
    max_size=4,
)


@given(
    path=paths,
    headers=headers,
    query=st.one_of(st.binary(max_size=20), st.sampled_from([b"key=all", b"key=all&key=all"])),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "X"]),
)
async def test_any_request_has_one_whole_answer(
    path: str, headers: list[tuple[bytes, bytes]], query: bytes, method: str
) -> None:
    app = PublicApp(
        PublicParts(
            pages=SomePages(built(None, post())),
            badges=target_badges(all=key("all")),
            page_for_host={"a.b": "shop"}.get,
            now=lambda: NOW,
        )
    )
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope: Any = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": headers,
        "scheme": "http",
        "client": ("127.0.0.1", 1),
    }
    taken = app.takes(scope)
    await app(scope, receive, send)

    start, body = sent
    assert start["status"] in {200, 304, 404, 405}
    assert taken or start["status"] == 404
    told = dict(start["headers"])
    assert b"default-src 'none'" in told[b"content-security-policy"]
    if start["status"] == 200 and method == "GET":
        assert int(told[b"content-length"]) == len(body["body"]) > 0
    else:
        assert method == "GET" or not body["body"] or start["status"] != 200
