"""An alert of ours that somebody acknowledges in Opsgenie."""

import asyncio
import json

import pytest

from foundation.settings import Settings
from schemas.policy import Route
from sinks.notifier.links.by_opsgenie import acknowledged
from sinks.notifier.links.fetching import FetchError, fetch
from tests.integration.sinks.notifier.links.rig import acknowledgements
from tests.integration.sinks.notifier.links.test_by_alertmanager import polling
from tests.integration.sinks.notifier.rig import (
    incident_event,
    notifier,
    publish,
    publish_policy,
    until,
)
from tests.receivers.http_receiver import HttpReceiver, Reply, Request
from tests.receivers.opsgenie import Opsgenie

API_KEY = "0123abcd-0123-abcd-0123-0123456789ab"


async def test_who_acknowledges_there_has_it_in_hand(settings: Settings) -> None:
    with Opsgenie() as there:
        url = f"opsgenie://{API_KEY}/#ops?endpoint=http://127.0.0.1:{there.port}"
        await publish_policy(settings, Route(name="ops", urls=(url,)))
        async with notifier(settings) as running, polling(settings, running):
            await until(lambda: running.active, "it is active")
            await publish(settings, incident_event("db"), incident_event("web"))
            key = f"{incident_event('db').incident_id}/1"
            await until(lambda: len(there.alerts) == 2, "both are there")
            await until(lambda: asked(there) > 0, "it asks")
            assert await acknowledgements(settings) == []
            found = there.open(key)
            assert found is not None
            found.state = "acknowledged"

            async def written() -> bool:
                return bool(await acknowledgements(settings))

            await until(written, "the acknowledgement is there")
            before = asked(there)
            await until(lambda: asked(there) > before + 1, "it has asked again")
            ((_, word),) = await acknowledgements(settings)
            assert (word.target, word.by) == ("db", "opsgenie: zafer@example.com")
            # When nothing is left, nobody asks.
            closings = [incident_event(name, "closed") for name in ("db", "web")]
            await publish(settings, *closings)
            await until(lambda: {one.state for one in there.alerts} == {"closed"}, "they are over")


def asked(there: Opsgenie) -> int:
    return sum(one.request.method == "GET" for one in there.arrivals)


class StrangeList(HttpReceiver):
    """An Opsgenie that says what it likes."""

    said: str = ""

    def judge(self, request: Request) -> Reply:  # noqa: ARG002 - whatever is asked
        return Reply(body=self.said)


def alert(**fields: object) -> dict[str, object]:
    return {"alias": "i1/1", "acknowledged": True, "status": "open"} | fields


def answer(said: str) -> dict[str, str]:
    with StrangeList() as server:
        server.said = said
        url = f"opsgenie://{API_KEY}?endpoint=http://127.0.0.1:{server.port}"
        return {key: word.by for key, word in acknowledged(url, ["i1/1"], fetch).items()}


@pytest.mark.parametrize(
    "alerts",
    [
        [],
        [alert(alias="another tool's")],
        [alert(alias=["i1/1"])],
        [alert(acknowledged=False)],
        [alert(acknowledged="yes")],
        [alert(status="closed")],
        [None, 5, "x", [], {}],
        [alert(report={"acknowledgedBy": {}})],
        [alert(owner="x" * 20_000)],
    ],
)
def test_strange_alerts_acknowledge_nothing(alerts: object) -> None:
    assert answer(json.dumps({"data": alerts})) == {}


def test_beside_strange_alerts_the_others_count() -> None:
    alerts = [None, alert(report={"acknowledgedBy": "ann", "ackTime": -1}, unknown=[{}])]
    assert answer(json.dumps({"data": alerts})) == {"i1/1": "ann"}
    assert answer(json.dumps({"data": [alert(owner="tom", report=None)]})) == {"i1/1": "tom"}


@pytest.mark.parametrize("said", ["", "<html>", "[]", '{"data": 5}', "{}", "[" * 100_000])
def test_what_is_no_list_is_an_error(said: str) -> None:
    with pytest.raises(FetchError):
        answer(said)


async def test_a_redirect_is_not_followed() -> None:
    class Elsewhere(HttpReceiver):
        def judge(self, request: Request) -> Reply:
            there = {"Location": "/elsewhere"} if request.path != "/elsewhere" else {}
            return Reply(status=302 if there else 200, headers=there, body='{"data": []}')

    with Elsewhere() as server:
        url = f"opsgenie://{API_KEY}?endpoint=http://127.0.0.1:{server.port}"
        with pytest.raises(FetchError, match="302"):
            await asyncio.to_thread(acknowledged, url, ["i1/1"], fetch)
        assert [one.request.path for one in server.arrivals] == ["/v2/alerts"]
