"""The loss of a history: held to chance, and no outage is taken for one."""

from random import Random
from typing import Any

import pytest

from schemas.result import CheckResult
from schemas.target import Target
from streams.backtest.loss import LossCount
from streams.backtest.plan import Policies, Shard
from streams.backtest.shard import run
from tests.unit.streams.backtest.past import MINUTE, REGIONS, START, result, target

Rows = list[tuple[int, CheckResult]]


def series(at: int, region: str, *, lost: int, of: Target) -> Rows:
    """A series whose first `lost` attempts fail, as a prober would make it."""
    rows: Rows = []
    for attempt in range(min(lost, of.retries) + 1):
        start = at + attempt * 1_100
        one = result(start, region, up=attempt >= lost, of=of, attempt=attempt)
        rows.append((start + 10, one))
    return rows


def measured(rows: Rows, of: Target, *, compared_since: int = START) -> LossCount:
    rows.sort(key=lambda row: row[0])
    outcome = run(
        Shard([of.id], len(rows)),
        Policies({of.id: of}, {of.id: of}),
        [rows],  # type: ignore[list-item]
        since=START - 1,
        compared_since=compared_since,
        until=rows[-1][0] + 1,
        progress=lambda _: None,
    )
    assert outcome.failures == 0
    return outcome.loss


def rounds(minutes: int, lost: Any, of: Target) -> Rows:
    """Each region checks every minute; `lost(minute, region)` attempts fail."""
    return [
        row
        for minute in range(minutes)
        for number, region in enumerate(REGIONS)
        for row in series(
            START + minute * MINUTE + number * 20_000, region, lost=lost(minute, region), of=of
        )
    ]


@pytest.mark.parametrize("retries", [1, 2])
@pytest.mark.parametrize("loss", [0.02, 0.1])
def test_it_is_the_chance_of_an_attempt_to_be_lost(retries: int, loss: float) -> None:
    random = Random(1)  # noqa: S311 - no secret

    def lost(minute: int, region: str) -> int:
        del minute, region
        count = 0
        while random.random() < loss and count < 10:
            count += 1
        return count

    one = target(retries=retries)
    found = measured(rounds(8_000, lost, one), one)
    assert found.checks > 20_000
    assert found.share == pytest.approx(loss, rel=0.1)


def test_an_outage_of_all_or_of_one_region_is_no_loss_nor_is_its_end() -> None:
    one = target()

    def out(minute: int, region: str) -> int:
        if 5 <= minute < 10:
            return 2
        return 1 if minute == 10 else 2 * (region == "c" and 20 <= minute < 30)

    # While a region says `down`, what the others lose does not count either.
    found = measured(rounds(40, out, one), one)
    assert found.lost == 0
    assert 0 < found.passed < 3 * 40 - 15 - 3 - 10
    blip = measured(rounds(40, lambda minute, region: minute == 7 and region == "b", one), one)
    assert blip == LossCount(passed=119, lost=1)
    assert blip.share == pytest.approx(1 / 119)


def test_the_warm_up_and_targets_without_retries_tell_nothing() -> None:
    one, once = target(), target(retries=0)

    def lost(minute: int, region: str) -> int:
        return int(region == "a" and minute in {3, 30})

    half = START + 20 * MINUTE
    assert measured(rounds(40, lost, one), one, compared_since=half) == LossCount(59, 1)
    assert measured(rounds(40, lost, once), once) == LossCount()


def test_counts_add_up_and_without_any_there_is_no_share() -> None:
    assert LossCount(1, 2) + LossCount(10, 20) == LossCount(11, 22)
    assert LossCount().share is None
    assert LossCount(passed=5).share == 0
    assert LossCount(lost=5).share == LossCount(passed=1, lost=3).share == 1
