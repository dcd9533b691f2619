"""A receiver on a real Kafka: what is answered, what is written, and while the broker is away."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from msgspec import Struct

from foundation.kafka import create_topics
from foundation.settings import Settings
from portquorum.embedded.kafka.main import EmbeddedKafka
from tests.installed import missing
from tests.integration.portquorum.receiver.receivers import (
    ReceiverProcess,
    asked,
    job,
    publish,
    receiver,
    remove,
    settings_for,
    share_key,
    written,
)
from tests.integration.sinks.notifier import rig

pytestmark = pytest.mark.timeout(240)

BACKUP = "0d4a1c6e-8a55-4d0e-9b1f-0f7a5d3c2b11"
ALL = "qL7x-Yk2_mN0pQ4rS8tUvW"
RUN = "1c6b3f0a-6c1e-4a33-b7a3-0c5d6a1f9d11"


class Place(Struct):
    """A broker of the file's own, and a receiver."""

    kafka: EmbeddedKafka
    settings: Settings
    one: ReceiverProcess


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder: Path = tmp_path_factory.mktemp("receiver")
    with EmbeddedKafka(folder / "kafka", "127.0.0.1:0") as broker:
        settings = settings_for(broker.bootstrap_servers)
        await create_topics(settings)
        jobs = [job("backup", name="Nightly Backup", team="db"), job("paused", enabled=False)]
        await publish(settings, jobs, [share_key(BACKUP, "backup"), share_key(ALL)])
        async with receiver(settings, folder / "receiver.log") as one:
            yield Place(broker, settings, one)


async def settled(place: Place) -> None:
    """The broker's time is known: before, reports are to be sent again."""

    async def takes() -> bool:
        return (await asked(place.one.port, "GET", f"/ping/{BACKUP}/log"))[0] == 200

    await rig.until(takes, "the first report")


async def test_what_each_address_writes(place: Place) -> None:
    await settled(place)
    port = place.one.port
    told = b"line one\nline two\n"
    assert await asked(port, "POST", f"/ping/{BACKUP}/start?rid={RUN}", told) == (200, b"OK")
    assert await asked(port, "HEAD", f"/ping/{ALL}/backup/3?rid={RUN}&ms=12.5") == (200, b"")
    assert await asked(port, "GET", f"/api/push/{BACKUP}?status=up&ping=7") == (
        200,
        b'{"ok":true}',
    )
    bearer = (f"Authorization: Bearer {ALL}",)
    path = "/api/v1/endpoints/db_nightly-backup/external?success=false&error=full&duration=2s"
    assert await asked(port, "POST", path, headers=bearer) == (200, b"")
    assert await asked(port, "GET", f"/ping/{ALL}/paused") == (200, b"OK")
    results, beats = await written(place.settings)
    found = [
        (one.target, one.signal, one.status, one.reason, one.exit_code, one.total_ms, one.output)
        for one in sorted(results, key=lambda one: one.target)
        if one.signal != "log"
    ]
    assert found == [
        ("backup", "start", "missed", None, None, None, "line one\nline two"),
        ("backup", "fail", "down", "job_failed", 3, 12.5, None),
        ("backup", "success", "up", None, None, 7.0, None),
        ("backup", "fail", "down", "job_failed", None, 2_000.0, "full"),
        ("paused", "success", "up", None, None, None, None),
    ]
    assert {one.run for one in results if one.exit_code == 3} == {RUN}
    assert len({one.identity for one in results}) == len(results)
    assert {one.region for one in results} == {"receiver"}
    assert {(part, beat.targets) for part, beat in beats} == {(part, 1) for part in range(4)}
    assert {beat.prober for _, beat in beats} == {one.prober for one in results}


async def test_a_new_key_and_a_removed_job_are_known_soon(place: Place) -> None:
    port, text = place.one.port, "ffffffff-8a55-4d0e-9b1f-0f7a5d3c2b11"
    await publish(place.settings, [job("new")], [share_key(text, "new")])

    async def answers(status: int) -> bool:
        return (await asked(port, "GET", f"/ping/{text}/log"))[0] == status

    await rig.until(lambda: answers(200), "the new key to be known")
    await remove(place.settings, "new")
    await rig.until(lambda: answers(404), "the job to be gone")


async def test_the_line_of_cron_that_healthchecks_documents(place: Place) -> None:
    await settled(place)
    if shutil.which("curl") is None:
        missing("curl")
    command = f"curl -fsS -m 10 --retry 5 -o /dev/null {place.one.url}/ping/{BACKUP}"
    process = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said = await process.communicate()
    assert (process.returncode, said) == (0, (b"", b""))
    wrong = command.replace(BACKUP, "x" * 22).replace("--retry 5", "--retry 0")
    process = await asyncio.create_subprocess_shell(wrong, stderr=asyncio.subprocess.PIPE)
    _, error = await process.communicate()
    assert (process.returncode, b"404" in error) == (22, True)


async def test_while_the_broker_is_away_reports_are_refused_and_then_taken(place: Place) -> None:
    await settled(place)
    port = place.one.port
    brokers = psutil.Process(place.kafka.pid).children(recursive=True)
    assert brokers
    for one in brokers:
        one.suspend()
    try:
        asking = (asked(port, "POST", f"/ping/{BACKUP}/{number}") for number in range(3))
        statuses = [status for status, _ in await asyncio.gather(*asking)]
    finally:
        for one in brokers:
            one.resume()
    assert statuses == [503] * 3
    await settled(place)

    async def taken() -> bool:
        # One that is refused is sent again, as every client of it does.
        return (await asked(port, "POST", f"/ping/{BACKUP}/77"))[0] == 200

    await rig.until(taken, "a report after the broker is back")
    results, _ = await written(place.settings)
    assert 77 in {result.exit_code for result in results}


async def test_the_secrets_are_in_no_log_and_its_end_is_clean(place: Place) -> None:
    await settled(place)
    asking = [
        asyncio.create_task(asked(place.one.port, "POST", f"/ping/{BACKUP}/{code}"))
        for code in range(100, 120)
    ]
    done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    assert done
    assert await place.one.end() == 0
    ended = await asyncio.gather(*asking, return_exceptions=True)
    taken = {
        code
        for code, answer in zip(range(100, 120), ended, strict=True)
        if not isinstance(answer, BaseException) and answer[0] == 200
    }
    results, beats = await written(place.settings)
    assert taken <= {one.exit_code for one in results}
    assert beats[-1][1].targets == 1
    log = place.one.log.read_text()
    assert BACKUP not in log
    assert ALL not in log
    assert "Traceback" not in log
