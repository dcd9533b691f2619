"""`apply` on real Kafka: what is published, in which order, and what an interruption leaves."""

import asyncio
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from foundation import kafka as clients
from foundation.settings import Settings
from portquorum.inventory import ApplyError, InventoryError, apply, diff
from portquorum.inventory.present import read
from portquorum.pausing import records as records_of_pauses
from schemas import control, policy
from schemas.control import Control, TargetPaused, TargetRemoved, TargetResumed, TargetSet
from schemas.partition import partition_for
from schemas.policy import ApplyMark, Pause

HEAD = "regions: {a: {}, b: {}}\ntargets:\n"


@pytest.fixture
def settings(kafka: str) -> Settings:
    return Settings(kafka=kafka, topic_prefix=f"inv-{uuid.uuid4().hex[:12]}", partitions=4)


Write = Callable[[str], list[Path]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def into(text: str) -> list[Path]:
        path = tmp_path / "inventory.yaml"
        path.write_text(text)
        return [path]

    return into


def targets(*names: str, **fields: str) -> str:
    more = "".join(f", {key}: {value}" for key, value in fields.items())
    return HEAD + "".join(f"  - {{id: {n}, host: {n}.example.com, port: 1{more}}}\n" for n in names)


async def records(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """All records of a topic, by the time at which they were written."""
    client = clients.consumer(settings, settings.topic(topic))
    await client.start()
    try:
        found: list[ConsumerRecord] = []
        ends = await client.end_offsets(client.assignment())
        while any([await client.position(part) < end for part, end in ends.items()]):
            for batch in (await client.getmany(timeout_ms=500)).values():
                found += batch
    finally:
        await client.stop()
    return sorted(found, key=lambda record: (record.timestamp, record.partition, record.offset))


async def controls(settings: Settings) -> list[tuple[int, Control]]:
    found = []
    for record in await records(settings, "results"):
        assert record.value == b""
        raw = control.body(record.headers)
        assert raw is not None
        found.append((record.partition, control.decode(raw)))
    return found


def home(name: str) -> int:
    return partition_for(f"{name}.example.com", 4)


async def test_a_first_apply_publishes_all_and_a_second_nothing(
    settings: Settings, write: Write
) -> None:
    paths = write(targets("x", "y", "z"))
    progress: list[tuple[int, int]] = []
    report = await apply(settings, paths, on_progress=lambda *step: progress.append(step))
    assert report.added == ("x", "y", "z")
    assert report.source == "inventory"
    assert progress[-1] == (8, 8)

    there = await read(settings)
    assert {p.target.id: p.partition for p in there.placed} == {n: home(n) for n in "xyz"}
    assert {p.target.version for p in there.placed} == {report.at}
    sets = await controls(settings)
    assert sorted((part, r.target.id) for part, r in sets if isinstance(r, TargetSet)) == sorted(
        (home(n), n) for n in "xyz"
    )
    marks = [policy.decode(r.value) for r in await records(settings, "policy")]
    assert isinstance(marks[0], ApplyMark)
    assert isinstance(marks[-1], ApplyMark)
    assert (marks[0].state, marks[-1].state) == ("begun", "done")

    again = await apply(settings, paths)
    assert (again.unchanged, again.added, again.policy_set) == (3, (), 0)
    assert len(await records(settings, "policy")) == len(marks)
    assert (await diff(settings, paths)).empty


async def test_only_what_changed_gets_a_new_version(settings: Settings, write: Write) -> None:
    await apply(settings, write(targets("x", "y")))
    before = (await read(settings)).targets()
    report = await apply(settings, write(targets("x") + targets("y", timeout="2s")[len(HEAD) :]))
    assert report.changed == ("y",)
    after = (await read(settings)).targets()
    assert after["x"] == before["x"]
    assert after["y"].target.version > before["y"].target.version


async def test_a_new_host_moves_the_target_to_its_partition(
    settings: Settings, write: Write
) -> None:
    old, new = "h0", next(f"h{n}" for n in range(1, 99) if home(f"h{n}") != home("h0"))
    line = "  - {{id: db, host: {}.example.com, port: 1}}\n"
    await apply(settings, write(HEAD + line.format(old)))
    report = await apply(settings, write(HEAD + line.format(new)))
    assert report.changed == ("db",)
    assert report.removed == ()
    there = await read(settings)
    assert [(p.partition, p.target.host) for p in there.placed] == [
        (home(new), f"{new}.example.com")
    ]
    removed = [(p, r) for p, r in await controls(settings) if isinstance(r, TargetRemoved)]
    assert [(p, r.because) for p, r in removed] == [(home(old), "target_changed")]


async def test_a_pause_goes_along_to_the_new_partition_and_is_known_there_first(
    settings: Settings, write: Write
) -> None:
    old, new = "h0", next(f"h{n}" for n in range(1, 99) if home(f"h{n}") != home("h0"))
    lines = "".join(
        f"  - {{{{id: {name}, host: {{}}.example.com, port: {port}}}}}\n"
        for name, port in (("db", 1), ("over", 2), ("other", 3))
    )
    await apply(settings, write(HEAD + lines.format(old, old, old)))
    made = Pause(name="db", paused_at=1, until=None, reason="new disk", by="ann")
    over = Pause(name="over", paused_at=1, until=2, reason="", by="ann")
    homes = {"db": home(old), "over": home(old)}
    await records_of_pauses.pause(settings, [made, over], homes)
    assert records_of_pauses.pauses_of((await read(settings)).policy.values()) == {
        "db": made,
        "over": over,
    }
    progress: list[tuple[int, int]] = []
    await apply(
        settings,
        write(HEAD + lines.format(new, new, new)),
        on_progress=lambda *step: progress.append(step),
    )
    assert progress[-1][0] == progress[-1][1]
    said = [record for partition, record in await controls(settings) if partition == home(new)]
    assert said[0] == TargetPaused(target="db", until=None, by="ann", note="new disk")
    assert [type(one) for one in said[1:]] == [TargetSet] * 3
    await records_of_pauses.resume(settings, ["db"], "bob", {"db": home(new)})
    said = [record for partition, record in await controls(settings) if partition == home(new)]
    assert said[-1] == TargetResumed(target="db", by="bob")
    assert set(records_of_pauses.pauses_of((await read(settings)).policy.values())) == {"over"}


@pytest.mark.parametrize("name", ["silence", "drill", "pause", "web"])
async def test_the_names_of_our_own_sources_are_no_inventorys(
    settings: Settings, write: Write, name: str
) -> None:
    with pytest.raises(ApplyError, match=f"the source '{name}' is portquorum's own"):
        await apply(settings, write(targets("x")), source=name)


async def test_removals_are_of_the_same_source_and_at_most_a_fifth(
    settings: Settings, write: Write, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("targets: [{host: other.example.com, port: 1, regions: [a]}]\n")
    await apply(settings, write(targets(*"uvwxyz")))
    await apply(settings, [other])
    fewer = write(targets("z"))
    with pytest.raises(ApplyError, match=r"5 of the 6 targets .*--yes --source \S+ "):
        await apply(settings, fewer)
    assert set((await read(settings)).targets()) == {*"uvwxyz", "other.example.com-1"}
    report = await apply(settings, fewer, yes=True)
    assert report.removed == tuple("uvwxy")
    assert set((await read(settings)).targets()) == {"z", "other.example.com-1"}
    removed = [(p, r) for p, r in await controls(settings) if isinstance(r, TargetRemoved)]
    assert sorted((r.target, p, r.because) for p, r in removed) == [
        (name, home(name), "removed") for name in "uvwxy"
    ]


async def test_another_source_may_use_names_but_not_take_them(
    settings: Settings, write: Write, tmp_path: Path
) -> None:
    await apply(settings, write(targets("x")))
    other = tmp_path / "other.yaml"
    other.write_text(targets("x"))
    with pytest.raises(InventoryError) as caught:
        await apply(settings, [other])
    said = str(caught.value)
    assert "the target 'x' belongs to the source 'inventory'" in said
    assert "the region 'a' belongs to the source 'inventory'" in said
    other.write_text("targets: [{host: o.example.com, port: 1}]\n")
    await apply(settings, [other])
    assert (await read(settings)).targets()["o.example.com-1"].target.regions == ("a", "b")
    with pytest.raises(InventoryError, match=r"regions\.b: expected to stay"):
        await apply(settings, write(targets("x").replace(", b: {}", "")))


async def test_a_wrong_file_changes_nothing(settings: Settings, write: Write) -> None:
    await apply(settings, write(targets("x")))
    before = await read(settings)
    with pytest.raises(InventoryError, match="port"):
        await apply(settings, write(targets("x", "y") + "  - {host: z, port: 0}\n"))
    assert await read(settings) == before


class KilledError(Exception):
    """Stands for the end of the process; the client is stopped where it is."""


async def test_an_apply_that_did_not_finish_is_done_anew(settings: Settings, write: Write) -> None:
    await apply(settings, write(targets("x", "y", "z", "u", "v", "w")))
    fewer = write(targets("x", "y", "z", "u", "v", timeout="2s"))

    def killed_before_the_targets(done: int, of: int) -> None:
        if 2 * done >= of:
            raise KilledError

    with pytest.raises(KilledError):
        await apply(settings, fewer, on_progress=killed_before_the_targets)
    half = await read(settings)
    mark = half.mark("inventory")
    assert mark is not None
    assert mark.state == "begun"
    assert {p.target.timeout_ms for p in half.placed} == {3000}
    assert any(isinstance(record, TargetRemoved) for _, record in await controls(settings))

    # The target that was about to go is wanted again: it has to be newer than its removal.
    report = await apply(settings, write(targets("x", "y", "z", "u", "v", "w")))
    assert report.republished == 6
    last: dict[str, Control] = {}
    for _, record in await controls(settings):
        assert isinstance(record, TargetSet | TargetRemoved)
        last[record.target if isinstance(record, TargetRemoved) else record.target.id] = record
    assert all(isinstance(record, TargetSet) for record in last.values())
    removed = [r for _, r in await controls(settings) if isinstance(r, TargetRemoved)]
    newest = last["w"]
    assert isinstance(newest, TargetSet)
    assert newest.target.version > max(record.version for record in removed)
    assert (await apply(settings, write(targets("x", "y", "z", "u", "v", "w")))).unchanged == 6


async def test_two_applies_at_the_same_time_are_noticed(
    settings: Settings, write: Write, tmp_path: Path
) -> None:
    paths = write(targets("x"))
    other = tmp_path / "other.yaml"
    other.write_text(targets("x", timeout="2s"))

    def meanwhile(done: int, _of: int) -> None:
        if done == 2:  # the regions are written, the targets are not
            work = apply(settings, [other], source="inventory")
            thread = threading.Thread(target=asyncio.run, args=(work,))
            thread.start()
            thread.join()

    with pytest.raises(ApplyError, match="at the same time") as caught:
        await apply(settings, paths, on_progress=meanwhile)
    assert caught.value.again
    report = await apply(settings, paths)
    assert report.changed == ("x",) or report.republished == 1
    assert (await read(settings)).targets()["x"].target.timeout_ms == 3000
    assert (await apply(settings, paths)).unchanged == 1


async def test_unreadable_records_are_passed_over(settings: Settings, write: Write) -> None:
    await clients.create_topics(settings)
    producer = clients.producer(settings)
    await producer.start()
    try:
        for topic in ("targets", "policy"):
            name = settings.topic(topic)
            await producer.send_and_wait(name, b"\xff garbage", key=b"x", partition=0)
    finally:
        await producer.stop()
    await apply(settings, write(targets("x")))
    assert set((await read(settings)).targets()) == {"x"}


async def test_no_kafka_is_one_sentence(write: Write) -> None:
    nowhere = Settings(kafka="127.0.0.1:1", topic_prefix="x", partitions=4)
    with pytest.raises(ApplyError, match=r"Kafka can't be reached at 127\.0\.0\.1:1") as caught:
        await apply(nowhere, write(targets("x")))
    assert caught.value.again
