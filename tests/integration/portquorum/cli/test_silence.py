"""`portquorum silence` beside a real broker."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foundation import kafka as clients
from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.delivery.reading import read_send_log
from portquorum.inventory import apply, present
from portquorum.inventory.errors import ApplyError
from schemas import incident, notifier_state, policy, topics
from schemas.notifier_state import SILENCES_KEY, TERM_KEY, SilencesInForce, Term
from schemas.policy import Silence
from tests.commands import Said, called
from tests.integration.sinks.notifier import rig
from tests.integration.streams import ground
from tests.unit.portquorum.delivery.sample import AT, event, record, subject

INVENTORY = """
regions: {eu: {}, us: {}}
teams: {database: {routes: [ops]}, web: {routes: [ops]}}
routes: {ops: {urls: ["console://"]}}
targets:
  - {id: prod-db, name: Orders DB, host: db1.example.com, port: 5432, team: database, tags: [r7]}
  - {id: prod-mq, name: Queue, host: mq1.example.com, port: 5672, team: database}
  - {id: shop, name: Shop, host: www.example.com, port: 80, team: web}
"""


@pytest.fixture
async def settings(kafka: str, tmp_path: Path) -> Settings:
    return await prepared(kafka, tmp_path)


@pytest.fixture(scope="module")
async def kept(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of all tests that change nothing."""
    return await prepared(kafka, tmp_path_factory.mktemp("kept"))


async def prepared(kafka: str, folder: Path) -> Settings:
    """Topics with an inventory, a notifier's term and an open incident."""
    settings = ground.fresh(kafka)
    path = folder / "inventory.yaml"
    path.write_text(INVENTORY)
    await apply(settings, [path])
    async with clients.producer(settings) as producer:
        topic = settings.topic(topics.NOTIFIER_STATE.name)
        term = Term(term=3, owner="host-1", at=AT)
        await producer.send_and_wait(topic, notifier_state.encode(term), key=TERM_KEY)
        key, value, _ = record(subject(event(1)))
        await producer.send_and_wait(topic, value, key=key)
    return settings


async def silence(settings: Settings, folder: Path, *arguments: str, of: str = "silence") -> Said:
    names = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
        "PORTQUORUM_DATA_DIR": str(folder),
        "COLUMNS": "220",
    }
    return await asyncio.to_thread(called, folder, names, of, *arguments)


async def silences(settings: Settings) -> dict[str, Silence]:
    kept = await present.read_policy(settings)
    return {one.entry.name: one.entry for one in kept.values() if isinstance(one.entry, Silence)}


@asynccontextmanager
async def notifier(settings: Settings, term: int = 3) -> AsyncIterator[None]:
    """What a notifier of the term says of the silences that it reads, as it reads them."""

    async def run() -> None:
        known: dict[str, int] = {}
        async with (
            clients.producer(settings) as producer,
            Follower(settings, settings.topic(topics.POLICY.name)) as follower,
        ):
            async for one in follower.changes():
                entry = policy.decode(one.value) if one.value else None
                if isinstance(entry, Silence):
                    known[entry.name] = entry.ends_at
                    said = SilencesInForce(term=term, silences=known)
                    topic = settings.topic(topics.NOTIFIER_STATE.name)
                    await producer.send_and_wait(
                        topic, notifier_state.encode(said), key=SILENCES_KEY
                    )

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def found(done: Said) -> dict[str, Any]:
    assert "Traceback" not in done.stderr, done.stderr
    answer: dict[str, Any] = msgspec.json.decode(done.stdout)
    return answer


WHY = ("--reason", "disk is being replaced", "--by", "ann")


async def rows(settings: Settings, incident_id: str) -> list[tuple[str, str]]:
    """What the send log has of an incident: status, and why."""
    found = await read_send_log(settings)
    return [(one.status, one.why or "") for one in found if one.incident_id == incident_id]


async def test_a_silence_from_its_beginning_to_its_end(settings: Settings, tmp_path: Path) -> None:
    process = await rig.NotifierProcess.start(settings, tmp_path / "notify.log")
    try:
        await rig.until(lambda: process.is_active, "a notifier is active")
        done = await silence(settings, tmp_path, "add", "--team", "data*", "--for", "2h", *WHY)
        assert done.returncode == 0, done.stderr
        first, opened, last = done.stdout.splitlines()
        assert first == "team data*: 2 targets now (prod-db, prod-mq)"
        assert opened == "  open: Orders DB (unreachable), 11111111"
        assert last.startswith("silenced ")
        [one] = (await silences(settings)).values()
        assert (one.teams, one.by, one.reason) == (("data*",), "ann", "disk is being replaced")
        assert one.ends_at - one.begins_at == 2 * 3_600_000

        listed = await silence(settings, tmp_path, "list")
        words = " ".join(listed.stdout.split())
        assert f"{one.name} active team data* 2 " in words
        assert words.endswith("ann disk is being replaced yes")
        [shown] = found(await silence(settings, tmp_path, "list", "--json"))["silences"]
        assert (shown["state"], shown["in_force"]) == ("active", True)
        assert shown["matches"]["incidents"][0]["target"] == "prod-db"

        # An outage in it is told to nobody, and the row says whose silence it is.
        now = time.time_ns() // 1_000_000
        outage = event(5, at=now, opened_at=now, first_failed_at=now, target="prod-mq")
        async with clients.producer(settings) as producer:
            await producer.send_and_wait(
                settings.topic(topics.INCIDENTS.name), incident.encode(outage), partition=0
            )
        deadline = time.monotonic() + 60
        while not (held := await rows(settings, outage.incident_id)):
            assert time.monotonic() < deadline, "no row of the outage"
            await asyncio.sleep(0.1)
        [(status, why)] = held
        assert status == "not_sent"
        assert why.startswith(f"silence {one.name} by ann: disk is being replaced")
        told = await silence(settings, tmp_path, "why", outage.incident_id[:8], of="notify")
        assert f"not told now: {why}" in " ".join(told.stdout.split())

        done = await silence(settings, tmp_path, "end", one.name[:5], "--by", "bob")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"ended {one.name} (disk is being replaced) by bob\n"
        over = (await silences(settings))[one.name]
        assert over.ended_by == "bob"
        assert over.ends_at <= time.time() * 1000
    finally:
        await process.terminate()

    assert (await silence(settings, tmp_path, "list")).stdout == "nothing is silenced\n"
    [shown] = found(await silence(settings, tmp_path, "list", "--all", "--json"))["silences"]
    assert (shown["state"], shown["in_force"], shown["ended_by"]) == ("ended", False, "bob")
    again = await silence(settings, tmp_path, "end", one.name)
    assert again.returncode == 2
    assert f"{one.name} has ended already" in again.stderr


async def test_nobody_confirms(settings: Settings, tmp_path: Path) -> None:
    # One that is no longer active says that it heeds it; that counts for nothing.
    async with notifier(settings, term=2):
        arguments = ("--target", "orders db", "--until", "2099-01-01T08:00", *WHY)
        done = await silence(settings, tmp_path, "add", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "at most 366 days" in done.stderr
        soon = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 86_400))
        arguments = ("--target", "orders db", "--until", soon, *WHY, "--json")
        done = await silence(settings, tmp_path, "add", *arguments)
    assert done.returncode == 1
    assert "written, but no notifier confirmed within 10 s" in done.stderr
    answer = found(done)
    assert answer["confirmed"] is False
    # Named by its name, kept by its id.
    assert answer["silence"]["targets"] == ["prod-db"]
    assert answer["matches"]["targets"] == ["prod-db"]
    assert len(await silences(settings)) == 1
    listed = await silence(settings, tmp_path, "list")
    assert "not confirmed" in listed.stdout
    done = await silence(settings, tmp_path, "end", answer["silence"]["name"], "--no-wait")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--for", "2h", *WHY), "this would silence everything"),
        (("--target", "*", "--for", "2h", *WHY), "this would silence everything"),
        (("--all", "--team", "web", "--for", "2h", *WHY), "expected --all or conditions"),
        (("--team", "web", *WHY), "expected --for TIME or --until WHEN, found none"),
        (("--team", "web", "--for", "2h", "--until", "2099-01-01", *WHY), "found both"),
        (("--team", "web", "--for", "2 hours", *WHY), "--for: expected a duration"),
        (
            ("--team", "web", "--until", "2020-01-01T08:00", *WHY),
            "an end (--for, --until) in the future",
        ),
        (("--team", "web", "--for", "2h", "--reason", " "), "expected a --reason"),
        (("--team", "web", "--for", "2h", "--reason", "x" * 501), "length <= 500"),
        (("--severity", "fatal", "--for", "2h", *WHY), "there is critical, warning, info"),
        (("--type", "gone", "--for", "2h", *WHY), "no type is 'gone'"),
        (("--region", "mars", "--for", "2h", *WHY), "no region is 'mars'; there is eu, us"),
        (("--target", "prod-bd", "--for", "2h", *WHY), "did you mean prod-db"),
        (("--team", "web", "--until", "2099-01-01", "--timezone", "Mars", *WHY), "time zone"),
    ],
)
async def test_what_is_refused(
    kept: Settings, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    done = await silence(kept, tmp_path, "add", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in " ".join(done.stderr.split())
    assert await silences(kept) == {}


async def test_no_inventory_has_the_name_of_the_silences(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "silence.yaml"
    path.write_text("regions: {eu: {}}\n")
    with pytest.raises(ApplyError, match="portquorum's own: rename the file"):
        await apply(settings, [path])
    with pytest.raises(ApplyError, match="portquorum's own"):
        await apply(settings, [tmp_path / "inventory.yaml"], source="drill")
