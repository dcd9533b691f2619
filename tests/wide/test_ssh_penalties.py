"""Checks of kind `ssh` at an OpenSSH that punishes who comes too often (9.8 and later)."""

import asyncio
import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from producers.kinds.registry import KINDS
from schemas.target import Target
from tests.integration.kinds.servers import folder, free_port, program, running
from tests.wide.installed import WIDE, missing

pytestmark = [pytest.mark.wide, pytest.mark.root, pytest.mark.timeout(180)]

UNPACKED = WIDE / "sshd"


def punishes(sshd: str) -> bool:
    told = subprocess.run([sshd, "-V"], check=False, capture_output=True, text=True)
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", told.stdout + told.stderr)
    assert found is not None, told
    return (int(found[1]), int(found[2])) >= (9, 8)


def punishing() -> tuple[str, tuple[str, ...]]:
    """The program, and its settings if it is not in its place."""
    if punishes(program("sshd")):
        return program("sshd"), ()
    sshd = UNPACKED / "usr/sbin/sshd"
    if not sshd.exists():
        missing("OpenSSH 9.8 or later")
    helpers = UNPACKED / "usr/lib/openssh"
    paths = (f"SshdSessionPath={helpers}/sshd-session", f"SshdAuthPath={helpers}/sshd-auth")
    return str(sshd), paths


@pytest.fixture
def port() -> Iterator[int]:
    sshd, settings = punishing()
    number = free_port()
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with folder() as path:
        key = path / "key"
        command = [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(command, check=True)
        settings += (f"Port={number}", "ListenAddress=127.0.0.1", f"HostKey={key}", "PidFile=none")
        command = [sshd, "-D", "-e", "-f", os.devnull, *(f"-o{one}" for one in settings)]
        # Whoever asks whether it is up already is a client without a login, too.
        with running(command, number, path / "log", ready=listening):
            yield number


def listening(port: int) -> bool:
    """Whether somebody listens on this port of loopback, without a connection."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1] == f"0100007F:{port:04X}" and " 0A " in line for line in lines)


async def checks(port: int, count: int, at_once: int) -> list[CheckOutcome]:
    target = Target(
        id="t",
        name="t",
        kind="ssh",
        host="127.0.0.1",
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=10_000,
        version=1,
        source="test",
    )
    room, found = asyncio.Semaphore(at_once), list[CheckOutcome]()

    def done(_: PlannedCheck, outcome: CheckOutcome) -> None:
        found.append(outcome)
        room.release()

    with contextlib.closing(platform_engine(Vantage(internal=True))) as engine:
        for _ in range(count):
            await room.acquire()
            engine.submit(PlannedCheck(target, 0.0, 0, "schedule"), done)
        async with asyncio.timeout(120):
            for _ in range(at_once):
                await room.acquire()
    return found


async def test_at_our_pace_openssh_refuses_nobody(port: int) -> None:
    found = await checks(port, 24, at_once=24)
    assert [one.status for one in found] == ["up"] * 24, [one.detail for one in found]


async def test_without_it_openssh_refuses_us_and_we_say_so(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "ssh", replace(KINDS["ssh"], pace=None))
    found = await checks(port, 60, at_once=1)
    refused = [one for one in found if one.status != "up"]
    assert refused
    told = {(one.reason, one.detail) for one in refused}
    assert told == {("too_many_connections", "SSH: Not allowed at this time")}
