"""Log time and running time: a broker that is away, or whose clock is set back (docs/rules.md)."""

import pytest
from structlog.testing import capture_logs

from schemas import control
from schemas.control import TargetSet, Tick
from schemas.duration import HOUR_MS
from schemas.incident import TargetsEvent
from streams.rules.process import step
from streams.state.partition_state import new_state
from tests.unit.streams.rules.fleet import START, target
from tests.unit.streams.rules.reference_log import Log


def test_a_failure_before_several_gaps_in_a_row_began_when_it_began() -> None:
    """The rules knew the last gap only: the outage seemed 20 s older, and opened 20 s early."""
    log = Log()
    log.control(TargetSet(target(regions="a", retries=0, open_after_ms=60_000, timeout_ms=120_000)))
    log.up("a")
    log.wait(1_000).beat("a")
    for _ in range(3):
        log.wait(20_000, broker_away=True).tick()
    log.append([log.result("a", "timed_out", ago=60_500)])
    log.wait(59_000).tick()
    assert log.told == []
    log.wait(1_000).tick()
    assert log.told == ["opened"]


def test_after_several_gaps_in_a_row_everything_is_due_as_if_there_had_been_none() -> None:
    log = Log()
    log.control(TargetSet(target(regions="a b", interval_ms=10_000)))
    log.up("a", "b")
    log.beat("a")
    log.wait(1_000).beat("b")
    for _ in range(5):
        log.wait(16_000, broker_away=True).tick()
    assert log.region_events == []
    for ms in (5_000, 5_000, 3_500):
        log.now += ms
        log.tick()
    assert log.region_events == []
    log.now += 1_000
    log.tick()
    assert [event.region for event in log.region_events] == ["a"]


# A clock that is set back


def watched(log: Log, **changes: object) -> Log:
    log.control(TargetSet(target(**({"interval_ms": 10_000} | changes))))  # type: ignore[arg-type]
    for region in ("a", "b", "c"):
        log.beat(region)
    log.up("a", "b", "c")
    return log


def set_back(log: Log, ms: int = HOUR_MS) -> None:
    log.now -= ms
    log.tick()


@pytest.mark.parametrize("ms", [16_000, HOUR_MS, 40 * 24 * HOUR_MS])
def test_an_outage_after_the_clock_was_set_back_is_told(ms: int) -> None:
    """All results were older than "now" until the old time had come again."""
    log = watched(Log())
    log.wait(5_000)
    set_back(log, ms)
    log.wait(20_000).up("a", "b", "c")
    log.wait(10_000).down("a", "b", "c")
    assert log.told[0] == "opened"
    log.wait(10_000).up("a", "b", "c")
    assert log.told[-1] == "closed"


def test_a_step_of_15_s_is_waited_out() -> None:
    log = watched(Log())
    log.wait(5_000).tick()
    before = log.state.now
    set_back(log, 15_000)
    assert log.state.now == before
    log.now -= 1
    log.tick()
    assert log.state.now == before - 15_001


def test_an_open_incident_goes_on_and_lasts_as_long_as_it_did() -> None:
    log = watched(Log())
    log.wait(10_000).down("a", "b", "c")
    log.wait(60_000).fail("a", "b", "c")
    set_back(log)
    log.wait(20_000).up("a", "b", "c")
    assert log.told.count("opened") == 1
    assert log.told[-1] == "closed"
    closed = log.events[-1]
    assert closed.closed_at is not None
    assert closed.closed_at - closed.first_failed_at == 81_000
    assert closed.opened_at == log.events[0].opened_at - HOUR_MS


@pytest.mark.parametrize("ms", [16_000, HOUR_MS, 40 * 24 * HOUR_MS])
def test_the_events_of_an_incident_keep_their_order_in_time(ms: int) -> None:
    """Readers leave out what is older than what they know: the end must not be older."""
    log = watched(Log())
    log.wait(10_000).down("a", "b", "c")
    set_back(log, ms)
    log.state = log.restored()
    log.wait(20_000).up("a", "b")
    log.wait(20_000).up("a", "b", "c")
    assert log.told[-1] == "closed"
    times = [event.at for event in log.events]
    assert times == sorted(times)
    closed = log.events[-1]
    assert closed.closed_at == log.state.now
    # Another incident is told by the new time.
    log.wait(10_000).fail("a", "b", "c")
    log.wait(1_000).fail("a", "b", "c")
    opened = next(event for event in reversed(log.events) if event.event == "opened")
    assert opened.at == log.state.now


@pytest.mark.parametrize("ms", [16_000, HOUR_MS])
def test_the_events_of_a_region_keep_their_order_in_time(ms: int) -> None:
    log = watched(Log())
    for _ in range(5):
        log.wait(5_000).beat("a")
        log.beat("b")
    assert [event.event for event in log.region_events] == ["region.silent"]
    set_back(log, ms)
    log.state = log.restored()
    log.wait(1_000).beat("c")
    assert [event.event for event in log.region_events][-1] == "region.returned"
    silent, returned = log.region_events[0], log.region_events[-1]
    assert silent.at < returned.at
    assert returned.at <= max(log.state.now, silent.at + 1)


@pytest.mark.parametrize("ms", [16_000, HOUR_MS])
def test_the_events_of_unwatched_targets_keep_their_order_in_time(ms: int) -> None:
    log = watched(Log())
    for _ in range(40):
        log.wait(10_000)
        for region in "abc":
            log.beat(region)
    assert log.unwatched is not None
    set_back(log, ms)
    log.state = log.restored()
    for _ in range(3):
        log.wait(10_000).up("a", "b", "c")
        for region in "abc":
            log.beat(region)
    assert log.unwatched is None
    times = [event.at for event in log.outputs if isinstance(event, TargetsEvent)]
    assert len(times) >= 2
    assert times == sorted(set(times))


def test_deadlines_are_carried_over() -> None:
    log = watched(Log(), regions="a", open_after_ms=60_000, retries=0)
    log.wait(1_000).fail("a")
    log.wait(20_000).fail("a")
    set_back(log)
    log.wait(19_000).fail("a")
    log.wait(19_000).tick()
    assert log.told == []
    log.wait(2_000).tick()
    assert log.told == ["opened"]


def test_no_region_falls_silent_by_it_and_a_silent_one_is_told_in_time() -> None:
    log = watched(Log())
    log.wait(4_000)
    set_back(log)
    for _ in range(2):
        log.wait(5_000).beat("a")
        log.beat("b")
    assert log.region_events == []
    log.wait(5_000).tick()
    assert [event.region for event in log.region_events] == ["c"]
    assert log.region_events[0].at - (log.region_events[0].last_beat_at or 0) == 15_000


@pytest.mark.parametrize("ms", [16_000, HOUR_MS])
def test_a_copy_of_what_counted_before_does_not_count_again(ms: int) -> None:
    log = watched(Log(), retries=1, retry_delay_ms=0)
    log.wait(5_000)
    failed = log.result("a", "timed_out")
    log.append([failed])
    set_back(log, ms)
    for _ in range(4):
        log.wait(5_000)
        log.append([failed])
    window = log.windows()[0]
    assert window is not None
    assert window.failing is not None
    assert window.failing.count == 1


def test_what_is_checked_in_the_new_time_is_fresh_as_long_as_ever() -> None:
    log = watched(Log())
    log.wait(5_000)
    set_back(log)
    log.wait(16_000).up("a")
    window = log.windows()[0]
    assert window is not None
    assert window.fresh_until - log.state.running == 28_000


def test_a_clock_that_was_ahead_for_a_minute_and_is_set_right() -> None:
    """Ahead it looks like an absence of the broker; then all goes on as if nothing had been."""
    log = watched(Log())
    log.wait(5_000).fail("a")
    failed = log.log[-1].results[0]
    log.wait(HOUR_MS, broker_away=True).tick()
    for _ in range(6):
        log.wait(10_000).up("a", "b", "c")
    set_back(log)
    log.append([failed])
    log.wait(16_000).down("a", "b", "c")
    assert (log.told[0], log.told.count("opened")) == ("opened", 1)
    assert log.state.running - log.state.regions["a"].last_beat < 120_000


def test_what_was_open_while_the_clock_was_ahead_lasts_as_long_as_it_did() -> None:
    log = watched(Log())
    began = log.wait(10_000).now
    log.down("a", "b", "c")
    log.wait(HOUR_MS, broker_away=True).tick()
    log.wait(10_000).fail("a", "b", "c")
    set_back(log)
    log.wait(20_000).up("a", "b", "c")
    assert (log.told.count("opened"), log.told[-1]) == (1, "closed")
    closed = log.events[-1]
    assert (closed.first_failed_at, closed.opened_at) == (began, began + 1_000)
    assert closed.closed_at is not None
    assert closed.closed_at - began == 31_000


def test_a_clock_that_steps_to_and_fro_costs_no_deadline() -> None:
    log = watched(Log(), regions="a", open_after_ms=60_000, retries=0)
    log.wait(1_000).fail("a")
    for _ in range(3):
        set_back(log)
        log.wait(20_000).fail("a")
        log.wait(HOUR_MS, broker_away=True).fail("a")
    log.tick()
    log.wait(1_000).tick()
    assert log.told == ["opened"]


def test_a_step_to_before_the_year_2000_is_no_time() -> None:
    log = watched(Log())
    before = log.state.now
    set_back(log, before - 946_684_799_999)
    assert log.state.now == before


def test_a_worker_that_was_restored_goes_on_in_the_new_time() -> None:
    log = watched(Log())
    log.wait(10_000).down("a", "b", "c")
    set_back(log, 300 * 24 * HOUR_MS)
    log.state = log.restored()
    log.wait(20_000).up("a", "b", "c")
    assert log.told[-1] == "closed"


def test_a_region_that_begins_anew_counts_what_it_sees_in_the_new_time() -> None:
    log = watched(Log())
    log.wait(5_000)
    set_back(log)
    log.control(TargetSet(target(port=5433, version=2)))
    log.wait(1_000).up("a", "b", "c")
    assert all(window is not None for window in log.windows())


def test_it_is_said_once_with_its_partition() -> None:
    state = new_state(3, 4)
    with capture_logs() as said:
        for offset, at in enumerate((START, START + 5_000, START - HOUR_MS, START - HOUR_MS + 1)):
            step(state, offset, at, None, control.headers(Tick("test")))
    assert [(one["log_level"], one["partition"], one["by_ms"]) for one in said] == [
        ("warning", 3, HOUR_MS + 5_000)
    ]
