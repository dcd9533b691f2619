"""A changed file is applied; a wrong one changes nothing and is told."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundation.settings import Settings
from portquorum.inventory import WatchEvent, apply, watch_and_apply
from portquorum.inventory.errors import ApplyError
from portquorum.inventory.present import read

DEADLINE_S = 100


def settings_for(kafka: str) -> Settings:
    return Settings(kafka=kafka, topic_prefix=f"watch-{uuid.uuid4().hex[:12]}", partitions=2)


def text(*hosts: str) -> str:
    lines = "".join(f"  - {{id: {h}, host: {h}.example.com, port: 1}}\n" for h in hosts)
    return "regions: {a: {}}\ntargets:\n" + lines


@asynccontextmanager
async def watching(settings: Settings, path: Path) -> AsyncIterator[list[WatchEvent]]:
    events: list[WatchEvent] = []
    stop = asyncio.Event()
    task = asyncio.create_task(watch_and_apply(settings, [path], events.append, stop=stop))
    try:
        yield events
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        await asyncio.sleep(0.02)


async def test_a_changed_file_is_applied_and_a_wrong_one_is_not(kafka: str, tmp_path: Path) -> None:
    settings, path = settings_for(kafka), tmp_path / "inventory.yaml"
    path.write_text(text("x"))
    async with watching(settings, path) as events:
        await until(lambda: len(events) == 1, "the file is applied at start")
        path.write_text(text("x", "y"))
        await until(lambda: len(events) == 2, "the change is applied")
        new = tmp_path / "new"
        new.write_text(text("x", "y") + "  - {host: z, port: 0}\n")
        new.replace(path)  # as editors save
        await until(lambda: len(events) == 3, "the wrong file is told")
        assert set((await read(settings)).targets()) == {"x", "y"}
        path.write_text(text(*"uvwxyz"))
        await until(lambda: len(events) == 4, "the file that is right again is applied")
        path.write_text(text("x"))
        await until(lambda: len(events) == 5, "too many removals are told")
    assert [event.what for event in events] == [
        "applied",
        "applied",
        "refused",
        "applied",
        "refused",
    ]
    assert "port" in events[2].message
    assert "--yes" in events[4].message
    assert events[1].message == "inventory inventory: 1 added, 1 unchanged"
    assert set((await read(settings)).targets()) == set("uvwxyz")


def _gone_for_a_moment(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


EMPTYINGS: dict[str, Callable[[Path], object]] = {
    "0 bytes": lambda path: path.write_text(""),
    "comments": lambda path: path.write_text("# nothing\n\n# here\n"),
    "no targets": lambda path: path.write_text("regions: {a: {}}\ntargets: []\n"),
    "null": lambda path: path.write_text("targets:\n"),
    "a truncated save": lambda path: path.write_text("regions: {a: {}}\ntargets:\n  - {id: x, ho"),
    "missing": _gone_for_a_moment,
    "a folder": _a_folder,
}


async def test_an_emptied_file_removes_nothing(kafka: str, tmp_path: Path) -> None:
    settings, path = settings_for(kafka), tmp_path / "inventory.yaml"
    names = "abcdefgh"
    path.write_text(text(names[0]))
    async with watching(settings, path) as events:
        await until(lambda: len(events) == 1, "the file is applied at start")
        for number, (how, emptied) in enumerate(EMPTYINGS.items(), 1):
            before = len(events)
            emptied(path)
            await until(lambda n=before: len(events) == n + 1, f"{how}: the emptied file is told")
            if path.is_dir():
                path.rmdir()
            path.write_text(text(*names[: number + 1]))
            await until(lambda n=before: len(events) == n + 2, f"{how}: what is back is applied")
            assert [event.what for event in events[before:]] == ["refused", "applied"], how
            assert events[-1].message == f"inventory inventory: 1 added, {number} unchanged", how


async def test_an_empty_inventory_is_applied_when_asked_for(kafka: str, tmp_path: Path) -> None:
    settings, path = settings_for(kafka), tmp_path / "inventory.yaml"
    path.write_text("targets: []\n")
    assert (await apply(settings, [path])).removed == (), "of nothing, nothing goes"
    path.write_text(text(*"abcdef"))
    await apply(settings, [path])
    path.write_text("")
    for yes in (False, True):
        with pytest.raises(
            ApplyError, match=r"all 6 targets .*\(a, b, c, d, e, …\).*--allow-empty"
        ):
            await apply(settings, [path], yes=yes)
    assert len((await read(settings)).targets()) == 6
    assert len((await apply(settings, [path], allow_empty=True)).removed) == 6
    assert not (await read(settings)).targets()


async def test_a_file_that_comes_later_is_applied(kafka: str, tmp_path: Path) -> None:
    settings, path = settings_for(kafka), tmp_path / "inventory.yaml"
    async with watching(settings, path) as events:
        await until(lambda: len(events) == 1, "the missing file is told")
        path.write_text(text("x"))
        await until(lambda: len(events) == 2, "the file is applied")
    assert [event.what for event in events] == ["refused", "applied"]


async def test_a_cluster_that_is_away_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(text("x"))
    settings = Settings(kafka="127.0.0.1:1", topic_prefix="x", partitions=2)
    async with watching(settings, path) as events:
        await until(lambda: len(events) == 1, "it is told")
        path.write_text(text("x", "y"))
    assert [event.what for event in events][:1] == ["failed"]
