"""Sign-in in a real browser: by keyboard, without a script, on a phone, and out of a live page."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from foundation.loopback_listener import loopback_listener
from portquorum.access.tokens import digest
from schemas.web import Invitation
from tests.unit.portquorum.web.access.house import PASSWORD, House

WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SECRET = "of-the-link-of-a-test"  # noqa: S105
DEADLINE_S = 60


class HouseServer:
    """A house with users, in a thread."""

    def __init__(self) -> None:
        self.house = House()
        self._listening = loopback_listener("127.0.0.1:0", "test")
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._server = uvicorn.Server(
            uvicorn.Config(self.house.made.app, log_level="warning", server_header=False)
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.do(self.house.user("vera"))
        self.do(self.house.user("root", "admin"))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve(sockets=[self._listening]))

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Does something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self.house.made.closing.set)
        self._server.should_exit = True
        self._thread.join(DEADLINE_S)


@pytest.fixture(scope="module")
def house() -> Iterator[HouseServer]:
    made = HouseServer()
    yield made
    made.stop()


@pytest.fixture
def visitor(chromium: Browser, house: HouseServer) -> Iterator[BrowserContext]:
    made = chromium.new_context(base_url=house.url)
    made.set_default_timeout(DEADLINE_S * 1000)
    yield made
    made.close()


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']}" for one in found]


def signed_in(page: Page, name: str = "vera", path: str = "/targets") -> None:
    page.goto(path)
    expect(page).to_have_title("Sign in – portquorum")
    page.keyboard.type(name)  # the field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def test_by_keyboard_to_where_one_wanted_to_go_and_out_again(visitor: BrowserContext) -> None:
    page = visitor.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.goto("/targets?state=down")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(page) == []
    signed_in(page, path="/targets?state=up")
    expect(page.locator("main h1")).to_be_visible()
    assert page.url.endswith("/targets?state=up")
    page.goto("/login")
    expect(page.locator("main")).to_contain_text("signed in as vera")
    assert serious(page) == []
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.go_back()
    page.goto("/targets")
    expect(page).to_have_title("Sign in – portquorum")
    assert said == []


def test_a_wrong_password_is_said_at_the_form_and_the_name_stays(visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto("/login")
    page.get_by_label("User").fill("vera")
    page.get_by_label("Password").fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    expect(page.get_by_label("User")).to_have_value("vera")
    expect(page.get_by_label("Password")).to_be_focused()
    assert serious(page) == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_link_makes_a_user_on_a_phone(
    chromium: Browser, house: HouseServer, screenshots: Path, *, script: bool
) -> None:
    name = f"new-{script}".lower()
    invitation = Invitation(
        id=digest(SECRET + name), scope="operator", by="root", expires_at=house.house.now + 1000
    )
    house.do(house.house.journal.put([invitation]))
    context = chromium.new_context(
        base_url=house.url,
        java_script_enabled=script,
        viewport={"width": 320, "height": 700},
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    page.goto(f"/welcome?invitation={SECRET}{name}")
    if script:
        assert page.evaluate(WIDER) <= 0
        assert serious(page) == []
    page.screenshot(path=screenshots / f"welcome-{script}.png")
    page.get_by_label("User").fill("root")
    page.get_by_label("Password, 12").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.locator(".trouble").first).to_be_visible()  # the name is taken
    page.get_by_label("User").fill(name)
    page.get_by_label("Password, 12").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.locator("main h1").first).to_be_visible()
    assert page.url == f"{house.url}/"  # no secret in the address
    page.goto(f"/welcome?invitation={SECRET}{name}")
    expect(page.locator("h1")).to_have_text("This link does not work any more")
    context.close()


def test_a_live_page_leads_to_the_sign_in_when_its_session_ends(
    visitor: BrowserContext, house: HouseServer
) -> None:
    page = visitor.new_page()
    house.do(house.house.user("vera", epoch=1))
    signed_in(page)
    expect(page.locator("html.js")).to_have_count(1)
    with page.expect_response("**/api/v1/events*"):
        page.reload()
    house.do(house.house.user("vera", epoch=2))  # another password
    expect(page).to_have_title("Sign in – portquorum")
    assert "next=%2Ftargets" in page.url
