"""A recipe of the page, tried at a server of the test."""

import asyncio
import time
from typing import Final

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.checking import measured
from tests.integration.recipes.page import Recipe
from tests.wide.server import Pems, Server, started

_WITHIN_S: Final = 30
_TIMEOUT_S: Final = 1.5


async def tried(recipe: Recipe, port: int, timeout_s: float = _TIMEOUT_S) -> CheckOutcome:
    """The outcome of the recipe at this port of 127.0.0.1."""
    probe = probe_of(recipe.kind, recipe.probe, recipe.port)
    return await measured(
        lambda: check_once("127.0.0.1", port, recipe.kind, timeout_s, probe=probe)
    )


async def tried_at(recipe: Recipe, server: Server, pems: Pems) -> list[CheckOutcome]:
    """The first outcome that is up at the server (or the last one), and two more after it.

    The two show that a check leaves nothing behind for which the server shuts us out.
    """
    with started(server, pems) as running:
        port = running.ports[server.ports[0].name]
        deadline = time.monotonic() + _WITHIN_S
        outcome = await tried(recipe, port)
        while outcome.status != "up" and time.monotonic() < deadline:
            await asyncio.sleep(0.05)  # not ready yet: a UDP port takes no connection that shows it
            outcome = await tried(recipe, port)
        return [outcome, *[await tried(recipe, port) for _ in range(2)]]
