"""`max_ms`: a check that is up and took longer in all is down, in every engine."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.asyncio_engine import AsyncioEngine
from producers.engine.single_check import check_once
from producers.engine.total_limit import limited
from schemas.probe import Step, TcpProbe
from schemas.target import Target


def target(max_ms: float | None, *, closed: bool = False) -> Target:
    return Target(
        id="a",
        name="a",
        kind="tcp",
        host="127.0.0.1",
        port=9,
        regions=("here",),
        interval_ms=1000,
        timeout_ms=1000,
        version=0,
        source="test",
        max_ms=max_ms,
        expect="closed" if closed else "open",
    )


def up(total_ms: float | None, detail: str | None = None) -> CheckOutcome:
    return CheckOutcome(
        status="up", reason=None, started_at=0.0, connect_ms=1.0, total_ms=total_ms, detail=detail
    )


@pytest.mark.parametrize(
    ("max_ms", "total_ms", "detail"),
    [
        (None, 900.0, None),
        (500, 499.9, None),
        (500, 500.0, None),
        (500, 812.4, "expected an answer within 500 ms, found 812 ms"),
        (500, 500.25, "expected an answer within 500 ms, found 500.25 ms"),
        (0.5, 0.75, "expected an answer within 0.5 ms, found 1 ms"),
        (500, None, None),
    ],
)
def test_more_than_the_limit_is_down(
    max_ms: float | None, total_ms: float | None, detail: str | None
) -> None:
    found = limited(target(max_ms), up(total_ms))
    assert (found.status, found.reason, found.detail) == (
        ("up", None, None) if detail is None else ("down", "too_slow", detail)
    )
    assert (found.connect_ms, found.total_ms) == (1.0, total_ms)


def test_what_failed_keeps_its_reason_and_a_remark_stays() -> None:
    failed = CheckOutcome(status="down", reason="no_answer", started_at=0.0, total_ms=900.0)
    assert limited(target(500), failed) is failed
    found = limited(target(500), up(900.0, "Certificate ends in 9 days"))
    assert found.detail is not None
    assert found.detail.endswith("found 900 ms; Certificate ends in 9 days")
    assert len(limited(target(500), up(900.0, "x" * 300)).detail or "") == 300


def test_the_silence_of_a_port_that_must_be_closed_has_no_limit() -> None:
    assert limited(target(500, closed=True), up(900.0)).status == "up"


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize("probe", [None, TcpProbe(steps=(Step(send="x"),))], ids=["plain", "task"])
async def test_both_engines_have_it(port: int, probe: TcpProbe | None) -> None:
    fine = await check_once("127.0.0.1", port, "tcp", 5, probe=probe, max_ms=4_000)
    slow = await check_once("127.0.0.1", port, "tcp", 5, probe=probe, max_ms=0.000_1)
    assert (fine.status, fine.detail) == ("up", None)
    assert (slow.status, slow.reason) == ("down", "too_slow")
    assert slow.connect_ms is not None


async def test_the_engine_without_epoll_has_it(port: int) -> None:
    engine = AsyncioEngine(Vantage(internal=True))
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    try:
        check = PlannedCheck(
            replace(target(0.000_1), port=port),
            due_ms=0.0,
            attempt=0,
            cause="manual",
        )
        engine.submit(check, lambda _, outcome: done.set_result(outcome))
        assert (await done).reason == "too_slow"
    finally:
        engine.close()
