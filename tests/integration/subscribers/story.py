"""What the subscribers of examples/subscribers/ meet: events, and whatever else is on the topic."""

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import UNSET

from schemas import incident
from schemas.incident import IncidentEvent, RegionEvent

ROOT: Final = Path(__file__).parents[3]
EXAMPLES: Final = ROOT / "schemas" / "examples" / "incidents"
HOUR_MS: Final = 3_600_000

Headers = list[tuple[str, bytes]]


def event_id(name: str) -> str:
    """The id of an event, or of an incident, that the story calls by a short name."""
    return str(uuid.uuid5(incident.NAMESPACE, name))


def event(word: str, name: str, of: str, at: int, **other: Any) -> IncidentEvent:
    """An event as the stream writes it: `name` gives its id, `of` that of its incident."""
    kind = word if word in {"closed", "updated"} else "opened"
    example = incident.decode((EXAMPLES / f"{kind}.json").read_bytes())
    assert isinstance(example, IncidentEvent)
    fields = {"event_id": event_id(name), "incident_id": event_id(of), "event": word, "at": at}
    return msgspec.structs.replace(example, **(fields | other))


def region_event(name: str, at: int) -> RegionEvent:
    example = incident.decode((EXAMPLES / "region-silent.json").read_bytes())
    assert isinstance(example, RegionEvent)
    return msgspec.structs.replace(example, event_id=event_id(name), at=at)


AT_START: Final = frozenset({event_id("past-2"), event_id("known-2")})
"""The events of [incidents.open] that are there before the start."""

LATE: Final = event_id("late-1")
"""The event that a subscriber gets at its start from [incidents] alone."""


class Story:
    """One subscriber's topics and what was written to them; `expected` are ids to be handled.

    Three partitions; a subscriber is to read what is compressed with gzip, as events are.
    """

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self.prefix = prefix
        self.open: dict[str, bool] = {}
        self.expected: set[str] = set()
        self.counted: set[str] = set()
        self.poison: list[str] = []
        self._again: list[tuple[int, IncidentEvent | RegionEvent]] = []
        self._producer = producer
        self._now = int(time.time() * 1000)

    async def before_the_start(self) -> None:
        """An hour of history, and ten minutes in which [incidents.open] may be behind."""
        now, old = self._now, self._now - HOUR_MS
        past = event("opened", "past-1", "past", old)
        newer = event("updated", "past-2", "past", old + 1)
        for one in (past, newer):
            await self.tell(0, one, timestamp=old, expected=False)
        over = event("opened", "over-1", "over", old)
        for one in (over, event("closed", "over-2", "over", old + 1)):
            await self.tell(1, one, timestamp=old, expected=False)
        await self.set_open(0, past)
        await self.set_open(0, newer)
        # What can't be read, or is of another type, leaves the older value as it is.
        key = newer.incident_id.encode()
        await self.send("incidents.open", 0, b"no event", [], key=key)
        v2 = [
            (k, b"portquorum.incident.opened.v2" if k == "ce_type" else v) for k, v in told(newer)
        ]
        await self.send("incidents.open", 0, incident.encode(newer), v2, key=key)
        self.counted.add(newer.event_id)
        await self.set_open(1, over)
        await self.set_open(1, over, gone=True)
        await self.send("incidents.open", 2, b"no event", [], key=b"poison")

        # Both topics have it; the older event must not bring the older state back.
        known = event("opened", "known-1", "known", now - 60_000)
        newer = event("updated", "known-2", "known", now - 59_000)
        for one in (known, newer):
            await self.tell(2, one, timestamp=one.at, expected=False, counted=True)
        await self.set_open(2, newer)
        # Its record of [incidents.open] is still on its way.
        late = event("opened", "late-1", "late", now - 1_000)
        await self.tell(1, late, timestamp=late.at)
        self.open |= {event_id(name): True for name in ("past", "known", "late")}

    async def outage(self) -> None:
        """Events of two targets, 150 of them of one, and of a region; some come twice."""
        now = self._now
        opened = event("opened", "x-0", "x", now, host="db1.example.com", summary="a\nb\x1b[31mc")
        await self.tell(0, opened)
        await self.tell(0, opened)  # again, as after a restart of the stream
        updates = [event("updated", f"x-{number}", "x", now + number) for number in range(1, 150)]
        for one in updates:
            await self.tell(0, one)
        self._again = [(0, opened), (0, updates[6]), (2, region_event("silent", now))]
        await self.tell(1, event("opened", "y-0", "y", now, target="y", host="a.example"))
        silent = region_event("silent", now)
        await self.tell(2, silent)
        await self.tell(2, silent)
        self.open |= {event_id("x"): True, event_id("y"): True, f"silent/{silent.region}": True}

    async def after_the_kill(self) -> None:
        now = self._now + 1_000
        for partition, one in self._again:  # the stream takes them up again
            await self.tell(partition, one)
        await self._strange(now)
        await self._poison()
        # The host of the target y changes: another partition, another incident.
        changed = event(
            "closed", "y-1", "y", now, target="y", host="a.example", closed_because="target_changed"
        )
        await self.tell(1, changed)
        await self.tell(2, event("opened", "z-0", "z", now, target="y", host="b.example"))
        await self.tell(0, event("closed", "x-end", "x", now))
        await self.tell(1, event("closed", "late-2", "late", now))
        await self._open_port_and_secrets(now)
        self.open |= {event_id(name): False for name in ("x", "y", "late")}
        self.open |= {event_id("z"): True}

    async def _open_port_and_secrets(self, now: int) -> None:
        """A port that must be closed and is open; regions that lack secrets, or no longer do."""
        is_open = event("opened", "port-0", "port", now, expect="closed", port=23)
        found = {
            name: msgspec.structs.replace(verdict, reason="port_open")
            for name, verdict in is_open.regions.items()
        }
        await self.tell(0, msgspec.structs.replace(is_open, regions=found))
        for region, events in (
            ("ap-south", ("region.secrets_missing",)),
            ("us-west", ("region.secrets_missing", "region.secrets_found")),
        ):
            for number, kind in enumerate(events):
                one = region_event(f"{region}-{number}", now + number)
                named = {"PORTQUORUM_SECRET_A": ("db",)} if number == 0 else UNSET
                told_now = msgspec.structs.replace(
                    one, event=kind, region=region, missing_secrets=named
                )
                await self.tell(2, told_now)
            self.open[f"secrets/{region}"] = len(events) == 1
        self.open[event_id("port")] = True

    async def one_more(self) -> str:
        """The id of an event that opens one more incident."""
        last = event("opened", "last-0", "last", self._now + 2_000)
        await self.tell(2, last)
        self.open[last.incident_id] = True
        return last.event_id

    async def _strange(self, now: int) -> None:
        """What a later version may bring: types, fields and words of lists."""
        future = event("opened", "future-0", "future", now)
        for kind in (
            "portquorum.incident.paused.v1",
            "portquorum.incident.opened.v2",
            "portquorum.region.tired.v1",
            "x.y",
        ):
            headers = [(k, kind.encode() if k == "ce_type" else v) for k, v in told(future)]
            await self.send("incidents", 1, incident.encode(future), headers)
        # What was left out is not handled: the event that has its id and is known comes through.
        await self.tell(1, future)
        self.open[event_id("future")] = True
        strange = event("opened", "strange-0", "strange", now)
        value = json.loads(incident.encode(strange))
        value |= {"severity": "cosmic", "incident_type": "odd", "kind": "new", "brand_new": [{}]}
        value["regions"]["eu-west"]["verdict"] = "wobbly"
        headers = [*told(strange), ("ce_later", b"1")]
        await self.send("incidents", 1, json.dumps(value).encode(), headers)
        self._expect(strange)
        self.open[event_id("strange")] = True

    async def _poison(self) -> None:
        """Messages that can't be read, each in its own way."""
        bad = event("opened", "poison", "poison", self._now)
        value, headers = incident.encode(bad), told(bad)
        without: Callable[[str], Headers] = lambda name: [one for one in headers if one[0] != name]  # noqa: E731
        for bytes_, names in (
            (b"{", headers),
            (b'{"summary": "\xff"}', headers),
            (b"[1]", headers),
            (b"null", headers),
            (b"{}", headers),
            (None, headers),
            (changed(value, at=10**30), headers),
            (changed(value, at="1"), headers),
            (changed(value, incident_id=["x"]), headers),
            (changed(value, incident_id=""), headers),
            (changed(value, incident_id="x" * 40_000), headers),
            (changed(value, incident_id="\ud800", summary="\ud800"), headers),
            (changed(value, regions=7), headers),
            (b'{"x":%s%s}' % (b"[" * 100_000, b"]" * 100_000), headers),
            (value, [*without("ce_id"), ("ce_id", b"x" * 40_000)]),
            (value, [*without("ce_id"), ("ce_id", b"")]),
            (value, []),
            (value, without("ce_id")),
            (value, without("ce_specversion")),
        ):
            offset = await self.send("incidents", 0, bytes_, names)
            self.poison.append(f"skipped {self.prefix}incidents/0@{offset}: ")

    def _expect(self, one: IncidentEvent | RegionEvent) -> None:
        self.expected.add(one.event_id)
        self.counted.add(one.event_id)

    async def tell(
        self,
        partition: int,
        one: IncidentEvent | RegionEvent,
        *,
        timestamp: int | None = None,
        expected: bool = True,
        counted: bool = False,
    ) -> None:
        if expected:
            self._expect(one)
        elif counted:
            self.counted.add(one.event_id)
        value = incident.encode(one)
        await self.send("incidents", partition, value, told(one), timestamp=timestamp)

    async def set_open(self, partition: int, one: IncidentEvent, *, gone: bool = False) -> None:
        value = None if gone else incident.encode(one)
        headers = [] if gone else told(one)
        await self.send("incidents.open", partition, value, headers, key=one.incident_id.encode())

    async def send(
        self,
        topic: str,
        partition: int,
        value: bytes | None,
        headers: Headers,
        *,
        key: bytes = b"db1.example.com",
        timestamp: int | None = None,
    ) -> int:
        sent = await self._producer.send_and_wait(
            f"{self.prefix}{topic}",
            value,
            key=key,
            partition=partition,
            headers=headers,
            timestamp_ms=timestamp,
        )
        return int(sent.offset)


def changed(value: bytes, **fields: object) -> bytes:
    """The same JSON object with other values."""
    return json.dumps(json.loads(value) | fields).encode()


def told(one: IncidentEvent | RegionEvent) -> Headers:
    return incident.headers(one)
