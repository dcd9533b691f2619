"""Pages and API over a real history while ClickHouse is there, silent, away, and back.

What is now stays; the past is one sentence, and nobody waits for a silent ClickHouse twice.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from foundation.clickhouse import connect
from foundation.http_origin import Served
from foundation.settings import Settings
from portquorum.web.app import create_app
from portquorum.web.history import question_pool
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.pages.handlers import PAGE_ROUTES, error_page_of
from portquorum.web.parts import Parts
from sinks.clickhouse import tables
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.gate import Answer, Call, Gate, gate
from tests.integration.sinks.clickhouse.past import DAY, MINUTE, TODAY, Past
from tests.unit.portquorum.web.fakes import FakeFleet, FakeHub

TARGET = "/targets/db-0?window=7d"
OTHER_WINDOW = "/targets/db-0?window=30d"
"""Asked for when the answer of the first one may still be kept."""
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def settings(clickhouse: str) -> Settings:
    """A past of one target: a check each ten minutes of the last two days, and an outage."""
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "web", for_file=True)
    client = connect(settings)
    past = Past(client, settings)
    past.insert(tables.TARGETS, [past.target("db-0", TODAY - 3 * DAY)])
    past.insert(
        tables.RESULTS,
        [past.result("db-0", "eu", TODAY - at * 10 * MINUTE) for at in range(2 * 144)],
    )
    past.insert(tables.INCIDENTS, past.incident("i1", "db-0", TODAY - DAY, TODAY - DAY + MINUTE))
    past.reckon()
    client.close()
    return settings


@pytest.fixture
def there(settings: Settings) -> Iterator[Gate]:
    with gate(settings.clickhouse) as found:
        yield found


@pytest_asyncio.fixture
async def pages(there: Gate, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(question_pool, "_LOOK_EVERY_S", 0.1)
    fleet, history = FakeFleet(), StoredHistory(Settings(clickhouse=there.url))
    app = create_app(
        Parts(fleet, FakeHub(), history, asyncio.Event()),
        Served("127.0.0.1"),
        routes=PAGE_ROUTES,
        error_page=error_page_of(fleet),
    )
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 40_000))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9480") as client:
        yield client
    await history.close()


async def text_of(pages: httpx.AsyncClient, path: str) -> str:
    answer = await pages.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def back(pages: httpx.AsyncClient) -> str:
    """The target's page once it has its past."""
    async with asyncio.timeout(DEADLINE_S):
        while "chart-latency" not in (text := await text_of(pages, TARGET)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return text


async def test_the_target_page_has_charts_and_their_tables(pages: httpx.AsyncClient) -> None:
    text = await text_of(pages, TARGET)
    assert text.count('class="chart chart-') == 2
    assert 'id="table-latency"' in await text_of(pages, f"{TARGET}&table=latency")
    assert "There is no history" not in text
    assert " style=" not in text
    found = (await pages.get("/api/v1/targets/db-0/history?window=7d")).json()
    assert found["trouble"] is None
    assert [one["incident_id"] for one in found["incidents"]] == ["i1"]
    assert len(found["days"]) == 90
    results = (await pages.get("/api/v1/results?target=db-0&since=7d&limit=5")).json()
    assert len(results["rows"]) == 5


async def test_away_everything_of_now_is_there_and_the_past_is_a_sentence(
    pages: httpx.AsyncClient, there: Gate
) -> None:
    there.rule = lambda _: Answer(503, {}, b"shut")
    text = await text_of(pages, TARGET)
    assert "There is no history: ClickHouse" in text
    assert "chart-latency" not in text
    assert "db.example.com" in text
    for path in ("/", "/targets", "/regions", "/maintenance", "/incidents", "/reports/uptime"):
        await text_of(pages, path)
    refused = await pages.get("/api/v1/results?target=db-0")
    assert refused.status_code == 503
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert refused.headers["retry-after"]
    assert refused.json()["since"] <= time.time() * 1000
    there.rule = lambda _: None
    assert "There is no history" not in await back(pages)


async def test_a_silent_clickhouse_is_waited_for_once(
    pages: httpx.AsyncClient, there: Gate
) -> None:
    await text_of(pages, TARGET)
    free = threading.Event()

    def silent(_: Call) -> None:
        free.wait(question_pool.PAGE_S * 10)

    there.rule = silent
    begun = time.monotonic()
    first = await text_of(pages, OTHER_WINDOW)
    assert time.monotonic() - begun < 2 * question_pool.PAGE_S + 2
    assert "There is no history" in first
    begun = time.monotonic()
    for _ in range(10):
        assert "There is no history" in await text_of(pages, OTHER_WINDOW)
    assert time.monotonic() - begun < question_pool.PAGE_S * 2
    free.set()
    there.rule = lambda _: None
    await back(pages)
