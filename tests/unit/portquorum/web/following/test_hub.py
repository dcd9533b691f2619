import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.web.answers import Change, Counts
from portquorum.web.fleet.position import Position
from portquorum.web.following.hub import AHEAD, KEPT, WAITING, Hub, Step


def change(number: int) -> Change:
    return Change(kind="incident", id=f"p{number}", at=number, subject=f"{number}", counts=Counts())


def step(offset: int, partition: int = 0) -> tuple[Step, ...]:
    return (("incidents", partition, offset + 1),)


async def taken(changes: AsyncIterator[Change | None], count: int) -> list[str]:
    """The subjects of the next changes; `reload` for a None."""
    found = []
    async with asyncio.timeout(5):
        for _ in range(count):
            one = await anext(changes)
            found.append("reload" if one is None else one.subject)
    return found


async def test_a_viewer_sees_each_change_from_now_on() -> None:
    hub = Hub()
    hub.publish([change(0)], step(0))
    async with hub.subscribe() as changes:
        hub.publish([change(1), change(2)], step(1))
        assert await taken(changes, 2) == ["1", "2"]
    assert hub.viewers == 0


async def test_who_comes_back_sees_what_came_meanwhile_and_not_what_was_seen() -> None:
    hub = Hub()
    hub.begin(Position({0: 5}))
    for offset in range(5, 10):
        hub.publish([change(offset)], step(offset))
    async with hub.subscribe(Position({0: 8}).encode()) as changes:
        hub.publish([change(10)], step(10))
        assert await taken(changes, 3) == ["8", "9", "10"]


async def test_a_position_before_what_is_kept_asks_for_the_page_anew() -> None:
    hub = Hub()
    hub.begin(Position({0: 5}))
    for offset in range(5, 6 + KEPT):
        hub.publish([change(offset)], step(offset))
    for too_old in (Position({0: 4}), Position({0: 5}), Position()):
        async with hub.subscribe(too_old.encode()) as changes:
            assert await taken(changes, 1) == ["reload"]
    async with hub.subscribe(Position({0: KEPT}).encode()) as changes:
        assert await taken(changes, 6) == [str(offset) for offset in range(KEPT, KEPT + 6)]


async def test_a_replay_that_is_too_long_asks_for_the_page_anew() -> None:
    hub = Hub()
    hub.begin(Position({0: 5}))
    for offset in range(5, 6 + WAITING):
        hub.publish([change(offset)], step(offset))
    async with hub.subscribe(Position({0: 5}).encode()) as changes:
        assert await taken(changes, 1) == ["reload"]


@pytest.mark.parametrize("text", ["", "nonsense", "é", "A" * 100_000])
async def test_no_position_is_now_and_nonsense_asks_anew(text: str) -> None:
    hub = Hub()
    hub.begin(Position({0: 5}))
    async with hub.subscribe(text) as changes:
        hub.publish([change(5)], step(5))
        assert await taken(changes, 1) == (["reload"] if text else ["5"])


async def test_a_viewer_of_a_process_that_is_ahead_misses_and_repeats_nothing() -> None:
    hub = Hub()
    hub.begin(Position({0: 5}))
    async with hub.subscribe(Position({0: 7}).encode()) as changes:
        for offset in range(5, 9):
            hub.publish([change(offset)], step(offset))
        assert await taken(changes, 2) == ["7", "8"]


async def test_a_position_of_another_log_asks_anew() -> None:
    hub = Hub()
    hub.begin(Position({0: 5}))
    async with hub.subscribe(Position({0: 6 + AHEAD}).encode()) as changes:
        assert await taken(changes, 1) == ["reload"]


async def test_a_slow_viewer_loses_changes_and_is_told_so_once() -> None:
    hub = Hub()
    async with hub.subscribe() as slow, hub.subscribe() as quick:
        for offset in range(WAITING):
            hub.publish([change(offset)], step(offset))
        assert await taken(quick, WAITING) == [str(offset) for offset in range(WAITING)]
        for offset in range(WAITING, WAITING + 10):
            hub.publish([change(offset)], step(offset))
        assert await taken(slow, 1) == ["reload"]
        hub.publish([change(999)], step(999))
        assert await taken(slow, 1) == ["999"]
        assert len(await taken(quick, 11)) == 11


async def test_the_end_of_the_process_ends_all_iterators() -> None:
    hub = Hub()
    async with hub.subscribe() as changes:
        waiting = asyncio.ensure_future(anext(changes, None))
        await asyncio.sleep(0)
        hub.close()
        async with asyncio.timeout(5):
            assert await waiting is None
    async with hub.subscribe() as changes:
        assert [one async for one in changes] == []


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=30),
    st.dictionaries(st.integers(0, 2), st.integers(0, 15)),
)
def test_a_replay_has_everything_behind_the_position(
    moves: list[tuple[int, int]], since: dict[int, int]
) -> None:
    async def run() -> None:
        hub = Hub()
        hub.begin(Position())
        at = dict.fromkeys(range(3), 0)
        records: list[tuple[str, int, int]] = []
        for number, (partition, count) in enumerate(moves):
            at[partition] += count
            hub.publish([change(number)], step(at[partition] - 1, partition))
            records.append((str(number), partition, at[partition]))
        wanted = [name for name, partition, end in records if end > since.get(partition, 0)]
        async with hub.subscribe(Position(since).encode()) as changes:
            assert await taken(changes, len(wanted)) == wanted

    asyncio.run(run())
