"""A part of the monitor stands still or is gone: the page says what it does not know, since when.

One page is open in Chromium all the time; it comes back by itself.
"""

import contextlib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser import browser
from tests.system.program import DEADLINE_S, Program, eventually

pytestmark = pytest.mark.timeout(900)
expect.set_options(timeout=DEADLINE_S * 1_000)

UP = ("up", "--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
INVENTORY = """
regions: {{local: {{internal: true}}}}
defaults: {{interval: 5s, timeout: 1s, retries: 1, retry_delay: 1s}}
targets:
  - {{name: Listens, host: 127.0.0.1, port: {port}}}
  - {{name: Nobody here, host: 127.0.0.1, port: 1}}
"""
# How red the tint of the outage and of its count is: red minus green, 0 to 255.
RED = """() => ["main tr.wrong", "#counts [data-state=down]"].map((one) => {
  const [r, g] = getComputedStyle(document.querySelector(one)).backgroundColor
    .match(/[\\d.]+/g).map(Number)
  return r - g
})"""


class Monitor:
    """An `up`, asked by its API, and its page in a browser."""

    def __init__(self, up: Program, page: Page, screenshots: Path) -> None:
        self._up = up
        self.page = page
        self._screenshots = screenshots
        address = up.until(lambda _: True, "the address")["detail"]
        self.place = urlsplit(address).netloc

    def get(self, path: str) -> Any:
        """What the API answers."""
        url = f"http://{self.place}/api/v1/{path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return msgspec.json.decode(answer.read())

    @property
    def fresh(self) -> dict[str, Any]:
        """How old the data are."""
        found: dict[str, Any] = self.get("overview")["freshness"]
        return found

    def picture(self, name: str) -> None:
        """Keeps the page as it is: on a laptop, and on a phone in the dark."""
        self.page.screenshot(path=self._screenshots / f"fault-{name}.png")
        self.page.set_viewport_size({"width": 390, "height": 844})
        self.page.emulate_media(color_scheme="dark")
        self.page.screenshot(path=self._screenshots / f"fault-{name}-phone-dark.png")
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 1280, "height": 900})

    def processes(self, role: str) -> list[psutil.Process]:
        """The process of a role, and all below it."""
        started = [r for r in self._up.records if r["role"] == role and r["event"] == "started"]
        whole = psutil.Process(int(started[-1]["pid"]))
        return [*whole.children(recursive=True), whole]

    @contextlib.contextmanager
    def standing_still(self, role: str) -> Iterator[int]:
        """A role does nothing; gives the time (UTC ms) of its stop."""
        with still(self.processes(role)) as at:
            yield at

    @contextlib.contextmanager
    def gone(self, role: str) -> Iterator[int]:
        """A role is killed, and started again at the end; gives the time (UTC ms) of its end."""
        with still([psutil.Process(self._up.process.pid)]) as at:
            for process in self.processes(role):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            yield at


@contextlib.contextmanager
def still(processes: list[psutil.Process]) -> Iterator[int]:
    at = time.time_ns() // 1_000_000
    for process in processes:
        process.suspend()
    try:
        yield at
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory, screenshots: Path) -> Iterator[Monitor]:
    home: Path = tmp_path_factory.mktemp("up")
    with (
        socket.create_server(("127.0.0.1", 0), backlog=1024) as listener,
        contextlib.ExitStack() as on,
    ):
        inventory = home / "inventory.yaml"
        inventory.write_text(INVENTORY.format(port=listener.getsockname()[1]))
        env = {"PORTQUORUM_CHECKPOINT_INTERVAL_S": "3"}
        up = on.enter_context(Program(home, *UP, "-i", str(inventory), **env))
        page = on.enter_context(browser.chromium()).new_page(
            viewport={"width": 1280, "height": 900}
        )
        page.set_default_timeout(DEADLINE_S * 1_000)
        made = Monitor(up, page, screenshots)
        up.event("up", "portquorum is up")
        eventually(lambda: knows_its_users(made), "a page that knows who may come in")
        page.goto(f"http://{made.place}/")
        page.evaluate("() => { window.isTheSamePage = true }")
        eventually(lambda: sees_all(made), "a page that sees")
        yield made


def knows_its_users(monitor: Monitor) -> bool:
    """Before that the page loads itself anew (503)."""
    try:
        monitor.get("overview")
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return False
    return True


def sees_all(monitor: Monitor) -> bool:
    found = monitor.get("overview")
    fresh, counts = found["freshness"], found["counts"]
    return (
        fresh["blind_since"] is None
        and fresh["history_away_since"] is None
        and fresh["regions_reporting"] == 1
        and counts["down"] == 1
    )


@pytest.fixture(autouse=True)
def comes_back(monitor: Monitor) -> Iterator[None]:
    """Before and after each fault the page is red and sees, without having been loaded anew."""
    expect_sight(monitor)
    yield
    eventually(lambda: sees_all(monitor), "all to be as before")
    expect_sight(monitor)
    assert monitor.page.evaluate("() => window.isTheSamePage")


def expect_sight(monitor: Monitor) -> None:
    page = monitor.page
    expect(page.locator("html.blind")).to_have_count(0)
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#health")).to_contain_text("1 of 1 regions report")
    expect(page.locator("#health")).not_to_contain_text("history is not available")
    expect(page.locator("main tr.wrong a.name")).to_have_text("Nobody here")
    expect(page).to_have_title("(1) Overview – portquorum")
    assert min(page.evaluate(RED)) > 10


def expect_blindness(monitor: Monitor, words: str, at: int) -> None:
    """The page says since when and why; what was red is not."""
    page = monitor.page
    expect(page.locator("#blindly")).to_contain_text(words)
    assert page.locator("#blindly").get_by_text("Not known since").count() == 1
    expect(page).to_have_title("(not known) Overview – portquorum")
    expect(page.locator("main tr.wrong a.name")).to_have_text("Nobody here")  # as it was then
    assert max(page.evaluate(RED)) <= 10
    fresh = monitor.fresh
    assert at - DEADLINE_S * 1_000 < fresh["blind_since"] <= fresh["now"]


def test_the_stream_stands_still(monitor: Monitor) -> None:
    monitor.picture("none")
    with monitor.standing_still("stream") as at:
        expect_blindness(monitor, "the stream judges no results", at)
        assert monitor.fresh["blind_because"] == "stream_stopped"
        monitor.picture("stream-stopped")


def test_the_only_region_stands_still_and_clickhouse_is_gone(monitor: Monitor) -> None:
    """Neither makes the page blind: what is known is red, what is not is said beside it."""
    page = monitor.page
    with monitor.standing_still("probe local") as at, monitor.gone("clickhouse"):
        expect(page.locator("#health")).to_contain_text("0 of 1 regions report")
        # Its targets are unwatched after 5 min (rule 12); until then it is the region that is told.
        page.keyboard.press("r")
        expect(page.get_by_role("link", name="local").first).to_be_visible()
        (region,) = monitor.get("regions")["regions"]
        assert region["state"] == "silent"
        assert at - DEADLINE_S * 1_000 < region["last_beat_at"]
        monitor.picture("region-silent")
        expect(page.locator("#health")).to_contain_text("history is not available since")
        assert min(page.evaluate(RED)) > 10
        monitor.picture("clickhouse-away")
        assert monitor.fresh["blind_since"] is None
    expect(page.locator("main .gone")).not_to_have_count(0)
    page.keyboard.press("r")


def test_kafka_is_gone(monitor: Monitor) -> None:
    with monitor.gone("kafka") as at:
        expect_blindness(monitor, "Kafka does not answer", at)
        assert monitor.fresh["blind_because"] == "kafka_away"
        monitor.picture("kafka-away")
