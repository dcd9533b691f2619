"""Fresh and spooled batches of one partition take turns: neither waits for ever."""

from foundation.settings import Settings
from producers.broker_clock import Clock
from producers.publishing.batch import SealedBatch
from producers.publishing.connection import BrokerConnection
from producers.publishing.publisher import Publisher
from schemas import batch
from schemas.batch import MAX_RESULTS
from tests.unit.producers.publishing.test_batches import a_clock, finished


def a_publisher(clock: Clock) -> Publisher:
    settings = Settings(partitions=1)
    return Publisher(settings, BrokerConnection(settings), clock, region="eu", prober="p1")


def add(publisher: Publisher, numbers: range) -> None:
    for number in numbers:
        item = finished(number)
        publisher.add(item.check, item.outcome, worth="routine")


def first(sealed: SealedBatch | None) -> int:
    assert sealed is not None
    results, _ = batch.decode(sealed.value())
    return results[0].scheduled_at // 1000


async def test_the_spool_has_its_turn_after_each_fresh_batch() -> None:
    publisher = a_publisher(a_clock())
    publisher._broken = True
    add(publisher, range(2 * MAX_RESULTS))
    got = []
    for number in range(5000, 5003):
        add(publisher, range(number, number + 1))
        got.append(first(publisher._next(0, fresh=True)))
        if publisher._batcher.all():
            got.append(first(publisher._next(0, fresh=True)))
    assert got == [5000, 0, 5001, 500, 5002]


async def test_fresh_batches_follow_each_other_when_the_spool_is_empty() -> None:
    publisher = a_publisher(a_clock())
    for number in range(3):
        add(publisher, range(number, number + 1))
        assert first(publisher._next(0, fresh=True)) == number
