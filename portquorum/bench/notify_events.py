"""What the notifier's benches publish: routes, and incidents that open."""

import asyncio
import time
import uuid
from collections.abc import Iterable
from typing import Final

from foundation import kafka
from foundation.settings import Settings
from schemas import incident, policy
from schemas.incident import IncidentEvent, RegionVerdict, Votes
from schemas.partition import partition_for
from schemas.policy import Route
from schemas.topics import INCIDENTS, POLICY

SOURCE: Final = "bench"


def event(name: str, tag: str, at: int) -> IncidentEvent:
    """An incident that opens, of a host of its own."""
    down = RegionVerdict(verdict="down", reason="connection_refused", since=at)
    return IncidentEvent(
        event_id=str(uuid.uuid5(incident.NAMESPACE, f"{name}/opened")),
        event="opened",
        incident_id=str(uuid.uuid5(incident.NAMESPACE, name)),
        incident_type="unreachable",
        severity="critical",
        target=name,
        name=name,
        kind="tcp",
        host=f"{name}.example.com",
        port=5432,
        team=None,
        tags=(tag,),
        criticality="normal",
        depends_on=(),
        regions={"eu-west": down, "us-east": down, "ap-south": down},
        votes=Votes(down=3, need=2, fresh=3, configured=3),
        first_failed_at=at - 3_000,
        opened_at=at,
        closed_at=None,
        closed_because=None,
        at=at,
        host_targets=(),
        summary="The host answers, nothing listens on 5432.",
        first_steps=("Look whether the service runs.",),
        runbook=None,
    )


async def publish_routes(settings: Settings, routes: Iterable[Route]) -> None:
    """Creates the topics and publishes the routes."""
    await kafka.create_topics(settings)
    client = kafka.producer(settings)
    await client.start()
    try:
        for route in routes:
            await client.send_and_wait(
                POLICY.full_name(settings.topic_prefix),
                policy.encode(route),
                key=policy.key(SOURCE, route),
            )
    finally:
        await client.stop()


async def publish(settings: Settings, tags: list[str], name: str) -> dict[str, int]:
    """Publishes one incident for each of `tags`; returns the first stamp (UTC ms) of each."""
    client = kafka.producer(settings)
    await client.start()
    first: dict[str, int] = {}
    try:
        sent = []
        for number, tag in enumerate(tags):
            at = time.time_ns() // 1_000_000
            made = event(f"{name}-{number}", tag, at)
            sent.append(
                await client.send(
                    INCIDENTS.full_name(settings.topic_prefix),
                    incident.encode(made),
                    key=str(made.host).encode(),
                    partition=partition_for(str(made.host), settings.partitions),
                    headers=incident.headers(made),
                    timestamp_ms=at,
                )
            )
            first.setdefault(tag, at)
        await asyncio.gather(*sent)
    finally:
        await client.stop()
    return first
