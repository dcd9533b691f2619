"""Runs the shipped worker, `portquorum stream`, in its own process, and watches it from outside."""

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from foundation.settings import Settings
from portquorum.bench.role import environment, running
from portquorum.bench.stream_fleet import REGIONS
from portquorum.bench.stream_log import Written
from portquorum.bench.stream_run import StreamRun

DEADLINE_S: Final = 600.0
_LOOK_S: Final = 1.0
"""Time between two looks, in s. A look costs the worker some milliseconds for all its metrics."""


class Drained(Struct, frozen=True, kw_only=True):
    """A backlog that the worker has read.

    `run` is from the first look with at least two intervals of applied results, so that the fleet
    is known and heard, to the last one before the end: both ends are exact. `sent` counts the
    messages that the broker confirmed, by type; memory is the process's peak, in bytes.
    """

    run: StreamRun
    sent: dict[str, int]
    checkpoints: int
    memory: int


class WorkerSample(Struct, frozen=True, kw_only=True):
    """The worker at one moment.

    `waited_s` is the time for which its main thread was runnable while others had all the cores.
    """

    at: float
    cpu_s: float
    waited_s: float
    memory: int
    metrics: dict[str, float]

    @property
    def results(self) -> int:
        """Number of applied results."""
        return int(self.metrics.get("portquorum_stream_results_total", 0))

    def sent(self) -> dict[str, int]:
        """Number of confirmed messages, by type."""
        name = "portquorum_stream_sent_total:"
        return {
            key.removeprefix(name): int(value)
            for key, value in self.metrics.items()
            if key.startswith(name)
        }


class WorkerProcess:
    """A running worker."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process = psutil.Process(process.pid)
        self._popen = process
        self._url = f"http://127.0.0.1:{port}/metrics"
        self._log = log

    def look(self) -> WorkerSample | None:
        """The worker's present values; None before its first answer.

        Raises:
            SystemExit: the process has ended.
        """
        if self._popen.poll() is not None:
            raise SystemExit(f"the worker ended: {self._log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(self._url, timeout=30) as page:  # noqa: S310 - our own
                text = page.read().decode()
        except OSError:
            return None
        metrics: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                kind = sample.labels.get("type")
                name = sample.name if kind is None else f"{sample.name}:{kind}"
                metrics[name] = metrics.get(name, 0) + sample.value
        times = self._process.cpu_times()
        return WorkerSample(
            at=time.perf_counter(),
            cpu_s=times.user + times.system,
            waited_s=self._waited_s(),
            memory=self._process.memory_info().rss,
            metrics=metrics,
        )

    def _waited_s(self) -> float:
        # On the core and waiting for one, in ns (Documentation/scheduler/sched-stats.rst, Linux).
        told = Path(f"/proc/{self._process.pid}/schedstat").read_text(encoding="ascii")
        return int(told.split()[1]) / 1e9

    def until(self, results: int) -> list[WorkerSample]:
        """Looks until this number of results is applied; the last look is the first with all."""
        looks: list[WorkerSample] = []
        end = time.perf_counter() + DEADLINE_S
        while time.perf_counter() < end:
            look = self.look()
            if look is not None:
                looks.append(look)
                if look.results >= results:
                    return looks
            time.sleep(_LOOK_S)
        raise SystemExit(f"expected {results} results, found {looks[-1:]}")


@contextlib.contextmanager
def shipped(settings: Settings, log: Path) -> Iterator[WorkerProcess]:
    """`portquorum stream`, ended by SIGTERM."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    env = environment(
        settings,
        PORTQUORUM_METRICS=f"127.0.0.1:{port}",
    )
    with running(["stream"], env, log) as process:
        yield WorkerProcess(process, port, log)


def drain(settings: Settings, targets: int, written: Written, log: Path) -> Drained:
    """Starts a worker on an existing log, and follows it to the end."""
    results = written.results
    # The first result of a target from a region makes its window, which the others need not.
    begun = 2 * targets * len(REGIONS)
    with shipped(settings, log) as worker:
        looks = worker.until(results)
    inner = [look for look in looks if begun <= look.results < results]
    if len(inner) < 2:
        raise SystemExit("the backlog is too short to be timed: give more results")
    first, last = inner[0], inner[-1]
    done = last.results - first.results
    final = looks[-1]
    return Drained(
        run=StreamRun(
            results=done,
            messages=written.messages * done // results,
            seconds=last.at - first.at,
            cpu_s=last.cpu_s - first.cpu_s,
        ),
        sent=final.sent(),
        checkpoints=int(final.metrics.get("portquorum_stream_checkpoints_total", 0)),
        memory=max(look.memory for look in looks),
    )
