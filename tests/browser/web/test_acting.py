"""What changes something, in a real browser: by keyboard and finger, with and without a script."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from portquorum.changing.errors import ChangeError
from tests.browser.web.changes import SECRET
from tests.browser.web.fakes import OPEN_INCIDENT, PageServer, target_row
from tests.browser.web.status_desk import PASSWORD
from tests.browser.web.test_pages import SMALL, WIDER, serious

MANY = 217
FORMS = {
    "new": "/targets/new",
    "new-http": "/targets/new?kind=http",
    "edit": "/targets/orders-db-9/edit",
    "pause": "/targets/orders-db-0/pause",
    "check": "/targets/orders-db-0/check",
    "remove": "/targets/orders-db-9/remove",
    "acknowledge": f"/incidents/{OPEN_INCIDENT}/acknowledge",
    "silence": "/silences/new",
    "end": "/silences/7f3a/end",
    "window": "/maintenance/new",
    "bulk": "/targets/bulk?state=up",
    "users": "/users",
    "user": "/users/mika",
    "tokens": "/tokens",
    "audit": "/audit",
    "account": "/account",
    "inventory": "/inventory",
    "status-pages": "/status-pages",
    "status-page": "/status-pages/shop/edit",
    "public-post": f"/posts/new?incident={OPEN_INCIDENT}",
    "locked": "/status/inner",
}


UNFOLDED = "() => document.querySelectorAll('details').forEach((one) => { one.open = true })"


@pytest.fixture(scope="module")
def phone(chromium: Browser, running: PageServer) -> Iterator[BrowserContext]:
    """The smallest screen."""
    context = chromium.new_context(
        base_url=running.url, viewport={"width": 320, "height": 700}, has_touch=True, is_mobile=True
    )
    yield context
    context.close()


@pytest.fixture(scope="module")
def scriptless(chromium: Browser, running: PageServer) -> Iterator[BrowserContext]:
    """A small screen without a script."""
    context = chromium.new_context(
        base_url=running.url,
        viewport={"width": 320, "height": 700},
        has_touch=True,
        is_mobile=True,
        java_script_enabled=False,
    )
    yield context
    context.close()


@pytest.fixture(autouse=True)
def own(server: PageServer) -> None:
    """The page has a target of its own."""
    server.edits.own(server.fleet.rows[9])


def opened(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(path)
    expect(page.locator("html.js")).to_have_count(1)
    return page


def tab_to(page: Page, there: Locator) -> None:
    """Presses Tab until `there` has the focus."""
    for _ in range(60):
        if there.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no Tab leads to {there}")


def test_a_target_is_added_by_keyboard_after_its_first_check(context: BrowserContext) -> None:
    page = opened(context, "/targets")
    tab_to(page, page.get_by_role("link", name="Add a target"))
    page.keyboard.press("Enter")
    kind = page.get_by_label("Kind")
    tab_to(page, kind)
    page.keyboard.type("http")
    page.locator("summary", has_text="Options of http").wait_for()
    expect(kind).to_be_focused()
    expect(kind).to_have_value("http")
    tab_to(page, page.get_by_label("Host"))
    page.keyboard.type("shop.example.com")
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("the shop")
    tab_to(page, page.get_by_role("button", name="Check now"))
    page.keyboard.press("Enter")
    said = page.locator("#said")
    expect(said).to_be_focused()
    expect(said).to_contain_text("nothing listens")
    expect(page.get_by_label("Host")).to_have_value("shop.example.com")
    tab_to(page, page.get_by_role("button", name="Save"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="the shop")).to_be_visible()
    expect(page.get_by_text("Added: its first check is on its way.")).to_be_visible()
    assert page.url.endswith("/targets/the-shop")


def test_rows_are_paused_and_acknowledged_by_a_key_each(
    context: BrowserContext, server: PageServer
) -> None:
    page = opened(context, "/targets?state=up")
    page.keyboard.press("j")
    page.keyboard.press("p")
    dialog = page.get_by_role("dialog", name="Pause")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("a.name").first).to_be_focused()
    page.keyboard.press("p")
    tab_to(page, dialog.get_by_label("Why"))
    page.keyboard.type("disk")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("Paused: it is not checked.")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="orders db 5", exact=True)).to_have_count(0)
    assert server.acts.asked[-1][2] == ("orders-db-5",)

    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("dialog", name="Acknowledge").get_by_label("Note")).to_be_focused()
    page.keyboard.type("on it")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#done")).to_contain_text("Acknowledged")
    assert [one[3] for one in server.acts.asked if one[0] == "acknowledge"] == ["on it"]
    expect(page.locator(".incidents a.name").first).to_be_focused()


def test_an_incident_is_silenced_by_a_finger_and_errors_stay(
    phone: BrowserContext, server: PageServer
) -> None:
    page = opened(phone, f"/incidents/{OPEN_INCIDENT}")
    page.get_by_role("link", name="Silence", exact=True).tap()
    dialog = page.get_by_role("dialog", name="Silence")
    dialog.get_by_label("For how long").select_option("4 hours")
    send = dialog.get_by_role("button", name="Silence")
    send.tap()
    expect(dialog.get_by_role("alert")).to_be_focused()
    expect(dialog.get_by_label("For how long")).to_have_value("4h")
    assert page.evaluate(WIDER) == 0
    assert page.evaluate(SMALL) == []
    dialog.get_by_role("link", name="Why").tap()
    dialog.get_by_label("Why").fill("the disk is being replaced")
    server.acts.refusal = ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, "Kafka does not answer")
    send.tap()
    expect(dialog.get_by_role("alert")).to_contain_text("Kafka does not answer")
    send.tap()
    expect(page.locator("#done")).to_have_text("Silenced: nobody is told.")
    expect(page.get_by_role("link", name="Silence", exact=True)).to_be_focused()
    page.close()


@pytest.mark.parametrize("way", ["keyboard", "finger", "without a script"])
def test_many_targets_are_paused_and_it_is_undone(
    request: pytest.FixtureRequest, server: PageServer, way: str
) -> None:
    names = {"keyboard": "context", "finger": "phone", "without a script": "scriptless"}
    context: BrowserContext = request.getfixturevalue(names[way])
    server.fleet.rows = tuple(target_row(number) for number in range(MANY + 5))
    page = context.new_page()

    def press(there: Locator) -> None:
        if way == "keyboard":
            tab_to(page, there)
            page.keyboard.press("Enter")
        else:
            there.tap()

    page.goto("/targets?state=up")
    press(page.get_by_role("link", name=f"Change these {MANY}"))
    expect(page.get_by_label("Pause: they are not checked")).to_be_checked()
    expect(page.get_by_label("Add tags")).to_be_hidden()
    press(page.get_by_role("button", name="Show what this means"))
    expect(page.get_by_role("heading", name=f"This pauses {MANY} targets")).to_be_visible()
    assert page.evaluate(WIDER) == 0
    press(page.get_by_role("button", name=f"Pause {MANY} targets"))
    expect(page.get_by_role("heading", name=f"{MANY} targets were paused")).to_be_visible()
    assert sum(one.state == "paused" for one in server.fleet.rows) == MANY + 1
    press(page.get_by_role("button", name="Undo"))
    expect(page.get_by_text("has undone it")).to_be_visible()
    assert sum(one.state == "paused" for one in server.fleet.rows) == 1
    page.close()


def test_all_works_without_a_script(scriptless: BrowserContext, server: PageServer) -> None:
    page = scriptless.new_page()
    page.goto("/targets/new")
    page.get_by_label("Kind").select_option("http")
    page.get_by_label("Name", exact=True).fill("shop")
    page.get_by_role("button", name="Show its options").tap()
    expect(page.locator("summary", has_text="Options of http")).to_be_visible()
    page.get_by_label("Host").fill("wrong")
    page.get_by_role("button", name="Save").tap()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Host")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Host").fill("shop.example.com")
    page.get_by_role("button", name="Check now").tap()
    expect(page.locator("#said")).to_contain_text("It is down")
    page.get_by_role("button", name="Save").tap()
    expect(page.get_by_role("status").filter(has_text="Added")).to_be_visible()
    page.get_by_role("link", name="Pause", exact=True).tap()
    page.get_by_role("button", name="Pause").tap()
    expect(page.get_by_role("status").filter(has_text="Paused")).to_be_visible()
    page.goto(f"/incidents/{OPEN_INCIDENT}")
    page.get_by_role("link", name="Silence", exact=True).tap()
    page.get_by_label("Why").fill("work")
    page.get_by_role("button", name="Silence").tap()
    expect(page.get_by_role("status").filter(has_text="Silenced")).to_be_visible()
    assert [one[0] for one in server.acts.asked] == ["pause", "silence"]
    page.close()


def test_a_public_post_of_an_incident_takes_two_clicks(context: BrowserContext) -> None:
    page = opened(context, f"/incidents/{OPEN_INCIDENT}")
    page.get_by_role("link", name="Write a public post").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#done")).to_have_text("Published.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Orders: not available")
    page.get_by_role("link", name="The shop", exact=True).click()
    expect(page.get_by_role("heading", name="Orders: not available")).to_be_visible()
    assert "/status/shop/posts/" in page.url


def test_a_locked_page_is_opened_without_a_script(scriptless: BrowserContext) -> None:
    page = scriptless.new_page()
    page.goto("/status/inner")
    password = page.get_by_label("Password")
    expect(password).to_be_focused()
    password.fill("another horse battery")
    page.get_by_role("button", name="Open").tap()
    expect(page.get_by_role("alert")).to_have_text("This is not the password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("For partners")
    page.goto("/status/inner.json")
    expect(page.locator("body")).to_contain_text("Cluster 7")
    page.close()


def test_who_is_signed_out_is_led_to_the_door(context: BrowserContext) -> None:
    page = opened(context, "/targets?state=up")
    page.route("**/pause", lambda route: route.fulfill(status=401, body=""))
    page.route("**/login?*", lambda route: route.fulfill(body="sign in"))
    page.keyboard.press("j")
    page.keyboard.press("p")
    page.wait_for_url("**/login?next=%2Ftargets%3Fstate%3Dup")


def test_a_secret_can_be_copied(context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(context, "/tokens")
    page.get_by_label("What it is for").fill("deploy")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="copy").click()
    page.wait_for_function(
        "async (wanted) => (await navigator.clipboard.readText()) === wanted", arg=SECRET
    )


def test_every_form_fits_the_smallest_screen_and_axe_finds_nothing_serious(
    phone: BrowserContext, screenshots: Path
) -> None:
    page = phone.new_page()
    for name, path in FORMS.items():
        page.goto(path)
        page.evaluate(UNFOLDED)
        assert serious(page) == [], path
        assert page.evaluate(WIDER) == 0, path
        assert page.evaluate(SMALL) == [], path
        page.screenshot(path=screenshots / f"form-{name}-320.png", full_page=True)
    page.close()


@pytest.mark.parametrize("scheme", ["dark", "forced"])
def test_forms_can_be_read_in_the_dark_and_in_forced_colours(
    context: BrowserContext, scheme: str
) -> None:
    page = context.new_page()
    if scheme == "dark":
        page.emulate_media(color_scheme="dark")
    else:
        page.emulate_media(forced_colors="active")
    for path in ("/targets/new?kind=http", "/tokens"):
        page.goto(path)
        page.locator("button.main").click()
        page.locator("[aria-invalid]").first.wait_for()
        assert serious(page) == [], path
