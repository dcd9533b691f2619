"""What has to go through the rules, and how it is divided."""

from msgspec.structs import replace

from schemas.duration import DAY_MS
from schemas.target import LatencyLimit, Target
from streams.backtest import plan as plans
from streams.backtest.history import Summary
from streams.backtest.loss import LossCount
from streams.backtest.plan import Policies, plan, warm_up_ms
from tests.unit.streams.backtest.past import target


def same(*targets: Target) -> Policies:
    by_id = {one.id: one for one in targets}
    return Policies(by_id, dict(by_id))


def test_hosts_without_a_failure_are_passed_over_with_all_their_ports() -> None:
    policies = same(target("a", host="x"), target("b", host="x", port=1), target("c"), target("d"))
    found = plan(
        [Summary("a", 10, 0, 1), Summary("b", 10, 1, 1), Summary("c", 10, 0, 1)],
        policies,
        span_ms=DAY_MS,
        workers=1,
    )
    assert [shard.targets for shard in found.shards] == [["a", "b"]]
    assert (found.rows, found.hosts, found.calm_hosts, found.calm_rows) == (20, 3, 2, 10)


def test_the_checks_of_calm_hosts_passed_if_their_targets_have_retries_at_present() -> None:
    retried, once = target("a"), target("b", retries=0)
    policies = Policies(
        {"a": retried, "b": once}, {"a": replace(retried, retries=0), "b": replace(once, retries=2)}
    )
    summaries = [Summary("a", 10, 0, 1, 7), Summary("b", 10, 0, 1, 8), Summary("old", 9, 0, 1, 9)]
    found = plan(summaries, policies, span_ms=DAY_MS, workers=1)
    assert found.calm_loss == LossCount(passed=7)
    noisy = plan([Summary("a", 10, 1, 1, 7)], policies, span_ms=DAY_MS, workers=1)
    assert noisy.calm_loss == LossCount()


def test_a_slow_host_is_not_calm_if_either_policy_has_a_limit() -> None:
    plain = target("a")
    limited = replace(plain, latency=LatencyLimit(max_ms=50))
    slow = [Summary("a", 10, 0, 60)]
    for policies, shards in (
        (same(plain), 0),
        (Policies({"a": plain}, {"a": limited}), 1),
        (Policies({"a": limited}, {"a": plain}), 1),
        (same(replace(plain, latency=LatencyLimit(max_ms=70))), 0),
        # What is usual, and what rises, can't be told from the slowest answer.
        (same(replace(plain, latency=LatencyLimit(times_usual=9))), 1),
        (same(replace(plain, latency=LatencyLimit(max_ms=70, warn_ahead_ms=DAY_MS))), 1),
    ):
        assert len(plan(slow, policies, span_ms=DAY_MS, workers=1).shards) == shards


def test_a_limit_of_the_whole_check_is_held_against_total_times() -> None:
    plain = target("a")
    limited = replace(plain, latency=LatencyLimit(max_ms=50, of="total"))
    for summary, shards in (
        (Summary("a", 10, 0, 60, slowest_total_ms=40), 0),
        (Summary("a", 10, 0, 2, slowest_total_ms=60), 1),
    ):
        assert len(plan([summary], same(limited), span_ms=DAY_MS, workers=1).shards) == shards


def test_shards_are_whole_hosts_of_about_equal_weight_and_lose_nothing() -> None:
    fleet = [target(f"t{n}", host=f"h{n // 3:03d}", port=n % 3 + 1) for n in range(300)]
    found = plan(
        [Summary(one.id, 100, 1, 1) for one in fleet], same(*fleet), span_ms=DAY_MS, workers=4
    )
    assert len(found.shards) == 4
    assert sorted(one for shard in found.shards for one in shard.targets) == sorted(
        one.id for one in fleet
    )
    hosts = [{int(one[1:]) // 3 for one in shard.targets} for shard in found.shards]
    assert sum(map(len, hosts)) == len(set().union(*hosts)) == 100
    assert max(shard.rows for shard in found.shards) <= 1.1 * found.rows / 4


def test_a_large_fleet_has_more_shards_so_that_no_query_is_too_long_or_sorts_too_much() -> None:
    fleet = [target(f"t{n:05d}-{'x' * 80}") for n in range(6_000)]
    few = [Summary(one.id, 1, 1, 1) for one in fleet]
    found = plan(few, same(*fleet), span_ms=DAY_MS, workers=2)
    assert len(found.shards) == 4
    written = [len(",".join(f"'{one}'" for one in shard.targets)) for shard in found.shards]
    assert max(written) <= plans.ID_BYTES_A_SHARD
    many = [Summary(one.id, 1_000, 1, 1) for one in fleet]
    found = plan(many, same(*fleet), span_ms=DAY_MS, workers=2)
    assert max(shard.rows for shard in found.shards) <= plans.ROWS_A_DAY


def test_targets_that_nobody_watches_any_more_are_counted() -> None:
    found = plan([Summary("old", 7, 3, 1)], same(target("db")), span_ms=DAY_MS, workers=1)
    assert (found.unwatched, found.unwatched_rows, found.shards) == (1, 7, [])


def test_the_warming_up_is_an_hour_or_until_the_longest_interval_is_stale() -> None:
    assert warm_up_ms([target()]) == 3_600_000
    assert warm_up_ms([target(interval_ms=3_600_000), target()]) == 9_003_000


def test_where_latencies_are_learned_the_rules_warm_up_for_longer() -> None:
    unusual = target(latency=LatencyLimit(times_usual=3))
    rising = target(latency=LatencyLimit(max_ms=250, warn_ahead_ms=DAY_MS))
    assert warm_up_ms([target(), unusual]) == 21_600_000
    assert warm_up_ms([target(), unusual, rising]) == 3 * DAY_MS
