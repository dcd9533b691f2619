"""Faust as a process: stopped from inside, killed, stopped and woken."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.integration.streams.faust_ground import (
    Program,
    a_name,
    create,
    fill,
    group_offset,
    present,
    send,
)
from tests.integration.streams.ground import eventually

HANGS_S = 5.0
"""An end that takes longer than this is none: everything else is idle."""

APP = """
import asyncio, os, sys, faust
app = faust.App(
    sys.argv[3], broker="kafka://" + sys.argv[1], topic_disable_leader=True,
    topic_allow_declare=False, web_enabled=False, store="memory://", broker_session_timeout=6,
    broker_commit_interval=0.2, processing_guarantee=GUARANTEE,
)
app._create_directories = lambda: None
source = app.topic(sys.argv[2], value_serializer="raw")
def say(text):
    sys.__stdout__.write(text + "\\n")
    sys.__stdout__.flush()
""".replace("GUARANTEE", "sys.argv[4] if sys.argv[4:] else 'at_least_once'")

STOPS_ITSELF = (
    APP
    + """
@app.agent(source)
async def end(stream):
    async for _ in stream:
        say("stopping")
        await app.stop()
        say("stopped")
async def main():
    await app.start()
    await app.wait_until_stopped()
    await asyncio.sleep(600)
asyncio.run(main())
"""
)

EXITS = (
    APP
    + """
@app.agent(source)
async def end(stream):
    async for _ in stream:
        say("exiting")
        sys.exit(3)
app.finalize()
app.Worker(loglevel="ERROR").execute_from_commandline()
"""
)

FORWARDS = (
    APP
    + """
told = app.topic(sys.argv[5], value_serializer="raw", key_serializer="raw")
@app.agent(source)
async def forward(stream):
    async for value in stream:
        await told.send(value=value, partition=0)
        say(value.decode())
        if value == b"stay":
            await asyncio.sleep(600)
async def main():
    await app.start()
    await asyncio.sleep(600)
asyncio.run(main())
"""
)

WRITES_LATE = (
    APP
    + """
name = sys.argv[6].encode()
told = app.topic(sys.argv[5], value_serializer="raw", key_serializer="raw")
table = app.Table("last", default=int, partitions=1)
@app.agent(source)
async def listen(stream):
    async for value in stream:
        say("got " + value.decode())
        while not os.path.exists(sys.argv[7] + value.decode()):
            await asyncio.sleep(0.05)
        table["last"] = int(value)
        await told.send(value=name + b" " + value)
        say("did " + value.decode())
async def main():
    await app.start()
    await asyncio.sleep(600)
asyncio.run(main())
"""
)


@pytest.fixture
async def topic(kafka: str) -> str:
    return await create(kafka, a_name())


async def test_app_stop_inside_an_agent_does_not_return(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    await fill(kafka, topic, 1)
    async with Program(STOPS_ITSELF, kafka, topic, a_name(), cwd=tmp_path) as program:
        await program.says("stopping")
        with pytest.raises(TimeoutError):
            await program.says("stopped", HANGS_S)


async def test_sys_exit_inside_an_agent_does_not_end_the_process(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    await fill(kafka, topic, 1)
    async with Program(EXITS, kafka, topic, a_name(), cwd=tmp_path) as program:
        await program.says("exiting")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(program.process.wait(), HANGS_S)


async def test_exactly_once_tells_twice_what_it_told_before_a_kill(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    """Issues 177 and 517: what an agent sends is in no transaction."""
    out = await create(kafka, a_name())
    group = a_name()
    arguments = (kafka, topic, group, "exactly_once", out)
    await send(kafka, topic, b"stay")

    async def told() -> list[bytes | None]:
        return [r.value for r in await present(kafka, out, isolation_level="read_committed")]

    async with Program(FORWARDS, *arguments, cwd=tmp_path) as program:
        await program.says("stay")
        await eventually(told, lambda values: values == [b"stay"])
        assert await group_offset(kafka, group) is None
    async with Program(FORWARDS, *arguments, cwd=tmp_path):
        await eventually(told, lambda values: values == [b"stay", b"stay"])


async def test_a_zombie_still_writes_and_its_late_write_wins(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    out = await create(kafka, a_name())
    group = a_name()
    changelog = await create(kafka, f"{group}-last-changelog")
    arguments = (kafka, topic, group, "at_least_once", out)

    async def last(name: str) -> bytes | None:
        return (await present(kafka, name))[-1].value

    for gate in ("zombie0", "heir1", "heir2"):
        (tmp_path / gate).touch()
    async with Program(WRITES_LATE, *arguments, "zombie", "zombie", cwd=tmp_path) as zombie:
        await fill(kafka, topic, 1)
        await zombie.says("did 0")
        await eventually(lambda: group_offset(kafka, group), lambda offset: offset == 1)
        await send(kafka, topic, b"1")
        await zombie.says("got 1")
        zombie.process.send_signal(signal.SIGSTOP)
        async with Program(WRITES_LATE, *arguments, "heir", "heir", cwd=tmp_path) as heir:
            await heir.says("did 1")
            await send(kafka, topic, b"2")
            await heir.says("did 2")
            # How often it was fed 1 is Faust's chance; the log's last value is 2.
            await eventually(lambda: last(changelog), lambda value: value == b"2")
            await eventually(lambda: last(out), lambda value: value == b"heir 2")
            (tmp_path / "zombie1").touch()
            zombie.process.send_signal(signal.SIGCONT)
            await zombie.says("did 1")
            await eventually(lambda: last(changelog), lambda value: value == b"1")
            await eventually(lambda: last(out), lambda value: value == b"zombie 1")
