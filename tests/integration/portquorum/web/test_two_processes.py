"""Two web processes behind HAProxy: who watches notices the end of one by a reconnect alone.

What the page says when a part of the monitor is away: tests/system/test_page_faults.py.
"""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect

from foundation.kafka import create_topics
from foundation.lifecycle import cancelled
from foundation.settings import Settings
from tests.browser.browser import FLAGS, chromium_program
from tests.integration.portquorum.web.balanced import Viewer, WebProcess, haproxy, web
from tests.integration.sinks.notifier import rig

pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=60_000)

NAMES = [f"db{number}" for number in range(20)]
LOST_MS = 4_000
"""The page says nothing of a stream that is back within this time."""

# What a page would not tell: each event of its stream, and whether it said that it lost it.
WATCHED = """
window.live = { opens: 0, incidents: [], reloads: 0, lost: 0, gap_ms: 0 }
let brokenAt = null
window.EventSource = class extends EventSource {
  constructor(url) {
    super(url)
    this.addEventListener("error", () => { brokenAt ??= Date.now() })
    this.addEventListener("open", () => {
      live.opens += 1
      if (brokenAt) live.gap_ms = Math.max(live.gap_ms, Date.now() - brokenAt)
      brokenAt = null
    })
    this.addEventListener("reload", () => { live.reloads += 1 })
    this.addEventListener("incident", ({ data }) => {
      live.incidents.push(JSON.parse(data).incident.target)
    })
  }
}
new MutationObserver(() => {
  if (document.querySelector("#lost:not([hidden])")) live.lost += 1
}).observe(document, { subtree: true, childList: true, attributes: true })
"""


def is_read(overview: dict[str, dict[str, str]]) -> bool:
    return overview["freshness"]["blind_because"] != "starting"


@asynccontextmanager
async def watching(viewer: Viewer) -> AsyncIterator[None]:
    task = asyncio.create_task(viewer.watch())
    try:
        yield
    finally:
        await cancelled(task)


@asynccontextmanager
async def browser_page(url: str) -> AsyncIterator[Page]:
    """The page of `url` in Chromium, watched."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_program(), args=list(FLAGS)
        )
        page = await browser.new_page(base_url=url)
        page.set_default_timeout(60_000)
        await page.add_init_script(WATCHED)
        await page.goto("/")
        yield page
        await browser.close()


async def live(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("() => live")
    return found


async def test_a_killed_process_is_noticed_by_a_reconnect_alone(kafka: str, tmp_path: Path) -> None:
    settings = Settings(
        kafka=kafka,
        clickhouse="http://127.0.0.1:1/nobody",
        topic_prefix=f"web-{uuid.uuid4().hex[:12]}",
        partitions=4,
    )
    await create_topics(settings)
    await rig.publish(settings, rig.incident_event("before"))
    async with web(settings, tmp_path / "a.log") as a, web(settings, tmp_path / "b.log") as b:
        for one in (a, b):
            await one.until("/api/v1/overview", is_read, "the topics to be read")
        await _strangers_see_nothing_of_the_monitor(a)
        fresh = (await a.get("/api/v1/overview"))["freshness"]
        assert fresh["position"] == (await b.get("/api/v1/overview"))["freshness"]["position"]
        async with (
            haproxy([a.port, b.port], tmp_path) as port,
            browser_page(f"http://127.0.0.1:{port}") as page,
            watching(viewer := Viewer(port, fresh["position"])),
        ):
            await rig.until(lambda: viewer.connections == 1, "the first connection")
            await expect(page.locator("a.name", has_text="before")).to_be_visible()
            other = await _killed_in_the_middle(settings, a, b, page)
            await rig.until(lambda: viewer.incidents() >= set(NAMES), "every incident")
            await page.wait_for_function(
                "names => names.every((one) => live.incidents.includes(one))", arg=NAMES
            )
            await _shows_each_once(page)
            found = await live(page)
        assert found["opens"] >= 2, found
        assert found["reloads"] == 0, found
        # On a machine that has no time for a reconnect the page says that it is cut off.
        assert found["lost"] == 0 or found["gap_ms"] >= LOST_MS, found
        assert viewer.connections >= 2
        assert "reload" not in {kind for kind, _ in viewer.seen}
        listed = await other.get("/api/v1/incidents?limit=1000")
        assert {row["target"] for row in listed["rows"]} == {*NAMES, "before"}


async def _strangers_see_nothing_of_the_monitor(one: WebProcess) -> None:
    """Neither on the listener for them, nor by a domain of a status page (that there is not)."""
    paths = ("/", "/targets", "/api/v1/targets", "/login", "/healthz", "/metrics", "/static/x/x")
    own = {"Host": "status.example.org"}
    async with httpx.AsyncClient() as asking:
        for path in paths:
            assert (
                await asking.get(f"http://127.0.0.1:{one.public_port}{path}")
            ).text == "not found"
            answer = await asking.get(f"http://127.0.0.1:{one.port}{path}", headers=own)
            assert (answer.status_code, answer.text) == (404, "not found\n")


async def _killed_in_the_middle(
    settings: Settings, a: WebProcess, b: WebProcess, page: Page
) -> WebProcess:
    """Publishes all; half-way the process that everybody watches is killed. Gives the other one."""

    async def watched() -> bool:
        return await a.viewers() + await b.viewers() == 2

    await rig.until(watched, "both to watch")
    first, other = (a, b) if await a.viewers() else (b, a)
    assert await other.viewers() == 0
    for number, name in enumerate(NAMES):
        await rig.publish(settings, rig.incident_event(name))
        if number == len(NAMES) // 2:
            await page.wait_for_function("() => live.incidents.length > 0")
            await first.end(signal.SIGKILL)
    return other


async def _shows_each_once(page: Page) -> None:
    """Somebody who reads asks for what is new."""
    await expect(page.locator("#fresh button")).to_have_text(f"{len(NAMES)} new, show")
    await page.keyboard.press("r")
    names = page.locator("[data-list=causes] a.name")
    await expect(names).to_have_count(len(NAMES) + 1)
    shown = await names.all_inner_texts()
    assert len(set(shown)) == len(NAMES) + 1, shown
    await expect(page.locator("tr.gone")).to_have_count(0)
