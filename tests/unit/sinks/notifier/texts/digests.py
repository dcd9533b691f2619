"""Digests for tests: outages of many targets behind a few hosts, and what comes after them."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from schemas.incident import HostTarget, IncidentEvent, RegionVerdict
from sinks.notifier.model import Delivery, NewsAction
from tests.unit.sinks.notifier.events import AT, incident_event
from tests.unit.sinks.notifier.texts.deliveries import delivery, news, verdicts

_SITES = ("berlin", "bonn", "bremen", "cologne", "dresden", "essen", "frankfurt", "halle")
_SERVICES = ("web", "web TLS", "API", "mail", "queue", "cache", "search", "files")


def outage(count: int, hosts: int = 0, **fields: Any) -> list[IncidentEvent]:
    """As many targets that are down; the first host has about half of them."""
    hosts = hosts or min(count, max(3, count // 12))
    found = []
    for number in range(count):
        at = 0 if number % 2 and number >= hosts else number % hosts
        site = f"{_SITES[at % len(_SITES)]}{at // len(_SITES) + 1}"
        service, port = _SERVICES[number % len(_SERVICES)], 8000 + number
        values: dict[str, Any] = {
            "target": f"{site}-{port}",
            "incident_id": f"i{number}",
            "event_id": f"e{number}",
            "name": f"{site.capitalize()} {service} {port}",
            "host": f"gw.{site}.example.com",
            "port": port,
            "criticality": "critical" if number % 9 == 1 else "important",
            "team": "network",
            "tags": ("branches",),
            "regions": verdicts(3),
            "first_failed_at": AT - 3000 - number,
            "host_targets": (
                HostTarget(target="other", name="SSH", kind="tcp", port=22, status="down"),
            )
            if at == 0
            else (HostTarget(target="other", name="SSH", kind="tcp", port=22, status="up"),),
            "summary": f"gw.{site}.example.com:{port} is unreachable from 3 of 3 regions "
            "(Connection timed out). No port of the host answers: the host or its network is down.",
            "first_steps": (f"Look whether {site} has a connection: ping its router",),
            "runbook": "https://wiki.example.com/network/branches",
        }
        found.append(incident_event(**(values | fields)))
    return found


def over(events: Sequence[IncidentEvent], because: str = "recovered") -> list[IncidentEvent]:
    """The same incidents 12 min later, closed."""
    return [
        structs.replace(
            event,
            event="closed",
            event_id=f"{event.event_id}-closed",
            at=AT + 720_000,
            closed_at=AT + 720_000,
            closed_because=because,
            first_steps=(),
            regions={name: RegionVerdict(verdict="up", since=AT) for name in event.regions},
        )
        for event in events
    ]


def digest_of(*told: tuple[NewsAction, Sequence[Any]], **fields: Any) -> Delivery:
    """A digest of events with their actions; `news_…` are fields of each news."""
    mine = [name for name in fields if name.startswith("news_")]
    each = {name.removeprefix("news_"): fields.pop(name) for name in mine}
    events = [event for _, several in told for event in several]
    base = delivery("digest", *events, **fields)
    every = tuple(
        news(
            event,
            entry=f"subject/{number}",
            key=f"k{number}/1",
            action=action,
            **each,
        )
        for number, (action, event) in enumerate(
            (action, event) for action, several in told for event in several
        )
    )
    return structs.replace(base, news=every)


def mixed(count: int) -> Delivery:
    """A third is down, a third is well again; the rest came and went, flaps, or is told again."""
    events = outage(count, first_failed_at=AT - 3000)
    third = max(1, count // 3)
    rest = events[2 * third :]
    return digest_of(
        ("opened", [structs.replace(one, at=AT + 715_000) for one in events[:third]]),
        ("closed", over(events[third : 2 * third])),
        ("missed", over(rest[::3])),
        ("opened", [structs.replace(one, incident_type="flapping") for one in rest[1::3]]),
        ("reminder", rest[2::3]),
    )
