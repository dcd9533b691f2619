"""A part of the monitor stands still: the page says what it does not know, and since when.

Kafka and ClickHouse that are away: tests/integration/portquorum/web.
"""

import contextlib
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil
import pytest

from tests.system.program import Program, eventually

pytestmark = pytest.mark.timeout(900)

UP = ("up", "--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")


class Page:
    """The page of an `up`."""

    def __init__(self, up: Program) -> None:
        self._up = up
        address = up.until(lambda _: True, "the address")["detail"]
        self._place = urlsplit(address).netloc

    def get(self, path: str) -> Any:
        """What the API answers."""
        url = f"http://{self._place}/api/v1/{path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return msgspec.json.decode(answer.read())

    def html(self, path: str) -> str:
        """A page as people get it."""
        with urllib.request.urlopen(f"http://{self._place}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    @property
    def fresh(self) -> dict[str, Any]:
        """How old the data are."""
        found: dict[str, Any] = self.get("overview")["freshness"]
        return found

    def processes(self, role: str) -> list[psutil.Process]:
        """The process of a role, and all below it."""
        started = [r for r in self._up.records if r["role"] == role and r["event"] == "started"]
        whole = psutil.Process(int(started[-1]["pid"]))
        return [*whole.children(recursive=True), whole]

    @contextlib.contextmanager
    def standing_still(self, role: str) -> Iterator[int]:
        """A role does nothing; gives the time (UTC ms) of its stop."""
        stopped = self.processes(role)
        at = time.time_ns() // 1_000_000
        for process in stopped:
            process.suspend()
        try:
            yield at
        finally:
            for process in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    home: Path = tmp_path_factory.mktemp("up")
    with Program(home, *UP) as up:
        shown = Page(up)
        up.event("up", "portquorum is up")
        eventually(
            lambda: (
                shown.fresh["blind_since"] is None
                and shown.get("overview")["counts"]["up"] == 2
                and shown.fresh["regions_reporting"] == 1
            ),
            "a calm page",
        )
        yield shown


def test_the_stream_stands_still(page: Page) -> None:
    with page.standing_still("stream") as at:
        eventually(lambda: page.fresh["blind_because"] == "stream_stopped", "a blind page")
        assert abs(page.fresh["blind_since"] - at) < 30_000
        assert "blind" in page.html("/").lower()
    eventually(lambda: page.fresh["blind_since"] is None, "it to see again")


def test_the_only_region_stands_still(page: Page) -> None:
    with page.standing_still("probe local") as at:
        eventually(lambda: page.fresh["regions_reporting"] == 0, "the region to be missed")
        eventually(lambda: page.get("regions")["regions"][0]["state"] == "silent", "its state")
        (region,) = page.get("regions")["regions"]
        assert abs(region["last_beat_at"] - at) < 30_000
        # Its targets are unwatched after 5 min (rule 12); until then it is the region that is told.
        causes = page.get("overview")["causes"]
        assert [(one["cause"], one["title"]) for one in causes] == [("region", "local")]
    eventually(lambda: page.fresh["regions_reporting"] == 1, "it to be heard again")
