"""What changes while one looks: at once where it is known, and nothing moves that is read."""

from pathlib import Path

from msgspec.structs import replace
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portquorum.web.answers import Change, Counts
from tests.browser.web.fakes import OPEN_INCIDENT, PageServer, page_server
from tests.browser.web.nights import (
    NOW,
    blind,
    busy,
    calm,
    cause,
    causes,
    fresh,
    groups,
    incident,
)


def change(counts: Counts, kind: str = "incident") -> Change:
    return Change(kind=kind, id="0.1235", at=NOW, subject="x", counts=counts)  # type: ignore[arg-type]


def opened(context: BrowserContext, path: str = "/") -> Page:
    page = context.new_page()
    page.goto(path)
    expect(page.locator("html.js")).to_have_count(1)
    return page


def test_the_first_outage_waits_for_no_timer(chromium: Browser, server: PageServer) -> None:
    """How long it takes from its event on: tests/system/test_demo.py."""
    server.fleet.become(calm())
    context = chromium.new_context(base_url=server.url)
    page = context.new_page()
    page.clock.install()
    page.goto("/")
    expect(page.get_by_text("No open incidents")).to_be_visible()
    page.clock.pause_at(page.evaluate("() => Date.now() + 5_000"))
    now = busy()
    server.fleet.become(now)
    server.hub.tell(change(now.counts))
    expect(page.get_by_role("link", name="db-core-03.fra.example.net").first).to_be_visible()
    expect(page).to_have_title("(54) Overview – portquorum")
    assert "icon-down" in (page.locator("#icon").get_attribute("href") or "")
    context.close()


def test_a_page_that_was_opened_too_early_gets_all_that_it_lacks(
    context: BrowserContext, server: PageServer
) -> None:
    """As beside `portquorum up`, when nothing has been read yet."""
    now = busy()
    server.fleet.become(replace(calm(), groups=(), groups_total=0))
    page = opened(context)
    expect(page.get_by_role("heading", name="groups")).to_have_count(0)
    server.fleet.become(now)
    server.hub.tell(change(now.counts))
    expect(page.get_by_role("link", name="db-core-03.fra.example.net").first).to_be_visible()
    expect(page.locator(".groups tbody tr").first).to_be_visible()


def test_what_somebody_types_stays(context: BrowserContext, server: PageServer) -> None:
    page = opened(context, "/targets?q=nothing-like-this")
    field = page.locator("main input[type=search]")
    field.focus()
    page.keyboard.type("x")
    now = busy(counts=replace(busy().counts, down=1_055))
    server.fleet.become(now)
    server.hub.tell(change(now.counts))
    expect(page.locator("#counts [data-state=down] b")).to_have_text("1,055")
    page.wait_for_load_state("networkidle")
    expect(field).to_be_focused()
    expect(field).to_have_value("xnothing-like-this")


def test_the_heading_agrees_with_the_counts(context: BrowserContext, server: PageServer) -> None:
    page = opened(context, "/regions")
    expect(page.locator("h1")).to_have_text("5 of 5 regions report")
    now = busy(freshness=fresh(regions_reporting=4))
    server.fleet.become(now)
    server.hub.tell(change(now.counts, "region"))
    expect(page.locator("h1")).to_have_text("4 of 5 regions report")
    expect(page.locator("#health")).to_contain_text("4 of 5 regions report")


def test_new_rows_wait_until_one_asks_for_them(
    context: BrowserContext, server: PageServer, screenshots: Path
) -> None:
    page = opened(context)
    rows = page.locator(".incidents tbody tr")
    expect(rows).to_have_count(4)
    top = rows.first.bounding_box()
    new = cause("new.example.org", incident=incident(id="new"))
    worse = busy(causes=(new, *causes()[:3]), open_incidents=51)
    server.fleet.become(worse)
    server.hub.tell(change(worse.counts))
    button = page.get_by_role("button", name="1 new, 1 gone, show")
    expect(button).to_be_visible()
    assert rows.first.bounding_box() == top
    page.screenshot(path=screenshots / "overview-new-rows.png")
    expect(rows.first).to_contain_text("db-core-03")
    expect(rows.nth(3)).to_have_class("wrong s-slow gone")
    button.click()
    expect(rows.first).to_contain_text("new.example.org")
    expect(page.locator("#fresh button")).to_have_count(0)


def test_a_row_that_changes_does_so_in_its_place_and_keeps_the_focus(
    context: BrowserContext, server: PageServer
) -> None:
    page = opened(context)
    page.keyboard.press("j")
    page.keyboard.press("j")
    first, second, *others = causes()
    worse = busy(causes=(first, replace(second, summary="the gateway is gone too"), *others))
    server.fleet.become(worse)
    server.hub.tell(change(worse.counts))
    row = page.locator(".incidents tbody tr").nth(1)
    expect(row).to_contain_text("the gateway is gone too")
    expect(row.get_by_role("link").first).to_be_focused()
    expect(page.locator("#fresh button")).to_have_count(0)


def test_a_cause_that_grows_stays_in_its_place(context: BrowserContext, server: PageServer) -> None:
    page = opened(context)
    *others, mail, slow = causes()
    grown = replace(mail, key="host:mail", cause="host", targets=2, incidents=2, ports=(25, 587))
    worse = busy(causes=(*others, grown, slow), open_incidents=51)
    server.fleet.become(worse)
    server.hub.tell(change(worse.counts))
    row = page.locator(".incidents tbody tr").nth(2)
    expect(row).to_contain_text("smtp 25 and 1 more port of this host")
    expect(page.locator("#fresh button")).to_have_count(0)
    expect(page.locator("tr.gone")).to_have_count(0)


def test_a_row_whose_incident_is_open_is_never_struck_through(
    context: BrowserContext, server: PageServer
) -> None:
    """Another row has it now."""
    page = opened(context)
    *others, slow = causes()
    last = replace(slow, incident=incident(id=OPEN_INCIDENT), key="target:x", title="orders db 0")
    server.fleet.become(busy(causes=(*others, last)))
    server.hub.wait()  # this page's stream may begin only now
    server.hub.forget()  # what is told is for the page that comes
    page.reload()
    expect(page.locator("html.js")).to_have_count(1)
    moved = busy(causes=tuple(others), groups=groups()[1:])
    server.fleet.become(moved)
    server.hub.tell(change(moved.counts))
    expect(page.get_by_role("button", name="1 gone, show")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator(".incidents tr.gone")).to_have_count(0)
    expect(page.locator(".groups tr.gone")).to_have_count(1)


# Elements with a red or a green on them: one of the two is far above both other parts.
COLOURFUL = """() => [...document.querySelectorAll("body *")].filter((one) => {
  const look = getComputedStyle(one)
  const colours = [look.color, look.backgroundColor, look.fill]
  return one.getClientRects().length && colours.some((text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0]
    return a > 0 && (r - Math.max(g, b) > 40 || g - Math.max(r, b) > 40)
  })
}).map((one) => one.outerHTML.slice(0, 200))"""


def test_blindness_is_seen_and_ends(context: BrowserContext, server: PageServer) -> None:
    page = opened(context)
    assert len(page.evaluate(COLOURFUL)) > 10
    away = blind()
    server.fleet.become(away)
    server.hub.tell(replace(change(away.counts, "freshness"), freshness=away.freshness))
    expect(page.get_by_text("Kafka does not answer")).to_be_visible()
    expect(page.locator("html")).to_have_class("blind js")
    expect(page).to_have_title("(not known) Overview – portquorum")
    assert page.evaluate(COLOURFUL) == []
    server.fleet.become(busy())
    server.hub.tell(replace(change(busy().counts, "freshness"), freshness=fresh()))
    expect(page.get_by_text("Kafka does not answer")).to_have_count(0)
    expect(page.locator("html.blind")).to_have_count(0)


def test_what_else_is_not_known_is_seen_and_ends(
    context: BrowserContext, server: PageServer
) -> None:
    page = opened(context)
    health = page.locator("#health")
    for less in (fresh(history_away_since=NOW - 60_000), fresh(regions_reporting=4), fresh()):
        now = busy(freshness=less)
        server.fleet.become(now)
        server.hub.tell(replace(change(now.counts, "freshness"), freshness=less))
        expect(health).to_contain_text(f"{less.regions_reporting} of 5 regions report")
        away = page.get_by_text("history is not available since")
        expect(away).to_have_count(1 if less.history_away_since else 0)


def test_a_server_that_is_gone_is_said(context: BrowserContext, screenshots: Path) -> None:
    with page_server() as server:
        page = opened(context, f"{server.url}/")
        server.hub.wait()
    expect(page.get_by_text("the connection to this page's server is lost")).to_be_visible()
    expect(page.locator("html.blind")).to_have_count(1)
    page.screenshot(path=screenshots / "overview-lost.png")


def test_numbers_are_renewed_by_the_change_itself(
    context: BrowserContext, server: PageServer
) -> None:
    page = opened(context)
    server.hub.tell(change(replace(busy().counts, down=1_055), "freshness"))
    expect(page.locator("#counts [data-state=down] b")).to_have_text("1,055")


def test_tabs_share_one_stream_and_another_goes_on_when_one_closes(
    context: BrowserContext, server: PageServer
) -> None:
    first, second = opened(context), opened(context)
    counts = replace(busy().counts, down=1_055)
    server.fleet.become(busy(counts=counts))  # a tab that asks for the page anew sees the same
    server.hub.tell(change(counts, "freshness"))
    for page in (first, second):
        expect(page.locator("#counts [data-state=down] b")).to_have_text("1,055")
        expect(page).to_have_title("(1055) Overview – portquorum")
    assert server.hub.viewers == 1
    server.hub.forget()
    first.close()
    counts = replace(counts, down=1_056)
    server.fleet.become(busy(counts=counts))
    server.hub.tell(change(counts, "freshness"))
    expect(second.locator("#counts [data-state=down] b")).to_have_text("1,056")
    assert server.hub.viewers == 1
