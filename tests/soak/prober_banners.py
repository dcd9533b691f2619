"""Checks of every kind against servers that say anything: none may crash, hang or grow.

The prober's own engine, over real sockets on loopback; each lane makes one check after the other,
so it is known what was said to it.
"""

import asyncio
import contextlib
import gc
import resource
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, cast

from msgspec import Struct
from msgspec.structs import replace

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.checks.os_errors import DETAIL_LENGTH
from producers.engine.factory import platform_engine
from producers.engine.task_engine import NOT_UNDERSTOOD
from producers.kinds.registry import KINDS
from schemas.target import Target
from tests.soak.prober_lanes import Lane
from tests.soak.prober_speeches import Speaker, Speech, server_context

TIMEOUT_MS: Final = 5_000
WAITING_MS: Final = 200
"""The timeout of a check that may have to wait for it."""

WARM_UP: Final = 4_000
MOST_GROWTH_MB: Final = 32.0
LONGEST_S: Final = 20.0
"""Within this every check ends, and the event loop comes round: else something hangs."""


class Heard(Struct, kw_only=True):
    """What came of the checks of a lane."""

    checks: int = 0
    outcomes: dict[str, int] = {}


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a run; `wrong` is empty when nothing crashed, hung or said what it may not."""

    seed: int
    seconds: float
    growth_mb: float
    standstill_s: float
    lanes: dict[str, Heard]
    wrong: list[str]

    @property
    def checks(self) -> int:
        """Of all lanes."""
        return sum(lane.checks for lane in self.lanes.values())

    @property
    def report(self) -> str:
        """For people."""
        lines = [
            f"seed {self.seed}, {self.seconds:.0f} s",
            f"{self.checks} answers, {len(self.lanes)} lanes",
            f"memory grew by {self.growth_mb:.1f} MB; the loop stood for {self.standstill_s:.2f} s",
        ]
        for name, lane in self.lanes.items():
            told = ", ".join(f"{reason} {count}" for reason, count in sorted(lane.outcomes.items()))
            lines.append(f"{name}: {lane.checks} ({told})")
        return "\n".join([*lines, *(self.wrong or ["no crash, no hang, memory within its bound"])])


async def run(
    seed: int, checks: int, chosen: Sequence[Lane], tell: Callable[[str], None] = print
) -> Outcome:
    """Makes about `checks` checks, shared out by the lanes' weights."""
    engine = platform_engine(Vantage(internal=True))
    hall = _Hall(engine.submit)
    began = time.monotonic()
    watching = asyncio.create_task(hall.watch())
    paced = {name: kind for name, kind in KINDS.items() if kind.pace is not None}
    # These servers lock nobody out, and are asked thousands of times.
    KINDS.update({name: replace(kind, pace=None) for name, kind in paced.items()})
    try:
        await hall.run(f"{seed} warm", chosen, WARM_UP)
        gc.collect()
        hall.forget()
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        parts = max(1, min(10, checks // 10_000))
        for part in range(parts):
            await hall.run(f"{seed} {part}", chosen, checks / parts)
            tell(f"{sum(one.checks for one in hall.heard.values())} answers")
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    finally:
        KINDS.update(paced)
        watching.cancel()
        engine.close()
    growth_mb = grown_kib * 1024 / 1e6
    wrong = [*hall.wrong]
    if growth_mb > MOST_GROWTH_MB:
        wrong.append(f"memory grew by {growth_mb:.0f} MB")
    return Outcome(
        seed=seed,
        seconds=time.monotonic() - began,
        growth_mb=growth_mb,
        standstill_s=hall.standstill_s,
        lanes=hall.heard,
        wrong=wrong,
    )


class _Hall:
    """Runs lanes side by side and takes down what came of them."""

    def __init__(
        self, submit: Callable[[PlannedCheck, Callable[[PlannedCheck, CheckOutcome], None]], None]
    ) -> None:
        self._submit = submit
        self._since: dict[str, float] = {}
        self.heard: dict[str, Heard] = {}
        self.wrong: list[str] = []
        self.standstill_s = 0.0

    def forget(self) -> None:
        self.heard.clear()
        self.standstill_s = 0.0

    async def watch(self) -> None:
        """Notes how long the loop stood still."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.1)
            self.standstill_s = max(self.standstill_s, time.monotonic() - began - 0.1)

    async def run(self, seed: str, chosen: Sequence[Lane], checks: float) -> None:
        total = sum(lane.weight for lane in chosen)
        async with asyncio.TaskGroup() as group:
            for lane in chosen:
                count = max(1, round(checks * lane.weight / total / lane.copies))
                for copy in range(lane.copies):
                    group.create_task(self._run(f"{seed} {lane.name} {copy}", lane, count))

    async def _run(self, seed: str, lane: Lane, count: int) -> None:
        speaker = Speaker(seed, lane.good)
        heard = self.heard.setdefault(lane.name, Heard())
        async with _serving(lane, speaker) as (port, server):
            for _ in range(count):
                if lane.datagrams is None:
                    server.speech = speaker.next()
                waits = lane.datagrams is not None or server.speech.may_wait
                target = _target(lane, port, WAITING_MS if waits else TIMEOUT_MS)
                async with asyncio.timeout(LONGEST_S):
                    outcome = await self._check(target)
                self._judge(lane, heard, outcome, server)

    async def _check(self, target: Target) -> CheckOutcome:
        done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
        self._submit(
            PlannedCheck(target, 0.0, 0, "manual"), lambda _, outcome: done.set_result(outcome)
        )
        return await done

    def _judge(self, lane: Lane, heard: Heard, outcome: CheckOutcome, server: "_Server") -> None:
        heard.checks += 1
        told = outcome.reason or "up"
        heard.outcomes[told] = heard.outcomes.get(told, 0) + 1
        for text in (outcome.detail, outcome.banner):
            if text is not None and not (text.isprintable() and len(text) <= DETAIL_LENGTH):
                self._complain(lane, server, f"says {text!r}")
        detail = outcome.detail or ""
        ours = outcome.reason == "prober_error" and not detail.startswith("the prober stood still")
        if ours or detail.startswith(NOT_UNDERSTOOD):
            self._complain(lane, server, f"crashed: {detail}")

    def _complain(self, lane: Lane, server: "_Server", text: str) -> None:
        self.wrong.append(f"{lane.name}: {text}; it was told {server.said!r}"[:2_000])


class _Server:
    """What the server of a lane says next, and said last."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.speech = Speech((), "at once")
        self.datagram = b""

    @property
    def said(self) -> Speech | bytes:
        return self.speech if self.speech.parts else self.datagram


class _Speaking(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._left: list[bytes] = []
        self._in_turn = self._ends = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        speech, cut = self._server.speech, self._server.speaker.cut
        self._in_turn = speech.manner == "in turn"
        self._ends = speech.manner != "then silent"
        match speech.manner:
            case "in turn":
                self._left = list(speech.parts)
            case "in pieces":
                self._left = [piece for part in speech.parts for piece in cut(part)]
            case "byte by byte":
                self._left = [bytes([byte]) for part in speech.parts for byte in part]
            case _:
                self._left = [b"".join(speech.parts)]
        self._next()

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - that it spoke is enough
        if self._in_turn:
            self._next()

    def _next(self) -> None:
        if self._transport.is_closing():
            return
        if self._left:
            self._transport.write(self._left.pop(0))
        if self._left and not self._in_turn:
            asyncio.get_running_loop().call_soon(self._next)
        elif not self._left and self._ends:
            self._end()

    def _end(self) -> None:
        self._ends = False
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()


class _Answering(asyncio.DatagramProtocol):
    """One port of UDP."""

    def __init__(self, server: _Server, good: Callable[[bytes], bytes]) -> None:
        self._server = server
        self._good = good

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's is none by its classes.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        server = self._server
        server.datagram = server.speaker.datagram(self._good(data))
        # The same over TCP, for an answer that says that it was cut short.
        whole = server.speaker.datagram(self._good(data))
        server.speech = Speech((len(whole).to_bytes(2, "big") + whole,), "in pieces")
        self._transport.sendto(server.datagram, addr)


@contextlib.asynccontextmanager
async def _serving(lane: Lane, speaker: Speaker) -> AsyncIterator[tuple[int, _Server]]:
    loop = asyncio.get_running_loop()
    server = _Server(speaker)
    context = server_context() if lane.tls else None
    listening = await loop.create_server(lambda: _Speaking(server), "127.0.0.1", 0, ssl=context)
    port = int(listening.sockets[0].getsockname()[1])
    answering: asyncio.DatagramTransport | None = None
    try:
        if lane.datagrams is not None:
            good = lane.datagrams
            answering, _ = await loop.create_datagram_endpoint(
                lambda: _Answering(server, good), ("127.0.0.1", port)
            )
        yield port, server
    finally:
        listening.close()
        if answering is not None:
            answering.close()


def _target(lane: Lane, port: int, timeout_ms: int) -> Target:
    return Target(
        id="t",
        name="t",
        kind=lane.kind,
        host="127.0.0.1",
        port=port,
        regions=("here",),
        interval_ms=60_000,
        timeout_ms=timeout_ms,
        version=1,
        source="soak",
        probe=lane.probe,
    )
