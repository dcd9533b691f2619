"""What the notifier keeps of each target."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.target import Target
from sinks.notifier.facts_table import FactsTable, facts
from tests.unit.streams.rules.fleet import target

MOST_BYTES = 600


def test_the_facts_of_a_target() -> None:
    one = target(
        "app",
        tags=("prod", "eu"),
        depends_on=("gw",),
        interval_ms=30_000,
        timeout_ms=3_000,
        retries=2,
        retry_delay_ms=500,
    )
    table = FactsTable()
    assert table.define(0, one)
    found = table.of("app")
    assert found == facts(one)
    assert (found.name, found.place) == ("APP", "db1.example.com:5432")
    assert (found.tags, found.depends_on) == (("prod", "eu"), ("gw",))
    assert found.settle_ms == 30_000 + 3 * 3_000 + 2 * 500
    assert found.answer_ms == 12_000
    assert facts(replace(one, timeout_ms=30_000)).answer_ms == 15_000
    assert table.of("other") is None
    assert len(table) == 1


def test_targets_on_hosts_are_counted() -> None:
    table = FactsTable()
    for name in ("app", "gw"):
        table.define(0, target(name))
    table.define(0, target("backup", kind="heartbeat", host=None, port=None))
    table.define(0, target("shop", kind="domain", host=None, port=None))
    assert (len(table), table.on_hosts) == (4, 2)
    # One becomes a job, another one a port, in another partition.
    table.define(1, target("gw", kind="heartbeat", host=None, port=None, version=2))
    table.define(2, target("backup", version=2))
    assert table.on_hosts == 2
    table.remove(2, "backup")
    assert table.on_hosts == 1
    table.remove(1, "gw")
    assert table.on_hosts == 2
    for name in ("app", "gw", "backup", "shop"):
        table.remove(0, name)
    assert (len(table), table.on_hosts) == (0, 0)


def test_only_a_change_of_the_facts_is_one() -> None:
    table = FactsTable()
    assert table.define(0, target("app"))
    assert not table.define(0, target("app", version=2, purpose="orders", port=5432))
    assert table.define(0, target("app", version=3, port=80))
    assert table.remove(0, "app")
    assert not table.remove(0, "app")
    assert table.of("app") is None
    assert len(table) == 0


def test_a_target_that_moves_to_another_partition_keeps_its_newest_definition() -> None:
    """Records of two partitions are read in any order."""
    old, new = target("app", version=1), target("app", host="db2.example.com", version=2)
    for steps in (("new", "gone"), ("gone", "new")):
        table = FactsTable()
        table.define(3, old)
        for step in steps:
            if step == "new":
                assert table.define(5, new)
            else:
                table.remove(3, "app")
        assert table.of("app") == facts(new)
        assert len(table) == 1


class Slow:
    """The rule of the prober (`Definitions`), said once more."""

    def __init__(self) -> None:
        self.parts: dict[int, dict[str, Target]] = {}

    def of(self, target_id: str) -> Target | None:
        said = [one[target_id] for one in self.parts.values() if target_id in one]
        return max(said, key=lambda one: one.version, default=None)


steps = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.integers(0, 30), st.integers(1, 3)),
    max_size=30,
)


@given(steps)
def test_any_order_of_records_gives_the_newest(
    script: list[tuple[int, str, int, int]],
) -> None:
    table, slow = FactsTable(), Slow()
    for number, (partition, name, version, port) in enumerate(script):
        before = slow.of(name)
        if version == 0:
            changed = table.remove(partition, name)
            slow.parts.get(partition, {}).pop(name, None)
        else:
            # No two partitions have the same version of a target.
            one = target(name, version=version * 100 + number, port=port)
            changed = table.define(partition, one)
            slow.parts.setdefault(partition, {})[name] = one
        now = slow.of(name)
        assert table.of(name) == (None if now is None else facts(now))
        assert changed == ((before and facts(before)) != (now and facts(now)))
    other = FactsTable()
    other.define(0, target("a", port=9))
    expected = {name for name in "ab" if table.of(name) != other.of(name)}
    assert set(table.differing(other)) == expected


def test_a_target_needs_a_few_hundred_bytes() -> None:
    count = 5_000
    tracemalloc.start()
    try:
        table, before = FactsTable(), tracemalloc.get_traced_memory()[0]
        for number in range(count):
            table.define(
                number % 64,
                target(
                    f"service-{number:06}-https",
                    name=f"Service {number:06} of the eastern site, HTTPS",
                    host=f"service-{number:06}.east.example.com",
                    tags=("prod", "east", "payments"),
                    depends_on=(f"gateway-{number % 4}",),
                ),
            )
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used / count < MOST_BYTES
    assert len(table) == count
