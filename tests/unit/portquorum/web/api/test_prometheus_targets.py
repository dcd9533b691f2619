"""Targets as Prometheus's service discovery takes them, over a fleet in memory."""

import asyncio
from typing import Any

import httpx

from foundation.http_origin import Served
from portquorum.web.app import create_app
from portquorum.web.fleet import Fleet
from portquorum.web.parts import Parts
from tests.unit.portquorum.web.fakes import FakeHistory, FakeHub
from tests.unit.portquorum.web.fleet.fleet_story import FleetStory, target


async def asked(fleet: Fleet, query: str = "", **headers: str) -> httpx.Response:
    app: Any = create_app(
        Parts(fleet, FakeHub(), FakeHistory(), asyncio.Event()), Served("127.0.0.1")
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get(f"/api/v1/prometheus/targets{query}", headers=headers)


async def addresses(fleet: Fleet, query: str = "") -> list[str]:
    answer = await asked(fleet, query)
    assert answer.status_code == 200, answer.text
    return [one for group in answer.json() for one in group["targets"]]


async def test_each_target_has_its_address_and_labels() -> None:
    story = FleetStory(
        target("db-1", team=None, tags=("prod", "db"), host="2001:db8::1", port=5432),
        target("gateway", kind="icmp", port=None, tags=()),
        target("backup", kind="heartbeat", host=None, port=None),
    )
    answer = await asked(story.fleet)
    assert answer.headers["content-type"] == "application/json"
    db, gateway = answer.json()
    assert db == {
        "targets": ["[2001:db8::1]:5432"],
        "labels": {
            "__meta_portquorum_id": "db-1",
            "__meta_portquorum_name": "Name of db-1",
            "__meta_portquorum_kind": "tcp",
            "__meta_portquorum_host": "2001:db8::1",
            "__meta_portquorum_port": "5432",
            "__meta_portquorum_team": "",
            "__meta_portquorum_criticality": "normal",
            "__meta_portquorum_tags": ",prod,db,",
            "__meta_portquorum_regions": ",ams,fra,nyc,",
            "__meta_portquorum_source": "fleet.yaml",
            "__meta_portquorum_expect": "open",
        },
    }
    assert gateway["targets"] == ["gateway.example.com"]
    assert gateway["labels"]["__meta_portquorum_tags"] == ""
    again = await asked(story.fleet, **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_filters_and_paused_targets() -> None:
    db, web = target("db", team="db"), target("web", tags=("edge",))
    story = FleetStory(db, web, target("off", enabled=False))
    story.pause(db)
    story.later(1)
    assert await addresses(story.fleet) == ["web.example.com:443"]
    assert await addresses(story.fleet, "?tag=edge&team=web") == ["web.example.com:443"]
    assert await addresses(story.fleet, "?team=none") == []
    assert len(await addresses(story.fleet, "?state=paused")) == 2
    assert (await asked(story.fleet, "?teem=web")).status_code == 400


async def test_the_list_is_whole() -> None:
    many = [target(f"host-{number:04}") for number in range(2_100)]
    assert len(set(await addresses(FleetStory(*many).fleet))) == len(many)


async def test_a_page_that_has_read_nothing_does_not_say_that_there_is_nothing() -> None:
    assert (await asked(Fleet())).status_code == 503
