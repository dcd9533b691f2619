"""The pages by keyboard alone, and their state in the URL."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.web.fakes import OPEN_INCIDENT


def opened(context: BrowserContext, path: str = "/") -> Page:
    page = context.new_page()
    page.goto(path)
    expect(page.locator("html.js")).to_have_count(1)
    return page


def test_search_with_a_slash_and_back(context: BrowserContext) -> None:
    page = opened(context)
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("orders db 7")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("19 targets")
    assert "q=orders+db+7" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="50 open incidents")).to_be_visible()
    page.go_forward()
    expect(page.locator("main input[type=search]")).to_have_value("orders db 7")


def test_rows_by_j_and_k(context: BrowserContext) -> None:
    page = opened(context)
    links = page.locator(".incidents a.name")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()


def test_keys_are_listed(context: BrowserContext) -> None:
    page = opened(context, "/targets")
    page.keyboard.press("?")
    expect(page.locator("#keys li").first).to_be_visible()
    page.locator("main input[type=search]").focus()
    page.keyboard.type("j?")
    expect(page.locator("main input[type=search]")).to_have_value("j?")


def test_everything_can_be_reached_by_tab_and_is_seen(context: BrowserContext) -> None:
    page = opened(context)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".incidents a.name").first).to_be_focused()
    width = page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
    assert width == "2px"


def test_filters_combine_in_the_url(context: BrowserContext) -> None:
    page = opened(context, "/targets")
    side = page.locator("#filters")
    side.get_by_role("link", name="down").click()
    side.get_by_role("link", name="payments").click()
    assert page.url.endswith("/targets?state=down&team=payments")
    side.get_by_role("link", name="down").click()
    assert page.url.endswith("/targets?team=payments")
    page.get_by_label("Order").select_option("name")
    page.wait_for_url("**/targets?*sort=name*")
    assert "team=payments" in page.url
    page.get_by_role("link", name="next 100").click()
    page.wait_for_url("**cursor=after-100*")
    page.get_by_role("link", name="from the beginning").click()
    assert "cursor" not in page.url


def test_a_command_is_copied(context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(context, "/targets/orders-db-0")
    page.locator("#commands summary").click()
    page.get_by_role("button", name="copy Acknowledge").click()
    page.wait_for_function(
        "async (wanted) => (await navigator.clipboard.readText()) === wanted",
        arg=f"portquorum ack {OPEN_INCIDENT}",
    )
