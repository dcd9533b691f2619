"""The past for a dry run: events by time, the policy as it would be, what was really sent."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec import Struct, structs

from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.drill import target as drill
from portquorum.inventory import check
from portquorum.inventory.present import Present
from portquorum.inventory.publish import source_name
from schemas import incident, topics
from schemas.incident import Event, IncidentEvent, RegionEvent
from schemas.policy import Policy
from schemas.target import Target
from sinks.notifier.facts_table import facts
from sinks.notifier.model import TargetFacts

_INCIDENTS = """
SELECT raw FROM incidents
WHERE incidents.at >= fromUnixTimestamp64Milli({since:Int64})
    AND incidents.at < fromUnixTimestamp64Milli({until:Int64})
ORDER BY incidents.at, log_partition, log_offset
LIMIT 1 BY event_id
"""
_REGIONS = """
SELECT event_id, toString(event), region, toUnixTimestamp64Milli(region_events.at), summary,
       toUnixTimestamp64Milli(last_beat_at)
FROM region_events
WHERE region_events.at >= fromUnixTimestamp64Milli({since:Int64})
    AND region_events.at < fromUnixTimestamp64Milli({until:Int64})
ORDER BY region_events.at, log_partition, log_offset
LIMIT 1 BY event_id
"""


class PastEvents(Struct, frozen=True, kw_only=True):
    """Events by time; `left_out` counts incidents that had begun before the first time asked."""

    events: tuple[Event, ...]
    incidents: int
    left_out: int


class WantedPolicy(Struct, frozen=True, kw_only=True):
    """The policy and the targets of a dry run; `changed` are targets that an inventory defines."""

    policy: tuple[Policy, ...]
    targets: dict[str, Target]
    changed: dict[str, Target]


def from_tables(client: Client, since: int, until: int) -> list[Event]:
    """Events of incidents and regions that ClickHouse has; skips what can't be read any more.

    Raises:
        clickhouse_connect.driver.exceptions.Error: not reachable, or no such table.
    """
    times = {"since": since, "until": until}
    found: list[Event] = []
    for (raw,) in client.query(_INCIDENTS, parameters=times).result_rows:
        event = _decoded(raw.encode())
        if event is not None:
            found.append(event)
    names = ("event_id", "event", "region", "at", "summary", "last_beat_at")
    found.extend(
        RegionEvent(**dict(zip(names, row, strict=True)))
        for row in client.query(_REGIONS, parameters=times).result_rows
    )
    return found


async def from_topic(settings: Settings, since: int, until: int) -> list[Event]:
    """The events of [incidents], in the order of each partition.

    Raises:
        LookupError: the topic does not exist.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    found: list[Event] = []
    async with Follower(settings, settings.topic(topics.INCIDENTS.name)) as follower:
        async for record in follower.present():
            event = _decoded(record.value or b"")
            if event is not None and since <= event.at < until:
                found.append(event)
    return found


def _decoded(value: bytes) -> Event | None:
    try:
        return incident.decode(value)
    except msgspec.DecodeError:
        return None  # the sink dead-letters it


def in_order(events: Iterable[Event], since: int) -> PastEvents:
    """The events by time, without those of incidents that had opened before `since`.

    Those of an equal time keep their order. Fire drills are left out: their route is gone.
    """
    ordered = sorted(events, key=lambda event: event.at)
    kept: list[Event] = []
    incidents: set[str] = set()
    left_out: set[str] = set()
    for event in ordered:
        if isinstance(event, IncidentEvent):
            if event.team == drill.NAME and drill.NAME in event.tags:
                continue
            begun_before = event.opened_at < since
            (left_out if begun_before else incidents).add(event.incident_id)
            if begun_before:
                continue
        kept.append(event)
    return PastEvents(events=tuple(kept), incidents=len(incidents), left_out=len(left_out))


def wanted(present: Present, files: Sequence[Path], source: str | None = None) -> WantedPolicy:
    """The policy as it is, or as it would be if these files were applied.

    Args:
        present: what is published.
        files: of the inventory; none: the policy as it is.
        source: the name under which they would be applied; None: that of the first file.

    Raises:
        portquorum.inventory.InventoryError: the files have problems.
        portquorum.inventory.errors.ApplyError: their name can't be a source.
    """
    there = {name: one.target for name, one in present.targets().items()}
    entries = [(kept.source, kept.entry) for kept in present.policy.values()]
    if not files:
        return WantedPolicy(policy=tuple(entry for _, entry in entries), targets=there, changed={})
    source = source_name(files, source)
    inventory = check(files, source=source, known=present.known(source))
    new = {target.id: target for target in inventory.targets}
    others = {name: one for name, one in there.items() if one.source != source}
    kept = tuple(entry for of, entry in entries if of != source)
    return WantedPolicy(policy=(*kept, *inventory.policy), targets=others | new, changed=new)


def as_defined(events: Iterable[Event], changed: Mapping[str, Target]) -> list[Event]:
    """The events with team, tags, criticality and dependencies of the targets as `changed`."""
    found: list[Event] = []
    for event in events:
        target = changed.get(event.target) if isinstance(event, IncidentEvent) else None
        if target is not None and isinstance(event, IncidentEvent):
            event = structs.replace(  # noqa: PLW2901 - the same event, of this inventory
                event,
                team=target.team,
                tags=target.tags,
                criticality=target.criticality,
                depends_on=target.depends_on,
            )
        found.append(event)
    return found


def facts_by_id(targets: Iterable[Target]) -> dict[str, TargetFacts]:
    """What the notifier knows of targets, by id."""
    return {target.id: facts(target) for target in targets}
