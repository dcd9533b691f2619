"""Every byte of every public answer, of a fleet whose names would tell."""

import gzip
import html
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import brotli
import httpx
import pytest
from msgspec.structs import replace

from portquorum.status_pages.build import History, build
from portquorum.status_pages.model import Snapshot
from portquorum.web.public.past import pasts
from portquorum.web.public.sight import FleetSight
from schemas.web import StatusComponent, StatusGroup, StatusPage, StatusPost
from tests.unit.portquorum.status_pages.pages import HOUR, component, page, post
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, target
from tests.unit.portquorum.web.public.public_pages import SomePages, client
from tests.unit.portquorum.web.public.test_keeper import SomePast

COUNT: Final = 500
SECRETS: Final = (
    *("hostleak", "targetleak", "nameleak", "teamleak", "tagleak", "reasonleak", "windowleak"),
    *("summaryleak", "incidentleak", "authorleak", "regionleak", "passwordleak", "probeleak"),
    *("31337", "203.0.113.", "2001:db8:", "connection_refused", "postgres"),
)


def _story() -> FleetStory:
    story = FleetStory()
    for number in range(COUNT):
        host = ("hostleak{}.corp", "203.0.113.{}", "2001:db8::{:x}")[number % 3]
        one = target(
            f"targetleak-{number}",
            name=f"nameleak {number}",
            kind="postgres",
            host=host.format(number % 250),
            port=31337,
            team="teamleak",
            tags=("tagleak",),
            regions=("regionleak",),
            source="sourceleak.yaml",
        )
        story.set(one)
        if number % 7 == 0:
            kind = ("unreachable", "slow", "flapping")[number % 3]
            story.open(
                one,
                kind,  # type: ignore[arg-type]
                incident_id=f"incidentleak-{number}",
                summary=f"summaryleak: connection_refused reasonleak {number}",
            )
    story.maintain("windowleak", "tag:tagleak", begins=NOW + HOUR, lasts=HOUR)
    story.maintain("windowleak 2", "targetleak-3", begins=NOW - HOUR, lasts=2 * HOUR)
    return story


def _page() -> StatusPage:
    parts: list[StatusComponent] = [
        component(f"part-{n}", f"targetleak-{n}", name=f"Part {n}", description=f"No. {n}")
        for n in range(COUNT)
    ]
    groups = tuple(
        StatusGroup(name=f"Group {at}", components=tuple(parts[at : at + 50]))
        for at in range(0, COUNT, 50)
    )
    one = page(groups=groups, by="authorleak", show_response_times=True)
    return replace(one, password="$argon2id$passwordleak")  # noqa: S106 - it is looked for


def _posts() -> list[StatusPost]:
    wrote = post(
        components=("shop/part-1", "shop/part-2"), incident_id="incidentleak-7", by="authorleak"
    )
    return [
        wrote,
        post(
            (NOW - HOUR, "scheduled", "Planned."),
            id="00000000000000bb",
            sort="maintenance",
            impact="maintenance",
            incident_id="incidentleak-8",
            starts_at=NOW + HOUR,
            ends_at=NOW + 2 * HOUR,
        ),
    ]


async def _snapshot() -> Snapshot:
    story, one = _story(), _page()
    parts = {part.id: part.targets for group in one.groups for part in group.components}
    past = History(NOW, await pasts(parts, SomePast(), NOW, responses=True))
    return build(one, _posts(), FleetSight(story.fleet), past, seen_at=NOW, now=NOW)


def _paths() -> Iterator[str]:
    yield from ("/status/shop", "/status/shop.json", "/status/shop/history")
    yield from (f"/status/shop/{one}" for one in ("feed.atom", "feed.json", "maintenance.ics"))
    yield from (f"/status/shop/posts/{one}" for one in ("00000000000000aa", "00000000000000bb"))
    yield "/status/shop/badge/status.svg"
    for number in range(0, COUNT, 25):
        yield f"/status/shop/components/part-{number}"
        for what in ("status", "uptime", "response/7d", "uptime/24h"):
            yield f"/status/shop/badge/part-{number}/{what}.svg"
            yield f"/status/shop/badge/part-{number}/{what}.json"
        yield f"/api/v1/endpoints/shop_part-{number}/health/badge.svg"
        yield f"/api/v1/endpoints/shop_part-{number}/health/badge.shields"
    yield from ("/status/other", "/badge/targetleak/status.svg", "/status/shop/components/x")


def _readings(raw: bytes, encoding: str) -> set[str]:
    """The text as it is, and as programs read it."""
    unpacked = {"br": brotli.decompress, "gzip": gzip.decompress}.get(encoding, bytes)(raw)
    text = unpacked.decode().lower()
    unfolded = text.replace("\r\n ", "")
    return {text, html.unescape(text), unquote(text), unfolded, re.sub(r"<[^>]*>", "", text)}


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
async def test_no_byte_of_any_answer_tells_of_the_inside(encoding: str) -> None:
    pages = SomePages(await _snapshot())
    answers = 0

    async with client(pages, now=lambda: NOW) as asking:
        for path in _paths():
            asked = asking.build_request("GET", path, headers={"accept-encoding": encoding})
            answer = await asking.send(asked, stream=True)
            raw = b"".join([part async for part in answer.aiter_raw()])
            answers += answer.status_code == 200
            told = answer.headers.get("content-encoding", "identity")
            for reading in _readings(raw, told) | {_heads(answer)}:
                found = [one for one in SECRETS if one in reading]
                places = [reading[reading.index(one) - 20 :][:60] for one in found]
                assert not found, f"{path}: {found}, {places}"

    assert answers > 200


async def test_the_value_itself_has_none_of_it_either() -> None:
    from msgspec import json

    text = json.encode(await _snapshot()).decode().lower()

    assert [one for one in SECRETS if one in text] == []
    assert "part-1" in text


def _heads(answer: httpx.Response) -> str:
    return "\n".join(f"{name}: {value}" for name, value in answer.headers.items()).lower()


def test_what_is_looked_for_is_there() -> None:
    text = repr([one.definition() for one in _story().fleet.inventory.records if one is not None])

    missing = {one for one in SECRETS if one not in text}
    assert missing <= {
        *("windowleak", "summaryleak", "incidentleak", "authorleak", "passwordleak"),
        *("reasonleak", "probeleak", "connection_refused"),
    }
