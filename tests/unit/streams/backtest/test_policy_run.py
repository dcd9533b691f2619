"""A policy on a history: what it opens, and when time alone decides."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.control import Tick
from schemas.result import CheckResult
from streams.backtest.figures import figures
from streams.backtest.plan import Policies, Shard
from streams.backtest.policy_run import TICK_MS, PolicyRun
from streams.backtest.shard import run
from tests.unit.streams.backtest.past import MINUTE, REGIONS, START, result, target
from tests.unit.streams.rules.jobs import job

Rows = list[tuple[int, CheckResult]]


def past(minutes: int, down: range, regions: tuple[str, ...] = REGIONS) -> Rows:
    """Each region checks every minute and retries a failure after a second."""
    rows: Rows = []
    for minute in range(minutes):
        for number, region in enumerate(REGIONS):
            at = START + minute * MINUTE + number * 20_000
            up = minute not in down or region not in regions
            rows.append((at + 10, result(at, region, up=up)))
            if not up:
                rows.append((at + 1_010, result(at + 1_000, region, up=False, attempt=1)))
    return rows


def tried(rows: Rows, **policy: Any) -> PolicyRun:
    trial = PolicyRun([target(**policy)], START - 1)
    for at, one in rows:
        trial.feed(at, [one])
    return trial


def test_an_outage_opens_and_closes_at_the_append_times_of_its_results() -> None:
    (one,) = tried(past(20, range(5, 10))).incidents()
    assert one.first_failed_at == START + 5 * MINUTE
    assert one.opened_at == START + 5 * MINUTE + 21_010
    assert one.closed_at == START + 10 * MINUTE + 40_010
    assert one.closed_because == "recovered"
    assert (one.down, one.fresh, one.configured, one.reasons) == (2, 3, 3, ("timed_out",))
    assert one.detect_ms == 21_010


def test_what_is_not_enabled_now_was_when_it_had_results() -> None:
    rows = past(10, range(2, 5))
    assert tried(rows, enabled=False).incidents() == tried(rows).incidents() != []


def test_jobs_that_report_themselves_break_nothing_and_are_not_judged() -> None:
    trial = PolicyRun([target(), job("backup")], START - 1)
    for at, one in past(20, range(5, 10)):
        backup = result(at, "receiver", up=False)
        backup = replace(backup, target="backup", kind="heartbeat", host=None, port=None)
        trial.feed(at, [one, backup])
    assert trial.failures == 0
    assert [one.target for one in trial.incidents()] == [target().id]


def test_an_outage_within_an_open_incident_is_one_more_alert() -> None:
    rows = past(30, range(5, 10))
    blocked = [(at, one) for at, one in past(30, range(40)) if one.region == "c"]
    again = [(at, one) for at, one in past(30, range(15, 20)) if one.region != "c"]
    until = START + 12 * MINUTE
    first = [(at, one) for at, one in rows if one.region != "c" and at < until]
    second = [(at, one) for at, one in again if at >= until]
    trial = tried(sorted((*blocked, *first, *second), key=lambda row: row[0]))
    (one,) = trial.incidents()
    assert one.closed_at is None
    assert one.worsened_at == (START + 15 * MINUTE + 1_010,)
    found = figures([one], {}, since=START, until=START + 30 * MINUTE, group_wait_ms=2_000)
    assert (found.incidents, found.alerts) == (1, 2)


def test_an_incident_that_the_history_does_not_end_stays_open() -> None:
    (one,) = tried(past(10, range(5, 10))).incidents()
    assert one.closed_at is None
    assert one.ends_at(START + 99 * MINUTE) == START + 99 * MINUTE


def test_time_alone_opens_what_was_held() -> None:
    rows = past(7, range(5, 7))
    trial = tried(rows, open_after_ms=110_000)
    assert trial.incidents() == []
    trial.pass_time(START + 7 * MINUTE)
    (one,) = trial.incidents()
    assert 110_000 <= one.opened_at - one.first_failed_at < 113_000


def test_a_quiet_hour_is_no_silence_of_the_broker() -> None:
    rows = past(6, range(3, 6), ("a", "b"))
    trial = tried(rows, abandon_after_ms=600_000)
    assert len(trial.incidents()) == 1
    # Deadlines would wait for the gap if the log's time stood still meanwhile.
    trial.feed(START + 66 * MINUTE, [result(START + 66 * MINUTE, "c", up=True)])
    trial.feed(START + 66 * MINUTE, [result(START + 66 * MINUTE, "a", up=True)])
    (one,) = trial.incidents()
    assert one.closed_because == "abandoned"


class EveryTick(PolicyRun):
    """One that gives each tick, whatever would come of it."""

    def pass_time(self, until: int) -> None:
        while until - self._at >= TICK_MS:
            self._at += TICK_MS
            self._apply(self._at, [], Tick("backtest"))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 90_000), st.sampled_from(REGIONS), st.integers(0, 4), st.booleans()
        ),
        max_size=120,
    ),
    st.sampled_from([0, 45_000]),
    st.sampled_from([60_000, 1_800_000]),
)
def test_a_tick_of_which_nothing_comes_need_not_be_given(
    checks: list[tuple[int, str, int, bool]], open_after_ms: int, abandon_after_ms: int
) -> None:
    fleet = [
        target(
            f"t{port}",
            host="db.example.com",
            port=port,
            open_after_ms=open_after_ms,
            abandon_after_ms=abandon_after_ms,
        )
        for port in range(1, 6)
    ]
    sparing, every = PolicyRun(fleet, START - 1), EveryTick(fleet, START - 1)
    at = START
    for pause_ms, region, number, up in checks:
        at += pause_ms
        one = result(at, region, up=up, of=fleet[number])
        for trial in (sparing, every):
            trial.feed(at + 10, [one])
    for trial in (sparing, every):
        trial.pass_time(at + 4_000_000)
    assert sparing.incidents() == every.incidents()


def test_both_policies_see_the_same_history_and_equal_targets_are_judged_once() -> None:
    rows = past(20, range(5, 10), ("a", "b"))
    other = target("web")
    present = {"db": target(), "web": other}
    proposed = {"db": replace(target(), consensus="unanimous"), "web": other}
    both = [
        *((at, one) for at, one in rows),
        *((at, replace(one, target="web", host="web.example.com")) for at, one in rows),
    ]
    both.sort(key=lambda row: row[0])
    done: list[int] = []
    outcome = run(
        Shard(["db", "web"], len(both)),
        Policies(present, proposed),
        [both[:50], both[50:]],  # type: ignore[list-item]
        since=START - 1,
        compared_since=START,
        until=START + 20 * MINUTE,
        progress=done.append,
    )
    assert [one.target for one in outcome.present] == ["db", "web"]
    assert [one.target for one in outcome.proposed] == ["web"]
    assert outcome.proposed[0] == outcome.present[1]
    assert (outcome.rows, sum(done), outcome.failures) == (len(both), len(both), 0)


def test_a_target_that_the_other_policy_does_not_watch_opens_nothing_there() -> None:
    outcome = run(
        Shard(["db"], 0),
        Policies({"db": target()}, {}),
        [past(20, range(5, 10))],  # type: ignore[list-item]
        since=START - 1,
        compared_since=START,
        until=START + 20 * MINUTE,
        progress=lambda _: None,
    )
    assert (len(outcome.present), outcome.proposed) == (1, [])
