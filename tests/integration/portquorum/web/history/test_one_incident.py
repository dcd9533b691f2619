"""One incident of the history, as its events and the send log have it; regions and definitions."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from msgspec.structs import replace

from foundation.clickhouse import connect
from portquorum.web.history import incident_queries
from portquorum.web.history.questions import TargetAsked
from portquorum.web.history.shared_answers import SharedAnswers
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.history.windows import DAY_MS, HOUR_MS, named
from schemas.incident import IncidentEvent, RegionVerdict, Votes
from sinks.clickhouse import tables
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.past import TODAY, Past

BEGAN = TODAY - 5 * HOUR_MS
OPENED = IncidentEvent(
    event_id="e1",
    event="opened",
    incident_id="i1",
    incident_type="unreachable",
    severity="critical",
    target="a",
    name="A <script>",
    kind="tcp",
    host="a.example.com",
    port=443,
    team="db",
    tags=("prod",),
    criticality="critical",
    depends_on=(),
    regions={
        "eu": RegionVerdict(verdict="down", reason="timed_out", since=BEGAN),
        "us": RegionVerdict(verdict="up", since=BEGAN - DAY_MS),
    },
    votes=Votes(down=1, need=1, fresh=2, configured=2),
    first_failed_at=BEGAN,
    opened_at=BEGAN + 2_000,
    closed_at=None,
    closed_because=None,
    at=BEGAN + 2_000,
    host_targets=(),
    summary="a is down",
    first_steps=("look",),
    runbook=None,
)
EVENTS = (
    OPENED,
    replace(
        OPENED,
        event_id="e2",
        event="updated",
        at=BEGAN + 60_000,
        acknowledged_by="ann",
        acknowledged_note="on it",
        changes=("acknowledged",),
    ),
    replace(
        OPENED,
        event_id="e3",
        event="closed",
        at=BEGAN + HOUR_MS,
        closed_at=BEGAN + HOUR_MS,
        closed_because="recovered",
        acknowledged_by="ann",
        regions={
            "eu": RegionVerdict(verdict="up", since=BEGAN + HOUR_MS - 500),
            "us": RegionVerdict(verdict="up", since=BEGAN - DAY_MS),
        },
    ),
)


def row(past: Past, event: IncidentEvent, raw: str | None = None) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "event": event.event,
        "incident_id": event.incident_id,
        "incident_type": event.incident_type,
        "severity": event.severity,
        "target": event.target,
        "name": event.name,
        "first_failed_at": event.first_failed_at,
        "opened_at": event.opened_at,
        "closed_at": event.closed_at,
        "closed_because": event.closed_because or "",
        "at": event.at,
        "raw": raw or msgspec.json.encode(event).decode(),
        **past.log(event.at),
    }


def told(past: Past, event: str, channel: str, status: str, **fields: object) -> dict[str, object]:
    at = BEGAN + 5_000
    base = {
        "event_id": event,
        "incident_id": "i1",
        "event": "opened",
        "target": "a",
        "route": "ops",
        "channel": channel,
        "status": status,
        "attempt": 1,
        "at": at,
        "event_at": BEGAN + 2_000,
        "subject": "TCP Port Unreachable: A",
        **past.log(at),
    }
    return base | fields


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def history(clickhouse: str) -> AsyncIterator[StoredHistory]:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "web", for_file=True)
    client = connect(settings)
    past = Past(client, settings)
    again = EVENTS[0]
    of_tomorrow = replace(OPENED, event_id="e9", at=BEGAN + 1_000)
    past.insert(
        tables.INCIDENTS,
        [
            *(row(past, event) for event in EVENTS),
            row(past, again),
            row(past, of_tomorrow, '{"event": "something else"}'),
        ],
    )
    past.insert(
        tables.NOTIFICATIONS,
        [
            told(past, "e1", "ops/1a2b3c4d/pagerduty", "retrying", error="HTTP 500"),
            told(past, "e1", "ops/1a2b3c4d/pagerduty", "sent", attempt=2, action="trigger"),
            told(past, "e1", "", "not_sent", why="silence 7f3a by ann"),
            told(past, "e1", "ops/1a2b3c4d/pagerduty", "sent", incident_id="i2", event_id="x"),
        ],
    )
    past.insert(
        tables.REGION_EVENTS,
        [
            {"event_id": f"r{at}", "event": event, "region": region, "at": at, **past.log(at)}
            for event, region, at in (
                ("region.silent", "eu", BEGAN - 100 * DAY_MS),
                ("region.returned", "eu", BEGAN - 99 * DAY_MS),
                ("region.silent", "us", BEGAN - 98 * DAY_MS),
                ("region.suspect", "eu", BEGAN - HOUR_MS),
                ("region.cleared", "eu", BEGAN),
                ("region.silent", "elsewhere", BEGAN),
            )
        ],
    )
    past.insert(
        tables.TARGETS,
        [
            past.target("a", BEGAN - DAY_MS, raw='{"port": 80}', source="web"),
            past.target("a", BEGAN, raw='{"port": 443}', source="web"),
        ],
    )
    client.close()
    found = StoredHistory(settings)
    yield found
    await found.close()


async def test_an_incident_from_its_first_failure_to_its_end(history: StoredHistory) -> None:
    found = await history.incident("i1")
    assert found is not None
    assert found.newest == EVENTS[-1]
    assert [one.event for one in found.events] == ["opened", "updated", "closed"]
    assert found.events[1].note == "on it"
    assert (found.began_at, found.ended_at, found.duration_s) == (BEGAN, BEGAN + HOUR_MS, 3_600)
    regions = {one.region: [(s.verdict, s.ended_at) for s in one.spans] for one in found.regions}
    assert regions == {
        "eu": [("down", BEGAN + HOUR_MS - 500), ("up", BEGAN + HOUR_MS)],
        "us": [("up", BEGAN + HOUR_MS)],
    }


async def test_of_events_that_are_too_many_bytes_the_newest_are_read(
    history: StoredHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = len(msgspec.json.encode(EVENTS[-1])) + len(msgspec.json.encode(EVENTS[-2]))
    monkeypatch.setattr(incident_queries, "MOST_BYTES", room)
    monkeypatch.setattr(history, "_incidents", SharedAnswers(0, 1))
    found = await history.incident("i1")
    assert found is not None
    assert [one.event for one in found.events] == ["updated", "closed"]
    assert found.began_at == BEGAN


async def test_who_was_told_is_the_newest_entry_of_each_channel(history: StoredHistory) -> None:
    found = await history.incident("i1")
    assert found is not None
    assert found.trouble is None
    assert [(one.name, one.status, one.attempt, one.why) for one in found.told or ()] == [
        ("", "not_sent", 1, "silence 7f3a by ann"),
        ("ops (pagerduty)", "sent", 2, None),
    ]


async def test_regions_that_were_silent_or_set_aside_and_what_was_changed(
    history: StoredHistory,
) -> None:
    told = await history.target(
        TargetAsked(
            target="a",
            tags=(),
            regions=("eu", "us"),
            interval_ms=60_000,
            window=named("7d", TODAY),
        )
    )
    assert told.trouble is None
    assert [(one.region, one.what, one.ended_at) for one in told.regions or ()] == [
        ("eu", "suspect", BEGAN),
        ("us", "silent", None),
    ]
    assert [(one.what, one.source) for one in told.definitions or ()] == [
        ("changed", "web"),
        ("applied", "web"),
    ]
    assert [one.incident_id for one in told.incidents or ()] == ["i1"]
