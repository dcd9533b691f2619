"""Log time and running time: absences of the broker (docs/rules.md, the beginning)."""

from schemas.control import TargetSet
from tests.unit.streams.rules.fleet import target
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
