"""A single manual check from this machine: no schedule, no publishing."""

import asyncio
import time

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from producers.kinds import closing
from schemas._types import ExpectedState
from schemas.probe import Probe
from schemas.target import Target


async def check_once(
    host: str,
    port: int | None,
    kind: str,
    timeout_s: float,
    source: str | None = None,
    *,
    probe: Probe | None = None,
    resolver: str | None = None,
    max_ms: float | None = None,
    expect: ExpectedState = "open",
    vantage: Vantage | None = None,
) -> CheckOutcome:
    """The outcome of one check of `host`:`port`, made from `source` if given.

    `max_ms` and `resolver`: as those of a target. Private addresses are allowed, since a user
    starts the check, unless `vantage` says which are. An unknown kind gives the outcome
    `prober_error`. Raises nothing. Within the timeout it also waits, for at most
    `closing.WITHIN_S`, for the server to close the connection.
    """
    engine = platform_engine(vantage or Vantage(source=source, internal=True))
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    check = PlannedCheck(
        Target(
            id="manual",
            name="manual",
            kind=kind,
            host=host,
            port=port,
            regions=("here",),
            interval_ms=1000,
            timeout_ms=max(1, round(timeout_s * 1000)),
            version=0,
            source="manual",
            probe=probe,
            resolver=resolver,
            max_ms=max_ms,
            expect=expect,
        ),
        due_ms=0.0,
        attempt=0,
        cause="manual",
    )
    began = time.monotonic()
    try:
        engine.submit(check, lambda _, outcome: done.set_result(outcome))
        outcome = await done
        left_s = began + timeout_s - time.monotonic()
        await engine.connections_closed(max(0.0, min(closing.WITHIN_S, left_s)))
        return outcome
    finally:
        engine.close()
