"""`portquorum explain` beside a real stream worker: its checkpoint, and the log after it."""

import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from foundation import kafka as clients
from foundation.settings import Settings
from portquorum.inventory import apply
from portquorum.web.explaining.explainer import Explainer, ExplainUnavailableError
from schemas import topics
from schemas.notification import Notification
from schemas.target import Target
from streams.explain import Explanation
from streams.replay import latest_state
from tests.commands import Said, called
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually

INVENTORY = """
regions: {eu: {}, us: {}, ap: {}}
teams: {ops: {routes: [oncall]}}
routes: {oncall: {urls: ["json://127.0.0.1:9/x"], severities: [critical, warning]}}
defaults: {timeout: 60s, interval: 3m}
targets:
"""


@pytest.fixture
def settings(kafka: str) -> Settings:
    return ground.fresh(kafka)


async def applied(settings: Settings, folder: Path, names: list[str]) -> None:
    path = folder / "inventory.yaml"
    lines = (
        f"  - {{id: {name}, name: 'Web {name}', host: {name}, port: 80, team: ops}}\n"
        for name in names
    )
    path.write_text(INVENTORY + "".join(lines))
    await apply(settings, [path])


def explain(settings: Settings, folder: Path, *arguments: str) -> Said:
    names = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
        "PORTQUORUM_DATA_DIR": str(folder),
        "COLUMNS": "100",
    }
    return called(folder, names, "explain", *arguments)


def found(done: Said) -> dict[str, Any]:
    assert done.returncode in {0, 1}, done.stderr
    answer: dict[str, Any] = msgspec.json.decode(done.stdout)
    return answer


async def sent(settings: Settings, incident_id: str, target: str) -> None:
    one = Notification(
        event_id="e",
        incident_id=incident_id,
        event="opened",
        target=target,
        team="ops",
        route="oncall",
        channel="oncall/0/json",
        severity="critical",
        status="dead",
        attempt=5,
        at=1_800_000_000_000,
        event_at=1_800_000_000_000,
        subject="TCP Port Unreachable",
        group="g",
        error="connection refused",
    )
    async with clients.producer(settings) as producer:
        await producer.send_and_wait(
            settings.topic(topics.NOTIFICATIONS.name), msgspec.json.encode(one), key=one.key
        )


async def test_it_says_what_the_stream_would_from_its_checkpoint_and_the_log(
    settings: Settings, tmp_path: Path
) -> None:
    down, back, well = ground.hosts(settings, 3, partition=1)
    async with Log(settings) as log:
        await applied(settings, tmp_path, [down, back, well])
        await log.round([down, back, well], up=True)
        with Worker(settings, tmp_path) as worker:
            await log.outage([down, back])
            await eventually(
                lambda: ground.event_counts(settings), lambda counts: counts.get("opened") == 2
            )
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        checkpoint = (await ground.checkpoints(settings, 1))[0].head
        # What no worker has seen yet: only the log has it.
        await log.recovery([back])
        before = await ground.incidents(settings)

        done = explain(settings, tmp_path, f"{down}:80", "--json")
        answer = found(done)
        assert done.returncode == 1
        known = answer["explanation"]
        assert known["status"] == "down"
        assert known["offset"] == (await ground.log_ends(settings))[1] - 1 > checkpoint.offset
        assert answer["behind"] == known["offset"] - checkpoint.offset
        assert answer["checkpoint_at"] == checkpoint.written_at
        assert [one["likely"] for one in known["incidents"]] == ["service_down"]
        assert answer["told"]["sent"] == []

        # The page says the same, from a process of its own.
        page = await Explainer(settings, limit_s=60).explain(
            msgspec.convert(answer["target"], Target)
        )
        assert page.explanation == msgspec.convert(known, Explanation)
        assert (page.behind, page.checkpoint_at) == (answer["behind"], checkpoint.written_at)

        await sent(settings, known["incidents"][0]["incident_id"], down)
        shown = explain(settings, tmp_path, f"web {down}")
        assert shown.returncode == 1, shown.stderr
        words = " ".join(shown.stdout.split())
        assert "The incident closes when ap, eu and us succeed once." in words
        assert "given up" in words
        assert "by oncall (json)" in words
        assert "(attempt 5: connection refused)" in words

        recovered = explain(settings, tmp_path, back, "--json")
        assert recovered.returncode == 0
        assert found(recovered)["explanation"]["headline"] == "No incident: it is up."

        # It only reads: no event, no checkpoint, no commit of its own.
        assert await ground.incidents(settings) == before
        assert (await ground.checkpoints(settings, 1))[0].head == checkpoint


async def test_without_any_checkpoint_the_whole_log_tells(
    settings: Settings, tmp_path: Path
) -> None:
    (name,) = ground.hosts(settings, 1, partition=0)
    async with Log(settings) as log:
        await applied(settings, tmp_path, [name])
        await log.outage([name])
    read = await latest_state.read(settings, 0)
    assert (read.checkpoint_at, read.complete) == (None, True)
    assert read.state.targets[name].incident is not None
    done = explain(settings, tmp_path, name)
    assert done.returncode == 1
    assert "The stream has not written a checkpoint yet" in done.stdout


async def test_a_slip_names_near_matches_and_is_wrong_use(
    settings: Settings, tmp_path: Path
) -> None:
    (name,) = ground.hosts(settings, 1)
    async with Log(settings):
        await applied(settings, tmp_path, [name])
    done = explain(settings, tmp_path, name.replace("example", "exmaple"))
    assert done.returncode == 2
    assert f"did you mean {name}" in done.stderr
    assert done.stdout == ""


async def test_the_page_says_that_it_can_explain_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = structs.replace(settings, kafka="127.0.0.1:9")
    one = Target(
        id="a",
        name="a",
        kind="tcp",
        host="a.example",
        port=80,
        regions=("eu",),
        interval_ms=30_000,
        timeout_ms=3_000,
        version=1,
        source="x",
    )
    with pytest.raises(ExplainUnavailableError, match="Kafka does not answer"):
        await Explainer(nowhere, limit_s=60).explain(one)
    with pytest.raises(ExplainUnavailableError, match="took longer than"):
        await Explainer(settings, limit_s=0.01).explain(one)
    monkeypatch.setattr("sys.executable", str(Path(__file__).with_name("no_such_python")))
    with pytest.raises(ExplainUnavailableError, match="No process can be started"):
        await Explainer(settings).explain(one)
