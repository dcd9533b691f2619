"""Two web processes behind a balancer, and what they say when Kafka or ClickHouse is away."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundation import kafka
from foundation.lifecycle import cancelled
from foundation.settings import Settings
from portquorum.embedded.kafka.main import EmbeddedKafka
from tests.integration.portquorum.web.balanced import Balancer, Viewer, WebProcess, web
from tests.integration.sinks.notifier import rig


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), "127.0.0.1:0") as service:
        yield service


def settings_for(broker: EmbeddedKafka) -> Settings:
    return Settings(
        kafka=broker.bootstrap_servers,
        clickhouse="http://127.0.0.1:1/nobody",
        topic_prefix=f"web-{uuid.uuid4().hex[:12]}",
        partitions=4,
    )


def is_read(overview: dict[str, dict[str, str]]) -> bool:
    return overview["freshness"]["blind_because"] != "starting"


@asynccontextmanager
async def watching(viewer: Viewer) -> AsyncIterator[None]:
    task = asyncio.create_task(viewer.watch())
    try:
        yield
    finally:
        await cancelled(task)


async def test_a_killed_process_is_noticed_by_a_reconnect_alone(
    broker: EmbeddedKafka, tmp_path: Path
) -> None:
    settings = settings_for(broker)
    await kafka.create_topics(settings)
    await rig.publish(settings, rig.incident_event("before"))
    async with web(settings, tmp_path / "a.log") as a, web(settings, tmp_path / "b.log") as b:
        for one in (a, b):
            await one.until("/api/v1/overview", is_read, "the topics to be read")
        fresh = (await a.get("/api/v1/overview"))["freshness"]
        assert fresh["position"] == (await b.get("/api/v1/overview"))["freshness"]["position"]
        async with Balancer([a.port, b.port]).running() as balancer:
            viewer = Viewer(balancer.port, fresh["position"])
            async with watching(viewer):
                await rig.until(lambda: viewer.connections == 1, "the first connection")
                names = [f"db{number}" for number in range(30)]
                for number, name in enumerate(names):
                    await rig.publish(settings, rig.incident_event(name))
                    if number == 10:
                        await a.end(signal.SIGKILL)
                await rig.until(lambda: viewer.incidents() >= set(names), "every incident")
            assert viewer.connections >= 2
            assert "reload" not in {kind for kind, _ in viewer.seen}
            listed = await b.get("/api/v1/incidents?limit=1000")
            assert {row["target"] for row in listed["rows"]} == {*names, "before"}


async def test_it_says_what_it_does_not_know_and_since_when(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path / "kafka", "127.0.0.1:0") as broker:
        settings = settings_for(broker)
        await kafka.create_topics(settings)
        await rig.publish(settings, rig.incident_event("db1"))
        async with web(settings, tmp_path / "a.log") as a:
            await a.until("/api/v1/overview", is_read, "the topics to be read")
            fresh = await _history_is_away(a)
            assert fresh["history_away_since"] is not None
            broker.kill()
            lost = await a.until(
                "/api/v1/overview",
                lambda found: found["freshness"]["blind_because"] == "kafka_away",
                "Kafka to be missed",
            )
            assert lost["freshness"]["blind_since"] <= lost["freshness"]["now"]
            # What was known is shown on, as it was.
            assert [row["target"] for row in (await a.get("/api/v1/incidents"))["rows"]] == ["db1"]
            assert await a.end() == 0


async def _history_is_away(one: WebProcess) -> dict[str, object]:
    found = await one.until(
        "/api/v1/overview",
        lambda found: found["freshness"]["history_away_since"] is not None,
        "ClickHouse to be missed",
    )
    fresh: dict[str, object] = found["freshness"]
    return fresh
