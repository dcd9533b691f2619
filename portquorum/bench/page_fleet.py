"""A fleet as the page has it: records of [targets] and [incidents.open], with open incidents.

Ten targets a host (a few hosts are gateways of others), 250 targets a team. The open incidents are
those of a bad night: whole hosts, gateways with what is behind them, single ports, slow ones and
certificates.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Struct

from schemas import incident
from schemas.incident import (
    HostTarget,
    IncidentEvent,
    IncidentType,
    RegionVerdict,
    Severity,
    Votes,
)
from schemas.partition import partition_for
from schemas.target import Criticality, Target

PARTITIONS: Final = 16
REGIONS: Final = ("ams", "fra", "nyc", "sin", "syd")
PORTS: Final = (22, 25, 53, 80, 443, 3306, 5432, 6379, 8080, 9200)
KINDS: Final = ("ssh", "smtp", "dns", "http", "http", "mysql", "postgres", "redis", "http", "http")
SITES: Final = ("fra", "ams", "nyc", "sin", "syd", "office")
TEAM_SIZE: Final = 250
HOSTS_BEHIND: Final = 5
"""Hosts that depend on the port 22 of the host before them."""

_MINUTE_MS: Final = 60_000


class TopicRecord(Struct, frozen=True):
    """A record of [targets] or [incidents.open]."""

    key: bytes
    value: bytes
    partition: int


def targets(count: int, version: int) -> Iterator[Target]:
    """The fleet, one after the other; `version` is the time of its apply, UTC ms."""
    return (target(number, version) for number in range(count))


def target_record(one: Target) -> TopicRecord:
    """A target as it is on [targets]."""
    key = one.host or one.id
    return TopicRecord(one.id.encode(), msgspec.json.encode(one), partition_for(key, PARTITIONS))


def opened(
    fleet: int, version: int, count: int, now: int, seed: int = 1
) -> Iterator[IncidentEvent]:
    """`count` open incidents of different targets, opened within the hour before `now`.

    `fleet` is the number of targets, `version` as in `targets`.
    """
    draw = random.Random(seed)  # noqa: S311 - figures that can be repeated
    for place, number in enumerate(_troubled(fleet, count, draw)):
        first = number - number % len(PORTS)
        began = now - draw.randrange(1, 60) * _MINUTE_MS
        yield event_of(
            target(number, version),
            kind=_type_of(place),
            at=began + 35_000,
            began=began,
            others=[target(other, version) for other in range(first, first + len(PORTS))],
            acknowledged=place % 5 == 0,
        )


def event_record(event: IncidentEvent) -> TopicRecord:
    """An event as it is on [incidents.open]; on [incidents] the key is the host."""
    key = event.host or event.target
    return TopicRecord(
        event.incident_id.encode(), incident.encode(event), partition_for(key, PARTITIONS)
    )


def event_of(
    of: Target,
    *,
    kind: IncidentType,
    at: int,
    began: int,
    others: Sequence[Target] = (),
    acknowledged: bool = False,
) -> IncidentEvent:
    """The opening event of an incident of a of."""
    severity: Severity = "critical" if of.criticality == "critical" else "warning"
    verdict = {"unreachable": "down", "flapping": "down", "slow": "slow"}.get(kind, "up")
    regions = {
        name: msgspec.convert(
            {"verdict": verdict, "reason": "timed_out", "since": began}, RegionVerdict
        )
        for name in of.regions
    }
    size = len(regions)
    return IncidentEvent(
        event_id=f"{of.id}-{kind}-{at}-opened",
        event="opened",
        incident_id=f"{of.id}-{kind}-{began}",
        incident_type=kind,
        severity=severity,
        target=of.id,
        name=of.name,
        kind=of.kind,
        host=of.host,
        port=of.port,
        team=of.team,
        tags=of.tags,
        criticality=of.criticality,
        depends_on=of.depends_on,
        regions=regions,
        votes=Votes(down=size, need=size // 2 + 1, fresh=size, configured=size),
        first_failed_at=began,
        opened_at=at,
        closed_at=None,
        closed_because=None,
        at=at,
        host_targets=tuple(
            HostTarget(target=one.id, name=one.name, kind=one.kind, port=one.port, status="down")
            for one in others
            if one.id != of.id
        ),
        summary=f"No answer from {size} of {size} regions: {of.place} does not answer.",
        first_steps=(f"ping {of.host}", f"ssh {of.host} systemctl status"),
        runbook="https://wiki.example.com/runbooks/ports",
        acknowledged_by="ada@example.com" if acknowledged else None,
        target_version=of.version,
        expires_at=at + 10 * 86_400_000 if kind == "expiring" else UNSET,
    )


def target(number: int, version: int) -> Target:
    """The target of a number."""
    host, port = divmod(number, len(PORTS))
    team = number // TEAM_SIZE
    behind = host % (HOSTS_BEHIND + 1)
    gateway = f"h{host - behind:05d}-{PORTS[0]}"
    criticality: Criticality = "critical" if host % 20 == 0 else "normal"
    name = f"host-{host:05d}.{SITES[host % len(SITES)]}.example.net"
    return Target(
        id=f"h{host:05d}-{PORTS[port]}",
        name=f"{name} {KINDS[port]} {PORTS[port]}",
        kind=KINDS[port] if KINDS[port] not in {"dns", "http"} else "tcp",
        host=name,
        port=PORTS[port],
        regions=REGIONS[: 3 + host % 3],
        interval_ms=60_000,
        timeout_ms=3_000,
        version=version,
        source=f"team-{team % 40:02d}.yaml",
        criticality=criticality,
        team=f"team {team:03d}",
        tags=("prod" if host % 4 else "staging", SITES[host % len(SITES)]),
        depends_on=(gateway,) if behind else (),
        depends_on_hosts=(f"host-{host - behind:05d}.example.net",) if behind else (),
    )


def _troubled(fleet: int, count: int, draw: random.Random) -> list[int]:
    """Half of them whole hosts (and so gateways, too), the rest single targets."""
    size = len(PORTS)
    hosts = draw.sample(range(fleet // size), min(count // 2 // size, fleet // size))
    chosen = [number for host in hosts for number in range(host * size, host * size + size)]
    taken = set(chosen)
    while len(chosen) < min(count, fleet):
        number = draw.randrange(fleet)
        if number not in taken:
            taken.add(number)
            chosen.append(number)
    return chosen


_TYPES: Final[dict[int, IncidentType]] = {7: "slow", 8: "slow", 9: "expiring"}


def _type_of(number: int) -> IncidentType:
    return _TYPES.get(number % 10, "unreachable")
