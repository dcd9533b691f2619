"""`portquorum notify` with links, as users start it."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from foundation.settings import Settings
from tests.integration.sinks.notifier.links.rig import KEY, acknowledgements
from tests.integration.sinks.notifier.rig import (
    Hook,
    NotifierProcess,
    incident_event,
    publish,
    publish_policy,
    route,
    until,
)
from tests.standstill import Standstill


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def variables(port: int) -> dict[str, str]:
    return {
        "PORTQUORUM_LINKS": f"http://127.0.0.1:{port}",
        "PORTQUORUM_LINKS_LISTEN": f"127.0.0.1:{port}",
        "PORTQUORUM_LINKS_KEY": KEY,
    }


async def test_two_on_a_machine_and_the_one_that_stands_by_takes_the_port(
    settings: Settings, channel: Hook, tmp_path: Path
) -> None:
    port = free_port()
    await publish_policy(settings, route(channel))
    first = await NotifierProcess.start(settings, tmp_path / "first.log", **variables(port))
    second = None
    try:
        await until(lambda: first.is_active and bool(first.logged("serving links")), "it serves")
        second = await NotifierProcess.start(settings, tmp_path / "second.log", **variables(port))
        await until(lambda: bool(second.logged("links are not served, trying again")), "it waits")
        await until(second.has_joined, "it stands by all the same")
        await publish(settings, incident_event("db"))
        await until(lambda: len(channel.posts) > 0, "people are told")
        (link,) = re.findall(rf"http://127\.0\.0\.1:{port}/i/[\w.-]+", channel.posts[0]["message"])

        # One that holds a connection open does not hold up the end.
        with socket.create_connection(("127.0.0.1", port)) as held:
            held.sendall(b"GET / HTTP/1.1\r\n")
            with Standstill() as standstill:
                began = time.monotonic()
                assert await first.terminate() == 0
                assert time.monotonic() - began < 10 + standstill.lost_s
        await until(lambda: second.is_active, "the other takes over")
        await until(lambda: bool(second.logged("serving links")), "and serves")

        async def acknowledged() -> bool:
            page = await asyncio.to_thread(requests.get, link, timeout=30)
            if page.status_code != 200 or "Acknowledge" not in page.text:
                return False
            await asyncio.to_thread(requests.post, link, data={"by": "ann"}, timeout=30)
            return True

        await until(acknowledged, "the link of the first works at the second")
        assert [word.by for _, word in await acknowledgements(settings)] == ["ann"]
        logs = json.dumps([first.lines(), second.lines()])
        assert KEY not in logs
        assert link.rpartition("/")[2] not in logs, "a link is a secret"
    finally:
        await first.kill()
        if second is not None:
            await second.kill()


def test_links_need_a_key() -> None:
    env = {
        "PORTQUORUM_LINKS": "https://monitor.example.com",
        "PORTQUORUM_KAFKA": "127.0.0.1:1",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-m", "portquorum.cli", "notify"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "PORTQUORUM_LINKS_KEY" in done.stderr
    assert "Traceback" not in done.stderr
