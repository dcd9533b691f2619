"""The prober's clock is the broker's, whatever the machine's does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.broker_clock import GOOD_ROUND_TRIP_S, SLEW, Clock

HOUR_MS = 3_600_000
BROKER_MS = 1_800_000_000_000.0


class World:
    """A broker's clock, a machine's clock that may be off or step, and time that passes."""

    def __init__(self, machine_is_off_ms: float = 0.0) -> None:
        self.t = 5_000.0  # monotonic seconds
        self.broker_is_off_ms = 0.0
        self.machine_is_off_ms = machine_is_off_ms
        self.clock = Clock(wall=self.wall, monotonic=lambda: self.t)

    def broker(self, t: float | None = None) -> float:
        return BROKER_MS + (self.t if t is None else t) * 1000 + self.broker_is_off_ms

    def wall(self) -> float:
        return (BROKER_MS + self.t * 1000 + self.machine_is_off_ms) / 1000

    def acknowledge(self, before_s: float = 0.0, after_s: float = 0.0) -> None:
        """A message is enqueued now, stamped `before_s` later, confirmed after `after_s` more."""
        enqueued = self.t
        self.t += before_s
        stamp = round(self.broker())
        self.t += after_s
        self.clock.learn(enqueued, self.t, stamp)

    def error_ms(self) -> float:
        return self.clock.now_ms() - self.broker()


def settled(machine_is_off_ms: float = 0.0) -> World:
    world = World(machine_is_off_ms)
    world.acknowledge()
    assert world.clock.settle()
    return world


def test_nothing_is_known_before_an_acknowledgement() -> None:
    world = World()
    assert not world.clock.settle()
    assert not world.clock.known
    assert world.clock.raw_offset_ms() is None


@pytest.mark.parametrize("off_ms", [0, HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS])
def test_a_machine_that_is_off_changes_nothing(off_ms: int) -> None:
    world = settled(off_ms)
    assert world.error_ms() == pytest.approx(0, abs=1)
    assert world.clock.raw_offset_ms() == pytest.approx(-off_ms, abs=2)


def test_a_machine_whose_clock_steps_changes_nothing_but_is_told() -> None:
    world = settled()
    before = world.clock.now_ms()
    world.machine_is_off_ms += HOUR_MS
    assert world.clock.now_ms() == before
    for _ in range(100):
        world.t += 5
        world.acknowledge(0.001, 0.001)
        assert world.error_ms() == pytest.approx(0, abs=3)
    assert world.clock.raw_offset_ms() == pytest.approx(-HOUR_MS, abs=3)


def test_the_smallest_sample_counts() -> None:
    world = World()
    world.acknowledge(before_s=0.4)
    world.acknowledge(before_s=0.003)
    world.acknowledge(before_s=0.2)
    world.clock.settle()
    assert world.error_ms() == pytest.approx(3, abs=1)


def test_a_frozen_broker_is_no_skew() -> None:
    world = settled()
    for _ in range(5):
        world.t += 5
        world.acknowledge(before_s=300.0)
        assert world.error_ms() == pytest.approx(0, abs=1)


def test_a_frozen_prober_is_no_skew() -> None:
    world = settled()
    world.acknowledge(before_s=0.001, after_s=300)
    assert world.error_ms() == pytest.approx(0, abs=1)


def test_only_poor_acknowledgements_will_do_when_there_is_nothing_better() -> None:
    world = World(HOUR_MS)
    for delay in (4.0, 2.0, 3.0):
        world.acknowledge(before_s=delay)
    assert not world.clock.settle()
    assert world.clock.settle(anyhow=True)
    assert world.error_ms() == pytest.approx(2000, abs=1)


def test_a_change_is_slewed_and_time_never_runs_backwards() -> None:
    world = settled()
    world.broker_is_off_ms = -2000  # another broker leads now
    last = world.clock.now_ms()
    for _ in range(600):
        world.t += 0.1
        world.acknowledge()
        now = world.clock.now_ms()
        assert (1 - SLEW) * 100 - 1e-3 <= now - last <= 100 + 1e-3
        last = now
    assert world.error_ms() == pytest.approx(0, abs=1)


def test_a_machine_that_was_suspended_catches_up_at_once() -> None:
    world = settled()
    world.broker_is_off_ms = HOUR_MS  # the monotonic clock stood still for an hour
    world.t += 1
    world.acknowledge(0.001, 0.001)
    assert world.error_ms() == pytest.approx(0, abs=3)


def test_moments_and_times_are_each_others_inverse() -> None:
    world = settled(123_456)
    assert world.clock.moment_of(world.clock.at_ms(4711.5)) == pytest.approx(4711.5)


delays = st.floats(0, 3)


@given(st.lists(st.tuples(delays, delays, st.floats(0, 30)), min_size=1), st.floats(-1e8, 1e8))
def test_whatever_is_delayed_the_error_stays_below_a_good_round_trip(
    trips: list[tuple[float, float, float]], off_ms: float
) -> None:
    world = World(off_ms)
    last = 0.0
    for before_s, after_s, pause_s in trips:
        world.acknowledge(before_s, after_s)
        world.t += pause_s
        if world.clock.settle():
            now = world.clock.now_ms()
            assert now >= last
            last = now
            assert -2 <= world.error_ms() <= GOOD_ROUND_TRIP_S * 1000 + 2


def acknowledged(world: World, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        world.t += 0.1
        world.acknowledge()


def test_what_is_published_follows_a_brokers_clock_that_is_set_back() -> None:
    """Time never runs backwards: it takes ten hours to follow. The rules would be blind so long."""
    world = settled()
    world.broker_is_off_ms = -HOUR_MS
    acknowledged(world, 9.9)
    assert world.clock.ahead_ms() == 0.0
    acknowledged(world, 0.3)
    for _ in range(20):
        assert world.error_ms() > HOUR_MS / 2
        assert world.error_ms() - world.clock.ahead_ms() == pytest.approx(0, abs=2)
        world.t += 600
        world.acknowledge()


def test_it_is_over_when_the_clock_has_followed() -> None:
    world = settled()
    world.broker_is_off_ms = -20_000
    acknowledged(world, 11)
    assert world.clock.ahead_ms() > 10_000
    acknowledged(world, 100)
    assert world.clock.ahead_ms() == 0.0
    assert world.error_ms() < 10_000


@pytest.mark.parametrize("off_ms", [-10_000, 5_000, HOUR_MS])
def test_a_smaller_step_and_a_step_forward_are_followed_as_ever(off_ms: int) -> None:
    world = settled()
    world.broker_is_off_ms = off_ms
    acknowledged(world, 30)
    assert world.clock.ahead_ms() == 0.0


def test_brokers_whose_clocks_differ_by_an_hour_are_no_clock_that_was_set_back() -> None:
    world = settled()
    for _ in range(300):
        world.t += 0.1
        world.broker_is_off_ms = -HOUR_MS - world.broker_is_off_ms
        world.acknowledge()
        assert world.clock.ahead_ms() == 0.0
