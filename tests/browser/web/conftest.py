"""One browser for all files of the pages, one server for each file."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser import browser
from tests.browser.web.fakes import PageServer, page_server

expect.set_options(timeout=60_000)


# Not for the session: while it lives, an event loop runs in this thread, and no other can.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as made:
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[PageServer]:
    with page_server() as made:
        yield made


@pytest.fixture(autouse=True)
def server(running: PageServer) -> PageServer:
    """The busy night, whatever the test before made of it."""
    running.reset()
    return running


@pytest.fixture(scope="module")
def laptop(chromium: Browser, running: PageServer) -> Iterator[BrowserContext]:
    """A laptop in Berlin, whose zone the server knows from a visit before."""
    made = chromium.new_context(
        base_url=running.url, viewport={"width": 1280, "height": 900}, timezone_id="Europe/Berlin"
    )
    made.set_default_timeout(60_000)
    made.add_cookies([{"name": "portquorum_zone", "value": "Europe/Berlin", "url": running.url}])
    yield made
    made.close()


@pytest.fixture
def context(laptop: BrowserContext) -> Iterator[BrowserContext]:
    """The laptop without open pages."""
    yield laptop
    for page in laptop.pages:
        page.close()
