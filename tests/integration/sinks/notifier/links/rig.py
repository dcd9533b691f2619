"""A notifier with its server of links, and what a test asks of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import requests
from msgspec import structs

from foundation.kafka import Follower
from foundation.lifecycle import cancelled
from foundation.settings import Settings
from schemas import control
from schemas.control import Acknowledged
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.links.server import LinkServer
from sinks.notifier.main import desk_maker
from sinks.notifier.notifier import Notifier
from sinks.notifier.outbox import Outbox
from tests.integration.sinks.notifier.rig import until

KEY = "a key that several notifiers share, and nobody else"


def linked(settings: Settings, **more: object) -> Settings:
    """With links; the port is the system's choice."""
    fields = {
        "links": "https://monitor.example.com/pq",
        "links_listen": "127.0.0.1:0",
        "links_key": KEY,
    }
    return structs.replace(settings, **(fields | more))


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Notifier, LinkServer]]:
    """A notifier and its server, as `main.again_and_again` runs them."""
    stop = asyncio.Event()
    outbox = Outbox(settings, send, problem)
    running = Notifier(settings, outbox, desk_maker(settings))
    server = LinkServer(settings, lambda: running)
    tasks = [asyncio.create_task(running.run(stop)), asyncio.create_task(server.run())]
    try:
        await until(lambda: server.port > 0, "links are served")
        yield running, server
    finally:
        stop.set()
        await asyncio.wait_for(tasks[0], 60)
        await asyncio.wait_for(cancelled(tasks[1]), 5)
        await outbox.close()


async def ask(server: LinkServer, method: str, path: str, **options: object) -> requests.Response:
    """One request, in a thread."""
    return await asyncio.to_thread(
        requests.request,
        method,
        f"http://127.0.0.1:{server.port}{path}",
        timeout=30,
        allow_redirects=False,
        **options,  # type: ignore[arg-type]
    )


async def acknowledgements(settings: Settings) -> list[tuple[int, Acknowledged]]:
    """Partition and record of each acknowledgement on [results]."""
    found = []
    async with Follower(settings, settings.topic("results")) as follower:
        async for record in follower.present():
            body = control.body(record.headers)
            word = None if body is None else control.decode(body)
            if isinstance(word, Acknowledged):
                found.append((record.partition, word))
    return found


def now_ms() -> int:
    return time.time_ns() // 1_000_000
