"""Judges: real worker processes, ended when a job is too long for them."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from producers.checks.errors import CheckFailedError
from producers.judging import judges
from producers.judging.jobs import Json, Search
from producers.judging.judges import Judges
from schemas.probe import Step

ENDLESS = Json("$" + 8 * "..*", '"never"', b"[" * 90 + b"]" * 90)
"""Far below the limits of size, and would take days."""
SHORT = Json("$..a", "1", json.dumps([{"a": 1}]).encode())
DEADLINE_S = 100.0


@pytest.fixture
async def made() -> AsyncIterator[Judges]:
    found = Judges()
    yield found
    found.close()


def workers() -> set[int]:
    """The worker processes of this process."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"judging" in (path / "cmdline").read_bytes():
                found.add(int(path.name))
    return found


async def test_a_worker_serves_many_jobs(made: Judges) -> None:
    assert await made.verdict("a", SHORT, 30) is None
    first = workers()
    assert len(first) == 1
    assert await made.verdict("b", Json("$..b", None, b"[]"), 30) == "$..b finds nothing"
    step = Step(expect_regex="y+z")
    assert await made.verdict("c", Search(step, b"x" * 800_000 + b"yyz!"), 30) == 800_003
    assert workers() == first


async def test_many_small_jobs_of_one_check_let_others_have_their_turn(made: Judges) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(count())
    step = Step(expect_regex="(x?){200}y")
    for _ in range(200):
        assert await made.verdict("a", Search(step, b"x" * 4_000), 30) is None
    others.cancel()
    assert turns > 5
    assert not workers()


async def test_a_small_job_needs_none(made: Judges) -> None:
    assert await made.verdict("a", Json("$.a", "1", b'{"a": 1}'), 1) is None
    assert not workers()


async def test_a_job_without_end_is_the_servers_and_ends(made: Judges) -> None:
    for limit_ms in (200, 1000, 1000):
        text = f"judging the answer took more than {limit_ms} ms"
        with pytest.raises(CheckFailedError, match=text) as one:
            await made.verdict("bad", ENDLESS, 30)
        assert one.value.reason == "unexpected_response"
        assert made.expects_too_much("bad")
        assert not made.expects_too_much("other")
    # A body that is fine again is one as any other.
    assert await made.verdict("bad", SHORT, 30) is None
    assert not made.expects_too_much("bad")


async def test_the_loop_and_other_targets_go_on_beside_endless_jobs(made: Judges) -> None:
    for name in ("a", "b"):  # the workers are there
        await made.verdict(name, SHORT, 30)

    async def endless(number: int) -> str:
        with pytest.raises(CheckFailedError) as found:
            await made.verdict(f"bad {number}", ENDLESS, 60)
        return found.value.reason

    bad = [asyncio.create_task(endless(number)) for number in range(10)]
    await asyncio.sleep(0)
    # All ten are before it, with a short time each.
    async with asyncio.timeout(DEADLINE_S):
        assert await made.verdict("good", SHORT, DEADLINE_S) is None
        assert set(await asyncio.gather(*bad)) == {"unexpected_response"}
        # Now that they are known they are no more before it.
        bad = [asyncio.create_task(endless(number)) for number in range(10)]
        await asyncio.sleep(0)
        assert await made.verdict("good", SHORT, DEADLINE_S) is None
        for task in bad:
            task.cancel()
        await asyncio.gather(*bad, return_exceptions=True)


async def test_a_cancelled_job_ends_its_worker(made: Judges) -> None:
    task = asyncio.create_task(made.verdict("a", ENDLESS, 600))
    async with asyncio.timeout(DEADLINE_S):
        while not workers():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await made.verdict("b", SHORT, 30) is None
        while len(workers()) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_worker_that_was_killed_is_ours_and_the_next_is_another(made: Judges) -> None:
    assert await made.verdict("a", SHORT, 30) is None
    (pid,) = workers()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(CheckFailedError) as found:
        await made.verdict("a", SHORT, 30)
    assert found.value.reason == "prober_error"
    assert await made.verdict("a", SHORT, 30) is None


async def test_closing_ends_all_of_them(made: Judges) -> None:
    task = asyncio.create_task(made.verdict("a", ENDLESS, 600))
    async with asyncio.timeout(DEADLINE_S):
        while not workers():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    made.close()
    assert not workers()
    with pytest.raises(asyncio.CancelledError):
        await task


_PROBER = """
import asyncio
from producers.judging.judges import Judges
from tests.unit.producers.judging.test_judges import SHORT, workers
async def main():
    made = Judges()
    await made.verdict("a", SHORT, 30)
    print(*workers(), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_no_worker_outlives_a_prober_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PROBER], stdout=subprocess.PIPE) as prober:
        assert prober.stdout is not None
        pid = int(prober.stdout.readline())
        prober.kill()
    deadline = time.monotonic() + DEADLINE_S
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_CLICKHOUSE_URL", "https://user:secret@host/")

    async def worker() -> tuple[int, Judges]:
        made = Judges()
        try:
            await made.verdict("a", SHORT, 30)
            (pid,) = workers()
        except BaseException:
            made.close()
            raise
        return pid, made

    pid, made = asyncio.run(worker())
    try:
        assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        made.close()


def test_the_lanes_are_few() -> None:
    """Beside the loop, on a machine with few processors."""
    assert sum(lane.workers for lane in judges.LANES) <= 4
