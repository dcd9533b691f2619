"""The log that the stream is measured with: what a fleet writes, in its order and its messages."""

from collections import Counter, defaultdict

import pytest

from portquorum.bench.stream import log
from portquorum.bench.stream_fleet import INTERVAL_MS, REGIONS, FleetMessage, is_down
from portquorum.bench.stream_outage import APART_MS, WITHIN_MS, failing, fleet
from schemas import batch, control
from schemas.batch import MAX_RESULTS
from schemas.control import Beat, TargetSet
from streams.rules.process import step
from streams.state.partition_state import new_state

PARTITIONS = 4
TARGETS = 2_000
ROUNDS = 4
RESULTS = ROUNDS * len(REGIONS) * TARGETS


@pytest.fixture(params=[True, False], ids=["full", "real"], scope="module")
def messages(request: pytest.FixtureRequest) -> list[FleetMessage]:
    return list(log(TARGETS, RESULTS, PARTITIONS, full=request.param))


def test_messages_of_a_partition_come_in_order_of_time(messages: list[FleetMessage]) -> None:
    newest: dict[int, int] = defaultdict(int)
    for message in messages:
        assert message.at >= newest[message.partition]
        newest[message.partition] = message.at


def test_each_target_is_defined_and_then_checked_once_an_interval_and_region(
    messages: list[FleetMessage],
) -> None:
    bodies = [control.body(message.headers or ()) for message in messages if not message.value]
    records = [control.decode(body) for body in bodies if body]
    assert sum(isinstance(record, TargetSet) for record in records) == TARGETS
    assert {record.region for record in records if isinstance(record, Beat)} == set(REGIONS)
    results = [each for message in messages for each in batch.decode(message.value)[0]]
    first = Counter((each.target, each.region) for each in results if not each.attempt)
    assert set(first.values()) == {ROUNDS}
    assert len(first) == TARGETS * len(REGIONS)
    assert sum(message.count for message in messages) == len(results)


def test_full_messages_are_full_but_for_the_last_of_each_lane() -> None:
    counts = Counter(
        message.count for message in log(TARGETS, RESULTS, PARTITIONS, full=True) if message.value
    )
    assert counts[MAX_RESULTS] > 0
    assert sum(counts.values()) - counts[MAX_RESULTS] <= PARTITIONS * len(REGIONS)


def test_no_result_waits_for_more_than_a_second_in_a_real_prober() -> None:
    # The messages leave with the check that comes next; at this size that is at most 50 ms later.
    for message in log(TARGETS, RESULTS, PARTITIONS, full=False):
        results = batch.decode(message.value)[0]
        assert all(message.at - each.started_at <= 1_050 for each in results[:-1])


def test_the_rules_find_what_is_down_and_nothing_else(messages: list[FleetMessage]) -> None:
    states = [new_state(number, PARTITIONS) for number in range(PARTITIONS)]
    opened = []
    for message in messages:
        state = states[message.partition]
        done = step(state, state.offset + 1, message.at, message.value, message.headers or ())
        assert not done.unreadable
        opened += [out.key for out in done.messages if out.kind.endswith("opened.v1")]
    down = {
        f"host-{number:07d}.example.com".encode() for number in range(TARGETS) if is_down(number)
    }
    assert sorted(opened) == sorted(down)


def test_a_mass_outage_is_over_when_it_should_be() -> None:
    targets = fleet(20, 5, 1)
    checks = failing(targets, PARTITIONS, 1_000_000)
    assert len(checks) == len(targets) * len(REGIONS) * 2
    assert checks[0].at == 1_000_000
    latest = 1_000_000 + WITHIN_MS + (len(REGIONS) - 1) * APART_MS + targets[0].retry_delay_ms
    assert checks[-1].at <= latest
    assert targets[0].interval_ms == INTERVAL_MS
