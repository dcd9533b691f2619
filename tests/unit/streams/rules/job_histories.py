"""What may happen to jobs and receivers, beside a target that is checked, in one partition."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec import structs

from schemas.control import (
    Acknowledged,
    Resolved,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    TargetSet,
)
from schemas.result import RECEIVER, CheckResult, Signal
from schemas.target import Target
from tests.unit.streams.rules.fleet import START, target
from tests.unit.streams.rules.job_accounts import DAY, HOUR, MINUTE, job, ms, signal
from tests.unit.streams.rules.reference_jobs import Job
from tests.unit.streams.rules.reference_log import Log

NAMES: Final = ("backup", "mail", "sync")
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Africa/Casablanca")
"""None that moves by half an hour, which cronsim does not know."""
BEGINNINGS: Final = (
    START,
    ms("2027-03-28 00:30", "Europe/Berlin"),
    ms("2027-10-31 00:30", "Europe/Berlin"),
    ms("2027-03-14 00:30", "America/New_York"),
    ms("2027-11-07 00:30", "America/New_York"),
    ms("2027-02-07 00:30", "Africa/Casablanca"),
    ms("2027-03-14 00:30", "Africa/Casablanca"),
)
"""Some of them shortly before a zone changes its clock."""

SCHEDULES: Final = (
    "* * * * *",
    "*/2 * * * *",
    "*/30 * * * *",
    "*/20 2 * * *",
    "0 * * * *",
    "30 1 * * *",
    "15,45 1,2,3 * * *",
    "30 2 * * *",
    "0 3 * * *",
    "0 */2 * * *",
    "30 2 * * 1-5",
    "0 0 1 * *",
    "59 23 31 12 *",
    "0 12 13 * 5",
)
names = st.sampled_from(NAMES)
runs = st.sampled_from((None, None, "a", "b", "c"))
sorts: st.SearchStrategy[Signal] = st.sampled_from(
    ("success", "success", "fail", "start", "start", "log")
)
times = st.fixed_dictionaries(
    {"interval_ms": st.sampled_from((1_000, 20_000, 60_000, 90_000, 300_000, DAY))}
) | st.fixed_dictionaries({"schedule": st.sampled_from(SCHEDULES), "zone": st.sampled_from(ZONES)})
options = st.fixed_dictionaries(
    {"grace_ms": st.sampled_from((1_000, 10_000, 60_000, 150_000))},
    optional={
        "max_runtime_ms": st.sampled_from((1_000, 30_000, 60_000, 200_000)),
        "criticality": st.sampled_from(("critical", "important", "normal")),
        "name": st.sampled_from(("Night run", "Backup")),
    },
)
around = st.sampled_from((-1_001, -1, 0, 1, 1_000, 5_000))


class JobHistories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fleet = Log()
        self.version = 1
        self.jobs: dict[str, Target] = {}
        self.sent: list[CheckResult] = []
        self.changed_kind = False
        self.was_set_back = False

    # The inventory

    @initialize(
        now=st.sampled_from(BEGINNINGS),
        each=st.lists(st.tuples(times, options), min_size=len(NAMES), max_size=len(NAMES)),
        listening=st.booleans(),
    )
    def begin(
        self,
        now: int,
        each: list[tuple[dict[str, object], dict[str, object]]],
        listening: bool,
    ) -> None:
        self.fleet.now = now
        if listening:
            self.fleet.beat(RECEIVER, targets=1)
        self.fleet.control(TargetSet(target(regions="a b", interval_ms=20_000)))
        for name, (when, more) in zip(NAMES, each, strict=True):
            self.define(job(name, **(when | more)))  # type: ignore[arg-type]

    def define(self, one: Target) -> None:
        self.version += 1
        self.jobs[one.id] = structs.replace(one, version=self.version)
        self.fleet.control(TargetSet(self.jobs[one.id]))

    @rule(name=names, when=times, more=options)
    def redefine(self, name: str, when: dict[str, object], more: dict[str, object]) -> None:
        self.define(job(name, **(when | more)))  # type: ignore[arg-type]

    @rule(
        name=names,
        grace_ms=st.sampled_from((None, 1_000, 60_000, 150_000)),
        max_runtime_ms=st.sampled_from((None, 1_000, 60_000)),
        early=st.booleans(),
    )
    def adjust(
        self, name: str, grace_ms: int | None, max_runtime_ms: int | None, early: bool
    ) -> None:
        """What else may change of a job, by a definition that may be an older one."""
        one = self.jobs[name]
        probe = structs.replace(one.probe, max_runtime_ms=max_runtime_ms)  # type: ignore[type-var]
        if grace_ms is not None:
            probe = structs.replace(probe, grace_ms=grace_ms)
        changed = structs.replace(one, probe=probe)
        if early:
            self.fleet.control(TargetSet(structs.replace(changed, version=1)))
        else:
            self.define(changed)

    @rule(name=names, lasts=st.sampled_from((None, -1, 0, 1, 20_000, 100_000)))
    def pause(self, name: str, lasts: int | None) -> None:
        until = None if lasts is None else self.fleet.now + lasts
        self.fleet.control(TargetPaused(target=name, until=until, by="ann", note="moved"))

    @rule(name=names)
    def resume(self, name: str) -> None:
        self.fleet.control(TargetResumed(target=name, by="bob"))

    @rule(name=names)
    def disable(self, name: str) -> None:
        self.define(structs.replace(self.jobs[name], enabled=False))

    @rule(name=names, late=st.booleans(), moved=st.booleans())
    def remove(self, name: str, late: bool, moved: bool) -> None:
        self.version += 1
        self.fleet.control(
            TargetRemoved(
                target=name,
                version=1 if late else self.version,
                because="target_changed" if moved else "removed",
            )
        )

    @precondition(lambda self: len(self.fleet.reference.jobs.known) < len(NAMES))
    @rule()
    def bring_back(self) -> None:
        for name in NAMES:
            if name not in self.fleet.reference.jobs.known:
                self.resume(name)
                self.define(structs.replace(self.jobs[name], enabled=True))

    @rule(name=names, failing=st.booleans())
    def be_something_else_for_a_while(self, name: str, failing: bool) -> None:
        """A target of this name that is checked, by regions that may be called like this."""
        self.changed_kind = True
        self.version += 1
        other = target(name, "a receiver", retries=0, version=self.version, host="h")
        self.fleet.control(TargetSet(other))
        if failing:
            self.fleet.wait(1_000).fail("a", "receiver", of=name)
        self.send([signal(self.fleet, "fail", name)])
        self.define(self.jobs[name])

    # Signals

    def send(self, found: list[CheckResult], *, together: bool = True) -> None:
        self.sent += found
        if together:
            self.fleet.append(found)
        else:
            for one in found:
                self.fleet.append([one])

    @rule(
        found=st.lists(
            st.tuples(
                names, sorts, runs, st.sampled_from((0, 0, 0, 5_000, 30_000, 30_001, -15_001))
            ),
            min_size=1,
            max_size=5,
        ),
        together=st.booleans(),
    )
    def report(self, found: list[tuple[str, Signal, str | None, int]], together: bool) -> None:
        self.send(
            [signal(self.fleet, sort, name, run, ago=ago) for name, sort, run, ago in found],
            together=together,
        )

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), together=st.booleans(), elsewhere=st.booleans())
    def report_again(self, data: st.DataObject, together: bool, elsewhere: bool) -> None:
        """The same once more; or as nobody but a forger would."""
        picks = st.lists(st.integers(1, min(len(self.sent), 20)), min_size=1, max_size=6)
        again = [self.sent[-pick] for pick in data.draw(picks)]
        if elsewhere:
            forged = data.draw(st.sampled_from(({"region": "a"}, {"signal": None})))
            again = [structs.replace(one, **forged) for one in again]
            self.fleet.append(again)
        else:
            self.send(again, together=together)

    @rule(name=names, number=st.sampled_from((3, 15, 18)))
    def begin_many_runs(self, name: str, number: int) -> None:
        begun = [signal(self.fleet, "start", name, f"run {place}") for place in range(number)]
        self.send(begun)

    @rule(
        name=names,
        run=runs,
        lasts=st.sampled_from((0, 999, 1_000, 30_000, 60_000, 61_000)),
        end=st.sampled_from(("success", "fail", None)),
    )
    def run(self, name: str, run: str | None, lasts: int, end: Signal | None) -> None:
        self.send([signal(self.fleet, "start", name, run)])
        self.listen(lasts)
        if end is not None:
            self.send([signal(self.fleet, end, name, run)])

    @rule(name=names, times=st.integers(2, 5), apart=st.sampled_from((1, 1_000, 10_000)))
    def flap(self, name: str, times: int, apart: int) -> None:
        for _ in range(times):
            self.send([signal(self.fleet, "fail", name)])
            self.listen(apart)
            self.send([signal(self.fleet, "success", name)])

    @precondition(lambda self: self.flapping())
    @rule(data=st.data(), more=around, failing=st.booleans(), deaf=st.booleans())
    def stay_so_after_flapping(
        self, data: st.DataObject, more: int, failing: bool, deaf: bool
    ) -> None:
        name = data.draw(st.sampled_from(self.flapping()))
        if failing:
            self.send([signal(self.fleet, "fail", name)])
        one = self.fleet.reference.jobs.known[name]
        left = one.transitions[-1] + one.quiet_ms() + more - self.fleet.reference.running
        if deaf:
            self.fleet.quiet(left)
        else:
            self.listen(left, every=15_000)

    def flapping(self) -> list[str]:
        return sorted(name for name, of in self.fleet.open if of == "flapping" and name in NAMES)

    # Receivers, and time

    def listen(self, ms: int, *, every: int = 10_000, prober: str = "receiver-1") -> None:
        while ms > 0:
            self.fleet.now += min(ms, every)
            ms -= every
            self.fleet.beat(RECEIVER, prober=prober, targets=len(NAMES))

    @rule(
        ms=st.sampled_from((0, 1, 999, 1_000, 9_000, 15_000, 30_000, 61_000, 130_000)),
        every=st.sampled_from((5_000, 15_000)),
        prober=st.sampled_from(("receiver-1", "receiver-2")),
    )
    def go_on(self, ms: int, every: int, prober: str) -> None:
        self.listen(ms, every=every, prober=prober)

    @rule(ms=st.sampled_from((999, 14_000, 15_000, 15_001, 16_000, 45_000, 130_000)))
    def be_deaf(self, ms: int) -> None:
        """Nobody listens, and the log goes on."""
        self.fleet.quiet(ms)
        self.listen(1, every=1)

    @rule(jobs=st.sampled_from((0, 3)))
    def say_how_many(self, jobs: int) -> None:
        self.fleet.beat(RECEIVER, targets=jobs)

    @rule(times=st.integers(1, 110))
    def be_deaf_often(self, times: int) -> None:
        for _ in range(times):
            self.fleet.wait(20_000, broker_away=True)
            self.fleet.beat(RECEIVER, targets=1)

    @rule(
        name=names,
        before=st.sampled_from((0, 1, 59_999, 60_000, 75_000, 160_000)),
        more=around,
        deaf_for=st.sampled_from((0, 0, 0, 0, 15_000, 16_000, 45_000)),
        late=st.booleans(),
    )
    def come_to_a_deadline(
        self, name: str, before: int, more: int, deaf_for: int, late: bool
    ) -> None:
        """From somewhat before the report is due until about its deadline."""
        one = self.fleet.reference.jobs.known.get(name)
        if one is None or one.due is None or one.due > self.fleet.now + 500 * DAY:
            return
        begin = one.due - before
        if begin > self.fleet.now:
            self.fleet.wait(begin - self.fleet.now, broker_away=True)
            self.listen(1)
        if deaf_for:
            self.fleet.quiet(deaf_for)
            self.listen(1)
        if late and one.due > self.fleet.now:
            self.listen(one.due - self.fleet.now, every=15_000)
            self.send([signal(self.fleet, "start", name, "late")])
        deadline = self.deadline(one)
        if deadline is not None:
            self.listen(min(deadline + more - self.fleet.now, 10 * MINUTE), every=15_000)

    @precondition(lambda self: self.under_way())
    @rule(data=st.data(), more=around, end=st.sampled_from(("success", "fail", None)))
    def come_to_the_end_of_a_run(self, data: st.DataObject, more: int, end: Signal | None) -> None:
        name = data.draw(st.sampled_from(self.under_way()))
        one = self.fleet.reference.jobs.known[name]
        run = data.draw(st.sampled_from(one.runs))
        self.listen(run.began + (one.probe.max_runtime_ms or 0) + more - self.fleet.now)
        if end is not None:
            self.send([signal(self.fleet, end, name, run.name)])

    def under_way(self) -> list[str]:
        known = self.fleet.reference.jobs.known
        return sorted(name for name, one in known.items() if one.runs)

    def deadline(self, one: Job) -> int | None:
        return (
            None if self.fleet.reference.jobs.known.get(one.target.id) is not one else one.deadline
        )

    @rule(ms=st.sampled_from((1, 200, 1_000, 5_000, 14_000)))
    def wait(self, ms: int) -> None:
        self.fleet.wait(ms)

    @rule(ms=st.integers(0, 30_000))
    def wait_and_tick(self, ms: int) -> None:
        self.fleet.wait(ms).tick()

    @rule(ms=st.sampled_from((15_000, 15_001, 40_000, 400_000, HOUR, DAY)))
    def lose_the_broker(self, ms: int) -> None:
        self.fleet.wait(ms, broker_away=True)
        self.fleet.tick()

    @rule(ms=st.sampled_from((1, 300, 15_000, 15_001, 15_300, 40_000, HOUR)), ahead=st.booleans())
    def set_the_brokers_clock_back(self, ms: int, ahead: bool) -> None:
        if ahead:
            self.fleet.wait(ms, broker_away=True).tick()
            self.listen(1)
        self.was_set_back = self.was_set_back or ms > 15_000
        self.fleet.now -= ms
        self.fleet.tick()

    # A target that is checked

    @rule(down=st.sets(st.sampled_from(("a", "b"))), rounds=st.integers(1, 4), beats=st.booleans())
    def check(self, down: set[str], rounds: int, beats: bool) -> None:
        for _ in range(rounds):
            self.fleet.wait(10_000)
            for region in ("a", "b"):
                if region in down:
                    self.fleet.fail(region)
                else:
                    self.fleet.up(region)
                if beats:
                    self.fleet.beat(region)
            self.listen(1)

    # People

    @precondition(lambda self: self.fleet.open)
    @rule(data=st.data(), note=st.sampled_from((None, "", "on it")), by=st.sampled_from("ab"))
    def acknowledge(self, data: st.DataObject, note: str | None, by: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.fleet.open)))
        seen = self.fleet.open[key]
        self.fleet.wait(1).control(Acknowledged(target=key[0], incident_id=seen, by=by, note=note))

    @precondition(lambda self: self.fleet.open)
    @rule(data=st.data(), note=st.sampled_from((None, "gone for good")))
    def resolve(self, data: st.DataObject, note: str | None) -> None:
        key = data.draw(st.sampled_from(sorted(self.fleet.open)))
        meant = self.fleet.open[key]
        self.fleet.control(Resolved(target=key[0], incident_id=meant, by="ann", note=note))
