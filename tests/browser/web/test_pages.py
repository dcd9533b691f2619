"""Every page in a real browser: for people with and without eyes, scripts, colours, width."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.browser.web.fakes import OPEN_INCIDENT, PageServer
from tests.browser.web.job import JOB
from tests.browser.web.nights import NIGHTS

PAGES = {
    "overview": "/",
    "targets": "/targets?state=down&state=slow",
    "target": "/targets/orders-db-0",
    "target-up": "/targets/orders-db-9?window=30d",
    "job": f"/targets/{JOB}?window=30d",
    "explain": "/targets/orders-db-0/explain",
    "incidents": "/incidents",
    "closed": "/incidents?status=closed",
    "incident": f"/incidents/{OPEN_INCIDENT}",
    "regions": "/regions",
    "maintenance": "/maintenance",
    "reports": "/reports/uptime",
    "api": "/api",
    "error": "/nothing/here",
}
every_page = pytest.mark.parametrize("path", PAGES.values(), ids=list(PAGES))
every_night = pytest.mark.parametrize("night", NIGHTS)

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
KEPT: tuple[tuple[int, Scheme], ...] = (
    (320, "light"),
    (390, "light"),
    (390, "dark"),
    (1280, "light"),
    (1280, "dark"),
    (1920, "dark"),
)
"""Width and scheme of the pictures of a night."""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

FETCHED = """() => performance.getEntriesByType("resource")
    .filter((one) => one.name.includes("/static/") && one.transferSize).map((one) => one.name)"""
"""The files beside the page that did not come from the browser's cache."""

SMALL = """() => [...document.querySelectorAll(
  "a, button, summary, input, select, .choice")].filter(
  (one) => !one.closest(".visually-hidden, .skip, .health") && !one.matches(".choice *")
    && one.getClientRects().length && one.getBoundingClientRect().height < 43.5
  ).map((one) => one.outerHTML.slice(0, 100))"""
"""What a finger may miss: lower than 44 px. The link to the regions is in a sentence; of a box its
label counts."""


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what its console complains of: what the CSP stopped is among it."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: said.append(str(one)))
    return page, said


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical, with where it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"][:3]
    ]


@pytest.fixture(scope="module")
def scriptless(chromium: Browser, running: PageServer) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = chromium.new_context(base_url=running.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def phone(chromium: Browser, running: PageServer) -> Iterator[BrowserContext]:
    """The smallest screen."""
    context = chromium.new_context(
        base_url=running.url,
        viewport={"width": 320, "height": 700},
        has_touch=True,
        is_mobile=True,
    )
    yield context
    context.close()


@every_page
def test_axe_finds_nothing_serious_and_a_page_says_the_same_without_a_script(
    context: BrowserContext, scriptless: Page, path: str
) -> None:
    page, said = watched(context)
    page.goto(path)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert serious(page) == []
    assert [one for one in said if "404" not in one] == []

    scriptless.goto(path)
    for one in (page, scriptless):
        expect(one.locator("main h1")).to_have_count(1)
    rows = "main tbody tr"
    assert scriptless.locator(rows).count() == page.locator(rows).count()
    assert scriptless.locator(".needs-script:visible").count() == 0


@every_night
def test_the_overview_fits_and_is_kept(
    context: BrowserContext, server: PageServer, screenshots: Path, night: str
) -> None:
    server.fleet.become(NIGHTS[night]())
    page, said = watched(context)
    page.goto("/")
    for width, scheme in KEPT:
        page.set_viewport_size({"width": width, "height": 844 if width < 500 else 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(WIDER) <= 0
        page.screenshot(path=screenshots / f"overview-{night}-{width}-{scheme}.png")
    assert said == []


@every_page
def test_a_page_fits_on_a_phone_and_hostile_texts_do_nothing(
    phone: BrowserContext, server: PageServer, screenshots: Path, path: str
) -> None:
    page, said = watched(phone)
    name = next(name for name, one in PAGES.items() if one == path)
    page.goto(path)
    assert page.evaluate(WIDER) <= 0
    assert page.evaluate(SMALL) == []
    page.screenshot(path=screenshots / f"{name}-320.png", full_page=True)

    server.become_hostile()
    server.fleet.become(NIGHTS["hostile"]())
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("dialog", lambda one: said.append(one.message))
    page.goto(path)
    assert page.evaluate(WIDER) <= 0
    assert page.title() != "run"
    assert page.locator("main script, main img, main [onerror]").count() == 0
    text = page.content()
    assert not {"\u202e", "\u2066", "\x1b"} & set(text)
    assert "W" * 2_000 not in page.locator("body").inner_text()
    assert [one for one in asked if not one.startswith(server.url)] == []
    assert [one for one in said if "404" not in one] == []
    page.close()


def test_the_theme_is_kept_without_a_script(scriptless: Page, server: PageServer) -> None:
    page = scriptless
    page.goto("/targets?state=down")
    page.get_by_role("button", name="dark").click()
    assert page.url == f"{server.url}/targets?state=down"
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(14, 18, 22)")
    page.goto("/regions")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.context.clear_cookies()


def test_forced_colors_keep_shapes_and_words(context: BrowserContext, screenshots: Path) -> None:
    page = context.new_page()
    page.emulate_media(forced_colors="active")
    page.goto("/")
    assert page.evaluate("() => matchMedia('(forced-colors: active)').matches")
    mark = page.locator(".incidents .mark").first
    expect(mark).to_be_visible()
    ink, paper = page.evaluate(
        "() => [getComputedStyle(document.querySelector('.incidents .mark')).color,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    assert ink != paper
    page.screenshot(path=screenshots / "overview-forced-colors.png")


def test_nothing_moves_for_who_wants_no_motion(context: BrowserContext) -> None:
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto("/")
    page.evaluate("() => document.querySelector('tbody tr').classList.add('changed')")
    expect(page.locator("tbody tr").first).to_have_css("animation-name", "none")


def test_times_are_those_of_the_viewer_with_utc_beside(context: BrowserContext) -> None:
    context.clear_cookies()
    page = context.new_page()
    page.goto("/")
    expect(page.locator(".foot")).to_contain_text("Europe/Berlin")  # by the script
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-zone", "Europe/Berlin")
    expect(page.locator("#clock")).to_contain_text("CEST (02:03")
    expect(page.locator("#clock")).to_contain_text("04:03")
    page.close()
    again = context.new_page()
    again.goto("/")
    assert again.evaluate(FETCHED) == []  # though the first visit had no cookie


def test_a_page_needs_four_requests_and_little(context: BrowserContext, server: PageServer) -> None:
    server.fleet.become(NIGHTS["thousand"]())
    page = context.new_page()
    sizes: list[int] = []

    def count(finished: Request) -> None:
        size = finished.sizes()
        sizes.append(size["responseBodySize"] + size["responseHeadersSize"])

    page.on("requestfinished", count)
    page.goto("/", wait_until="load")
    assert len(sizes) <= 4
    assert sum(sizes) <= 60_000
    assert page.evaluate("() => document.querySelectorAll('*').length") <= 2_000
