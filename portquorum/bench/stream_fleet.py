"""The messages of a fleet's probers on [results], made in virtual time, the same in every run.

One host a target, every target checked from all regions, phases from the targets' ids as in
`producers.schedule`. One target in a hundred is down all the time (each check is followed by its
retry), and one check in a thousand of the others fails once. Every prober beats every 5 s.
"""

import random
from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol

from msgspec import Struct

from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, PlannedCheck, Worth
from producers.publishing.batch import seal
from producers.publishing.batcher import Batcher, Finished
from producers.schedule.schedule import phase_ms, shift_ms
from schemas import control
from schemas.control import Beat, TargetSet
from schemas.partition import partition_for
from schemas.target import Target

REGIONS: Final = ("eu-west", "us-east", "ap-south")
INTERVAL_MS: Final = 60_000
TIMEOUT_MS: Final = 3_000
BEAT_MS: Final = 5_000
DOWN_EVERY: Final = 100
BLIP: Final = 0.001

Headers = list[tuple[str, bytes]]


class FleetMessage(Struct, frozen=True, gc=False):
    """A message of [results] with its append time (UTC ms); it carries `count` results."""

    partition: int
    at: int
    value: bytes
    headers: Headers | None
    count: int


class Check(Struct, frozen=True, gc=False):
    """A check that is done at `at` (UTC ms), its origin, and its form in the prober's queue."""

    at: int
    region: str
    partition: int
    finished: Finished


def is_down(number: int) -> bool:
    """True if the target of that number is down from the beginning to the end."""
    return number % DOWN_EVERY == 0


def targets(count: int, version: int, interval_ms: int) -> list[Target]:
    """The fleet."""
    return [
        Target(
            id=f"target-{number:07d}",
            name=f"Service {number}",
            kind="tcp",
            host=f"host-{number:07d}.example.com",
            port=1 + number % 65_535,
            regions=REGIONS,
            interval_ms=interval_ms,
            timeout_ms=TIMEOUT_MS,
            version=version,
            source="bench",
        )
        for number in range(count)
    ]


def definitions(fleet: list[Target], partitions: int, at: int) -> Iterator[FleetMessage]:
    """The control records of the fleet, in the form of `apply`."""
    for target in fleet:
        partition = partition_for(target.host or target.id, partitions)
        yield FleetMessage(partition, at, b"", control.headers(TargetSet(target)), 0)


def beats(partitions: int, begin: int, end: int, targets: int) -> Iterator[FleetMessage]:
    """The beats of one prober of each region between two times."""
    for sequence, at in enumerate(range(begin, end, BEAT_MS)):
        for region in REGIONS:
            beat = Beat(
                region=region,
                prober=f"{region}-1",
                sequence=sequence,
                started_at=begin,
                targets=targets,
                failing=targets // DOWN_EVERY,
                newly_failing=0,
                connectivity=True,
                lag_ms=2.5,
                spool=0,
                clock_offset_ms=3,
            )
            headers = control.headers(beat)
            for partition in range(partitions):
                yield FleetMessage(partition, at, b"", headers, 0)


def checks(
    fleet: list[Target], partitions: int, begin: int, rounds: int, measure: "Measure | None" = None
) -> Iterator[Check]:
    """All checks of this number of intervals from `begin`, sorted by time; `measure` makes each."""
    measure = measure or check
    chance = random.Random(1)  # noqa: S311 - no secret
    interval = fleet[0].interval_ms
    agenda = sorted(
        (
            (phase_ms(target.id, interval) + shift_ms(REGIONS, region, interval)) % interval,
            number,
            region,
        )
        for number, target in enumerate(fleet)
        for region in REGIONS
    )
    where = [partition_for(target.host or target.id, partitions) for target in fleet]
    retries: deque[tuple[int, int, str]] = deque()
    for turn in range(rounds):
        for phase, number, region in agenda:
            due = begin + turn * interval + phase
            while retries and retries[0][0] <= due:
                at, other, there = retries.popleft()
                told = is_down(other)
                retry = measure(chance, fleet[other], at, there, attempt=1, down=told, told=told)
                yield Check(at, there, where[other], retry)
            told = is_down(number)
            down = told or chance.random() < BLIP
            first = measure(chance, fleet[number], due, region, attempt=0, down=down, told=told)
            yield Check(due, region, where[number], first)
            if down:
                retries.append((due + fleet[number].retry_delay_ms, number, region))


class Measure(Protocol):
    """Makes a check of a target from a region that is done at `at` (UTC ms); see `check`."""

    def __call__(
        self,
        chance: random.Random,
        target: Target,
        at: int,
        region: str,
        *,
        attempt: int,
        down: bool,
        told: bool,
    ) -> Finished: ...


def check(
    chance: random.Random,
    target: Target,
    at: int,
    region: str,
    *,
    attempt: int,
    down: bool,
    told: bool = False,
) -> Finished:
    """A short check, done at `at` (UTC ms), in the prober's queue."""
    del region  # all are as far away
    connect_ms = None if down else round(chance.uniform(5, 50), 3)
    planned = PlannedCheck(target, at, attempt, "retry" if attempt else "schedule")
    outcome = CheckOutcome(
        status="down" if down else "up",
        reason="connection_refused" if down else None,
        started_at=at / 1000,
        detail="[Errno 111] Connection refused" if down else None,
        address="192.0.2.7",
        dns_ms=0.412,
        connect_ms=connect_ms,
        total_ms=None if connect_ms is None else round(connect_ms + 0.412, 3),
    )
    # As `Scheduler.done`: what has been down from the beginning was told.
    news: Worth = "repeated" if told else "news"
    return Finished(planned, outcome, news if down or attempt else "routine")


class Probers:
    """One prober for each region.

    `full`: messages of 500 results, however long they wait; otherwise the prober's own batcher
    decides when a message leaves.
    """

    def __init__(self, *, full: bool) -> None:
        self._full = full
        self._batchers = {region: Batcher() for region in REGIONS}
        self._due = dict.fromkeys(REGIONS, float("inf"))
        # A clock that reads virtual time: an outcome's moments are seconds since 1970.
        self._clock = Clock(wall=lambda: 0.0, monotonic=lambda: 0.0)

    def messages(self, checks: Iterator[Check]) -> Iterator[FleetMessage]:
        """The published messages, each with the time at which it leaves."""
        at = 0
        for done in checks:
            at = done.at
            for region, due in self._due.items():
                if due * 1000 <= at:
                    yield from self._leave(region, at)
            batcher = self._batchers[done.region]
            due = batcher.add(done.partition, done.finished, at / 1000)
            if not self._full or batcher.full(done.partition):
                self._due[done.region] = min(self._due[done.region], due)
        for region, batcher in self._batchers.items():
            for partition in batcher.all():
                yield self._message(region, partition, at)

    def _leave(self, region: str, at: int) -> Iterator[FleetMessage]:
        batcher = self._batchers[region]
        for partition in batcher.due(at / 1000):
            if not self._full or batcher.full(partition):
                yield self._message(region, partition, at)
        due = None if self._full else batcher.next_due_of(batcher.all())
        self._due[region] = float("inf") if due is None else due

    def _message(self, region: str, partition: int, at: int) -> FleetMessage:
        items = self._batchers[region].take(partition, at / 1000)
        sealed = seal(partition, items, self._clock, region, f"{region}-1", number=0)
        return FleetMessage(partition, at, sealed.value(), None, sealed.count)
