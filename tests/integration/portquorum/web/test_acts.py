"""Changes by the API beside a real broker, stream and notifier, through two web processes.

Clients are programs on this machine; nobody is a user yet.
"""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from foundation import kafka
from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.inventory import present
from schemas import control, incident, topics, web
from schemas import target as target_schema
from schemas.control import Acknowledged
from schemas.incident import IncidentEvent
from schemas.partition import partition_for
from schemas.policy import Maintenance, Pause, Region, Silence
from schemas.web import Audit, Request
from tests.installed import missing
from tests.integration.portquorum.web.balanced import WebProcess
from tests.integration.sinks.notifier import rig
from tests.integration.sinks.notifier.rig import NotifierProcess
from tests.integration.streams import ground

pytestmark = pytest.mark.timeout(300)


class Ground:
    """A stream, two web processes, and incidents that are open."""

    def __init__(self, settings: Settings, worker: ground.Worker) -> None:
        self.settings = settings
        self.worker = worker
        self.hosts = ground.hosts(settings, 5)
        self.incidents: dict[str, str] = {}
        self.web: list[WebProcess] = []

    async def ask(
        self, process: int, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        place = f"http://127.0.0.1:{self.web[process].port}/api/v1{path}"
        async with httpx.AsyncClient(timeout=60) as client:
            return await client.request(method, place, json=body, headers=named)

    async def until(self, process: int, path: str, is_so: Any) -> Any:
        async def look() -> Any:
            answer = await self.ask(process, "GET", path)
            return answer.json() if answer.status_code == 200 else {}

        return await ground.eventually(look, is_so)

    async def events(self, target: str) -> list[IncidentEvent]:
        found = [incident.decode(one.value) for one in await ground.incidents(self.settings)]
        return [one for one in found if isinstance(one, IncidentEvent) and one.target == target]

    async def policy(self, kind: type) -> dict[str, Any]:
        kept = await present.read_policy(self.settings)
        return {one.entry.name: one.entry for one in kept.values() if isinstance(one.entry, kind)}  # type: ignore[union-attr]

    async def records(self, kind: type) -> list[Any]:
        """What [web] has of a kind."""
        async with Follower(self.settings, self.settings.topic(topics.WEB.name)) as follower:
            values = [one.value async for one in follower.present() if one.value]
        return [one for one in map(web.decode, values) if isinstance(one, kind)]


@pytest.fixture(scope="module")
async def there(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    folder: Path = tmp_path_factory.mktemp("acts")
    settings = msgspec.structs.replace(ground.fresh(kafka), clickhouse="http://127.0.0.1:1/nobody")
    async with ground.Log(settings) as log:
        with ground.Worker(settings, folder) as worker:
            made = Ground(settings, worker)
            await rig.publish_policy(settings, Region(name="eu", internal=True))
            await publish(settings, made.hosts)
            await log.targets(made.hosts)
            await log.outage(made.hosts)
            await ground.opened(settings, len(made.hosts))
            starting = [WebProcess.start(settings, folder / f"{name}.log") for name in "ab"]
            made.web = list(await asyncio.gather(*starting))
            for process in (0, 1):
                found = await made.until(
                    process,
                    "/incidents",
                    lambda one: one.get("total") == len(made.hosts) and one["freshness"]["is_read"],
                )
            made.incidents = {row["target"]: row["id"] for row in found["rows"]}
            yield made
            for one in made.web:
                await one.end(signal.SIGKILL)


async def publish(settings: Settings, hosts: list[str]) -> None:
    """What `apply` writes to [targets]."""
    async with kafka.producer(settings) as producer:
        for host in hosts:
            found = ground.target(host)
            await producer.send_and_wait(
                settings.topic(topics.TARGETS.name),
                msgspec.json.encode(found),
                key=host.encode(),
                partition=partition_for(host, settings.partitions),
            )
            assert target_schema.decode(msgspec.json.encode(found)) == found


async def test_a_word_is_heard_by_the_stream(there: Ground) -> None:
    first, second = there.hosts[:2]
    path = f"/incidents/{there.incidents[first]}"
    done = await there.ask(0, "POST", f"{path}/acknowledge", {"note": "on\u202e it"})
    assert done.status_code == 200, done.text
    assert done.json() == {
        "incident_id": there.incidents[first],
        "target": first,
        "by": "local",
        "outcome": "acknowledged",
        "note": "on\ufffd it",
    }
    last = (await there.events(first))[-1]
    assert (last.event, last.acknowledged_by) == ("updated", "local")
    again = await there.ask(0, "POST", f"{path}/acknowledge")
    assert again.json()["outcome"] == "known"

    path = f"/incidents/{there.incidents[second][:8]}"
    done = await there.ask(1, "POST", f"{path}/resolve", {"note": "gone"})
    assert done.json()["outcome"] == "resolved", done.text
    last = (await there.events(second))[-1]
    assert (last.closed_because, last.resolved_by, last.resolved_note) == (
        "resolved",
        "local",
        "gone",
    )
    assert (await there.ask(1, "POST", f"{path}/resolve")).status_code == 409
    audit = {(one.action, one.about) for one in await there.records(Audit)}
    assert ("acknowledge incident", there.incidents[first]) in audit
    assert ("resolve incident", there.incidents[second]) in audit


async def test_a_note_is_read_by_the_other_process(there: Ground) -> None:
    path = f"/incidents/{there.incidents[there.hosts[0]]}/notes"
    made = await there.ask(0, "POST", path, {"text": "the disk\nis full"})
    assert made.status_code == 201, made.text
    found = await there.until(1, path, lambda one: one["notes"])
    assert [one["text"] for one in found["notes"]] == ["the disk\nis full"]
    assert (await there.ask(0, "POST", "/incidents/none/notes", {"text": "a"})).status_code == 503


@pytest.fixture(scope="module")
async def notified(
    there: Ground, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    """The same with a notifier, which confirms silences."""
    log = tmp_path_factory.mktemp("notified") / "notifier.log"
    notifier = await NotifierProcess.start(there.settings, log)
    await rig.until(lambda: notifier.is_active, "the notifier to be active")
    yield there
    await notifier.kill()


async def test_a_silence_is_made_once_and_in_force(notified: Ground) -> None:
    there = notified
    body = {
        "match": {"targets": [there.hosts[0]]},
        "reason": "the disk is being replaced",
        "for_ms": 3_600_000,
    }
    dry = (await there.ask(0, "POST", "/silences", body | {"dry_run": True})).json()
    assert (dry["targets"], dry["incidents_total"]) == ([there.hosts[0]], 1)
    assert await there.policy(Silence) == {}
    made = [
        await there.ask(process, "POST", "/silences", body, Idempotency_Key="k-1")
        for process in (0, 1, 0)
    ]
    assert [one.status_code for one in made] == [201] * 3, made[0].text
    assert made[0].json()["in_force"] is True
    assert {one.content for one in made} == {made[0].content}
    (silence,) = await there.policy(Silence)
    assert made[0].headers["location"] == f"/api/v1/silences/{silence}"
    await there.until(1, f"/silences/{silence}", lambda one: one.get("state") == "active")
    other = await there.ask(
        1, "POST", "/silences", body | {"reason": "other"}, Idempotency_Key="k-1"
    )
    assert other.status_code == 422
    ended = await there.ask(1, "DELETE", f"/silences/{silence}")
    assert ended.status_code == 200, ended.text
    assert (await there.policy(Silence))[silence].ended_by == "local"
    assert (await there.ask(1, "DELETE", f"/silences/{silence}")).status_code == 409


async def test_amtool_makes_silences_of_alerts(notified: Ground, tmp_path: Path) -> None:
    """Alertmanager's own command, with a token in its file as docs/prometheus.md has it."""
    there = notified
    config = tmp_path / "http.yml"
    config.write_text("authorization: {type: Bearer, credentials: none}\n")
    place = f"--alertmanager.url=http://127.0.0.1:{there.web[1].port}"

    async def amtool(*words: str, fails: bool = False) -> str:
        process = await asyncio.create_subprocess_exec(
            shutil.which("amtool") or missing("amtool"),
            place,
            "--no-version-check",
            *words,
            env={"HOME": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert (process.returncode != 0) == fails, out.decode()
        return out.decode()

    host = there.hosts[3]
    (alert,) = json.loads(await amtool("alert", "query", f"target={host}", "-o", "json"))
    assert alert["labels"]["alertname"] == "PortUnreachable"
    assert host in await amtool("alert")
    both = f"target={host}", "alertname=PortUnreachable"
    name = (await amtool("silence", "add", *both, "-c", "new disk", "-d", "1h")).strip()
    made = (await there.policy(Silence))[name]
    assert (made.targets, made.incident_types, made.by) == ((host,), ("unreachable",), "local")
    query = "alert", "query", f"target={host}", "-o", "json"
    await there.until(1, f"/silences/{name}", lambda one: one.get("state") == "active")
    assert json.loads(await amtool(*query)) == []
    (alert,) = json.loads(await amtool(*query, "--silenced"))
    assert alert["status"]["silencedBy"] == [name]
    assert (await amtool("silence", "query", "-q")).split() == [name]
    longer = (await amtool("silence", "update", "-d", "2h", name, "-o", "json")).strip()
    (other,) = (one["id"] for one in json.loads(longer))
    await amtool("silence", "expire", other)
    assert await amtool("silence", "query", "-q") == ""
    assert {one.ended_by for one in (await there.policy(Silence)).values()} >= {"local"}
    said = await amtool("silence", "add", "team!=x", "-c", "no", fails=True)
    assert "a silence here knows no conditions with !" in said
    assert "portquorum" in await amtool("config", "routes", "show")
    assert "401" in await amtool("--http.config.file", str(config), "alert", fails=True)


async def test_a_pause_closes_what_is_open_and_ends(there: Ground) -> None:
    host = there.hosts[2]
    made = await there.ask(0, "POST", f"/targets/{host}/pause", {"reason": "it moves"})
    assert made.status_code == 200, made.text
    assert (await there.policy(Pause))[host].reason == "it moves"

    async def last() -> IncidentEvent:
        return (await there.events(host))[-1]

    closed = await ground.eventually(last, lambda event: event.event == "closed")
    assert closed.closed_because == "target_paused"
    ended = await there.ask(1, "POST", f"/targets/{host}/resume")
    assert ended.json()["paused"] is False, ended.text
    assert host not in await there.policy(Pause)
    assert (await there.ask(1, "POST", "/targets/none/pause")).status_code == 404


async def test_a_pause_of_many_is_undone_and_ended(there: Ground) -> None:
    host = there.hosts[4]
    path = f"/targets/batch?q={host}"

    async def changed(process: int, **edit: str) -> dict[str, Any]:
        plan = (await there.ask(process, "POST", path, edit)).json()
        asked = edit | {"dry_run": False, "confirmation": plan["confirmation"]}
        done = await there.ask(process, "POST", path, asked)
        assert (done.status_code, done.json()["changed"]) == (200, 1), done.text
        return done.json()

    made = await changed(0, action="pause", reason="it moves")
    assert (await there.policy(Pause))[host].reason == "it moves"
    undone = await there.ask(0, "POST", f"/changes/{made['id']}/undo")
    assert undone.json()["changed"] == 1, undone.text
    assert host not in await there.policy(Pause)
    await changed(0, action="pause")
    await changed(0, action="resume")
    assert host not in await there.policy(Pause)


async def test_a_window_is_published_and_changed_by_its_version(there: Ground) -> None:
    path = "/maintenances/patch%20night"
    body = {"targets": [there.hosts[0]], "start": "2026-12-01T02:00Z", "duration": "2h"}
    made = await there.ask(0, "PUT", path, body, If_None_Match="*")
    assert (made.status_code, made.headers["etag"]) == (201, '"1"'), made.text
    assert (await there.policy(Maintenance))["patch night"].duration_ms == 7_200_000
    await there.until(1, path, lambda one: one.get("version") == 1)
    longer = body | {"duration": "3h"}
    answers = await asyncio.gather(
        *(there.ask(one % 2, "PUT", path, longer | {"duration": f"{one + 3}h"}) for one in range(8))
    )
    assert {one.status_code for one in answers} <= {200, 409}
    last = max(
        (one.json() for one in answers if one.status_code == 200), key=lambda m: m["version"]
    )
    assert last["version"] == 1 + sum(one.status_code == 200 for one in answers)
    hours = int(last["entry"]["duration"][:-1])
    assert (await there.policy(Maintenance))["patch night"].duration_ms == hours * 3_600_000
    assert (await there.ask(0, "DELETE", path, If_Match='"1"')).status_code == 412
    assert (await there.ask(0, "DELETE", path)).status_code == 204
    assert await there.policy(Maintenance) == {}
    wrong = await there.ask(0, "PUT", path, body | {"targets": ["nobody"]})
    assert [one["field"] for one in wrong.json()["errors"]] == ["targets[0]"]


async def test_a_target_of_the_page_by_two_processes(there: Ground) -> None:
    body = {"name": "Shop", "host": "127.0.0.1", "port": 9, "regions": ["eu"]}
    made = await there.ask(0, "POST", "/targets", body, Idempotency_Key="k-shop")
    assert made.status_code == 201, made.text
    again = await there.ask(1, "POST", "/targets", body, Idempotency_Key="k-shop")
    assert (again.status_code, again.content) == (201, made.content)
    assert (await there.ask(1, "POST", "/targets", body)).status_code == 409
    path = made.headers["location"].removeprefix("/api/v1")
    patched = await there.ask(1, "PATCH", path, {"interval": "1m"}, If_Match=made.headers["etag"])
    assert patched.status_code == 200, patched.text
    stale = await there.ask(0, "PATCH", path, {"interval": "2m"}, If_Match=made.headers["etag"])
    assert (stale.status_code, stale.headers["etag"]) == (412, patched.headers["etag"])
    checked = await there.ask(0, "POST", "/targets/shop/check")
    assert checked.json()["reason"] == "connection_refused", checked.text
    placed = {one.target.id: one.target for one in await present.read_targets(there.settings)}
    assert (placed["shop"].interval_ms, placed["shop"].source) == (60_000, "web")

    await there.until(0, "/targets?source=web", lambda one: one["total"] == 1)
    batch = "/targets/batch?source=web"
    edit = {"action": "patch", "add_tags": ["rack-7"]}
    plan = await there.ask(0, "POST", batch, edit)
    assert plan.json()["count"] == 1, plan.text
    confirmed = edit | {"dry_run": False, "confirmation": plan.json()["confirmation"]}
    done = await there.ask(0, "POST", batch, confirmed)
    assert done.json()["changed"] == 1, done.text
    assert (await there.ask(0, "POST", batch, confirmed)).status_code == 409
    undone = await there.ask(0, "POST", f"/changes/{done.json()['id']}/undo")
    assert undone.json()["changed"] == 1, undone.text
    assert (await there.ask(0, "GET", path)).json()["entry"].get("tags", []) == []
    assert "Shop" in (await there.ask(1, "GET", "/inventory.yaml")).text
    file_owned = await there.ask(0, "PUT", f"/targets/{there.hosts[0]}/entry", body)
    assert file_owned.status_code == 409
    assert (await there.ask(0, "GET", f"/targets/{there.hosts[0]}/entry")).status_code == 404
    assert (await there.ask(1, "DELETE", path)).status_code == 204
    assert "shop" not in {one.target.id for one in await present.read_targets(there.settings)}


async def test_killed_between_request_and_answer(there: Ground) -> None:
    """The last one: one of the processes is gone after it."""
    host = there.hosts[3]
    path = f"/incidents/{there.incidents[host]}/acknowledge"
    there.worker.send(signal.SIGSTOP)
    try:
        asking = asyncio.create_task(
            there.ask(0, "POST", path, {"note": "mine"}, Idempotency_Key="k-2")
        )
        await rig.until(lambda: said(there, host), "the word on [results]")
        assert len(await there.records(Request)) > 0
        await there.web[0].end(signal.SIGKILL)
        with pytest.raises(httpx.HTTPError):
            await asking
        busy = await there.ask(1, "POST", path, {"note": "mine"}, Idempotency_Key="k-2")
        assert busy.status_code == 409
    finally:
        there.worker.send(signal.SIGCONT)

    async def again() -> httpx.Response:
        return await there.ask(1, "POST", path, {"note": "mine"}, Idempotency_Key="k-2")

    done = await ground.eventually(again, lambda one: one.status_code != 409)
    assert done.status_code == 200, done.text
    assert done.json()["outcome"] in {"known", "acknowledged"}
    replayed = await again()
    assert (replayed.content, replayed.headers["idempotency-replayed"]) == (done.content, "true")
    assert (await there.events(host))[-1].acknowledged_by == "local"


async def said(there: Ground, target: str) -> bool:
    name = there.settings.topic(topics.RESULTS.name)
    async with Follower(there.settings, name) as follower:
        records = [one async for one in follower.present() if not one.value]
    bodies = [body for one in records if (body := control.body(one.headers)) is not None]
    words = [one for one in map(control.decode, bodies) if isinstance(one, Acknowledged)]
    return any(one.target == target for one in words)
