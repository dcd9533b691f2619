"""Merges what is known of each region: policy, beats, the stream's checkpoint, inventory. Pure."""

from collections.abc import Iterable, Mapping

import msgspec
from aiokafka import ConsumerRecord
from msgspec import structs

from portquorum.health.facts import (
    ClickHouseFacts,
    GroupFacts,
    HealthFacts,
    ProberFacts,
    RegionFacts,
)
from schemas import control
from schemas.control import Beat
from schemas.result import RECEIVER
from streams.state.partition_state import RegionState

Beats = dict[str, dict[str, ProberFacts]]
"""The newest beat of each prober, by region."""


def beats_of(records: Iterable[ConsumerRecord]) -> Beats:
    """The newest beats among records of one partition; what can't be read is skipped."""
    found: Beats = {}
    for record in records:
        body = control.body(record.headers)
        if body is None:
            continue
        try:
            beat = control.decode(body)
        except msgspec.DecodeError:
            continue
        if isinstance(beat, Beat):
            found.setdefault(beat.region, {})[beat.prober] = ProberFacts(
                prober=beat.prober,
                at=record.timestamp,
                targets=beat.targets,
                failing=beat.failing,
                connectivity=beat.connectivity,
                lag_ms=beat.lag_ms,
                spool=beat.spool,
                clock_offset_ms=beat.clock_offset_ms,
                missing_secrets=beat.missing_secrets,
            )
    return found


def names(
    policy: Iterable[str], beats: Beats, judged: Mapping[str, RegionState], most: int
) -> list[str]:
    """The regions to speak of, at most `most`."""
    return sorted({*policy, *beats, *judged})[:most]


def region_facts(
    name: str,
    *,
    known: bool | None,
    beats: Beats,
    judged: Mapping[str, RegionState],
    group: GroupFacts,
) -> RegionFacts:
    """The facts of one region; its last beat is the newest of the log and the checkpoint."""
    probers = tuple(sorted(beats.get(name, {}).values(), key=lambda one: one.prober))
    state = judged.get(name)
    heard = [one.at for one in probers] + ([state.last_beat_at] if state else [])
    return RegionFacts(
        region=name,
        known=known,
        probers=probers,
        last_beat=max(heard, default=None),
        set_aside=state.suspect if state else None,
        group=group,
    )


def with_inventory(facts: HealthFacts, found: ClickHouseFacts, most: int) -> HealthFacts:
    """The facts with those of ClickHouse, each region with its targets.

    Regions that only a target names are added; nothing else is known of them.
    """
    facts = structs.replace(facts, clickhouse=found)
    if found.targets is None or not facts.kafka.reachable:
        return facts
    known = {
        one.region: structs.replace(one, targets=found.by_region.get(one.region, 0))
        for one in facts.regions
    }
    for name, count in found.by_region.items():
        if name not in known:
            role = name if name == RECEIVER else f"probe-{name}"
            group = GroupFacts(role=role, group="")
            known[name] = RegionFacts(
                region=name,
                known=False if facts.policy and not facts.policy.hidden else None,
                group=group,
                targets=count,
            )
    return structs.replace(facts, regions=tuple(known[name] for name in sorted(known)[:most]))
