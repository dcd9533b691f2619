"""What holds for every request: who is let in, headers, HEAD, conditions, twins."""

import pytest
from prometheus_client import REGISTRY

from portquorum.web.pages.error_page import refusal
from tests.unit.portquorum.web.fakes import Made

SHARED = Made()
"""For tests that change nothing in it."""
PATHS = ["/api/v1/overview", "/api/v1/nope", "/nope", "/healthz", "/targets.json"]
FOLLOWED = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Referer": "https://chat.example.org/",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:9480"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Via": "1.1 proxy"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    ],
)
async def test_strangers_are_refused_everywhere(path: str, headers: dict[str, str]) -> None:
    async with SHARED.client(**headers) as client:
        answer = await client.get(path)
    assert answer.status_code == 403
    assert "expected" in answer.text
    is_api = path.startswith("/api/")
    kind = "application/problem+json" if is_api else "text/plain; charset=utf-8"
    assert answer.headers["content-type"] == kind
    assert "etag" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:9480"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Origin": "https://evil.example"},
    ],
)
async def test_a_browser_that_is_refused_has_a_way_back(headers: dict[str, str]) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    async with Made(refusal_page=refusal).client(**headers, **browser) as client:
        page = await client.get("/targets")
        program = await client.get("/targets", headers={"Accept": "*/*"})
        api = await client.get("/api/v1/targets")
    assert page.status_code == 403
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<p>Expected " in page.text
    assert 'href="/"' in page.text
    assert "set-cookie" not in page.headers
    assert program.headers["content-type"] == "text/plain; charset=utf-8"
    assert api.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("peer", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"])
async def test_another_machine_is_refused(peer: str) -> None:
    async with SHARED.client(peer) as client:
        answer = await client.get("/api/v1/overview")
    assert answer.status_code == 403
    assert "ssh -L" in answer.text


@pytest.mark.parametrize("host", ["localhost:9480", "[::1]:9480", "127.0.0.1:8000", "localhost"])
async def test_this_machine_is_let_in(host: str) -> None:
    async with SHARED.client(Host=host) as client:
        assert (await client.get("/api/v1/overview")).status_code == 200


async def test_a_link_in_a_chat_leads_here() -> None:
    async with SHARED.client(**FOLLOWED) as client:
        assert (await client.get("/api/v1/overview")).status_code == 200
        assert (await client.post("/api/v1/overview")).status_code == 403


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_says_what_a_browser_may_do_with_it(path: str) -> None:
    async with SHARED.client() as client:
        answers = [await client.get(path), await client.get(path, headers={"Host": "evil"})]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] in {"private, no-cache", "no-store"}


async def test_head_is_get_without_a_body() -> None:
    async with SHARED.client() as client:
        for path in ("/api/v1/targets", "/healthz", "/nope", "/targets.csv"):
            got, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert head.headers == got.headers


async def test_head_of_the_live_stream_ends() -> None:
    made = Made()
    async with made.client() as client:
        head = await client.head("/api/v1/events")
    assert head.status_code == 200
    assert head.headers["content-type"].startswith("text/event-stream")
    assert not made.hub.queues


async def test_what_the_client_has_is_not_sent_again() -> None:
    made = Made()
    async with made.client() as client:
        first = await client.get("/api/v1/targets")
        tag = first.headers["etag"]
        for condition in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
            again = await client.get("/api/v1/targets", headers={"If-None-Match": condition})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert "content-type" not in again.headers
        other = await client.get("/api/v1/targets", headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


async def test_an_error_is_never_not_modified() -> None:
    async with SHARED.client(**{"If-None-Match": "*"}) as client:
        assert (await client.get("/api/v1/targets/none")).status_code == 404


async def test_only_get_and_head_and_it_says_so() -> None:
    async with SHARED.client() as client:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await client.request(method, "/api/v1/overview")
            assert answer.status_code == 405
            assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
            assert answer.json()["status"] == 405


@pytest.mark.parametrize("packed", ["br", "gzip"])
async def test_answers_are_packed(packed: str) -> None:
    async with SHARED.client(**{"Accept-Encoding": packed}) as client:
        answer = await client.get("/api/v1/targets")
    assert answer.headers["content-encoding"] == packed
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.json()["total"] == 3


async def test_pages_have_twins() -> None:
    made = Made()
    async with made.client() as client:
        for page, api in (
            ("/.json", "/api/v1/overview"),
            ("/overview.json?group_by=tag", "/api/v1/overview?group_by=tag"),
            ("/targets.json?q=db&limit=1", "/api/v1/targets?q=db&limit=1"),
            ("/targets/db-1.json", "/api/v1/targets/db-1"),
            ("/incidents/inc-0.json", "/api/v1/incidents/inc-0"),
            ("/maintenance.json", "/api/v1/maintenances"),
            ("/targets.csv?q=db", "/api/v1/targets?q=db&format=csv"),
        ):
            twin, answer = await client.get(page), await client.get(api)
            assert answer.status_code == 200
            assert twin.content == answer.content
            assert twin.headers["content-type"] == answer.headers["content-type"]


async def test_requests_are_counted_by_route_and_not_by_path() -> None:
    def count(route: str, status: str) -> float:
        named = {"route": route, "status": status}
        return REGISTRY.get_sample_value("portquorum_web_requests_total", named) or 0.0

    asked = [
        ("/api/v1/targets/db-1", "/api/v1/targets/{target_id}", "200"),
        ("/targets/db-2.json", "/api/v1/targets/{target_id}", "200"),
        ("/api/v1/targets/none", "/api/v1/targets/{target_id}", "404"),
        ("/nobody/knows", "none", "404"),
    ]
    async with SHARED.client() as client:
        for path, route, status in asked:
            before = count(route, status)
            await client.get(path)
            assert count(route, status) == before + 1, path
        before = count("refused", "403")
        await client.get("/", headers={"Host": "evil.example"})
        assert count("refused", "403") == before + 1
