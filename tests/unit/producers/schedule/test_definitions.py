"""Which definition holds, however the partitions' records are read."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from producers.schedule.scheduler import Scheduler
from producers.schedule.target_definitions import Definitions
from schemas.target import Target
from tests.unit.producers.schedule.test_scheduler import NOW, ended, only, target

PARTITIONS = 3


def test_a_host_change_holds_whichever_partition_is_read_first() -> None:
    old, new = target(), target(host="new.example", version=2)
    in_order, out_of_order = Definitions(), Definitions()
    for partition, said in ((0, old), (0, None), (1, new)):
        _take(in_order, partition, said)
    for partition, said in ((1, new), (0, old), (0, None)):
        _take(out_of_order, partition, said)
        assert out_of_order.of("db") == new, "at no moment does the old definition hold again"
    assert in_order.of("db") == new


def test_a_removal_takes_away_only_what_its_partition_said() -> None:
    made = Definitions()
    made.define(1, target(version=2))
    assert made.remove(0, "db") == ()
    assert made.of("db") == target(version=2)
    assert made.remove(1, "db") == ("db",)
    assert made.of("db") is None


def test_an_older_version_holds_once_the_newer_one_is_removed() -> None:
    """Another source may apply the target elsewhere, with a clock that is behind."""
    made = Definitions()
    made.define(0, target(version=1000))
    made.define(1, target(host="new.example", version=900))
    assert made.of("db") == target(version=1000)
    made.remove(0, "db")
    assert made.of("db") == target(host="new.example", version=900)


def test_partitions_that_others_have_now_say_nothing() -> None:
    made = Definitions()
    made.define(0, target("a"))
    made.define(1, target("b"))
    assert made.keep([1]) == ("a",)
    assert (made.of("a"), made.of("b")) == (None, target("b"))


def test_what_a_partition_does_not_hold_any_more_is_gone_after_a_reading() -> None:
    made = Definitions()
    made.define(0, target("a"))
    made.define(0, target("b"))
    assert set(made.replace(0, {"b": target("b"), "c": target("c")})) == {"a", "b", "c"}
    assert (made.of("a"), made.of("b"), made.of("c")) == (None, target("b"), target("c"))


def test_reading_a_partition_again_disturbs_no_retry_series() -> None:
    made, scheduler = Definitions(), Scheduler("us")
    now = target(version=2, retry_delay_ms=1000)
    for said in (target(version=1), now):
        made.define(0, said)
    scheduler.set_targets([now], NOW)
    scheduler.done(only(scheduler, NOW), ended("down"), NOW + 10)
    _tell(scheduler, made, made.replace(0, {"db": now}))
    assert scheduler.next_due_ms() == NOW + 1010
    assert only(scheduler, NOW + 1010).attempt == 1


def _take(made: Definitions, partition: int, said: Target | None) -> tuple[str, ...]:
    return made.remove(partition, "db") if said is None else made.define(partition, said)


def _tell(scheduler: Scheduler, made: Definitions, changed: tuple[str, ...]) -> None:
    found = {key: made.of(key) for key in changed}
    for key, one in found.items():
        if one is None:
            scheduler.remove(key)
    scheduler.set_targets([one for one in found.values() if one is not None], NOW)


class DefinitionsMachine(RuleBasedStateMachine):
    """Targets move and go, as `apply` writes it; partitions are read when and as often as it is."""

    @initialize()
    def begin(self) -> None:
        self.logs: list[list[tuple[str, Target | None]]] = [[] for _ in range(PARTITIONS)]
        self.read = [0] * PARTITIONS
        self.ours = set(range(PARTITIONS))
        self.homes: dict[str, tuple[int, Target]] = {}
        self.version = 0
        self.made = Definitions()
        self.scheduler = Scheduler("us")

    @rule(name=st.sampled_from("ab"), partition=st.integers(0, PARTITIONS - 1), here=st.booleans())
    def apply(self, name: str, partition: int, *, here: bool) -> None:
        self.version += 1
        one = target(
            name,
            host=f"{partition}.example",
            version=self.version,
            regions=("us",) if here else ("eu",),
        )
        old = self.homes.get(name)
        if old is not None and old[0] != partition:
            self.logs[old[0]].append((name, None))
        self.logs[partition].append((name, one))
        self.homes[name] = (partition, one)

    @rule(name=st.sampled_from("ab"))
    def remove(self, name: str) -> None:
        old = self.homes.pop(name, None)
        if old is not None:
            self.logs[old[0]].append((name, None))

    @rule(partition=st.integers(0, PARTITIONS - 1), count=st.integers(1, 3))
    def follow(self, partition: int, count: int) -> None:
        for name, said in self._records(partition, count):
            if said is None:
                self._tell(self.made.remove(partition, name))
            else:
                self._tell(self.made.define(partition, said))

    @rule(kept=st.sets(st.integers(0, PARTITIONS - 1)))
    def assign(self, kept: set[int]) -> None:
        """A rebalance: what stays ours is read again from its beginning to its end."""
        self._tell(self.made.keep(kept))
        self.ours = kept
        for partition in kept:
            held: dict[str, Target] = {}
            self.read[partition] = 0
            for name, said in self._records(partition, len(self.logs[partition])):
                if said is None:
                    held.pop(name, None)
                else:
                    held[name] = said
            self._tell(self.made.replace(partition, held))

    @invariant()
    def what_has_been_read_holds(self) -> None:
        if any(self.read[part] < len(self.logs[part]) for part in self.ours):
            return
        hold = {name: one for name, (part, one) in self.homes.items() if part in self.ours}
        assert {name: self.made.of(name) for name in "ab"} == {
            name: hold.get(name) for name in "ab"
        }
        checked = {name for name, one in hold.items() if "us" in one.regions}
        begin, _ = self.scheduler.due(NOW + 20_000, 10)
        assert {check.target.id for check in begin} <= checked
        assert len(self.scheduler) == len(checked)
        for check in begin:
            assert check.target == hold[check.target.id]
            self.scheduler.done(check, ended("up"), NOW)

    def _records(self, partition: int, count: int) -> list[tuple[str, Target | None]]:
        if partition not in self.ours:
            return []
        first = self.read[partition]
        self.read[partition] = min(len(self.logs[partition]), first + count)
        return self.logs[partition][first : self.read[partition]]

    def _tell(self, changed: tuple[str, ...]) -> None:
        _tell(self.scheduler, self.made, changed)


TestDefinitionsMachine = DefinitionsMachine.TestCase
TestDefinitionsMachine.settings = settings(max_examples=40, stateful_step_count=30)
