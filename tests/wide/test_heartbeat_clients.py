"""A client of Healthchecks that nobody of us wrote reports to a receiver."""

import asyncio
import shutil
from pathlib import Path
from typing import Final

import pytest

from foundation.kafka import create_topics
from tests.integration.portquorum.receiver.receivers import (
    asked,
    job,
    publish,
    receiver,
    settings_for,
    share_key,
    written,
)
from tests.integration.sinks.notifier import rig
from tests.wide.installed import WIDE, missing

pytestmark = [pytest.mark.wide, pytest.mark.timeout(300)]

SECRET: Final = "0d4a1c6e-8a55-4d0e-9b1f-0f7a5d3c2b11"  # noqa: S105 - of nobody
KEY: Final = "qL7x-Yk2_mN0pQ4rS8tUvW"
PROGRAM: Final = """
import sys
from healthchecks_io import CheckNotFoundError, CheckTrap, Client, NonUniqueSlugError

base, key, secret = sys.argv[1:]
client = Client(api_key="none", ping_key=key, ping_url=base)
for answer in (
    client.success_ping(uuid=secret, data="went well"),
    client.start_ping(uuid=secret),
    client.fail_ping(uuid=secret, data="went wrong"),
    client.exit_code_ping(7, slug="nightly-backup"),
):
    assert answer == (True, "OK"), answer
for error, slug in ((CheckNotFoundError, "nothing"), (NonUniqueSlugError, "twin")):
    try:
        client.success_ping(slug=slug)
    except error:
        continue
    raise AssertionError(error)
with CheckTrap(client, uuid=secret) as trap:
    trap.add_log("from within")
"""


async def test_the_python_client_of_healthchecks(kafka: str, tmp_path: Path) -> None:
    python = shutil.which(WIDE / "python" / "bin" / "python")
    if python is None:
        missing("healthchecks-io")
    settings = settings_for(kafka)
    await create_topics(settings)
    jobs = [job("backup", name="Nightly Backup"), job("a", name="Twin"), job("b", name="Twin")]
    await publish(settings, jobs, [share_key(SECRET, "backup"), share_key(KEY)])
    async with receiver(settings, tmp_path / "receiver.log") as one:

        async def takes() -> bool:
            return (await asked(one.port, "GET", f"/ping/{SECRET}/log"))[0] == 200

        await rig.until(takes, "the first report")
        words = ("-c", PROGRAM, f"{one.url}/ping/", KEY, SECRET)
        process = await asyncio.create_subprocess_exec(
            python, *words, stderr=asyncio.subprocess.PIPE
        )
        _, error = await process.communicate()
        if b"ModuleNotFoundError" in error:
            missing("healthchecks-io")
        assert process.returncode == 0, error.decode()
    results, _ = await written(settings)
    told = [one for one in results if one.signal != "log"]
    assert [(one.signal, one.exit_code, one.output) for one in told] == [
        ("success", None, "went well"),
        ("start", None, None),
        ("fail", None, "went wrong"),
        ("fail", 7, None),
        ("start", None, None),
        ("success", None, "from within"),
    ]
