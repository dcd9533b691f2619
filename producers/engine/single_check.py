"""A single manual check from this machine: no schedule, no address policy, no publishing."""

import asyncio

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
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
) -> CheckOutcome:
    """The outcome of one check of `host`:`port`, made from `source` if given.

    Private addresses are allowed, since a user starts the check. An unknown kind gives the outcome
    `prober_error`. Raises nothing.
    """
    engine = platform_engine(Vantage(source=source, internal=True))
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
        ),
        due_ms=0.0,
        attempt=0,
        cause="manual",
    )
    try:
        engine.submit(check, lambda _, outcome: done.set_result(outcome))
        return await done
    finally:
        engine.close()
