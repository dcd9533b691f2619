"""Many editors of one target through two processes of the page, and what the logs say after."""

import asyncio
import contextlib
import json
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from foundation import kafka
from foundation.settings import Settings
from portquorum.inventory import ApplyError, InventoryError, apply
from portquorum.inventory import present as presents
from portquorum.inventory.plan import home
from portquorum.journal.journal import opened
from schemas import control
from schemas.control import TargetRemoved, TargetSet
from schemas.policy import WEB
from schemas.target import Target
from schemas.web import Claim, WrittenTarget
from tests.integration.portquorum.web.balanced import WebProcess
from tests.integration.sinks.notifier import rig

PROGRAM = Path(__file__).with_name("quick_web.py")
ID = "prod-db"
REGIONS = "regions: {eu: {internal: true}}\n"
FILE = f"targets:\n  - {{id: {ID}, host: file.example.com, port: 1, regions: [eu]}}\n"


class Answer(Struct, frozen=True):
    """What an editor was told; `status` 0: the connection ended before an answer."""

    status: int
    version: int = 0
    purpose: str = ""


async def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status and JSON of an answer; (0, None) if there was none."""
    text = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(head.encode() + text)
            said = await reader.read()
        finally:
            writer.close()
    except OSError:
        return 0, None
    first, _, rest = said.partition(b"\r\n\r\n")
    if not first:
        return 0, None
    with contextlib.suppress(ValueError):
        return int(first.split()[1]), json.loads(rest)
    return int(first.split()[1]), None


async def edit(port: int, number: int) -> Answer:
    """One editor's PUT, tried three times, or every tenth's DELETE."""
    path = f"/api/v1/targets/{ID}/entry"
    if number % 10 == 9:
        status, _ = await ask(port, "DELETE", path)
        return Answer(status)
    purpose = f"edit {number}"
    body = {"host": f"db{number % 5}.example.com", "port": 5432, "purpose": purpose}
    status = 409
    for _ in range(3):
        status, said = await ask(port, "PUT", path, body)
        if status in {200, 201}:
            return Answer(status, said["version"], purpose)
        if status != 409:
            break
    return Answer(status)


@asynccontextmanager
async def pages(settings: Settings, folder: Path) -> AsyncIterator[list[WebProcess]]:
    """Two processes of the page that have read all topics."""
    running: list[WebProcess] = []
    try:
        running += [await start(settings, folder / f"web{number}.log") for number in range(2)]
        yield running
    finally:
        for one in running:
            await one.end(signal.SIGKILL)


async def start(settings: Settings, log: Path) -> WebProcess:
    one = await WebProcess.start(settings, log, (str(PROGRAM),))
    await rig.until(lambda: is_ready(one.port), f"the page of {log.name}")
    return one


async def is_ready(port: int) -> bool:
    """An id that there is not is answered only once all is read."""
    status, _ = await ask(port, "GET", "/api/v1/targets/no-such-target/entry")
    return status == 404


async def apply_file(settings: Settings, path: Path) -> bool:
    """An apply that wants the id, too; False: it was refused."""
    try:
        await apply(settings, [path], source="other")
    except (ApplyError, InventoryError):
        return False
    return True


async def agreed(settings: Settings) -> dict[str, Target]:
    """The targets, once book, [targets] and log say the same; AssertionError: they do not."""
    present = await presents.read(settings)
    assert len({one.target.id for one in present.placed}) == len(present.placed), "in two places"
    placed = {one.target.id: one for one in present.placed}
    for one in placed.values():
        assert one.partition == home(one.target, settings.partitions)
    published = {name: one.target for name, one in placed.items()}
    assert await judged(settings) == published
    async with opened(settings) as journal:
        written = dict(journal.book.all(WrittenTarget))
        left = [one for one in journal.book.every(Claim).values() if one.source == WEB]
    assert not left, "a claim is left"
    own = {name: one for name, one in published.items() if one.source == WEB}
    assert written.keys() == own.keys()
    for name, record in written.items():
        entry = json.loads(record.entry)
        assert (entry["host"], entry["purpose"]) == (own[name].host, own[name].purpose)
    return published


async def judged(settings: Settings) -> dict[str, Target]:
    """What the stream has of the control records."""
    topic = settings.topic("results")
    found: dict[tuple[int, str], Target] = {}
    async with kafka.Follower(settings, topic) as follower:
        async for record in follower.present():
            raw = control.body(record.headers)
            match None if raw is None else control.decode(raw):
                case TargetSet(target=target):
                    known = found.get((record.partition, target.id))
                    if known is None or target.version >= known.version:
                        found[record.partition, target.id] = target
                case TargetRemoved(target=name, version=version):
                    known = found.get((record.partition, name))
                    if known is not None and version >= known.version:
                        del found[record.partition, name]
                case _:
                    pass
    assert len({name for _, name in found}) == len(found), "judged in two partitions"
    return {name: target for (_, name), target in found.items()}


async def contest(
    settings: Settings, folder: Path, *, editors: int, kill: bool, seed: int = 0
) -> list[Answer]:
    """The contest; what everybody was told, and the logs after it are right."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    (folder / "regions.yaml").write_text(REGIONS)
    (folder / "other.yaml").write_text(FILE)
    await apply(settings, [folder / "regions.yaml"], source="base")
    async with pages(settings, folder) as running:
        tasks = []
        for number in range(editors):
            tasks.append(asyncio.create_task(edit(running[number % 2].port, number)))
            if number % 10 == 0:
                await asyncio.sleep(chance.random() * 0.05)
        applying = asyncio.create_task(apply_file(settings, folder / "other.yaml"))
        if kill:
            await rig.until(
                lambda: sum(task.done() for task in tasks) >= editors // 3, "a third of the answers"
            )
            await running[1].end(signal.SIGKILL)
        answers = list(await asyncio.gather(*tasks))
        is_of_file = await applying
        if kill:
            running[1] = await start(settings, folder / "web2.log")
        published: list[dict[str, Target]] = []

        async def holds() -> bool:
            with contextlib.suppress(AssertionError):
                published[:] = [await agreed(settings)]
                return True
            return False

        await rig.until(holds, "logs that agree")
        await _judge(settings, answers, published[0], is_of_file=is_of_file)
        for one in running:
            status, said = await ask(one.port, "GET", f"/api/v1/targets/{ID}/entry")
            target = published[0].get(ID)
            if target is None or target.source != WEB:
                assert status == 404
            else:
                assert status == 200
                assert said["target"]["purpose"] == target.purpose
    return answers


async def _judge(
    settings: Settings, answers: list[Answer], published: dict[str, Target], *, is_of_file: bool
) -> None:
    """No accepted edit is lost, and nobody was told anything else than that or that it is not."""
    allowed = {0, 200, 201, 204, 404, 409}
    assert {one.status for one in answers} <= allowed, sorted({one.status for one in answers})
    made = [one for one in answers if one.status in {200, 201}]
    versions = {one.version: one for one in made}
    assert len(versions) == len(made), "two editors were told the same version"
    target = published.get(ID)
    async with opened(settings) as journal:
        version = journal.book.version(WrittenTarget, ID)
    assert all(one <= version for one in versions)
    if is_of_file:
        assert target is not None
        assert target.source == "other"
    elif version in versions:
        assert target is not None
        assert replace(target, version=0).purpose == versions[version].purpose
