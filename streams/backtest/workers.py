"""Runs the shards in processes, one for each core."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from msgspec import Struct

from foundation import clickhouse
from foundation.settings import Settings
from streams.backtest import history, shard
from streams.backtest.loss import LossCount
from streams.backtest.outcome import PastIncident
from streams.backtest.plan import BacktestPlan, Policies, Shard
from streams.backtest.shard import ShardOutcome

QUERY_TIMEOUT_S: Final = 3600


class BacktestError(RuntimeError):
    """A worker failed; the text says why."""


class Task(Struct, frozen=True):
    """The input of a worker process; times are UTC ms, `until` excluded.

    The warm-up goes from `since` to `compared_since`.
    """

    settings: Settings
    policies: Policies
    shards: list[Shard]
    since: int
    compared_since: int
    until: int
    latency: bool


def run(
    settings: Settings,
    plan: BacktestPlan,
    policies: Policies,
    *,
    since: int,
    compared_since: int,
    until: int,
    workers: int,
    progress: Callable[[int], None],
) -> ShardOutcome:
    """Runs all shards of `plan`; returns their combined outcomes.

    Times are UTC ms: the warm-up goes from `since` to `compared_since`, `until` is excluded.
    `progress` is called with the number of rows finished since its last call. On any error, and on
    Ctrl-C, the workers are ended before the error is raised.

    Raises:
        BacktestError: ClickHouse refused, or a worker died.
    """
    latency = bool(policies.limits())
    running: dict[Connection, BaseProcess] = {}
    outcomes: list[ShardOutcome] = []
    try:
        with _uninterrupted():
            for number in range(workers):
                shards = plan.shards[number::workers]
                if not shards:
                    continue
                ids = {one for part in shards for one in part.targets}
                mine = Policies(
                    {key: one for key, one in policies.present.items() if key in ids},
                    {key: one for key, one in policies.proposed.items() if key in ids},
                )
                task = Task(settings, mine, shards, since, compared_since, until, latency)
                connection, process = _start(task)
                running[connection] = process
        while running:
            for ready in wait(list(running)):
                if not isinstance(ready, Connection):
                    continue
                message = _receive(ready, running[ready])
                if isinstance(message, int):
                    progress(message)
                elif isinstance(message, str):
                    raise BacktestError(message)
                else:
                    outcomes.append(message)
                    running.pop(ready).join()
                    ready.close()
    finally:
        for connection, process in running.items():
            process.terminate()
            process.join()
            connection.close()
    return ShardOutcome(
        present=_sorted(one.present for one in outcomes),
        proposed=_sorted(one.proposed for one in outcomes),
        rows=sum(one.rows for one in outcomes),
        failures=sum(one.failures for one in outcomes),
        loss=sum((one.loss for one in outcomes), LossCount()),
    )


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Blocks SIGINT for child processes that are started inside.

    Ctrl-C reaches the whole foreground group; this process ends its workers itself.
    """
    # Otherwise it starts with the first child, and unblocks the signal when it has.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(task: Task) -> tuple[Connection, BaseProcess]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _sorted(parts: Iterator[list[PastIncident]]) -> list[PastIncident]:
    found = [one for part in parts for one in part]
    return sorted(found, key=lambda one: (one.opened_at, one.target))


def _receive(connection: Connection, process: BaseProcess) -> int | str | ShardOutcome:
    try:
        message: int | str | ShardOutcome = connection.recv()
    except EOFError as error:
        process.join()
        raise BacktestError(
            f"a worker of the backtest ended with code {process.exitcode} before it was done"
        ) from error
    return message


def _work(task: Task, out: Connection) -> None:
    """The main function of a worker: its shards one after the other, then a final message."""
    with contextlib.suppress(BrokenPipeError):
        try:
            out.send(_all(task, out.send))
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - told to the parent, who raises it
            out.send(f"{type(error).__name__}: {' '.join(str(error).split())}")


def _all(task: Task, progress: Callable[[int], None]) -> ShardOutcome:
    client = clickhouse.connect(task.settings, send_receive_timeout=QUERY_TIMEOUT_S)
    found = []
    try:
        for part in task.shards:
            rows = history.read(client, part.targets, task.since, task.until, latency=task.latency)
            one = shard.run(
                part,
                task.policies,
                rows,
                since=task.since,
                compared_since=task.compared_since,
                until=task.until,
                progress=progress,
            )
            found.append(one)
    finally:
        client.close()
    return ShardOutcome(
        present=[incident for one in found for incident in one.present],
        proposed=[incident for one in found for incident in one.proposed],
        rows=sum(one.rows for one in found),
        failures=sum(one.failures for one in found),
        loss=sum((one.loss for one in found), LossCount()),
    )
