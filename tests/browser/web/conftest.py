"""One browser for all files of the pages, one server for each file."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.browser import FLAGS
from tests.browser.web.fakes import PageServer, page_server
from tests.installed import missing

expect.set_options(timeout=60_000)


# Not for the session: while it lives, an event loop runs in this thread, and no other can.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        missing("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def running() -> Iterator[PageServer]:
    with page_server() as made:
        yield made


@pytest.fixture
def server(running: PageServer) -> PageServer:
    """The busy night, whatever the test before made of it."""
    running.reset()
    return running


@pytest.fixture
def context(chromium: Browser, server: PageServer) -> Iterator[BrowserContext]:
    """A laptop in Berlin."""
    made = chromium.new_context(
        base_url=server.url, viewport={"width": 1280, "height": 900}, timezone_id="Europe/Berlin"
    )
    made.set_default_timeout(60_000)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: PORTQUORUM_SCREENSHOTS, else a folder of this run."""
    named = os.environ.get("PORTQUORUM_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
