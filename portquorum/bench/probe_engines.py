"""The engines alone, each run in its own process: the cost of a check without the prober."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from portquorum.bench.figures import IN_FLIGHT, ROUND_US, TIMEOUT_MS, ProbeFigures
from portquorum.bench.listener import answering
from portquorum.bench.process import say

HERE: Final = Path(__file__).parent
SPARE_S: Final = 60.0
"""Time beyond its length after which a run is given up, in s."""

LIMIT: Final = "C epoll loop"
OURS: Final = "epoll engine"
PLAIN: Final = "asyncio engine"
NAIVE: Final = "asyncio, a task a check"
HANDSHAKE: Final = "redis handshake"
HANDSHAKES: Final = 0.2


class Contender(Struct, frozen=True):
    """A name and the program that runs it, without rate, seconds and ports."""

    name: str
    program: tuple[str, ...]
    settings: tuple[str, ...] = ()

    def run(self, rate: float, seconds: float, ports: Sequence[int]) -> ProbeFigures:
        """One run, in a process of its own."""
        told = subprocess.run(
            [*self.program, f"{rate:g}", f"{seconds:g}", *self.settings, *map(str, ports)],
            check=True,
            stdout=subprocess.PIPE,
            timeout=seconds + SPARE_S,
        )
        return msgspec.json.decode(told.stdout, type=ProbeFigures)


def measure(
    rates: Sequence[float], seconds: float, repeat: int, ports: Sequence[int], folder: Path
) -> Iterator[tuple[str, float, ProbeFigures]]:
    """All engines in turn, saturated (rate 0) and at each rate; the median of their runs.

    A handshake, which needs more, is made at `HANDSHAKES` of the lowest rate.
    """
    running = contenders(folder)
    with answering("portquorum.bench.responder") as responder:
        handshake = _ours(HANDSHAKE, "redis")
        for rate in (0.0, *rates):
            here = [(one, rate, ports) for one in running]
            if rate <= min(rates):
                here.append((handshake, rate * HANDSHAKES, responder.ports))
            runs: dict[tuple[str, float], list[ProbeFigures]] = {}
            for number in range(repeat):
                say(f"engines, {rate_text(rate)}: run {number + 1} of {repeat}")
                for one, its_rate, where in here:
                    figures = one.run(its_rate, seconds, where)
                    runs.setdefault((one.name, its_rate), []).append(figures)
            yield from ((*key, median(figures)) for key, figures in runs.items())


def contenders(folder: Path) -> list[Contender]:
    """All contenders that run here; the C loop is compiled into `folder` if there is a compiler."""
    found = [_ours(OURS, "epoll"), _ours(PLAIN, "asyncio"), _ours(NAIVE, "naive")]
    compiler = shutil.which("cc")
    if compiler is None:
        say("no C compiler (cc): the limit is left out")
        return found
    program = folder / "epoll_loop"
    source = HERE / "epoll_loop.c"
    subprocess.run([compiler, "-O2", "-Wall", "-o", program, source], check=True)
    settings = (f"{IN_FLIGHT}", f"{ROUND_US}", f"{TIMEOUT_MS}")
    return [Contender(LIMIT, (str(program),), settings), *found]


def _ours(name: str, engine: str) -> Contender:
    return Contender(name, (sys.executable, "-m", "portquorum.bench.load", engine))


def median(runs: Sequence[ProbeFigures]) -> ProbeFigures:
    """The run with the median CPU time, with the false timeouts and failures of all.

    The lag is the smallest of all runs, because other programs on the machine can only increase it.
    """
    middle = sorted(runs, key=lambda figures: figures.cpu_us)[len(runs) // 2]
    calmest = min(runs, key=lambda figures: figures.lag_p99_ms or 0.0)
    return msgspec.structs.replace(
        middle,
        lag_p50_ms=calmest.lag_p50_ms,
        lag_p99_ms=calmest.lag_p99_ms,
        timed_out=sum(figures.timed_out for figures in runs),
        failed=sum(figures.failed for figures in runs),
    )


def rate_text(rate: float) -> str:
    """A rate in people's notation; 0 is saturated."""
    return f"{rate:,.0f}/s" if rate else "saturated"
