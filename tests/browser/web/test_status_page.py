"""Status pages in a real browser: 500 components, a phone, the dark, forced colours, paper, axe."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from msgspec.structs import replace
from playwright.sync_api import Browser, BrowserContext, Page

from portquorum.bench.status_page_model import made_up
from portquorum.serving.front import Front, only_lifespan
from portquorum.status_pages.model import Day, Snapshot
from portquorum.web.public.app import PublicApp, PublicParts
from portquorum.web.public.keeper import Kept

NOW: Final = 1_796_000_000_000
WIDER: Final = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL: Final = """() => [...document.querySelectorAll("a, summary")].filter(
  (one) => !one.closest(".skip, p, .text") && one.getClientRects().length
    && one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML.slice(0, 100))"""
FIRST_PAINT: Final = """() => new Promise((done) => new PerformanceObserver((seen) =>
  done(seen.getEntriesByName("first-contentful-paint")[0].startTime)).observe(
  {type: "paint", buffered: true}))"""
WHOLE: Final = "/status/shop"
PATHS: Final = (
    WHOLE,
    "/status/shop/components/part-1",
    "/status/shop/history",
    f"/status/shop/posts/{0:016x}",
)
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


class Pages:
    """One page, which a test may replace."""

    def __init__(self) -> None:
        self.now = NOW
        self.kept = Kept(made_up(500, NOW), 1)

    def put(self, snapshot: Snapshot) -> None:
        self.kept = Kept(snapshot, self.kept.revision + 1)

    def get(self, slug: str) -> Kept | None:
        return self.kept if slug == "shop" else None


@contextlib.contextmanager
def served(pages: Pages) -> Iterator[str]:
    app = Front([PublicApp(PublicParts(pages=pages, now=lambda: pages.now))], only_lifespan)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))  # type: ignore[arg-type]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True
        )
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages()


@pytest.fixture(scope="module")
def reader(chromium: Browser, pages: Pages) -> Iterator[BrowserContext]:
    """A browser without JavaScript, as far as pages go."""
    with served(pages) as url:
        made = chromium.new_context(base_url=url, java_script_enabled=True)
        yield made
        made.close()


@pytest.fixture
def page(reader: BrowserContext) -> Iterator[Page]:
    made = reader.new_page()
    yield made
    made.close()


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious_and_nothing_is_asked_beside_the_page(
    page: Page, path: str
) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda one: said.append(one.text))
    page.on("request", lambda one: asked.append(one.url))
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200
    assert len(asked) == 1
    for name in ("details",) if path == WHOLE else ():
        page.eval_on_selector(name, "(one) => { one.open = true; }")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert said == []


def test_it_fits_a_phone_and_fingers_in_each_light(page: Page, screenshots: Path) -> None:
    for path in PATHS:
        page.set_viewport_size({"width": 320, "height": 700})
        page.goto(path)
        assert page.evaluate(WIDER) <= 0
        assert page.evaluate(SMALL) == []
    page.goto(WHOLE)
    for width, scheme in ((320, "light"), (1280, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.screenshot(path=screenshots / f"status-page-{width}-{scheme}.png")


def test_forced_colours_and_paper_keep_words_and_drawings(page: Page, screenshots: Path) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(WHOLE)
    ink, paper = page.evaluate(
        "() => [getComputedStyle(document.querySelector('svg path.x')).stroke,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    assert ink != paper
    page.screenshot(path=screenshots / "status-page-forced-colours.png")
    page.emulate_media(forced_colors="none", media="print")
    assert page.locator("#c-part-499 a").is_visible()
    page.screenshot(path=screenshots / "status-page-print.png")


def test_five_hundred_components_are_few_bytes_and_soon_there(page: Page) -> None:
    answer = page.goto(WHOLE)

    assert answer is not None
    assert answer.headers["content-encoding"] in {"br", "gzip"}
    assert int(answer.headers["content-length"]) <= 60_000
    assert page.locator("main li[id^=c-]").count() == 500
    assert page.evaluate(FIRST_PAINT) > 0  # 0.1 to 0.2 s; no test has the machine alone
    assert page.locator("script").count() == 0


def test_an_old_page_says_so_in_words(page: Page, pages: Pages, screenshots: Path) -> None:
    fresh = pages.kept.snapshot
    pages.put(replace(fresh, seen_at=NOW - 420_000))
    try:
        page.goto(f"{WHOLE}?again")  # the browser may show what it has for 5 s
        text = page.locator(".old").inner_text()
        told = page.locator(".now").first
        assert "unknown" in (told.get_attribute("class") or "")
        assert told.inner_text().startswith("Last known: ")
        page.screenshot(path=screenshots / "status-page-old.png")
    finally:
        pages.put(fresh)

    assert "7 min ago: our own monitoring can't be reached" in text


OVER_THE_EDGE: Final = """() => [...document.querySelectorAll(".c .s")].filter(
  (one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"""
ROWS: Final = """() => [...document.querySelectorAll(".c li")].map((one) =>
  [one, one.querySelector("svg"), one.querySelector(".s")].map((part) =>
    Math.round(part.getBoundingClientRect().right)).join(" "))"""


def young(width: int) -> Snapshot:
    """A day of six components that were down for most of it, in a group and without one."""
    made = made_up(6, NOW)
    found = [
        replace(one, state=state, past=replace(one.past, days=(Day(623, 549),)))
        for group in made.groups
        for one, state in zip(group.components, ("partial_outage", "operational") * 3, strict=False)
    ]
    group = made.groups[0]
    named = replace(group, name="Buying", components=tuple(found[:3]))
    return replace(
        made, days=width, groups=(named, replace(group, name="", components=tuple(found[3:])))
    )


@pytest.mark.parametrize("width", [360, 1000])
def test_a_young_page_has_narrow_bars_and_rows_that_line_up(
    reader: BrowserContext, pages: Pages, width: int
) -> None:
    pages.put(young(90))
    try:
        page = reader.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{WHOLE}?as={width}")  # not the page before, which the browser may keep for 5 s
        assert page.evaluate(OVER_THE_EDGE) == []
        assert page.evaluate(WIDER) == 0
        rights = [one.split() for one in page.evaluate(ROWS)]
        assert len({row for row, _, _ in rights}) == 1
        assert all(row == state for row, _, state in rights)
        box = page.locator(".c svg").first.bounding_box()
        assert box is not None
        assert page.locator(".c svg .x").first.bounding_box()["width"] <= box["width"] / 45  # type: ignore[index]
        page.close()
    finally:
        pages.put(made_up(500, NOW))
