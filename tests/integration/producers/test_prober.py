"""A prober as a process against real Kafka: what it is told, what it publishes."""

import asyncio
import contextlib
import itertools
import json
import socket
import time
from collections.abc import Iterator

import pytest
from msgspec import structs

from portquorum.pausing import records
from producers.schedule.schedule import phase_ms, slots
from schemas.policy import Pause
from schemas.probe import HandshakeProbe
from tests.integration.producers.ground import Ground

HOUR_MS = 3_600_000

_BREAK = """
def broken(*_):
    raise KeyError("broken")
setattr(part, name, broken)
"""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("", 0), backlog=1024) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_results_of_targets(ground: Ground, port: int) -> None:
    await ground.region(internal=True)
    await ground.apply(
        ground.target("open", port),
        ground.target("closed", closed_port(), retries=1, retry_delay_ms=100),
        ground.target("nowhere", 80, host="nonexistent.invalid", timeout_ms=900),
        ground.target("elsewhere", port, regions=("there",)),
    )
    await ground.probe("p1", source="127.0.0.11")
    await ground.until(
        lambda: all(len(ground.of(name)) >= 3 for name in ("open", "closed", "nowhere")),
        "results of all targets",
    )
    up = [result for result in ground.of("open") if result.status == "up"]
    assert up[0].region == "here"
    assert up[0].prober == "p1"
    assert up[0].address == "127.0.0.1"
    assert up[0].connect_ms is not None
    refused = ground.of("closed")
    assert {result.reason for result in refused} <= {"connection_refused", "prober_error"}
    assert [(r.attempt, r.cause) for r in refused[:3]] == [
        (0, "schedule"),
        (1, "retry"),
        (0, "schedule"),
    ]
    assert refused[1].started_at - refused[0].started_at >= 80
    assert {r.reason for r in ground.of("nowhere")} <= {"dns_failed", "prober_error"}
    assert ground.of("elsewhere") == []
    identities = [result.identity for result in ground.results]
    assert len(identities) == len(set(identities))
    for appended_at, result in ground.arrived:
        assert result.started_at <= appended_at + 1500


async def test_a_handshake_and_a_wrong_one(ground: Ground, kafka: str) -> None:
    """The server that is there anyway is a target as good as any."""
    port = int(kafka.rpartition(":")[2])
    await ground.region(internal=True)
    await ground.apply(
        ground.target("speaks", port, kind="kafka", probe=HandshakeProbe()),
        ground.target("other", port, kind="redis", probe=HandshakeProbe()),
    )
    await ground.probe("p1")
    await ground.until(
        lambda: all(
            any(result.status != "missed" for result in ground.of(name))
            for name in ("speaks", "other")
        ),
        "results of both",
    )
    speaks = next(result for result in ground.of("speaks") if result.status != "missed")
    assert (speaks.status, speaks.kind) == ("up", "kafka")
    assert speaks.connect_ms is not None
    assert speaks.total_ms is not None
    assert speaks.total_ms > speaks.connect_ms
    other = next(result for result in ground.of("other") if result.status != "missed")
    # Kafka closes a connection whose first request is too large to be one.
    assert (other.status, other.reason) == ("down", "protocol_mismatch")


async def test_a_new_target_is_checked_before_its_phase(ground: Ground, port: int) -> None:
    await ground.region(internal=True)
    await ground.probe("p1")
    await ground.until(lambda: ground.beats, "a beat")
    await ground.apply(ground.target("new", port, interval_ms=HOUR_MS))
    await ground.until(lambda: ground.of("new"), "the first check")
    (first,) = ground.of("new")
    assert (first.attempt, first.cause, first.status) == (0, "schedule", "up")
    assert (first.scheduled_at - phase_ms("new", HOUR_MS)) % HOUR_MS != 0


async def test_a_change_is_checked_at_once_and_a_removal_ends_it(ground: Ground, port: int) -> None:
    await ground.region(internal=True)
    await ground.apply(ground.target("changes", closed_port(), interval_ms=HOUR_MS, retries=0))
    await ground.apply(ground.target("goes", port))
    await ground.probe("p1")
    await ground.until(lambda: ground.of("changes") and ground.of("goes"), "first results")
    changed = ground.target("changes", port, interval_ms=HOUR_MS)
    await ground.apply(changed)
    await ground.until(lambda: len(ground.of("changes")) >= 2, "a check of the change")
    last = ground.of("changes")[-1]
    assert (last.status, last.target_version) == ("up", changed.version)

    await ground.remove(ground.target("goes", port))
    # A later target of the same host and partition is checked: the removal was read before it.
    await ground.apply(ground.target("marker", port))
    await ground.until(lambda: ground.of("marker"), "the marker's result")
    count = len(ground.of("goes"))
    seen = len(ground.of("marker"))
    await ground.until(lambda: len(ground.of("marker")) >= seen + 4, "more of the marker")
    assert len(ground.of("goes")) <= count + 1, "one may have been on its way"


async def test_after_a_host_change_a_prober_that_starts_later_checks_the_new_host(
    ground: Ground, port: int
) -> None:
    """Old definition and removal lie in one partition, the new definition in any other."""
    await ground.region(internal=True)
    numbers = range(1, 17)
    old = [ground.target(f"t{n}", port, host=f"127.0.1.{n}") for n in numbers]
    await ground.apply(*old)
    for one in old:
        await ground.remove(one)
    await ground.apply(*(ground.target(f"t{n}", port, host=f"127.0.2.{n}") for n in numbers))
    await ground.probe("p1")
    await ground.until(
        lambda: all(len(ground.of(f"t{n}")) >= 2 for n in numbers), "results of all targets"
    )
    assert {result.host for result in ground.results} == {f"127.0.2.{n}" for n in numbers}


async def test_a_rebalance_disturbs_no_target_that_stays(ground: Ground, port: int) -> None:
    """What stays with a prober is read again, older definitions that still stand included."""
    await ground.region(internal=True)
    hosts = [f"127.0.1.{n}" for n in range(1, 13)]
    for interval_ms in (HOUR_MS // 2, HOUR_MS):
        await ground.apply(
            *(ground.target(h, port, host=h, interval_ms=interval_ms) for h in hosts)
        )
    await ground.probe("p1")
    await ground.until(lambda: all(ground.of(host) for host in hosts), "first results")
    await ground.probe("p2")
    await ground.until(lambda: any(ground.of(host, "p2") for host in hosts), "p2 has a share")
    # A marker lies behind all that is read again.
    await ground.apply(*(ground.target(f"marker-{h}", port, host=h) for h in hosts))
    await ground.until(lambda: all(ground.of(f"marker-{host}") for host in hosts), "the markers")
    stayed = [host for host in hosts if not ground.of(host, "p2")]
    assert stayed
    for host in stayed:
        (one,) = ground.of(host)
        assert one.target_version > len(hosts), "it was checked by its second definition alone"


async def test_what_cannot_be_read_is_skipped(ground: Ground, port: int) -> None:
    await ground.region(internal=True)
    for garbage in (b"\xff\x00garbage", b'{"id": "x"}', b"null", b"[" * 5000):
        await ground.raw("targets", "127.0.0.1", garbage, "bad")
        await ground.raw("rechecks", "127.0.0.1", garbage, "bad")
        await ground.producer.send_and_wait(ground.settings.topic("policy"), garbage, b"bad")
    await ground.apply(ground.target("after", port))
    process = await ground.probe("p1")
    await ground.until(lambda: len(ground.of("after")) >= 3, "results after garbage")
    assert process.returncode is None


async def test_private_addresses_only_from_internal_regions(ground: Ground, port: int) -> None:
    await ground.apply(ground.target("private", port, interval_ms=HOUR_MS))
    await ground.probe("p1")
    await ground.until(lambda: ground.of("private"), "a result")
    first = ground.of("private")[0]
    assert (first.status, first.reason) == ("missed", "address_blocked")
    # The region's right arrives later: the target is looked at again without waiting an hour.
    await ground.region(internal=True)
    await ground.until(lambda: ground.of("private")[-1].status == "up", "the check is allowed")


async def test_a_recheck_takes_all_targets_of_the_host(ground: Ground, port: int) -> None:
    await ground.region(internal=True)
    await ground.apply(
        ground.target("one", port, interval_ms=HOUR_MS),
        ground.target("two", closed_port(), interval_ms=HOUR_MS, retries=1, retry_delay_ms=50),
    )
    await ground.probe("p1")
    await ground.until(lambda: ground.of("one") and len(ground.of("two")) == 2, "first results")
    now = max(appended_at for appended_at, _ in ground.arrived)
    await ground.recheck("127.0.0.1", now - 9000, now - 5000)  # expired
    await ground.recheck("127.0.0.1", now, now + 60_000)
    await ground.until(
        lambda: len(ground.of("one")) == 2 and len(ground.of("two")) == 4, "the recheck"
    )
    assert ground.of("one")[1].cause == "recheck"
    assert [(r.cause, r.attempt) for r in ground.of("two")[2:]] == [("recheck", 0), ("retry", 1)]
    await ground.end("p1")
    await ground.read()
    assert len(ground.of("one")) == 2, "the expired request was ignored"


async def test_beats_reach_every_partition(ground: Ground) -> None:
    await ground.region(internal=True)
    await ground.apply(ground.target("bad", closed_port(), retries=0))
    await ground.probe("p1")
    await ground.until(
        lambda: len({part for part, beat in ground.beats if beat.failing}) == 4,
        "a beat that knows of the failure, everywhere",
    )
    beats = [beat for part, beat in ground.beats if part == 0]
    assert [beat.sequence for beat in beats] == list(range(len(beats)))
    assert beats[-1].targets == 1
    assert beats[-1].clock_offset_ms is not None
    assert len({beat.started_at for beat in beats}) == 1


async def test_two_probers_share(ground: Ground, port: int) -> None:
    await ground.region(internal=True)
    names = [f"t{number}" for number in range(12)]
    await ground.apply(
        *(
            ground.target(name, port, host=f"127.0.1.{number}", retries=0)
            for number, name in enumerate(names)
        )
    )
    await ground.probe("p1")
    await ground.probe("p2")

    def shared() -> bool:
        last = {name: ground.of(name)[-1].prober if ground.of(name) else None for name in names}
        return set(last.values()) == {"p1", "p2"}

    await ground.until(shared, "both probers publish")
    # After the hand-over settled, each target is checked by one of them alone.
    start = len(ground.results)
    await ground.until(lambda: len(ground.results) > start + 8 * len(names), "more results")
    tail = ground.results[start + 5 * len(names) :]
    owners = {name: {r.prober for r in tail if r.target == name} for name in names}
    assert all(len(probers) == 1 for probers in owners.values()), owners


@pytest.mark.parametrize("off_ms", [HOUR_MS, -HOUR_MS])
async def test_a_machine_whose_clock_is_off_publishes_in_the_brokers_time(
    ground: Ground, port: int, off_ms: int
) -> None:
    await ground.region(internal=True)
    await ground.apply(ground.target("t", port))
    await ground.probe("p1", clock_off_ms=off_ms)
    await ground.until(lambda: len(ground.of("t")) >= 3, "results")
    for appended_at, result in ground.arrived:
        assert abs(appended_at - result.started_at) < HOUR_MS / 2
    await ground.until(
        lambda: any(
            beat.clock_offset_ms is not None and abs(beat.clock_offset_ms + off_ms) < HOUR_MS / 2
            for _, beat in ground.beats
        ),
        "the beat tells how far the machine is off",
    )


async def test_an_end_publishes_what_was_finished(ground: Ground, port: int) -> None:
    await ground.region(internal=True)
    await ground.apply(*(ground.target(f"t{n}", port, host=f"127.0.3.{n}") for n in range(8)))
    process = await ground.probe("p1")
    await ground.until(lambda: len(ground.results) >= 24, "results")
    began = time.monotonic()
    assert await ground.end("p1") == 0
    assert time.monotonic() - began < 30
    assert process.returncode == 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await ground.read()
    for number in range(8):
        found = sorted(ground.of(f"t{number}"), key=lambda one: one.scheduled_at)[1:]
        known = slots(f"t{number}", (found[0].region,), found[0].region, 1000)
        times = [one.scheduled_at for one in found]
        assert all(known.after(a) == b for a, b in itertools.pairwise(times)), "no gap"


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (
            "publishing",
            "from producers.publishing.publisher import Publisher as part; name = '_send_due'",
        ),
        (
            "following the policy",
            "from producers.prober.region_policy import RegionPolicy as part; name = '_take'",
        ),
        ("checking", "from producers.prober.check_loop import CheckLoop as part; name = '_round'"),
        (
            "membership",
            "from producers.prober.group_member import GroupMember as part; name = '_take'",
        ),
        (
            "membership",
            "from producers.schedule.target_definitions import Definitions as part; name = 'keep'",
        ),
        ("a callback", "from producers.prober.check_loop import CheckLoop as part; name = '_tell'"),
    ],
)
async def test_a_prober_does_not_outlive_one_of_its_parts(
    ground: Ground, port: int, part: str, fault: str
) -> None:
    await ground.region(internal=True)
    await ground.apply(ground.target("t", port))
    process = await ground.probe("p1", errors=asyncio.subprocess.PIPE, fault=f"{fault}\n{_BREAK}")
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == 1
    (line,) = [line for line in said.splitlines() if b'"a part ended' in line]
    told = json.loads(line)
    assert told["part"] == part
    assert told["why"] == "KeyError('broken')"
    assert told["at"]


@pytest.mark.parametrize("allowed", [False, True])
async def test_references_are_asked_only_where_checks_may_go(ground: Ground, allowed: bool) -> None:
    """Four names that nobody knows fail at once, which lets the prober doubt its own network."""
    with socket.create_server(("127.0.0.1", 0)) as reference:
        reference.setblocking(False)
        place = f"127.0.0.1:{reference.getsockname()[1]}"
        allow = ("127.0.0.1",) if allowed else ()
        await ground.region(allow=allow, connectivity=(place,))
        names = [f"nonexistent-{number}" for number in range(4)]
        await ground.apply(
            *(ground.target(name, 80, host=f"{name}.invalid", timeout_ms=900) for name in names)
        )
        await ground.probe("p1")
        await ground.until(lambda: all(len(ground.of(name)) >= 3 for name in names), "results")
        assert {result.reason for result in ground.results} <= {"dns_failed", "prober_error"}
        assert "dns_failed" in {result.reason for result in ground.results}
        if allowed:
            reference.accept()[0].close()
        else:
            with pytest.raises(BlockingIOError):
                reference.accept()


async def test_what_is_paused_or_disabled_is_not_checked_until_its_time(
    ground: Ground, port: int
) -> None:
    await ground.region(internal=True)
    disabled = ground.target("disabled", port, interval_ms=HOUR_MS, enabled=False)
    await ground.apply(ground.target("goes-on", port), disabled)
    await ground.apply(ground.target("paused", port, interval_ms=HOUR_MS))
    await ground.probe("p1")
    await ground.until(lambda: ground.of("paused") and ground.of("goes-on"), "first results")

    async def pause(until: int | None) -> None:
        one = Pause(name="paused", paused_at=1, until=until, reason="", by="ann")
        await records.pause(ground.settings, [one], {})

    await pause(None)
    await ground.until(lambda: ground.beats and ground.beats[-1][1].targets == 1, "a beat of one")
    await ground.rechecked("127.0.0.1", "goes-on")
    assert len(ground.of("paused")) == 1
    await records.resume(ground.settings, ["paused"], "ann", {})
    await ground.until(lambda: len(ground.of("paused")) == 2, "a check at once")

    until = ground.of("goes-on")[-1].started_at + 4_000
    await pause(until)
    await ground.until(lambda: len(ground.of("paused")) == 3, "a check after the end")
    assert ground.of("paused")[-1].started_at >= until
    assert ground.of("disabled") == []
    await ground.apply(structs.replace(disabled, enabled=True, version=disabled.version + 1))
    await ground.until(lambda: ground.of("disabled"), "a check of what is enabled again")
