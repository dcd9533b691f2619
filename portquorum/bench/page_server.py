"""The page over a made-up fleet, as a process: `python -m portquorum.bench.page_server`.

Writes its port to stdout once it listens. Each line on stdin makes an incident open, of which live
viewers are told; the line is the subject of the change.
"""

import argparse
import asyncio
import gc
import sys

from foundation.http_origin import Served
from foundation.lifecycle import cancelled, stop_on_signals
from foundation.loopback_listener import loopback_listener
from foundation.settings import Settings
from portquorum.bench import page_fleet
from portquorum.bench.page_model import NOW, loaded
from portquorum.web.answers import Change
from portquorum.web.app import create_app
from portquorum.web.fleet import Fleet
from portquorum.web.following import Hub
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.pages.handlers import PAGE_ROUTES, error_page_of
from portquorum.web.parts import Parts
from portquorum.web.server import serve
from schemas import incident


async def main() -> None:
    """Serves until SIGTERM."""
    asked = _arguments()
    fleet, _ = loaded(asked.targets, asked.open)
    gc.collect()
    gc.freeze()
    hub = Hub()
    hub.begin(fleet.vector())
    history = StoredHistory(Settings(clickhouse="http://127.0.0.1:1/none"))
    closing = asyncio.Event()
    app = create_app(
        Parts(fleet, hub, history, closing),
        Served("127.0.0.1"),
        routes=PAGE_ROUTES,
        error_page=error_page_of(fleet),
    )
    stop = stop_on_signals()
    listening = loopback_listener("127.0.0.1:0", "bench")
    print(listening.getsockname()[1], flush=True)
    changing = asyncio.create_task(_change(fleet, hub))
    try:
        await serve(app, listening, closing, stop)
    finally:
        await cancelled(changing)
        await history.close()


async def _change(fleet: Fleet, hub: Hub) -> None:
    """An incident opens at each line."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    number = 0
    while line := await reader.readline():
        number += 1
        target = fleet.inventory.record((number * 7919) % len(fleet.inventory)).definition()
        at = NOW + number
        event = page_fleet.event_of(target, kind="slow", at=at, began=at)
        fleet.apply_event(0, number, incident.encode(event))
        change = Change(
            kind="incident",
            id=fleet.position,
            at=at,
            subject=line.decode().strip(),
            counts=fleet.counts(),
            incident=fleet.incident_row(event.incident_id),
        )
        hub.publish([change], [("incidents", 0, number + 1)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.page_server")
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--open", type=int, default=1_000)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
