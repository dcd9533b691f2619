"""No page of somebody else reads the page or its API; people follow links to it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.browser import Server, attacked
from tests.integration.portquorum.web.process import Served

ORIGINS = {
    "another port of the same address": "http://127.0.0.1:{}/",
    "another port of localhost": "http://localhost:{}/",
    "another site": "http://evil.example:{}/",
}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.close()


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=list(ORIGINS))
@pytest.mark.parametrize("path", ["/api/v1/overview", "/targets.json"])
def test_a_foreign_page_reads_nothing(
    page: Page, attacker: Server, served: Served, origin: str, path: str
) -> None:
    base = f"http://127.0.0.1:{served.port}"
    found = attacked(page, origin.format(attacker.port), base, path, "{}")
    assert set(found.values()) == {""}, found


def test_a_name_that_was_made_to_lead_here_reads_nothing(page: Page, served: Served) -> None:
    """DNS rebinding: page and server are of one origin for the browser."""
    answer = page.goto(f"http://evil.example:{served.port}/healthz")
    assert answer is not None
    assert answer.status == 403
    text = page.evaluate(
        "async () => { const a = await fetch('/api/v1/targets'); "
        "return `${a.status} ${await a.text()}` }"
    )
    assert text.startswith("403")
    assert "expected in Host" in text


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=list(ORIGINS))
def test_a_link_on_a_foreign_page_leads_here(
    page: Page, attacker: Server, served: Served, origin: str
) -> None:
    page.goto(origin.format(attacker.port))
    url = f"http://localhost:{served.port}/api/v1/overview"
    with page.expect_response(url) as followed:
        page.evaluate(
            "url => { const a = document.createElement('a'); a.href = url; "
            "document.body.append(a); a.click() }",
            url,
        )
    assert followed.value.status == 200
    page.wait_for_url(url)
