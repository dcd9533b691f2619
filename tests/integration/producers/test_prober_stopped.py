"""A prober that stands still (SIGSTOP) in the middle of its checks never blames their targets."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

from schemas.probe import HandshakeProbe, HttpProbe
from tests.integration.producers.ground import Ground

STOPPED_S = 10
ANSWER_S = 0.3
TARGETS = 6


class SlowServer:
    """Answers after a while what each of its clients wants to hear, and soon hangs up."""

    def __init__(self) -> None:
        self.waiting = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.waiting += 1
        try:
            asked = await reader.read(1000)
            await asyncio.sleep(ANSWER_S)
            redis = b"PING" in asked
            writer.write(b"+PONG\r\n" if redis else b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            await asyncio.sleep(ANSWER_S)
        except ConnectionError:
            pass
        finally:
            self.waiting -= 1
            writer.close()


@contextlib.asynccontextmanager
async def slow_server() -> AsyncIterator[SlowServer]:
    made = SlowServer()
    server = await asyncio.start_server(made.serve, "0.0.0.0", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


async def test_checks_that_were_on_their_way_are_not_told_as_failures(ground: Ground) -> None:
    async with slow_server() as server:
        await ground.region(internal=True)
        kinds = {"tcp": None, "redis": HandshakeProbe(), "http": HttpProbe(tls=False)}
        await ground.apply(
            *(
                ground.target(
                    f"{kind}-{n}", server.port, host=f"127.0.6.{n}", kind=kind, probe=probe
                )
                for kind, probe in kinds.items()
                for n in range(1, TARGETS + 1)
            )
        )
        process = await ground.probe("p1")
        names = [f"{kind}-{n}" for kind in kinds for n in range(1, TARGETS + 1)]
        await ground.until(lambda: all(len(ground.of(name)) > 1 for name in names), "results")
        await ground.until(lambda: server.waiting > 1, "checks are on their way")
        os.kill(process.pid, signal.SIGSTOP)
        on_their_way = server.waiting
        await asyncio.sleep(STOPPED_S)  # the time itself is the subject
        os.kill(process.pid, signal.SIGCONT)
        await ground.until(
            lambda: all(any(one.status == "missed" for one in ground.of(name)) for name in names),
            "what was missed is told of every target",
        )
        counts = {name: len(ground.of(name)) for name in names}
        await ground.until(
            lambda: all(len(ground.of(name)) > counts[name] + 2 for name in names), "it goes on"
        )
    assert on_their_way > 0
    assert {(one.status, one.reason) for one in ground.results} == {
        ("up", None),
        ("missed", "prober_error"),
    }
    never_begun = [one for one in ground.results if one.status == "missed" and not one.address]
    assert never_begun
    assert all(one.started_at == one.scheduled_at for one in never_begun)
