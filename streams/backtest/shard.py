"""Runs one shard of the history through the rules, under both policies at once."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from schemas.result import CheckResult
from schemas.target import Target
from streams.backtest.history import Stored
from streams.backtest.loss import LossCount, tells_loss
from streams.backtest.outcome import PastIncident
from streams.backtest.plan import Policies, Shard
from streams.backtest.policy_run import PolicyRun


class ShardOutcome(Struct, frozen=True):
    """The incidents of a shard under each policy.

    `rows` were read; `failures` of the rules are bugs; `loss` is that of the compared time, judged
    by what the regions say under the present policy.
    """

    present: list[PastIncident]
    proposed: list[PastIncident]
    rows: int
    failures: int
    loss: LossCount


def run(
    shard: Shard,
    policies: Policies,
    rows: Iterable[list[tuple[int, Stored]]],
    *,
    since: int,
    compared_since: int,
    until: int,
    progress: Callable[[int], None],
) -> ShardOutcome:
    """Applies `rows` (each with its append time, in order) and lets time pass to `until`.

    Targets that are the same under both policies are judged once. What was appended before
    `compared_since` is the warm-up. `progress` is called with the number of rows of each finished
    list.
    """
    ids = set(shard.targets)
    present = _of(policies.present, ids)
    proposed = _of(policies.proposed, ids)
    twice = _hosts_of(present, proposed, policies.changed() & ids)
    first = PolicyRun(present, since)
    second = PolicyRun([one for one in proposed if one.id in twice], since) if twice else None
    trials = [first] if second is None else [first, second]
    done = 0
    ended = {0: 0, 1: 0}
    current = since
    batch: list[CheckResult] = []
    for some in rows:
        for at, result in some:
            if at != current:
                if batch:
                    for trial in trials:
                        trial.feed(current, batch)
                    batch = []
                current = at
            batch.append(result)
            if tells_loss(result) and at >= compared_since and first.tells_loss(result.target):
                ended[result.attempt] += 1
        done += len(some)
        progress(len(some))
    for trial in trials:
        if batch:
            trial.feed(current, batch)
        trial.pass_time(until)
    found = first.incidents()
    others = [one for one in found if one.target not in twice]
    return ShardOutcome(
        present=found,
        proposed=others + (second.incidents() if second else []),
        rows=done,
        failures=sum(trial.failures for trial in trials),
        loss=LossCount(passed=ended[0], lost=ended[1]),
    )


def _of(targets: dict[str, Target], ids: set[str]) -> list[Target]:
    return [target for target in targets.values() if target.id in ids]


def _hosts_of(present: list[Target], proposed: list[Target], changed: set[str]) -> set[str]:
    """The ids of all targets on the hosts of changed targets: the rules look at whole hosts."""
    both = [*present, *proposed]
    hosts = {(one.host or one.id) for one in both if one.id in changed}
    return {one.id for one in both if (one.host or one.id) in hosts}
