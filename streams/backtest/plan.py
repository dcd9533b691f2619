"""The plan of a backtest: which part of the history is read, and by which shard."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Final, Literal

from msgspec import Struct

from schemas.duration import DAY_MS, HOUR_MS
from schemas.partition import host_key
from schemas.target import Target
from streams.backtest.history import Summary
from streams.backtest.loss import LossCount

ID_BYTES_A_SHARD: Final = 200_000
"""Bytes of target ids in one shard's query; ClickHouse limits a query's text to 256 KB."""

ROWS_A_DAY: Final = 2_000_000
"""Rows of a day that ClickHouse sorts at a time: some 300 MB there."""


class Limits(Struct, frozen=True):
    """The lowest limits (ms) of a target's connect and total times; 0: it depends on the past."""

    connect_ms: float = inf
    total_ms: float = inf

    def with_limit(self, of: Literal["connect", "total"], limit_ms: float) -> "Limits":
        """These and one more."""
        if of == "total":
            return Limits(self.connect_ms, min(self.total_ms, limit_ms))
        return Limits(min(self.connect_ms, limit_ms), self.total_ms)

    def exceeded(self, one: Summary) -> bool:
        """True if a result of the history is above one of them."""
        return one.slowest_ms > self.connect_ms or one.slowest_total_ms > self.total_ms


class Policies(Struct, frozen=True):
    """The same targets under both policies, by id.

    A target that only one policy watches is missing in the other.
    """

    present: dict[str, Target]
    proposed: dict[str, Target]

    def changed(self) -> set[str]:
        """Ids whose definition differs between the two policies."""
        ids = self.present.keys() | self.proposed.keys()
        return {one for one in ids if self.present.get(one) != self.proposed.get(one)}

    def retried(self, target_id: str) -> bool:
        """True if the target has retries at present."""
        target = self.present.get(target_id)
        return target is not None and target.retries > 0

    def limits(self) -> dict[str, Limits]:
        """The lowest latency limits of each target that can be slow."""
        found: dict[str, Limits] = {}
        for target in self.all():
            limit = target.latency
            if limit is not None:
                learned = limit.times_usual or limit.warn_ahead_ms or limit.max_ms is None
                lowest, known = 0.0 if learned else limit.max_ms or 0.0, found.get(target.id)
                found[target.id] = (known or Limits()).with_limit(limit.of, lowest)
        return found

    def all(self) -> Iterator[Target]:
        """Targets of the present policy, then those of the proposed one."""
        yield from self.present.values()
        yield from self.proposed.values()

    def hosts(self) -> dict[str, list[str]]:
        """Ids by the host that partitions them, sorted."""
        found: dict[str, set[str]] = {}
        for target in self.all():
            found.setdefault(host_key(target.host, target.id), set()).add(target.id)
        return {host: sorted(found[host]) for host in sorted(found)}


def warm_up_ms(targets: Iterable[Target]) -> int:
    """The warm-up: history before the compared time, from which the rules learn what is up.

    At least an hour, and until a result of the longest interval would be stale. Where latencies are
    learned, until the usual time is well known: 6 h, or 3 d where rises are warned of.
    """
    return max(HOUR_MS, *(_warm_up_ms(one) for one in targets))


def _warm_up_ms(target: Target) -> int:
    limit, stale = target.latency, target.interval_ms * 5 // 2 + target.timeout_ms
    if limit is not None and limit.warn_ahead_ms:
        return max(stale, 3 * DAY_MS)
    if limit is not None and limit.times_usual:
        return max(stale, 6 * HOUR_MS)
    return stale


class Shard(Struct, frozen=True):
    """Whole hosts: the rules look at all targets of a host together. `rows` is an estimate."""

    targets: list[str]
    rows: int


class BacktestPlan(Struct, frozen=True, kw_only=True):
    """The work of a backtest: `shards` are run through the rules.

    `calm_hosts`, with `calm_rows`, are skipped: none of their results failed or exceeded a limit,
    so no policy opens an incident there (this does not hold where limits are learned). They lost
    no check: `calm_loss` has those that passed, of the targets with retries.
    `unwatched_rows` belong to the `unwatched` targets that neither policy knows (removed since
    then).
    """

    shards: list[Shard]
    hosts: int
    calm_hosts: int
    calm_rows: int
    calm_loss: LossCount
    unwatched: int
    unwatched_rows: int

    @property
    def rows(self) -> int:
        """Number of rows that go through the rules."""
        return sum(shard.rows for shard in self.shards)


def plan(
    summaries: Iterable[Summary], policies: Policies, *, span_ms: int, workers: int
) -> BacktestPlan:
    """Divides the history of `span_ms` among `workers`."""
    known = {one.target: one for one in summaries}
    limits = policies.limits()
    noisy: list[tuple[list[str], int]] = []
    calm_hosts = calm_rows = calm_passed = hosts = 0
    for ids in policies.hosts().values():
        found = [known[one] for one in ids if one in known]
        rows = sum(one.rows for one in found)
        hosts += 1
        if any(_could_open(one, limits) for one in found):
            noisy.append((ids, rows))
        else:
            calm_hosts += 1
            calm_rows += rows
            calm_passed += sum(one.passed for one in found if policies.retried(one.target))
    strangers = known.keys() - policies.present.keys() - policies.proposed.keys()
    return BacktestPlan(
        shards=_shards(noisy, max(1, span_ms // DAY_MS), workers),
        hosts=hosts,
        calm_hosts=calm_hosts,
        calm_rows=calm_rows,
        calm_loss=LossCount(passed=calm_passed),
        unwatched=len(strangers),
        unwatched_rows=sum(known[one].rows for one in strangers),
    )


def _could_open(one: Summary, limits: Mapping[str, Limits]) -> bool:
    limit = limits.get(one.target)
    return one.failed > 0 or (limit is not None and limit.exceeded(one))


def _shards(noisy: Sequence[tuple[list[str], int]], days: int, workers: int) -> list[Shard]:
    """Runs of neighbouring hosts, each of about the same number of rows."""
    if not noisy:
        return []
    rows = sum(count for _, count in noisy)
    named = sum(_bytes(ids) for ids, _ in noisy)
    least = max(1, -(-rows // (days * ROWS_A_DAY)), -(-named // ID_BYTES_A_SHARD))
    wanted = -(-least // workers) * workers
    share = max(1, rows / wanted)
    shards: list[Shard] = []
    ids: list[str] = []
    taken = before = written = 0
    for more, count in noisy:
        too_long = written + _bytes(more) > ID_BYTES_A_SHARD
        if ids and (too_long or before >= share * (len(shards) + 1)):
            shards.append(Shard(ids, taken))
            ids, taken, written = [], 0, 0
        ids += more
        written += _bytes(more)
        taken += count
        before += count
    return [*shards, Shard(ids, taken)]


def _bytes(ids: Iterable[str]) -> int:
    """Bytes that the ids take in a query: each in quotes, with a comma."""
    return sum(len(one) + 3 for one in ids)
