"""`portquorum health` beside real roles: each fault is said, and everything else is still shown."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from foundation.settings import Settings
from portquorum.health.gather import look, wall_ms
from portquorum.health.verdict import HealthReport
from tests.commands import Said, called
from tests.receivers.webhook import JsonWebhook
from tests.system.ground import Listener
from tests.system.stack import Stack, eventually

pytestmark = pytest.mark.timeout(300)

REGIONS = {"a": "127.0.0.11", "b": "127.0.0.12", "c": "127.0.0.13"}
ROLES = {"sink": "sink", "stream": "stream", "notify": "notify"}
PREFIX = "health"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[JsonWebhook]:
    with JsonWebhook() as box:
        yield box


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    found = Listener("127.0.0.1", port)
    yield found
    found.close()


@pytest.fixture(scope="module")
async def stack(
    kafka: str, clickhouse: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """Nothing runs yet; each test leaves all roles running for the next one."""
    folder = tmp_path_factory.mktemp(PREFIX)
    settings = Settings(
        kafka=kafka,
        clickhouse=f"{clickhouse.rpartition('/')[0]}/{PREFIX}",
        topic_prefix=PREFIX,
        partitions=4,
        data_dir=folder,
    )
    fleet = Stack(settings, folder)
    yield fleet
    await fleet.close()


def run(stack: Stack, *arguments: str, **env: str) -> Said:
    return called(stack.folder, stack.env | env, "health", *arguments)


def notify(stack: Stack, *arguments: str) -> Said:
    return called(stack.folder, stack.env | {"COLUMNS": "200"}, "notify", *arguments)


def report(stack: Stack, **env: str) -> HealthReport:
    """The report, which agrees with the exit code."""
    done = run(stack, "--json", **env)
    assert not done.stderr, done.stderr
    found = msgspec.json.decode(done.stdout, type=HealthReport)
    assert done.returncode == (1 if found.level == "trouble" else 0)
    return found


async def until(stack: Stack, what: str, level: str, words: str, part: str) -> HealthReport:
    """The first report in which a part is at a level, in these words."""

    async def look() -> HealthReport | None:
        found = await asyncio.to_thread(report, stack)
        return found if said(found, part, level, words) else None

    try:
        return await eventually(what, look, 90)
    except AssertionError as error:
        raise AssertionError(f"{error}; now: {await asyncio.to_thread(report, stack)}") from None


def said(found: HealthReport, part: str, level: str, words: str) -> bool:
    return any(
        line.title == part and line.level == level and words in line.text for line in found.lines
    )


def levels(found: HealthReport) -> dict[str, str]:
    return {line.title: line.level for line in found.lines}


async def well(stack: Stack) -> HealthReport:
    """The report when all is well."""

    async def look() -> HealthReport | None:
        found = await asyncio.to_thread(report, stack)
        return found if set(levels(found).values()) == {"ok"} else None

    try:
        return await eventually("all is well", look, 120)
    except AssertionError as error:
        raise AssertionError(f"{error}; now: {await asyncio.to_thread(report, stack)}") from None


async def test_a_kafka_that_never_saw_portquorum(stack: Stack) -> None:
    found = await asyncio.to_thread(report, stack)
    assert found.level == "trouble"
    assert f"none of the topics {PREFIX}.*: no role has ever run here" in found.summary
    # Looking has made no topic.
    again = await asyncio.to_thread(report, stack)
    assert not any(topic.exists for topic in again.facts.kafka.topics)


async def test_no_role_runs(stack: Stack, mailbox: JsonWebhook, listener: Listener) -> None:
    await stack.watch()
    inventory = {
        "regions": {
            name: {"internal": True, "source": address} for name, address in REGIONS.items()
        },
        "routes": {"mail": {"urls": [f"json://127.0.0.1:{mailbox.port}/ops"]}},
        "teams": {"ops": {"routes": ["mail"]}},
        "targets": [
            {
                "name": "web",
                "host": listener.host,
                "port": listener.port,
                "regions": list(REGIONS),
                "interval": "10s",
                "team": "ops",
            }
        ],
    }
    await stack.apply(inventory, "health")
    found = await asyncio.to_thread(report, stack)
    assert found.level == "trouble"
    assert found.summary.startswith("no role runs: nobody is in a consumer group")
    assert "ClickHouse can't" not in found.summary
    assert levels(found)["kafka"] == "ok"
    assert said(found, "stream", "trouble", "no stream runs")
    assert said(found, "region a", "trouble", "no prober runs")


async def test_all_well(stack: Stack) -> None:
    for name in ROLES:
        stack.role(name, name)
    for region, source in REGIONS.items():
        stack.prober(region, source)
    found = await well(stack)
    assert found.level == "ok"
    assert found.summary.startswith("all well, 3 regions, 1 target, newest result")
    assert [group.members for group in found.facts.groups] == [1, 1, 1]
    assert {one.region: one.targets for one in found.facts.regions} == {"a": 1, "b": 1, "c": 1}
    assert all(region.set_aside is False for region in found.facts.regions)
    assert found.facts.checkpoints is not None
    assert found.facts.checkpoints.partitions == 4


async def test_in_a_pipe_it_is_one_line_a_part_in_any_encoding(stack: Stack) -> None:
    found = await well(stack)
    done = await asyncio.to_thread(
        run, stack, PYTHONIOENCODING="latin-1", COLUMNS="40", NO_COLOR="1"
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith(("OK: all well", "WARNING: "))
    assert len(lines) == 1 + len(found.lines)
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("off_s", "words"), [(3_600, "ahead of the broker's"), (-3_600, "behind the broker's")]
)
async def test_a_wrong_clock_of_this_machine_is_said_and_changes_no_age(
    stack: Stack, off_s: int, words: str
) -> None:
    await well(stack)
    found = await look(stack.settings, 30, lambda: wall_ms() + off_s * 1_000)
    assert said(found, "clock", "warning", words)
    offset_ms = found.facts.log.clock_offset_ms
    assert offset_ms is not None
    # The newest stamp may be some seconds old.
    assert abs(offset_ms + off_s * 1_000) < 60_000
    seen = levels(found)
    parts = ("region a", "region b", "stream", "checkpoint", "sink", "newest result")
    assert [seen[part] for part in parts] == ["ok"] * len(parts), found
    assert found.facts.policy is not None
    assert found.facts.policy.applied


async def test_kafka_is_away(stack: Stack, refusing: str) -> None:
    await well(stack)
    found = await asyncio.to_thread(report, stack, PORTQUORUM_KAFKA=refusing)
    assert found.level == "trouble"
    assert found.summary.startswith(f"Kafka can't be reached at {refusing}: the connection was ref")
    assert levels(found)["clickhouse"] == "ok"
    assert levels(found)["newest result"] == "ok"
    assert said(found, "stream", "unknown", "Kafka is away")


async def test_clickhouse_is_away(stack: Stack, refusing: str) -> None:
    await well(stack)
    url = f"http://somebody:swordfish@{refusing}/health"
    found = await asyncio.to_thread(report, stack, PORTQUORUM_CLICKHOUSE=url)
    assert found.level == "trouble"
    assert found.summary.startswith(f"ClickHouse can't be reached at {refusing}: ")
    assert "swordfish" not in str(found)
    seen = levels(found)
    assert [seen[part] for part in ("kafka", "stream", "sink", "region a")] == ["ok"] * 4
    assert seen["newest result"] == "unknown"


async def test_a_kafka_that_says_nothing_is_away_after_the_timeout(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        done = await asyncio.to_thread(run, stack, "--timeout", "2s", PORTQUORUM_KAFKA=place)
    assert done.returncode == 1
    first = done.stdout.splitlines()[0]
    assert first.startswith(f"TROUBLE: Kafka can't be reached at {place}: ")


async def test_a_clickhouse_that_says_nothing_hides_nothing_of_kafka(stack: Stack) -> None:
    await well(stack)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        found = await asyncio.to_thread(
            report, stack, PORTQUORUM_CLICKHOUSE=f"http://{place}/health"
        )
    assert found.level == "trouble"
    assert found.summary.startswith(f"ClickHouse can't be reached at {place}: ")
    seen = levels(found)
    assert [seen[part] for part in ("kafka", "stream", "sink", "region a")] == ["ok"] * 4


async def test_a_stream_that_was_killed(stack: Stack) -> None:
    await well(stack)
    stack.roles["stream"].kill()
    found = await until(stack, "no stream is said", "trouble", "no stream runs", "stream")
    assert found.summary.startswith("stream: no stream runs")
    assert levels(found)["sink"] == "ok"
    stack.roles["stream"].start()
    await well(stack)


async def test_a_sink_that_stands_still(stack: Stack) -> None:
    await well(stack)
    stack.roles["sink"].signal(signal.SIGSTOP)
    try:
        found = await until(stack, "the sink's lag is said", "trouble", "behind", "sink")
        sink = next(group for group in found.facts.groups if group.role == "sink")
        assert sink.lag
        assert sink.oldest is not None
        assert levels(found)["stream"] == "ok"
    finally:
        stack.roles["sink"].signal(signal.SIGCONT)
    await well(stack)


async def test_a_channel_that_is_away(
    stack: Stack, mailbox: JsonWebhook, listener: Listener
) -> None:
    await well(stack)
    mailbox.stop_listening()
    listener.close()
    found = await until(
        stack, "the channel's failure is said", "warning", "mail (json) fails for", "channels"
    )
    assert found.facts.notifier is not None
    assert found.facts.notifier.term
    assert [one.short_name for one in found.facts.notifier.failing] == ["mail (json)"]
    done = await asyncio.to_thread(notify, stack, "channels", "--json")
    (channel,) = msgspec.json.decode(done.stdout)["channels"]
    assert (done.returncode, channel["condition"], channel["waiting"]) == (1, "fails", 1)
    done = await asyncio.to_thread(notify, stack, "why", "web")
    words = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "mail (json) knows nothing yet; news waits for" in words
    assert "opened" in words
    assert "retrying" in words

    mailbox.listen_again()

    async def told() -> bool:
        done = await asyncio.to_thread(notify, stack, "why", "web", "--json")
        (subject,) = msgspec.json.decode(done.stdout)["subjects"]
        knows = [one["knows"] for one in subject["now"]["audience"]]
        return done.returncode == 0 and knows == ["down"]

    await eventually("the channel is told", told, 90)
    listener.open()

    async def works() -> bool:
        done = await asyncio.to_thread(notify, stack, "channels", "--json")
        (channel,) = msgspec.json.decode(done.stdout)["channels"]
        return (done.returncode, channel["condition"], channel["waiting"]) == (0, "works", 0)

    await eventually("the end is told", lambda: _ended(mailbox), 90)
    await eventually("nothing waits", works, 30)
    await well(stack)
    titles = [text.splitlines()[0].partition(":")[0] for text in mailbox.texts]
    assert titles[0] == "TCP Port Unreachable"
    assert titles[-1] == "TCP Port Reachable Again"


async def test_a_region_that_is_silent(stack: Stack) -> None:
    await well(stack)
    stack.roles["probe-c"].kill()
    found = await until(stack, "the region is silent", "trouble", "silent for", "region c")
    assert found.summary.startswith("region c: silent for")
    assert "1 target not watched from here" in found.summary
    assert levels(found)["region a"] == "ok"
    stack.roles["probe-c"].start()
    await well(stack)


async def _ended(mailbox: JsonWebhook) -> bool:
    return any("Reachable Again" in text for text in mailbox.texts)


@pytest.fixture
def refusing() -> Iterator[str]:
    """`host:port` that is bound and does not listen: nobody else gets it, and it refuses."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


def test_wrong_use_is_exit_code_2(stack: Stack) -> None:
    done = run(stack, "--timeout", "soon")
    assert done.returncode == 2
    assert "expected a duration" in done.stderr
    assert done.stdout == ""
