"""Until when a send may begin."""

from sinks.notifier.lease import LEASE_S, Lease


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_begins_with_the_first_answer_and_ends_with_the_last() -> None:
    clock = Clock()
    lease = Lease(clock)
    lease.begin()
    assert not lease.may_send()
    lease.renewed(clock.now)
    assert lease.may_send()
    clock.now += 2.99  # The coordinator gives the partitions away 6 s after it heard of us.
    assert lease.may_send()
    clock.now += 0.02
    assert not lease.may_send()


def test_it_counts_from_the_request_not_from_the_answer() -> None:
    clock = Clock()
    lease = Lease(clock)
    lease.begin()
    asked_at = lease.now()
    clock.now += LEASE_S
    lease.renewed(asked_at)
    assert not lease.may_send()


def test_an_answer_that_comes_late_takes_nothing_away() -> None:
    clock = Clock()
    lease = Lease(clock)
    lease.begin()
    lease.renewed(clock.now)
    lease.renewed(clock.now - 10)
    assert lease.may_send()


def test_without_the_partitions_there_is_none_however_fresh_the_answer() -> None:
    clock = Clock()
    lease = Lease(clock)
    lease.renewed(clock.now)
    assert not lease.may_send()
    lease.begin()
    assert lease.may_send()
    lease.end()
    assert not lease.may_send()
