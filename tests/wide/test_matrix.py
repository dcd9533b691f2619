"""Every kind against every server: up where it is that server, else down, in time and by reason."""

import asyncio
import time
from collections import Counter
from typing import Final

import pytest
import structlog

from tests.integration.kinds.servers import open_for_connections
from tests.wide.attempts import ATTEMPTS, WITHOUT_CERTIFICATE, Attempt, Judged, judged
from tests.wide.page_behind import PageBehind
from tests.wide.server import Pems, Port, Running, Server, started
from tests.wide.servers.every import EVERY
from tests.wide.verification import MatrixRow, Verification

pytestmark = [pytest.mark.wide, pytest.mark.root, pytest.mark.timeout(600)]

UP_TIMEOUT_S: Final = 10.0
UP_WITHIN_S: Final = 30.0
DOWN_TIMEOUT_S: Final = 1.5
LATE_MS: Final = 100.0
"""What a check may take of our own beyond its timeout."""

REMARK: Final = "the server asks for a client certificate"
"""What is said of one that is up though it lets nobody in without."""

TRIES: Final = 5
"""How often something is looked at that a busy machine could have caused."""


async def test_names_of_attempts_are_known() -> None:
    """A name that is mistyped in a table would never be looked at."""
    named = {name for server in EVERY for port in server.ports for name in port.rightly_up}
    assert named - set(ATTEMPTS) == set()
    assert len({server.name for server in EVERY}) == len(EVERY)


@pytest.mark.parametrize("server", EVERY, ids=lambda server: server.name)
async def test_server(
    server: Server, pems: Pems, behind: PageBehind, verification: Verification
) -> None:
    wrong: list[str] = []
    rows: list[MatrixRow] = []
    with structlog.testing.capture_logs() as logged, started(server, pems) as running:
        for port in server.ports:
            row = await looked_at(server, port, running, behind, wrong)
            rows.append(row)
    wrong += [f"logged: {entry}" for entry in logged if entry["log_level"] == "error"]
    assert not wrong, f"{server.name}:\n" + "\n".join(wrong)
    # Only now: the page says that nothing was wrong.
    verification.add(server.name, rows)


async def looked_at(
    server: Server, port: Port, running: Running, behind: PageBehind, wrong: list[str]
) -> MatrixRow:
    """All attempts at one port; what must not be goes into `wrong`."""
    number = running.ports[port.name]
    remarked = WITHOUT_CERTIFICATE if port.ends_without_certificate else frozenset[str]()
    up = sorted(port.rightly_up | remarked)
    for name in up:
        held = await until_up(ATTEMPTS[name], number, behind)
        if held.outcome.status != "up":
            wrong.append(f"{port.name}: {said(held)}, and {name} is rightly up")
        elif name in remarked and REMARK not in (held.outcome.detail or ""):
            wrong.append(f"{port.name}: {said(held)}, expected with {REMARK!r}")
    others = [attempt for name, attempt in ATTEMPTS.items() if name not in up]
    free = asyncio.Semaphore(server.at_once)

    async def one(attempt: Attempt) -> Judged:
        async with free:
            return await judged(attempt, number, DOWN_TIMEOUT_S, behind)

    found = await asyncio.gather(*(one(attempt) for attempt in others))
    # Those that the crowd around them or this machine may have caused: once more, alone.
    seen = [await alone(judgement, number, behind) for judgement in found]
    for judgement in seen:
        refused = "down" if port.unregistered else judgement.attempt.refused
        if judgement.outcome.status != refused:
            wrong.append(f"{port.name}: {said(judgement)}, expected {refused}")
        elif judgement.late_ms > LATE_MS:
            wrong.append(f"{port.name}: {said(judgement)} came {judgement.late_ms:.0f} ms late")
    if port.over != "udp" and not open_for_connections(number):
        wrong.append(f"{port.name}: {server.name} does not bear our checks: its port is closed")
    return MatrixRow(
        server=server.name,
        source=server.source,
        version=server.version(),
        port=port.name,
        up=tuple(up),
        down=dict(Counter(str(one.outcome.reason) for one in seen if one.outcome.status == "down")),
        missed=sum(one.outcome.status == "missed" for one in seen),
        latest_ms=max(judgement.late_ms for judgement in seen),
    )


async def until_up(attempt: Attempt, port: int, behind: PageBehind) -> Judged:
    """The first judgement that is `up`, or the last one: a server may take its time."""
    deadline = time.monotonic() + UP_WITHIN_S
    timeout_s = DOWN_TIMEOUT_S if attempt.waits_for_silence else UP_TIMEOUT_S
    while True:
        judgement = await judged(attempt, port, timeout_s, behind)
        if judgement.outcome.status == "up" or time.monotonic() > deadline:
            return judgement
        # As `protocol_mismatch` while it starts; one that answers wrongly is asked a few times.
        await asyncio.sleep(1)


async def alone(judgement: Judged, port: int, behind: PageBehind) -> Judged:
    """The judgement itself, or, if others or this machine may have been its cause, a later one."""
    for _ in range(TRIES):
        reason = judgement.outcome.reason
        stood_still = (judgement.outcome.detail or "").startswith("the prober stood still")
        crowded = reason in {"too_many_connections", "connection_refused"}
        if not (stood_still or crowded or judgement.late_ms > LATE_MS):
            break
        again = await judged(judgement.attempt, port, DOWN_TIMEOUT_S, behind)
        if crowded and again.outcome.reason == reason and again.late_ms <= LATE_MS:
            return again
        judgement = again
    return judgement


def said(judgement: Judged) -> str:
    outcome = judgement.outcome
    words = f"{judgement.attempt.name} is {outcome.status}"
    return f"{words} ({outcome.reason}: {outcome.detail}; banner {outcome.banner!r})"
