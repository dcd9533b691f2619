"""A silence in Debian's Alertmanager on an alert of ours is an acknowledgement."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from foundation.settings import Settings
from schemas.policy import Route
from sinks.notifier.links.by_alertmanager import silenced
from sinks.notifier.links.fetching import FetchError, fetch
from sinks.notifier.links.polls import AcknowledgementPolls
from sinks.notifier.notifier import Notifier
from tests.integration.sinks.notifier.links.rig import acknowledgements
from tests.integration.sinks.notifier.rig import (
    incident_event,
    notifier,
    publish,
    publish_policy,
    until,
)
from tests.receivers.alertmanager import Alertmanager, running_alertmanager
from tests.receivers.http_receiver import HttpReceiver, Reply, Request


@asynccontextmanager
async def polling(settings: Settings, running: Notifier) -> AsyncIterator[None]:
    polls = AcknowledgementPolls(settings, lambda: running, lambda: running.active, every_s=0.2)
    task = asyncio.create_task(polls.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def silence(manager: Alertmanager, target: str, by: str) -> None:
    now = datetime.now(UTC)
    made = {
        "matchers": [{"name": "target", "value": target, "isRegex": False, "isEqual": True}],
        "startsAt": (now - timedelta(seconds=1)).isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": by,
        "comment": "the disk is replaced",
    }
    answer = requests.post(f"http://{manager.address}/api/v2/silences", json=made, timeout=30)
    assert answer.status_code == 200, answer.text


async def test_who_silences_an_alert_has_it_in_hand(settings: Settings, tmp_path: Path) -> None:
    with running_alertmanager(tmp_path, resolve_timeout_s=60) as manager:
        url = f"alertmanager+http://{manager.address}"
        await publish_policy(settings, Route(name="ops", urls=(url,)))
        async with notifier(settings) as running, polling(settings, running):
            await until(lambda: running.active, "it is active")
            await publish(settings, incident_event("db"), incident_event("web"))
            await until(lambda: len(manager.alerts()) == 2, "both are there")
            await asyncio.to_thread(silence, manager, "db", "ann\n@everyone")

            async def written() -> bool:
                return bool(await acknowledgements(settings))

            await until(written, "the acknowledgement is there")
            ((_, word),) = await acknowledgements(settings)
            assert word.target == "db"
            assert word.incident_id == incident_event("db").incident_id
            assert word.by == "alertmanager: ann @everyone"
            assert word.note == "the disk is replaced"
            # As the stream answers: nobody asks any more, and nothing is written twice.
            await publish(settings, incident_event("db", "updated", acknowledged_by=word.by))
            await asyncio.to_thread(silence, manager, "web", "tom")

            async def both() -> bool:
                return len(await acknowledgements(settings)) >= 2

            await until(both, "the other one is there")
            names = [word.by for _, word in await acknowledgements(settings)]
            assert names == ["alertmanager: ann @everyone", "alertmanager: tom"]


async def test_one_that_stands_by_asks_nobody(settings: Settings, tmp_path: Path) -> None:
    with running_alertmanager(tmp_path, resolve_timeout_s=60) as manager:
        url = f"alertmanager+http://{manager.address}"
        await publish_policy(settings, Route(name="ops", urls=(url,)))
        async with notifier(settings) as active:
            await until(lambda: active.active, "it is active")
            await publish(settings, incident_event("db"))
            await until(lambda: len(manager.alerts()) == 1, "it is there")
            await asyncio.to_thread(silence, manager, "db", "ann")
            looked = 0

            def standing_by() -> bool:
                nonlocal looked
                looked += 1
                return False

            polls = AcknowledgementPolls(settings, lambda: active, standing_by, every_s=0.05)
            task = asyncio.create_task(polls.run())
            await until(lambda: looked > 10, "it has looked")
            task.cancel()
            await asyncio.wait({task})
            assert await acknowledgements(settings) == []


class Strange(HttpReceiver):
    """An Alertmanager that says what it likes."""

    alerts: object = []
    silence: object = {}

    def judge(self, request: Request) -> Reply:
        said = self.alerts if request.path.endswith("/api/v2/alerts") else self.silence
        return Reply(body={"wrong": 1}) if said is None else Reply(body=_json(said))


def _json(said: object) -> str:
    return said if isinstance(said, str) else json.dumps(said)


def alert(key: object = "i1/1", by: object = ("a-1",)) -> dict[str, object]:
    return {"annotations": {"key": key}, "status": {"silencedBy": by}, "labels": {}}


@pytest.mark.parametrize(
    ("alerts", "made"),
    [
        ([], {}),
        ([alert(key="i2/1")], {"createdBy": "ann"}),
        ([alert(key=5)], {"createdBy": "ann"}),
        ([alert(by=())], {"createdBy": "ann"}),
        ([alert(by=["../../../-/quit", "a?b", "x" * 100])], {"createdBy": "ann"}),
        ([alert(by="abc")], {"createdBy": "ann"}),
        ([None, 5, "x", [], {}], {"createdBy": "ann"}),
        ([alert()], {"createdBy": ["ann"]}),
        ([alert()], "{"),
    ],
)
def test_strange_answers_acknowledge_nothing(alerts: object, made: object) -> None:
    with Strange() as server:
        server.alerts, server.silence = alerts, made
        url = f"alertmanager+http://127.0.0.1:{server.port}"
        assert silenced(url, {"i1/1"}, fetch) == {}
        assert all(one.request.path.startswith("/api/v2/") for one in server.arrivals)


@pytest.mark.parametrize("alerts", [None, "<html>", "[" * 100_000, '{"a": 1}', ""])
def test_what_is_no_answer_of_an_alertmanager_is_an_error(alerts: object) -> None:
    with Strange() as server:
        server.alerts = alerts
        with pytest.raises(FetchError):
            silenced(f"alertmanager+http://127.0.0.1:{server.port}", {"i1/1"}, fetch)


def test_it_asks_as_the_url_of_the_channel_says() -> None:
    with Strange() as server:
        url = f"alertmanager+http://u:p@127.0.0.1:{server.port}/prefix/?x=1&rto=5"
        server.alerts = "[]"
        assert silenced(url, {"i1/1"}, fetch) == {}
        (asked,) = server.arrivals
        assert asked.request.path == "/prefix/api/v2/alerts"
        assert asked.request.query["x"] == "1"
        assert "rto" not in asked.request.query
        assert asked.request.headers["authorization"].startswith("Basic ")
