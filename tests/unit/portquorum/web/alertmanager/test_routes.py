"""The routes over a fleet in memory: each answer is one of Alertmanager's document."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from portquorum.web.fleet import Fleet
from tests.unit.portquorum.web.alertmanager.story_page import alertmanager_of, expect_valid
from tests.unit.portquorum.web.fleet.fleet_story import FleetStory, target

HOUR = 3_600_000
DB = target("db-1", team="db", runbook="https://wiki.example.com/db")
WEB = target("web-1", tags=("prod", "edge"))
QUIET = target("calm")


def written(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).isoformat()


@pytest.fixture
def story() -> FleetStory:
    made = FleetStory(DB, WEB, QUIET)
    made.open(DB, runbook=DB.runbook, first_steps=("Look at the disk.", "Call Ann."))
    made.open(WEB, "slow")
    made.open(QUIET, acknowledged_by="ann")
    made.silence("7f3a", begins=made.now - HOUR, ends=made.now + HOUR, tags=("edge",))
    made.maintain("patch", "calm", begins=made.now - HOUR, lasts=2 * HOUR)
    made.later(1)
    return made


async def asked(client: httpx.AsyncClient, path: str, *filters: str, **query: Any) -> Any:
    answer = await client.get(path, params=[*(("filter", one) for one in filters), *query.items()])
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_open_incidents_are_alerts(story: FleetStory) -> None:
    async with alertmanager_of(story, "viewer") as client:
        found = await asked(client, "/alerts")
        expect_valid(found, "gettableAlerts")
        (db,) = [one for one in found if one["labels"]["target"] == "db-1"]
        assert db["labels"] == {
            "alertname": "PortUnreachable",
            "incident_type": "unreachable",
            "severity": "warning",
            "target": "db-1",
            "name": "Name of db-1",
            "kind": "tcp",
            "host": "db-1.example.com",
            "port": "443",
            "team": "db",
            "tags": "prod",
            "criticality": "normal",
        }
        assert db["annotations"]["first_steps"] == "Look at the disk.\nCall Ann."
        assert db["annotations"]["runbook"] == "https://wiki.example.com/db"
        assert db["generatorURL"].startswith("http://127.0.0.1:9480/incidents/db-1-unreachable")
        assert db["status"] == {
            "state": "active",
            "silencedBy": [],
            "inhibitedBy": [],
            "mutedBy": [],
        }
        others = {one["labels"]["target"]: one["status"] for one in found if one is not db}
        assert others["web-1"]["silencedBy"] == ["7f3a"]
        assert others["calm"]["mutedBy"] == ["maintenance patch", "acknowledged by ann"]
        assert {one["state"] for one in others.values()} == {"suppressed"}

        groups = await asked(client, "/alerts/groups")
        expect_valid(groups, "alertGroups")
        assert [len(one["alerts"]) for one in groups] == [1, 2]
        assert len(await asked(client, "/alerts/groups", muted="false")) == 1


async def test_filters(story: FleetStory) -> None:
    async with alertmanager_of(story, "viewer") as client:

        async def names(*filters: str, **query: str) -> set[str]:
            found = await asked(client, "/alerts", *filters, **query)
            return {one["labels"]["target"] for one in found}

        assert await names('team="db"') == {"db-1"}
        assert await names("tag=edge", "severity=~.+") == {"web-1"}
        assert await names('team!~"d."') == {"web-1", "calm"}
        assert await names(silenced="false") == {"db-1", "calm"}
        assert await names(active="false") == {"web-1", "calm"}
        assert await names(receiver="port.*", inhibited="false") == {"db-1", "web-1", "calm"}
        assert await names(receiver="web") == set()
        for wrong in ("team", 'team=~"("'):
            answer = await client.get("/alerts", params={"filter": wrong})
            assert answer.status_code == 400
            assert isinstance(answer.json(), str)


async def test_a_fingerprint_stays_as_long_as_the_incident(story: FleetStory) -> None:
    async with alertmanager_of(story, "viewer") as client:
        event = next(one.event for one in story.fleet.open_incidents() if one.event.team == "db")
        before = await asked(client, "/alerts", "team=db")
        event = story.follow(event, "updated", severity="critical", acknowledged_by="bob")
        after = await asked(client, "/alerts", "team=db")
        assert after[0]["fingerprint"] == before[0]["fingerprint"]
        assert after[0]["annotations"]["acknowledged_by"] == "bob"
        story.follow(event, "closed")
        assert await asked(client, "/alerts", "team=db") == []


def posted(story: FleetStory, *matchers: str, **changed: Any) -> dict[str, Any]:
    pairs = (one.partition("=") for one in matchers)
    return {
        "matchers": [
            {"name": name, "value": value.lstrip("~"), "isRegex": value.startswith("~")}
            for name, _, value in pairs
        ],
        "startsAt": written(story.now - 1_000),
        "endsAt": written(story.now + HOUR),
        "createdBy": "somebody else",
        "comment": "disk",
        **changed,
    }


async def test_a_silence_is_made_shown_changed_and_ended(story: FleetStory) -> None:
    async with alertmanager_of(story) as client:
        body = posted(story, "team=~db|w.*", "severity=warning")
        made = (await client.post("/silences", json=body)).json()["silenceID"]
        one = await asked(client, f"/silence/{made}")
        expect_valid(one, "gettableSilence")
        assert one["matchers"] == [
            {"name": "team", "value": "db|w.*", "isRegex": True, "isEqual": True},
            {"name": "severity", "value": "warning", "isRegex": False, "isEqual": True},
        ]
        assert (one["createdBy"], one["comment"], one["status"]["state"]) == (
            "olga",
            "disk",
            "active",
        )
        assert (await asked(client, "/alerts", "team=db"))[0]["status"]["silencedBy"] == [made]

        longer = body | {"id": made, "endsAt": written(story.now + 2 * HOUR)}
        other = (await client.post("/silences", json=longer)).json()["silenceID"]
        assert other != made
        found = await asked(client, "/silences", "severity=warning")
        expect_valid(found, "gettableSilences")
        assert [(one["id"], one["status"]["state"]) for one in found] == [
            (other, "active"),
            (made, "expired"),
        ]
        for _ in range(2):
            assert (await client.delete(f"/silence/{other}")).status_code == 200
        assert await asked(client, "/silences", "severity=warning", expired="false") == []
        assert (await client.get("/silence/none")).status_code == 404
        assert (await client.delete("/silence/none")).status_code == 404
        assert (await client.post("/silences", json=body | {"id": "none"})).status_code == 404


@pytest.mark.parametrize(
    ("matchers", "changed"),
    [
        (["team=db"], {"annotations": {"a": "b"}}),
        (["team=db"], {"comment": None}),
        (["team=db"], {"endsAt": "tomorrow"}),
        (["team=db"], {"startsAt": "2026-11-30T18:00:00"}),
        (["team=db"], {"else": 1}),
        ([], {}),
        (["alertname=PortUnreachable"], {}),
    ],
)
async def test_what_is_no_silence_is_refused(
    story: FleetStory, matchers: list[str], changed: dict[str, Any]
) -> None:
    async with alertmanager_of(story) as client:
        answer = await client.post("/silences", json=posted(story, *matchers, **changed))
        assert answer.status_code == 400
        assert isinstance(answer.json(), str)
        assert len(await asked(client, "/silences")) == 1


async def test_a_viewer_reads_only_and_hears_it_as_a_text(story: FleetStory) -> None:
    async with alertmanager_of(story, "viewer") as client:
        answer = await client.post("/silences", json=posted(story, "team=db"))
        assert (answer.status_code, answer.json()) == (
            403,
            "expected the scope operator, found viewer",
        )
        assert (await client.delete("/silence/7f3a")).status_code == 403


async def test_status_and_receivers(story: FleetStory) -> None:
    async with alertmanager_of(story, "viewer") as client:
        expect_valid(await asked(client, "/status"), "alertmanagerStatus")
        assert await asked(client, "/receivers") == [{"name": "portquorum"}]
        assert await asked(client, "/receivers", receiver_matchers="owner=x") == []


async def test_a_blind_page_has_an_alert_of_its_own(story: FleetStory) -> None:
    story.fleet.heard(story.now, stream_at=None, log_at=None)
    async with alertmanager_of(story, "viewer") as client:
        story.fleet.tick(story.now + HOUR)
        story.fleet.heard(story.now + HOUR, stream_at=story.now, log_at=story.now)
        found = await asked(client, "/alerts", "alertname=PortquorumBlind")
        expect_valid(found, "gettableAlerts")
        assert found[0]["labels"]["severity"] == "critical"
        assert len(await asked(client, "/alerts")) == 4


async def test_what_was_never_read_is_no_empty_list() -> None:
    story = FleetStory()
    story.fleet = Fleet()
    async with alertmanager_of(story, "viewer") as client:
        for path in ("/alerts", "/alerts/groups", "/silences"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert isinstance(answer.json(), str)
