"""A fleet for tests, and the records that change it."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, structs

from portquorum.bench.page_fleet import event_of
from portquorum.web.fleet import Fleet, StatusGroup
from schemas import incident, policy
from schemas.incident import (
    IncidentEvent,
    IncidentType,
    RegionEvent,
    RegionEventKind,
    TargetsEvent,
)
from schemas.partition import partition_for
from schemas.policy import PAUSES, SILENCES, Maintenance, Pause, Silence
from schemas.target import Target

NOW = 1_800_000_000_000
PARTITIONS = 4
REGIONS = ("ams", "fra", "nyc")


def target(name: str, /, **changes: object) -> Target:
    """A target that was applied a day ago."""
    fields: dict[str, object] = {
        "id": name,
        "name": f"Name of {name}",
        "kind": "tcp",
        "host": f"{name}.example.com",
        "port": 443,
        "regions": REGIONS,
        "interval_ms": 60_000,
        "timeout_ms": 3_000,
        "version": NOW - 86_400_000,
        "source": "fleet.yaml",
        "team": "web",
        "tags": ("prod",),
    }
    return msgspec.convert(fields | changes, Target)


class FleetStory:
    """A fleet that has read its topics at `NOW`; each method is one record, or one answer."""

    def __init__(self, *targets: Target) -> None:
        self.fleet = Fleet()
        self.now = NOW
        self._offset = 0
        self.fleet.tick(NOW)
        for one in targets:
            self.set(one)
        self.fleet.loaded(NOW)
        self.fleet.heard(NOW, stream_at=NOW, log_at=NOW)

    def set(self, one: Target) -> bool:
        return self.fleet.apply_target(
            one.id.encode(), msgspec.json.encode(one), partition_of(one), self.offset()
        )

    def remove(self, one: Target) -> bool:
        return self.fleet.apply_target(one.id.encode(), None, partition_of(one), self.offset())

    def event(self, event: IncidentEvent | RegionEvent | TargetsEvent) -> bool:
        return self.fleet.apply_event(0, self.offset(), incident.encode(event))

    def open(
        self, one: Target, kind: IncidentType = "unreachable", **changes: object
    ) -> IncidentEvent:
        """Opens an incident of a target, or tells of it again."""
        at = self.now + self.offset()
        event = event_of(one, kind=kind, at=at, began=self.now - 60_000)
        fields = {"incident_id": f"{one.id}-{kind}-{self.now}"}
        event = structs.replace(event, **(fields | changes))
        self.event(event)
        return event

    def follow(self, before: IncidentEvent, word: str, **changes: object) -> IncidentEvent:
        """The next event of an incident."""
        at = before.at + 1_000
        closing = {"closed_at": at, "closed_because": "recovered"} if word == "closed" else {}
        event = structs.replace(
            before, event=word, at=at, event_id=f"{before.event_id}+", **(closing | changes)
        )
        self.event(event)
        return event

    def region(self, name: str, kind: RegionEventKind, **changes: object) -> RegionEvent:
        event = RegionEvent(
            event_id=f"{name}-{kind}-{self.offset()}",
            event=kind,
            region=name,
            at=self.now,
            summary=f"{kind} {name}",
        )
        event = structs.replace(event, **changes)
        self.event(event)
        return event

    def unwatched(self, partition: int, count: int, *silent: str) -> TargetsEvent:
        event = TargetsEvent(
            event_id=f"unwatched-{partition}-{self.offset()}",
            event="targets.unwatched" if count else "targets.watched",
            partition=partition,
            cause_id="cause",
            severity="warning",
            count=count,
            most_critical=(),
            silent_regions=dict.fromkeys(silent, self.now - 400_000),
            since=self.now - 100_000,
            at=self.now + self.offset(),
            summary=f"{count} targets are not watched",
        )
        self.event(event)
        return event

    def maintain(self, name: str, *selectors: str, begins: int, lasts: int) -> bytes:
        entry = Maintenance(name=name, targets=selectors, start=begins, duration_ms=lasts)
        key = policy.key("fleet", entry)
        self.fleet.apply_policy(key, policy.encode(entry), self.offset())
        return key

    def pause(self, one: Target, *, until: int | None = None, source: str = PAUSES) -> bytes:
        entry = Pause(name=one.id, paused_at=self.now, until=until, reason="new disk", by="ada")
        key = policy.key(source, entry)
        self.fleet.apply_policy(key, policy.encode(entry), self.offset())
        return key

    def silence(self, name: str, *, begins: int, ends: int, **match: object) -> bytes:
        entry = Silence(
            name=name, begins_at=begins, ends_at=ends, reason="work", by="ada", created_at=begins
        )
        entry = structs.replace(entry, **match)
        key = policy.key(SILENCES, entry)
        self.fleet.apply_policy(key, policy.encode(entry), self.offset())
        return key

    def say(self, words: Iterable[tuple[Target, str]], **changes: object) -> None:
        """An answer of `status_now`, with the newest results of now."""
        self.fleet.apply_status([status(one, word, **changes) for one, word in words], self.now)

    def later(self, ms: int) -> None:
        """Time passes; Kafka and the stream go on."""
        self.now += ms
        self.fleet.heard(self.now, stream_at=self.now, log_at=self.now)
        self.fleet.tick(self.now)

    def state(self, one: Target) -> str:
        found = self.fleet.target(one.id)
        return "gone" if found is None else found.row.state

    def offset(self) -> int:
        self._offset += 1
        return self._offset


def partition_of(one: Target) -> int:
    return partition_for(one.host or one.id, PARTITIONS)


def status(one: Target, word: str, **changes: object) -> StatusGroup:
    group = StatusGroup(
        status=word,
        targets=(one.id,),
        regions=tuple((region, word) for region in one.regions),
        newest_result_at=NOW,
    )
    return structs.replace(group, **changes)


__all__ = ["NOW", "PARTITIONS", "REGIONS", "UNSET", "FleetStory", "partition_of", "target"]
