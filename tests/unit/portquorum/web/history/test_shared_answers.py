"""One answer for all who ask the same at once."""

import asyncio

import pytest

from portquorum.web.history.shared_answers import SharedAnswers


class Asked:
    """Counts, and answers when it is let go."""

    def __init__(self) -> None:
        self.times = 0
        self.free = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.times += 1
        number = self.times
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return number


async def test_many_at_once_are_one_question_and_others_are_others() -> None:
    asked, other = Asked(), Asked()
    shared: SharedAnswers[int] = SharedAnswers(60, 10)
    waiting = [asyncio.create_task(shared.get("a", asked)) for _ in range(100)]
    waiting.append(asyncio.create_task(shared.get("b", other)))
    asked.free.set()
    other.free.set()
    assert await asyncio.gather(*waiting) == [1] * 101
    assert (asked.times, other.times) == (1, 1)


async def test_an_answer_is_kept_for_a_moment_only() -> None:
    asked, clock = Asked(), [100.0]
    asked.free.set()
    shared: SharedAnswers[int] = SharedAnswers(1, 10, lambda: clock[0])
    assert await shared.get("a", asked) == 1
    clock[0] += 0.9
    assert await shared.get("a", asked) == 1
    clock[0] += 0.2
    assert await shared.get("a", asked) == 2


async def test_an_error_is_told_to_all_who_wait_and_not_kept() -> None:
    asked = Asked()
    asked.error = ValueError("no")
    shared: SharedAnswers[int] = SharedAnswers(60, 10)
    waiting = [asyncio.create_task(shared.get("a", asked)) for _ in range(3)]
    asked.free.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(one) for one in found] == ["no"] * 3
    asked.error = None
    assert await shared.get("a", asked) == 2


async def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    asked = Asked()
    shared: SharedAnswers[int] = SharedAnswers(60, 10)
    first = asyncio.create_task(shared.get("a", asked))
    second = asyncio.create_task(shared.get("a", asked))
    await asyncio.sleep(0)
    first.cancel()
    asked.free.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_no_more_are_kept_than_there_is_room_for() -> None:
    asked = Asked()
    asked.free.set()
    shared: SharedAnswers[int] = SharedAnswers(60, 3)
    for number in range(10):
        await shared.get(number, asked)
    assert await shared.get(9, asked) == 10
    assert await shared.get(0, asked) == 11


async def test_a_question_may_be_kept_for_a_time_of_its_own() -> None:
    asked, clock = Asked(), [0.0]
    asked.free.set()
    shared: SharedAnswers[int] = SharedAnswers(60, 10, lambda: clock[0])
    assert await shared.get("short", asked, 1) == 1
    assert await shared.get("long", asked) == 2
    clock[0] += 1.1
    assert await shared.get("long", asked) == 2
    assert await shared.get("short", asked, 1) == 3
