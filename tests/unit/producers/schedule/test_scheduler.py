from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from producers.checks.model import CheckOutcome, PlannedCheck
from producers.schedule.schedule import slots
from producers.schedule.scheduler import MOST_MISSED, NEAR_MS, Scheduler
from schemas.result import Reason, Status
from schemas.target import Target

NOW = 1_800_000_000_000


def target(name: str = "db", host: str = "h.example", version: int = 1, **more: object) -> Target:
    return Target(
        **(
            {
                "id": name,
                "name": name,
                "kind": "tcp",
                "host": host,
                "port": 5432,
                "regions": ("eu", "us"),
                "interval_ms": 30_000,
                "timeout_ms": 1000,
                "version": version,
                "source": "test",
            }
            | more
        )  # type: ignore[arg-type]
    )


def scheduler(*targets: Target, now: float = NOW) -> Scheduler:
    made = Scheduler("us")
    made.set_targets(targets, now)
    return made


def only(made: Scheduler, now: float) -> PlannedCheck:
    (check,), missed = made.due(now, 10)
    assert missed == []
    return check


def ended(status: Status, reason: Reason = "connection_refused") -> CheckOutcome:
    return CheckOutcome(
        status=status, reason=reason if status == "down" else None, started_at=NOW / 1000
    )


def slot_after(one: Target, now: float) -> int:
    return slots(one.id, one.regions, "us", one.interval_ms).after(now)


def test_a_new_target_is_checked_at_once_then_on_its_phase() -> None:
    db = target()
    made = scheduler(db)
    check = only(made, NOW)
    assert (check.target, check.due_ms, check.attempt, check.cause) == (db, NOW, 0, "schedule")
    assert made.done(check, ended("up"), NOW + 5) == "routine"
    assert made.next_due_ms() == slot_after(db, NOW)
    second = only(made, slot_after(db, NOW))
    made.done(second, ended("up"), slot_after(db, NOW) + 5)
    assert made.next_due_ms() == slot_after(db, slot_after(db, NOW))


def test_a_failure_is_retried_and_then_waits_for_its_slot() -> None:
    db = target(retries=1, retry_delay_ms=1000)
    made = scheduler(db)
    assert made.done(only(made, NOW), ended("down"), NOW + 3) == "news"
    assert made.next_due_ms() == NOW + 1003
    retry = only(made, NOW + 1003)
    assert (retry.attempt, retry.cause) == (1, "retry")
    assert made.failing == 1
    assert made.newly_failing(NOW + 1003) == 1
    made.done(retry, ended("down"), NOW + 1005)
    assert made.next_due_ms() == slot_after(db, NOW + 1005)
    assert made.failing == 1
    assert made.newly_failing(NOW + 61_100) == 0


def test_what_began_to_fail_is_counted_by_when_it_did() -> None:
    made = scheduler(*(target(f"t{n}", retries=0) for n in range(40)))
    for number, check in enumerate(made.due(NOW + 29_000, 40)[0]):
        made.done(check, ended("down"), NOW + 2_000 * number)
        # Each 2 s one more; what is older than the time in question does not count.
        assert made.newly_failing(NOW + 2_000 * number) == min(number + 1, 31)
        assert made.newly_failing(NOW + 2_000 * number, 10_000) == min(number + 1, 6)
    assert made.newly_failing(NOW + 200_000) == 0
    assert made.failing == 40


def test_however_many_fail_at_once_each_costs_the_same() -> None:
    """Looked through at each check, as they were once, these failures would take minutes."""
    count = 60_000
    made = scheduler(*(target(f"t{n}", retries=0, interval_ms=60_000) for n in range(count)))
    for check in made.due(NOW + 59_000, count)[0]:
        made.done(check, ended("down"), NOW + 59_000)
        made.newly_failing(NOW + 59_000, 10_000)
    assert made.newly_failing(NOW + 59_000, 10_000) == count


def test_the_end_of_a_failure_is_news() -> None:
    made = scheduler(target(retries=0))
    made.done(only(made, NOW), ended("down"), NOW)
    due = made.next_due_ms()
    assert due is not None
    assert made.done(only(made, due), ended("up"), due) == "news"
    due = made.next_due_ms()
    assert due is not None
    assert made.done(only(made, due), ended("up"), due) == "routine"
    assert made.failing == 0


def test_a_failure_that_was_told_is_no_news_until_its_reason_changes() -> None:
    made = scheduler(target(retries=1))
    told = []
    for reason in (
        *("connection_refused", "connection_refused"),  # the series that makes it known
        *("connection_refused", "timed_out"),
        *("timed_out", "timed_out"),
    ):
        due = made.next_due_ms()
        assert due is not None
        told.append(made.done(only(made, due), ended("down", reason), due))
    assert told == ["news", "news", "repeated", "news", "repeated", "repeated"]
    due = made.next_due_ms()
    assert due is not None
    made.set_targets([target(retries=1, version=2)], due)
    due = made.next_due_ms()
    assert due is not None
    assert made.done(only(made, due), ended("down"), due) == "news", "a definition of its own"


def test_a_recheck_that_fails_is_news_however_often_it_was_told() -> None:
    made = scheduler(target(retries=0))
    for _ in range(2):
        made.done(only(made, made.next_due_ms() or 0), ended("down"), NOW)
    made.recheck("h.example", NOW + 100)
    assert made.done(only(made, NOW + 100), ended("down"), NOW + 100) == "news"


def test_our_own_fault_changes_nothing() -> None:
    made = scheduler(target())
    assert made.done(only(made, NOW), ended("missed"), NOW) == "routine"
    assert made.failing == 0
    assert made.next_due_ms() == slot_after(target(), NOW)


def test_a_recheck_takes_all_targets_of_the_host_and_follows_the_series() -> None:
    made = scheduler(target("a"), target("b"), target("c", host="other.example"))
    first, _ = made.due(NOW, 10)
    for check in first:
        made.done(check, ended("up"), NOW)
    assert made.recheck("h.example", NOW + 100) == 2
    checks, _ = made.due(NOW + 100, 10)
    assert sorted((c.target.id, c.cause, c.attempt) for c in checks) == [
        ("a", "recheck", 0),
        ("b", "recheck", 0),
    ]
    assert made.recheck("h.example", NOW + 101) == 0, "both are on their way"
    assert made.done(checks[0], ended("up"), NOW + 102) == "news", "an answer to a recheck is news"
    made.done(checks[1], ended("down"), NOW + 102)
    assert made.recheck("h.example", NOW + 103) == 1, "one is in a series and ignores it"
    assert made.recheck("nobody.example", NOW) == 0


def test_what_dependents_ask_for_is_checked_once_in_five_seconds() -> None:
    """Every partition asks for itself: a gateway may have dependents in all of them."""
    gateway = target("gateway", "gw.example", interval_ms=300_000)
    made = scheduler(gateway)
    made.done(only(made, NOW), ended("up"), NOW + 5)

    def ask(at: float) -> int:
        return made.recheck("gw.example", at, by="app", requested_ms=at - 10)

    asked = NOW + 1_000
    assert ask(asked) == 1
    check = only(made, asked)
    assert (check.cause, check.attempt) == ("recheck", 0)
    made.done(check, ended("up"), asked + 5)
    assert ask(asked + 8) == 0, "it was looked at since"
    for wait in (1_000, 1_001, 3_000):
        assert ask(asked + wait) == 1
        assert made.due(asked + wait, 10) == ([], [])
    assert made.next_due_ms() == asked + 5_000
    made.done(only(made, asked + 5_000), ended("up"), asked + 5_005)
    # The stream keeps the 5 s for what is asked because of the host itself.
    assert made.recheck("gw.example", asked + 5_100, by="gateway", requested_ms=asked + 5_000) == 1
    assert only(made, asked + 5_100).cause == "recheck"


def test_what_waits_for_its_five_seconds_is_not_put_off_by_others() -> None:
    gateway = target("gateway", "gw.example", interval_ms=300_000)
    slot = slot_after(gateway, NOW)
    made = scheduler(gateway, now=slot)
    made.done(only(made, slot), ended("up"), slot + 5)
    checked = []
    for at in range(slot + 1_000, slot + 31_000, 100):
        made.recheck("gw.example", at, by="app", requested_ms=at)
        for check in made.due(at, 10)[0]:
            checked.append(at)
            made.done(check, ended("up"), at + 5)
    assert checked == list(range(slot + 1_000, slot + 31_000, 5_000))


def test_a_recheck_leaves_the_schedule_as_it_was() -> None:
    db = target()
    made = scheduler(db)
    made.done(only(made, NOW), ended("up"), NOW)
    made.recheck("h.example", NOW + 10)
    made.done(only(made, NOW + 10), ended("up"), NOW + 12)
    assert made.next_due_ms() == slot_after(db, NOW + 12)


def test_a_recheck_does_not_hide_that_a_check_is_late() -> None:
    db = target()
    made = scheduler(db)
    made.done(only(made, NOW), ended("up"), NOW)
    slot = slot_after(db, NOW)
    for late in (slot + 10, slot + 20_000):
        assert made.recheck("h.example", late) == 1
        assert made.next_due_ms() == slot
    made.check_all(slot + 25_000)
    assert made.next_due_ms() == slot
    following = slot_after(db, slot)
    begin, missed = made.due(max(slot + 30_000, following), 10)
    assert [check.due_ms for check in missed] == [slot]
    assert [check.due_ms for check in begin] == [following]


def test_a_changed_target_is_not_late_for_what_its_old_definition_was_due_for() -> None:
    made = scheduler(target())
    late = NOW + 29_000
    made.set_targets([target(version=2, interval_ms=5000)], late)
    begin, missed = made.due(late, 10)
    assert ([check.due_ms for check in begin], missed) == ([late], [])


def test_what_could_not_begin_within_its_interval_is_missed() -> None:
    db = target()
    made = scheduler(db)
    made.done(only(made, NOW), ended("up"), NOW)
    slot = slot_after(db, NOW)
    second = slot_after(db, slot)
    third = slot_after(db, second)
    begin, missed = made.due(max(second + 30_000, third) + 5, 10)
    assert [(m.due_ms, m.attempt, m.cause) for m in missed] == [
        (slot, 0, "schedule"),
        (second, 0, "schedule"),
    ]
    assert [c.due_ms for c in begin] == [third], "late, but within its interval"


def test_a_long_standstill_is_told_in_few_words() -> None:
    made = scheduler(target(interval_ms=1000, timeout_ms=500))
    made.done(only(made, NOW), ended("up"), NOW)
    begin, missed = made.due(NOW + 3_600_000, 10)
    assert len(missed) == MOST_MISSED
    assert len(begin) == 1


def test_a_standstill_within_the_interval_misses_nothing() -> None:
    made = scheduler(target())
    made.done(only(made, NOW), ended("up"), NOW)
    slot = slot_after(target(), NOW)
    begin, missed = made.due(slot + 10_000, 10)
    assert (len(begin), missed) == (1, [])


def test_a_check_that_outlasts_its_next_slot_is_followed_at_once() -> None:
    db = target()
    made = scheduler(db)
    slot = slot_after(db, NOW)
    check = only(made, slot - 5)  # late: it was due at NOW
    made.done(check, ended("up"), slot + 20)
    assert made.next_due_ms() == slot


def test_a_slot_that_passes_while_a_retry_is_on_its_way_is_met_too() -> None:
    db = target(retries=1, retry_delay_ms=1000)
    made = scheduler(db)
    slot = slot_after(db, NOW)
    made.done(only(made, NOW), ended("down"), slot - 2000)
    retry = only(made, slot - 1000)
    assert (retry.due_ms, retry.attempt) == (slot - 1000, 1)
    made.done(retry, ended("down"), slot + 100)
    assert made.next_due_ms() == slot


def test_a_slot_that_waited_for_its_target_is_not_late_by_our_doing() -> None:
    db = target(retries=1, retry_delay_ms=1000)
    made = scheduler(db)
    slot = slot_after(db, NOW)
    assert only(made, NOW).free_ms == 0
    made = scheduler(db)
    made.done(only(made, NOW), ended("down"), slot - 2000)
    made.done(only(made, slot - 1000), ended("down"), slot + 2900)
    met = only(made, slot + 2901)
    assert (met.due_ms, met.free_ms) == (slot, slot + 2900)


def test_a_recheck_just_before_a_slot_and_a_standstill_miss_no_time_twice() -> None:
    db = target()
    made = scheduler(db)
    made.done(only(made, NOW), ended("up"), NOW + 10)
    slot = slot_after(db, NOW + 10)
    assert made.recheck("h.example", slot - 0.4) == 1
    _, missed = made.due(slot + 5 * db.interval_ms, 10)
    times = [round(check.due_ms) for check in missed]
    assert len(times) == len(set(times)) > 1


def test_without_room_nothing_begins_and_nothing_is_lost() -> None:
    made = scheduler(target("a"), target("b"))
    assert made.due(NOW + 1, 0) == ([], [])
    assert len(made.due(NOW + 1, 1)[0]) == 1
    assert len(made.due(NOW + 1, 1)[0]) == 1
    assert made.due(NOW + 1, 1) == ([], [])


def test_the_same_definition_again_changes_nothing() -> None:
    made = scheduler(target())
    made.done(only(made, NOW), ended("up"), NOW)
    made.set_targets([target()], NOW + 10)
    assert made.due(NOW + 10, 10) == ([], [])


def test_a_changed_target_is_checked_at_once() -> None:
    made = scheduler(target())
    made.done(only(made, NOW), ended("up"), NOW)
    made.set_targets([target(version=2, port=6000)], NOW + 10)
    assert only(made, NOW + 10).target.version == 2


def test_a_target_that_changes_in_flight_is_checked_again_at_once() -> None:
    made = scheduler(target())
    check = only(made, NOW)
    made.set_targets([target(version=2)], NOW + 10)
    assert made.due(NOW + 10, 10) == ([], [])
    made.done(check, ended("down"), NOW + 20)
    assert only(made, NOW + 20).target.version == 2


def test_only_this_regions_targets() -> None:
    made = scheduler(target("here"), target("elsewhere", regions=("eu",)))
    assert len(made) == 1
    made.set_targets([target("here", version=2, regions=("eu",))], NOW)
    assert len(made) == 0
    assert made.due(NOW, 10) == ([], [])


def test_a_removed_target_is_not_checked_and_its_late_end_is_ignored() -> None:
    made = scheduler(target())
    check = only(made, NOW)
    made.remove("db")
    made.done(check, ended("down"), NOW)
    assert (len(made), made.failing, made.next_due_ms()) == (0, 0, None)
    assert made.recheck("h.example", NOW) == 0


def test_a_target_whose_host_changes_is_another_host_s_from_then_on() -> None:
    made = scheduler(target())
    old = only(made, NOW)
    made.set_targets([target(host="new.example", version=2)], NOW + 1)
    assert made.recheck("h.example", NOW + 2) == 0
    new = only(made, NOW + 2)
    assert new.target.host == "new.example"
    made.done(old, ended("down"), NOW + 3)
    assert (made.failing, made.next_due_ms()) == (0, None), "the old host says nothing of the new"


def test_many_new_targets_are_spread() -> None:
    made = scheduler(*(target(f"t{n}", interval_ms=300_000) for n in range(10_000)))
    assert len(made.due(NOW, 100_000)[0]) < 100
    assert len(made.due(NOW + 5000, 100_000)[0]) > 9_900


def test_many_that_come_in_parts_are_spread_as_one() -> None:
    made = Scheduler("us")
    for part in range(10):
        names = (f"t{part}-{n}" for n in range(1_000))
        made.set_targets((target(name, interval_ms=300_000) for name in names), NOW + part)
    # 2,000 first checks a second, and those whose own slot comes before.
    assert 2_000 <= len(made.due(NOW + 1_000, 100_000)[0]) < 2_150
    assert len(made.due(NOW + 5_100, 100_000)[0]) > 7_800


def test_a_new_target_waits_for_no_others_that_are_looked_at_again() -> None:
    made = scheduler(*(target(f"t{n}", interval_ms=300_000) for n in range(20_000)))
    now = NOW + 200_000
    for check in made.due(now, 20_000)[0]:
        made.done(check, ended("up"), now)
    for _ in range(6):
        made.check_all(now)
    made.set_targets([target("new", interval_ms=300_000)], now)
    begun, _ = made.due(now, 20_000)
    assert "new" in {check.target.id for check in begun}


def test_a_first_check_beside_its_slot_is_that_of_the_slot() -> None:
    """10,000 a 5 s are 2,000 a second: each one's turn comes about when its slot does."""
    fleet = [target(f"t{n}", interval_ms=5_000) for n in range(10_000)]
    made = scheduler(*fleet, now=NOW + 0.6)
    told: dict[str, list[int]] = {one.id: [] for one in fleet}
    for now in range(NOW, NOW + 5_000, 5):
        for check in made.due(now, 10_000)[0]:
            told[check.target.id].append(round(check.due_ms))
            made.done(check, ended("up"), now)
    for times in told.values():
        assert all(later - sooner >= NEAR_MS for sooner, later in pairwise(times))


def test_what_is_taken_over_is_checked_ten_seconds_late_at_most() -> None:
    """8 s after a prober died, 1,500 of its targets should have been checked each second."""
    fleet = [target(f"t{n}", interval_ms=20_000) for n in range(30_000)]
    made = scheduler(*fleet)
    due = {check.target.id: check.due_ms for check in made.due(NOW + 19_999, 30_000)[0]}
    for one in fleet:
        slot = slot_after(one, NOW)
        assert due.get(one.id, slot) <= slot
        passed = slot_after(one, NOW - 8_000)
        if passed < NOW:
            assert due[one.id] <= passed + 10_000


class RosterMachine(RuleBasedStateMachine):
    """However it is driven: one check a target, none forgotten, none out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = float(NOW)
        self.made = Scheduler("us")
        self.known: dict[str, Target] = {}
        self.version = 1
        self.in_flight: list[PlannedCheck] = []

    @rule(name=st.sampled_from("abc"), retries=st.integers(0, 2))
    def define(self, name: str, retries: int) -> None:
        self.version += 1
        self.known[name] = target(name, version=self.version, retries=retries, interval_ms=5000)
        self.made.set_targets([self.known[name]], self.now)

    @rule(name=st.sampled_from("abc"))
    def remove(self, name: str) -> None:
        self.known.pop(name, None)
        self.made.remove(name)

    @rule(ms=st.integers(0, 20_000))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule(room=st.integers(0, 3))
    def begin(self, room: int) -> None:
        begin, missed = self.made.due(self.now, room)
        assert len(begin) <= room
        for check in begin:
            assert self.known[check.target.id] == check.target
            assert 0 <= self.now - check.due_ms < check.target.interval_ms
            assert check.attempt <= check.target.retries
            busy = [c for c in self.in_flight if c.target == check.target]
            assert busy == [], "one check of a definition at a time"
        for check in missed:
            assert self.now - check.due_ms >= check.target.interval_ms
        self.in_flight.extend(begin)

    @precondition(lambda self: self.in_flight)
    @rule(status=st.sampled_from(["up", "down", "missed"]), data=st.data())
    def end(self, status: Status, data: st.DataObject) -> None:
        check = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
        worth = self.made.done(check, ended(status), self.now)
        assert worth != "routine" or status != "down"

    @rule()
    def recheck(self) -> None:
        self.made.recheck("h.example", self.now)

    @invariant()
    def none_is_forgotten(self) -> None:
        assert len(self.made) == len(self.known)
        busy = {c.target.id for c in self.in_flight}
        scheduled = len(self.made._agenda)
        assert scheduled >= len(self.known) - len(busy)
        assert 0 <= self.made.failing <= len(self.known)


TestRosterMachine = RosterMachine.TestCase
TestRosterMachine.settings = settings(max_examples=50, stateful_step_count=40)
