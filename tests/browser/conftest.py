from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.browser import Server, browser_page


# Not for longer: while it lives, an event loop runs in this thread, and no other can.
@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser_page(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def attacker() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()
