"""One check, as the prober makes it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once

Tls = Literal["none", "starttls", "implicit"]

STOOD_STILL = ("the prober stood still", "no verdict on the answer")
"""How the detail of an outcome begins that says nothing but this machine's load."""


async def check(
    kind: str,
    port: int,
    *,
    tls: Tls = "none",
    verify: bool = True,
    host: str = "127.0.0.1",
    timeout_s: float = 10,
    **more: object,
) -> CheckOutcome:
    """The outcome of a check with these options."""
    probe = probe_of(kind, {"tls": tls, "verify": verify, **more}, port)
    return await measured(lambda: check_once(host, port, kind, timeout_s, probe=probe))


async def measured(begin: Callable[[], Awaitable[CheckOutcome]], tries: int = 5) -> CheckOutcome:
    """The first outcome of a check during which this machine did not stand still, or the last one.

    A prober whose loop, or whose judging process, stood still says so, and measures nothing: beside
    other tests that happens.
    """
    outcome = await begin()
    for _ in range(tries - 1):
        if not (outcome.detail or "").startswith(STOOD_STILL):
            break
        outcome = await begin()
    return outcome


async def check_until_up(kind: str, port: int, within_s: float = 30) -> CheckOutcome:
    """The first outcome that is `up`, or the last one: for a server that takes its time."""
    deadline = time.monotonic() + within_s
    while True:
        outcome = await check(kind, port)
        if outcome.status == "up" or time.monotonic() > deadline:
            return outcome
        await asyncio.sleep(0.1)


def assert_up(outcome: CheckOutcome, *, tls: bool = False) -> None:
    """It is up, and every phase that it had was measured."""
    assert (outcome.status, outcome.reason, outcome.detail) == ("up", None, None), outcome
    assert outcome.connect_ms is not None
    assert outcome.total_ms is not None
    assert outcome.total_ms > outcome.connect_ms
    assert (outcome.tls_ms is not None) == tls


def assert_down(outcome: CheckOutcome, reason: str, detail: str) -> None:
    assert (outcome.status, outcome.reason) == ("down", reason), outcome
    assert outcome.detail is not None
    assert detail in outcome.detail, outcome
