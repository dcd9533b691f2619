"""The processes of the demo: services and roles, with their addresses."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from portquorum import inventory as inventories
from portquorum.demo.inventory import demo_inventory
from portquorum.embedded.service.addresses import ListenAddress, parse
from portquorum.supervisor import Supervisor, fleet
from portquorum.supervisor.services import CLICKHOUSE, KAFKA, ServiceListener, service_role

ANY_PORT: Final = "127.0.0.1:0"

Done = Callable[[str, str, float | None], None]
"""Called with a finished step, a detail, and its duration in seconds."""


class Stack(Struct, frozen=True, kw_only=True):
    """The running stack: the settings for its clients, and the addresses of the two services."""

    settings: Settings
    kafka: ListenAddress
    clickhouse: ListenAddress


async def start_services(
    supervisor: Supervisor, listener: ServiceListener, data_dir: Path, done: Done
) -> Stack:
    """Starts both services on free ports and creates the topics.

    Raises:
        EmbeddedServiceError: one of them can't start.
    """

    async def start(name: str, label: str) -> str:
        began = time.monotonic()
        role = service_role(name, ANY_PORT, data_dir)
        address = await listener.start(supervisor, role)
        done(label, _public(address), time.monotonic() - began)
        return address

    bootstrap, url = await asyncio.gather(
        start(KAFKA, "Apache Kafka"), start(CLICKHOUSE, "ClickHouse")
    )
    settings = Settings(kafka=bootstrap, clickhouse=url, data_dir=data_dir)
    await kafka.create_topics(settings)
    place = urlsplit(url)
    return Stack(
        settings=settings,
        kafka=parse(bootstrap),
        clickhouse=ListenAddress(place.hostname or "127.0.0.1", place.port or 8123),
    )


async def start_roles(
    supervisor: Supervisor,
    stack: Stack,
    data_dir: Path,
    *,
    service_port: int,
    channel: str,
    page: socket.socket | None,
) -> list[str]:
    """Publishes the inventory and starts every role; returns their names.

    `page` is where the page listens, None: there is none.

    Raises:
        ApplyError: Kafka did not take the inventory.
    """
    path = data_dir / "inventory.yaml"
    text = demo_inventory(
        service_port=service_port,
        kafka=stack.kafka,
        clickhouse=stack.clickhouse,
        channel=channel,
    )
    path.write_text(text, encoding="utf-8")
    env = _environment(stack.settings, data_dir)
    pages = () if page is None else (fleet.web_role(page, env),)
    for role in (*pages, *fleet.central_roles(env)):
        await supervisor.start(role)
    await inventories.apply(stack.settings, [path])
    for role in fleet.prober_roles(inventories.check([path]).policy, env):
        await supervisor.start(role)
    return [role.name for role in supervisor.roles]


def _environment(settings: Settings, data_dir: Path) -> dict[str, str]:
    """The complete environment of a role of the demo, without any settings file of the user."""
    config = data_dir / "demo.toml"
    config.touch()
    return {
        "PORTQUORUM_CONFIG": str(config),
        "PORTQUORUM_DATA_DIR": str(data_dir),
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_CLICKHOUSE": settings.clickhouse,
        "PORTQUORUM_LOG_FORMAT": "json",
        # The recovery follows the outage by seconds: it must not wait for a digest.
        "PORTQUORUM_GROUP_INTERVAL_S": "0",
    }


def _public(address: str) -> str:
    return address.rpartition("@")[2] if "@" in address else address
