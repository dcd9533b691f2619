"""The live stream: frames, pauses, the end."""

import asyncio
import json

import pytest

from portquorum.web.answers import Change, Counts
from portquorum.web.api import events
from portquorum.web.api.events import frame, stream, viewers
from tests.unit.portquorum.web.fakes import HOSTILE, NOW, FakeHub, Made, incident_row


def change(number: int) -> Change:
    return Change(
        kind="incident",
        id=f"v1-{number}",
        at=NOW,
        subject="db-0",
        counts=Counts(down=1, total=3),
        incident=incident_row(0, summary=HOSTILE),
    )


def test_a_change_is_one_event_whatever_it_says() -> None:
    said = frame(change(1)).decode()
    lines = said.split("\n")
    assert lines[:2] == ["event: incident", "id: v1-1"]
    assert lines[3:] == ["", ""]
    name, _, data = lines[2].partition(": ")
    assert name == "data"
    assert json.loads(data)["incident"]["summary"] == HOSTILE


def test_a_change_without_a_position_keeps_the_one_before() -> None:
    said = frame(Change(kind="status", id="", at=NOW, subject="", counts=Counts()))
    assert b"id:" not in said


def test_a_change_is_encoded_once_for_all_viewers() -> None:
    one = change(2)
    assert events.frames.of(one) is events.frames.of(one)
    assert events.frames.of(change(2)) is not events.frames.of(one)


async def test_changes_pauses_and_what_is_missing() -> None:
    hub, closing = FakeHub(), asyncio.Event()
    got = stream(hub, "v1-0", closing, keep_alive_s=0.02)
    assert (await anext(got)).startswith(b"retry: 1000\n")
    assert await anext(got) == b": alive\n\n"
    assert hub.began == ["v1-0"]
    assert viewers.now == 1
    hub.tell(change(1))
    hub.tell(None)
    seen = [await anext(got) for _ in range(2)]
    assert seen == [frame(change(1)), b"event: reload\ndata: {}\n\n"]
    closing.set()
    assert [one async for one in got if one != b": alive\n\n"] == []
    assert (viewers.now, hub.queues) == (0, [])


async def test_a_viewer_that_goes_is_forgotten() -> None:
    hub = FakeHub()
    got = stream(hub, None, asyncio.Event())
    await anext(got)
    await got.aclose()  # type: ignore[attr-defined]
    assert (viewers.now, hub.queues) == (0, [])


async def test_there_is_a_most_of_viewers() -> None:
    viewers.add(events.MOST_VIEWERS)
    try:
        async with Made().client() as client:
            answer = await client.get("/api/v1/events")
    finally:
        viewers.add(-events.MOST_VIEWERS)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "15"


def test_those_who_ask_at_once_are_counted_before_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "MOST_VIEWERS", 2)
    counted = type(viewers)()
    assert [counted.expects_one() for _ in range(3)] == [True, True, False]
    counted.come()
    counted.come()
    assert not counted.expects_one()
    counted.add(-1)
    monkeypatch.setattr(events, "_COMES_S", -1.0)
    assert [counted.expects_one() for _ in range(2)] == [True, True]  # the first one did not come
    counted.add(-1)


async def test_a_stream_ends_with_the_right_to_it() -> None:
    hub, allowed = FakeHub(), [True]
    got = stream(hub, None, asyncio.Event(), goes_on=lambda: allowed[0], look_s=0.01)
    await anext(got)
    hub.tell(change(1))
    assert await anext(got) == frame(change(1))
    allowed[0] = False
    hub.tell(change(2))  # comes too late
    assert [one async for one in got] == []
    assert hub.queues == []


async def test_a_quiet_stream_ends_with_the_right_to_it() -> None:
    hub = FakeHub()
    looks = iter([True, True, False])
    got = stream(hub, None, asyncio.Event(), goes_on=lambda: next(looks), look_s=0.01)
    assert len([one async for one in got]) == 1
