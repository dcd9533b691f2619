"""What to expect of two policies at the loss of a history, and the sentence that says it."""

import pytest
from msgspec.structs import replace

from portquorum.backtest.expectation import expect, in_words
from portquorum.inventory.false_alarms import per_day, policy_of
from schemas.duration import DAY_MS
from streams.backtest.loss import LossCount
from streams.backtest.plan import Policies
from tests.unit.streams.backtest.past import target

MONTH_MS = 30 * DAY_MS


def test_the_targets_are_added_up_and_the_slowest_is_the_delay() -> None:
    quick = target("quick", regions=("a",), retries=1)
    rare = target("rare", regions=("a",), retries=2, interval_ms=600_000, timeout_ms=10_000)
    found = expect(Policies({"quick": quick, "rare": rare}, {"quick": quick}), LossCount(99, 1))
    assert found.loss == pytest.approx(1 / 99)
    assert found.present is not None
    assert found.proposed is not None
    alarms = [per_day(policy_of(one), 1 / 99) for one in (quick, rare)]
    assert found.present.false_alarms_a_day == pytest.approx(sum(alarms))
    assert found.proposed.false_alarms_a_day == pytest.approx(alarms[0])
    assert found.present.told_within_s == pytest.approx(720 + 3 * 10 + 2 * 1)
    assert found.proposed.told_within_s == pytest.approx(72 + 2 * 3 + 1)


def test_the_sentence_has_the_loss_and_both_policies() -> None:
    one = target("db", regions=("a",), retries=1)
    held = replace(one, open_after_ms=120_000)
    found = expect(Policies({"db": one}, {"db": held}), LossCount(passed=1_000_000, lost=8_000))
    assert in_words(found, MONTH_MS) == (
        "At the loss of these 30 days (0.80 % of 1,008,000 checks) this policy would give "
        "fewer than 0.001 false alarms a day and tell an outage within 197 s; "
        "the present one about 0.092, within 79 s."
    )


def test_nothing_lost_nothing_watched_and_nothing_known_are_told_as_such() -> None:
    one = target("db", regions=("a",), retries=1)
    calm = in_words(expect(Policies({"db": one}, {}), LossCount(passed=500)), DAY_MS // 2)
    assert calm == (
        "At the loss of this time (none of 500 checks) this policy would give fewer than 0.001 "
        "false alarms a day; the present one fewer than 0.001, within 79 s."
    )
    unknown = expect(Policies({"db": one}, {"db": one}), LossCount())
    assert (unknown.loss, unknown.present, unknown.proposed) == (None, None, None)
    assert in_words(unknown, MONTH_MS).startswith(
        "False alarms can't be estimated: no check of these 30 days tells the loss"
    )
