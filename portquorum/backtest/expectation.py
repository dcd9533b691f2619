"""False alarms and delays to expect of both policies, at the loss that was measured.

The formulas are those of the table of docs/rules.md (`portquorum.inventory.false_alarms`).
"""

import math
from collections.abc import Iterable

from msgspec import Struct

from portquorum.inventory.false_alarms import LEAST, amount, longest_delay_ms, of_fleet, policy_of
from schemas.duration import DAY_MS
from schemas.target import Target
from streams.backtest.loss import LossCount
from streams.backtest.plan import Policies


class PolicyExpectation(Struct, frozen=True, kw_only=True):
    """What to expect of one policy: all its targets together, at the loss that was measured.

    `told_within_s` is the longest time from an outage without any answer to its incident, of the
    target that takes longest; None without targets.
    """

    false_alarms_a_day: float
    told_within_s: float | None


class LossExpectation(Struct, frozen=True, kw_only=True):
    """The loss of the compared time, and what both policies would make of it.

    Of `checks` first attempts `lost` failed alone (`streams.backtest.loss`); `loss` is the chance
    of that (0 to 1). Without a check that tells it, `loss` and both expectations are None.
    """

    checks: int
    lost: int
    loss: float | None
    present: PolicyExpectation | None
    proposed: PolicyExpectation | None


def expect(policies: Policies, measured: LossCount) -> LossExpectation:
    """The expectations of both policies at the measured loss."""
    loss = measured.share
    return LossExpectation(
        checks=measured.checks,
        lost=measured.lost,
        loss=loss,
        present=None if loss is None else _of(policies.present.values(), loss),
        proposed=None if loss is None else _of(policies.proposed.values(), loss),
    )


def in_words(found: LossExpectation, span_ms: int) -> str:
    """The expectations in one sentence; `span_ms` is the length of the compared time."""
    days = round(span_ms / DAY_MS)
    time = f"these {days} days" if days > 1 else "this time"
    if found.loss is None or found.present is None or found.proposed is None:
        return (
            f"False alarms can't be estimated: no check of {time} tells the loss (a target with "
            "`retries` that no region says to be down does)."
        )
    present, proposed = found.present, found.proposed
    share = f"{amount(100 * found.loss)} %" if found.lost else "none"
    return (
        f"At the loss of {time} ({share} of {found.checks:,} checks) this policy would give "
        f"{_number(proposed)} false alarms a day{_told(proposed, ' and tell an outage within')}; "
        f"the present one {_number(present)}{_told(present, ', within')}."
    )


def _of(targets: Iterable[Target], loss: float) -> PolicyExpectation:
    some = tuple(targets)
    delays = [longest_delay_ms(policy_of(one), one.timeout_ms, one.retry_delay_ms) for one in some]
    return PolicyExpectation(
        false_alarms_a_day=sum(alarms for _, alarms in of_fleet(some, loss).values()),
        told_within_s=max(delays) / 1000 if delays else None,
    )


def _number(one: PolicyExpectation) -> str:
    if one.false_alarms_a_day < LEAST:
        return f"fewer than {LEAST}"
    return f"about {amount(one.false_alarms_a_day)}"


def _told(one: PolicyExpectation, text: str) -> str:
    return "" if one.told_within_s is None else f"{text} {math.ceil(one.told_within_s):,} s"
