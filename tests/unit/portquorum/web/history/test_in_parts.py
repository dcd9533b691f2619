"""What is shown of a past of which some parts could not be had."""

import pytest

from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.history.in_parts import had


async def answer(found: object) -> object:
    if isinstance(found, Exception):
        raise found
    return found


async def test_a_question_that_is_too_slow_leaves_the_others() -> None:
    slow = answer(HistoryTooSlowError("It takes too long."))
    assert await had({"days": answer((1,)), "latency": slow}) == (
        {"days": (1,)},
        "It takes too long.",
    )
    assert await had({"days": answer(())}) == ({"days": ()}, None)


async def test_nothing_from_before_is_left_when_clickhouse_is_away() -> None:
    questions = {
        "days": answer((1,)),
        "latency": answer(HistoryTooSlowError("It takes too long.")),
        "checks": answer(HistoryUnavailableError("ClickHouse is away.", 0)),
    }
    assert await had(questions) == ({}, "ClickHouse is away.")


async def test_a_fault_of_ours_is_none_of_clickhouse() -> None:
    with pytest.raises(KeyError):
        await had({"days": answer(KeyError("days"))})
