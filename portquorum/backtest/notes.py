"""Remarks on the figures of a backtest."""

from typing import Final

from streams.backtest.plan import BacktestPlan
from streams.backtest.shard import ShardOutcome

ALWAYS: Final = (
    "history has no beats: a region that was silent or set aside by the guard is taken for one "
    "that counts, under both policies"
)


def describe(plan: BacktestPlan) -> str:
    """The text beside a progress bar that counts rows."""
    return "results through the rules, twice" if plan.rows else "nothing failed"


def notes(plan: BacktestPlan, outcome: ShardOutcome) -> list[str]:
    """Sentences on omissions, and on the limits of what history can tell."""
    found = []
    if plan.calm_hosts:
        found.append(
            f"{plan.calm_rows:,} results of {plan.calm_hosts:,} hosts were passed over: not one of "
            "them failed or was slower than a limit, so that no policy opens anything for them"
        )
    if plan.unwatched:
        found.append(
            f"{plan.unwatched_rows:,} results of {plan.unwatched:,} targets that are no longer "
            "watched were left out"
        )
    if outcome.failures:
        found.append(
            f"the rules failed on {outcome.failures:,} records, which were passed over; "
            "please report this"
        )
    return [*found, ALWAYS]
