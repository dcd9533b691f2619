"""A gateway that is seldom looked at, its dependents, real probers, the stream, one Kafka."""

import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from foundation.settings import Settings
from schemas.partition import partition_for
from tests.integration.sinks.notifier.rig import send_log
from tests.integration.streams import ground
from tests.system.ground import Listener, Mailbox
from tests.system.stack import Stack, eventually

REGIONS: Final = {"a": "127.0.0.21", "b": "127.0.0.22"}
GATEWAY: Final = "127.0.21.1"


@pytest.fixture
async def stack(kafka: str, tmp_path: Path) -> AsyncIterator[Stack]:
    fleet = Stack(ground.fresh(kafka, partitions=4), tmp_path)
    await fleet.watch()
    fleet.role("stream", "stream")
    for region, source in REGIONS.items():
        fleet.prober(region, source)
    yield fleet
    await fleet.close()


def elsewhere(settings: Settings) -> str:
    """A host whose targets lie in another partition than the gateway."""
    hosts = (f"127.0.21.{number}" for number in range(2, 250))
    place = partition_for(GATEWAY, settings.partitions)
    return next(host for host in hosts if partition_for(host, settings.partitions) != place)


def free_port() -> int:
    with socket.socket() as one:
        one.bind((GATEWAY, 0))
        return int(one.getsockname()[1])


async def test_a_gateway_is_known_to_be_down_and_back_as_soon_as_its_dependents_are(
    stack: Stack,
) -> None:
    """Its own next check comes in an hour: without the question of its dependent no test ends."""
    app, port = elsewhere(stack.settings), free_port()
    listeners = [Listener(GATEWAY, port), Listener(app, port)]
    regions = {name: {"internal": True, "source": source} for name, source in REGIONS.items()}
    targets = [
        {"id": "gateway", "host": GATEWAY, "port": port, "interval": "1h"},
        {"id": "app", "host": app, "port": port, "interval": "4s", "timeout": "1s"},
    ]
    targets[1]["depends_on"] = ["gateway"]
    try:
        await stack.apply({"regions": regions, "targets": targets}, "all")

        async def seen() -> bool:
            ups = {(one.target, one.region) for one in await stack.results() if one.status == "up"}
            return len(ups) == 4

        await eventually("every region has found both up", seen)
        for each in listeners:
            each.close()
        await eventually("the gateway opens", lambda: stack.told("gateway") == ["opened"])
        await eventually("its dependent opens", lambda: stack.told("app") == ["opened"])
        for each in listeners:
            each.open()
        await eventually("the gateway closes", lambda: "closed" in stack.told("gateway"))
        await eventually("its dependent closes", lambda: "closed" in stack.told("app"))
    finally:
        for each in listeners:
            with suppress(OSError):  # it is closed
                each.close()
    (opened,) = [one for one in stack.events("gateway") if one.event == "opened"]
    assert opened.incident_type == "unreachable"


async def test_one_message_for_a_gateway_and_one_for_who_stays_down_behind_it(
    stack: Stack,
) -> None:
    """From a socket to a person; the gateway's own next check would come in an hour."""
    port, mailbox = free_port(), Mailbox()
    apps = {f"app-{number}": f"127.0.21.{number + 10}" for number in range(4)}
    listeners = {name: Listener(host, port) for name, host in apps.items()}
    listeners["gateway"] = Listener(GATEWAY, port)
    common = {"port": port, "timeout": "1s", "criticality": "critical"}
    inventory = {
        "regions": {name: {"internal": True, "source": source} for name, source in REGIONS.items()},
        "routes": {"mail": {"urls": [mailbox.url], "default": True}},
        "targets": [
            {"id": "gateway", "name": "gateway", "host": GATEWAY, "interval": "1h", **common},
            *(
                {"id": name, "name": name, "host": host, "interval": "4s", **common}
                | {"depends_on": ["gateway"]}
                for name, host in apps.items()
            ),
        ],
    }
    try:
        await stack.apply(inventory, "all")
        stack.role("notify", "notify")

        async def seen() -> bool:
            ups = {(one.target, one.region) for one in await stack.results() if one.status == "up"}
            return len(ups) == 2 * len(listeners)

        await eventually("every region has found all up", seen)
        for each in listeners.values():
            each.close()
        everybody = list(listeners)
        await eventually("all open", lambda: all(stack.told(name) for name in everybody))

        async def spared() -> bool:
            rows = await send_log(stack.settings)
            why = {row.target: row.why or "" for row in rows if row.status == "not_sent"}
            return all("dependency: gateway" in why.get(name, "") for name in apps)

        await eventually("nobody is told of the dependents", spared)
        await eventually("the gateway is told", lambda: mailbox.about("gateway"))
        assert [mailbox.about(name) for name in apps] == [[]] * len(apps)
        for name, each in listeners.items():
            if name != "app-3":
                each.open()
        await eventually("who stays down is told", lambda: mailbox.about("app-3"))
        await eventually("the gateway is back", lambda: len(titles(mailbox, "gateway")) == 2)
        closed = ("gateway", "app-0", "app-1", "app-2")
        await eventually("the others close", lambda: all("closed" in stack.told(n) for n in closed))
        assert [mailbox.about(name) for name in ("app-0", "app-1", "app-2")] == [[]] * 3
    finally:
        for each in listeners.values():
            with suppress(OSError):
                each.close()
        mailbox.close()
    assert len(mailbox.messages) == 3, [title for title, _ in mailbox.messages]


def titles(mailbox: Mailbox, name: str) -> list[str]:
    """The titles of a target; the text of another may name it, too."""
    return [title for title, _ in mailbox.messages if name in title]
