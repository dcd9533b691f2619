"""Whatever a request says, it gets an answer, the right headers with it, and no fault of ours."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.web.pages.handlers import error_page_of
from portquorum.web.routes import ROUTES
from tests.unit.portquorum.web.fakes import FakeFleet, Made

FLEET = FakeFleet()
MADE = Made(fleet=FLEET, routes=ROUTES, error_page=error_page_of(FLEET))
KNOWN = [
    *("/", "/targets", "/targets/db-0", "/incidents", "/incidents/inc-0", "/regions"),
    *("/maintenance", "/reports", "/reports/slo", "/theme", "/targets.json", "/targets.csv"),
    *("/.json", "/api/v1/overview", "/api/v1/targets", "/api/v1/results", "/api/v1/openapi.json"),
    *("/api/v1/uptime", "/healthz", "/api/v1/history/incidents", "/api/v1/incidents"),
    *("/api/v1/prometheus/targets", "/api/v2/alerts", "/api/v2/silences", "/api/v2/status"),
]
NAMES = [
    *("q", "state", "team", "tag", "limit", "cursor", "sort", "since", "until", "format", "window"),
    *("zone", "theme", "back", "by", "target", "group_by", "cause", "status", "days"),
    *("filter", "active", "receiver"),
]
paths = st.sampled_from(KNOWN) | st.text(max_size=40).map(lambda text: f"/{text}")
values = st.sampled_from(["", "0", "1", "-1", "up", "csv", "90d", "%00", "%ff", "//evil", "é"])
queries = st.lists(
    st.tuples(st.sampled_from(NAMES) | st.text(max_size=5), values | st.text(max_size=20)),
    max_size=5,
)
HEADERS = [
    *("accept", "accept-encoding", "cookie", "if-none-match", "range", "content-length"),
    *("content-type", "x-http-method-override", "last-event-id", "accept-language", "expect"),
]
headers = st.lists(
    st.tuples(st.sampled_from(HEADERS), st.text("abc*/;=,\"'% \x00éW", max_size=20)), max_size=4
)


async def answered(method: str, path: str, query: bytes, more: list[tuple[str, str]]) -> Any:
    """The start of the answer, as ASGI has it."""
    sent: list[dict[str, Any]] = []
    over = asyncio.Event()
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for one in asked:
            return one
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            over.set()

    named = [(name.encode(), value.encode("utf-8")) for name, value in more]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"localhost"), *named],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 9480),
    }
    await MADE.app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[-1]["type"] == "http.response.body"
    return sent[0]


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "TRACE", "get", "FOO"]),
    path=paths,
    query=queries,
    more=headers,
)
def test_any_request(
    method: str, path: str, query: list[tuple[str, str]], more: list[tuple[str, str]]
) -> None:
    written = "&".join(f"{name}={value}" for name, value in query).encode("utf-8", "replace")
    start = asyncio.run(answered(method, path, written, more))
    assert start["status"] < 500, start
    found = dict(start["headers"])
    assert b"default-src 'none'" in found[b"content-security-policy"]
    assert found[b"x-content-type-options"] == b"nosniff"
