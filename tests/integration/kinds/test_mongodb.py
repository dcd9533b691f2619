"""`mongodb`, against mongo-java-server: not MongoDB, but nobody of us wrote what it answers.

It speaks as MongoDB 4.2 did: it knows `isMaster` and not yet `hello`. Its port can't be chosen, so
it has a network namespace of its own.
"""

import fcntl
import hashlib
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from portquorum.embedded.kafka import java
from portquorum.embedded.kafka.jars import REPOSITORY_VARIABLE, cache_dir
from tests.installed import missing

pytestmark = pytest.mark.root

VERSION: Final = "1.47.0"
# Of the names and digests of its jars, sorted, as sha256sum prints them.
DIGEST: Final = "033668169627aca10891808980c0218755d3759143f479375c8f10e0987a368e"

_SETUP: Final = """
ip link set lo up
"$1" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx64m -cp "$2" \\
    de.bwaldvogel.mongo.InMemoryMongoServer >&2 &
shift 2
"$@"
"""

_CHECK: Final = """
import asyncio, time, msgspec
from producers.engine.single_check import check_once

async def first_answer():
    deadline = time.monotonic() + 60
    while True:
        outcome = await check_once("127.0.0.1", 27017, "mongodb", 20)
        if outcome.reason != "connection_refused" or time.monotonic() > deadline:
            return outcome
        await asyncio.sleep(0.05)

print(msgspec.json.encode(asyncio.run(first_answer())).decode())
"""


@pytest.fixture(scope="module")
def jars() -> list[Path]:
    """The server and what it needs, 3 MB, fetched once a machine."""
    folder = cache_dir() / f"mongo-java-server-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            _fetch(folder)
            (folder / "whole").touch()
    found = sorted(folder.rglob("*.jar"), key=lambda path: path.name)
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in found)
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == DIGEST
    return found


def _fetch(folder: Path) -> None:
    try:
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext, PythonResolver
        from jgo.parse import Coordinate
    except ImportError:
        missing("jgo")
    logging.getLogger("jgo").setLevel(logging.ERROR)
    context = MavenContext(
        resolver=PythonResolver(),
        repo_cache=folder,
        remote_repos={"central": os.environ.get(REPOSITORY_VARIABLE) or MAVEN_CENTRAL_URL},
        timeout=30,
    )
    server = Coordinate.parse(f"de.bwaldvogel:mongo-java-server:{VERSION}")
    wanted, more = context.resolver.resolve(
        [context.create_dependency(replace(server, scope="compile"))]
    )
    for dependency in (*wanted, *more):
        if dependency.scope in {"compile", "runtime"}:
            dependency.artifact.resolve()


def test_a_server_that_is_older_than_hello_is_asked_as_it_knows(jars: list[Path]) -> None:
    command = ["unshare", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", _SETUP, "sh"]
    command += [str(java.find()), ":".join(map(str, jars)), sys.executable, "-c", _CHECK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = msgspec.json.decode(done.stdout)
    assert (outcome["status"], outcome["detail"]) == ("up", None), done.stderr
    assert outcome["banner"] == "standalone, wire version 8"
