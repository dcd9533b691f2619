"""What may happen to a small fleet: the inventory, results, regions that are away, time, people."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec import structs

from schemas._types import ExpectedState
from schemas.control import (
    Acknowledged,
    Resolved,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    TargetSet,
)
from schemas.incident import IncidentType
from schemas.probe import TlsProbe
from schemas.result import Cause, CheckResult, Reason
from schemas.target import LatencyLimit, Target
from tests.unit.streams.rules.fleet import target
from tests.unit.streams.rules.reference_log import IDLE_MS, Log

REGIONS: Final = ("a", "b", "c", "d")
PLACES: Final = {
    "db": {"host": "db1.example.com", "port": 5432},
    "ssh": {"host": "db1.example.com", "port": 22},
    "web": {"host": "web.example.com", "port": 443, "kind": "tls", "probe": TlsProbe()},
}
DEPENDENCIES: Final = {
    "db": (),
    "ssh": ("gw.example.com",),
    "web": ("db1.example.com", "gw.example.com", "web.example.com"),
}
"""The hosts of dependencies: of this partition, of another one, and its own."""

TIMES: Final = {
    "db": {"interval_ms": 10_000, "timeout_ms": 1_000},
    "ssh": {"interval_ms": 30_000, "timeout_ms": 3_000},
    "web": {"interval_ms": 5_000, "timeout_ms": 500},
}
LONGEST_SPAN_MS: Final = 78_000
DEADLINES_MS: Final = (13_000, 13_001, 18_000, 20_000, 26_000, 26_001, 31_000, 78_000, 78_001)
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

Outcome = Reason | float | None
"""What was wrong, or the connect time (ms) of a success, None if it was not measured."""
Found = tuple[str, str, Outcome, int]
"""Region, target, outcome, and how long ago (ms) the check began."""
Counts = tuple[int, int, int]
"""Of a beat: targets, failing, newly failing."""

BASE: Final = {
    "latency": LatencyLimit(
        max_ms=100.0, for_results=2, times_usual=3.0, warn_ahead_ms=2_592_000_000
    ),
    "abandon_after_ms": 7_200_000,
}
CALM: Final[Counts] = (100, 0, 0)
names = st.sampled_from(tuple(PLACES))
regions = st.sampled_from(REGIONS)
# Names may come twice: a region votes once all the same.
some_regions = st.lists(regions, min_size=1, max_size=5).map(tuple)
orders = st.permutations(REGIONS) | st.lists(regions, min_size=1, unique=True)
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(
    (
        None,
        5.0,
        14.9,
        15.0,
        40.0,
        100.0,
        100.5,
        300.0,
        "connection_refused",
        "timed_out",
        "dns_failed",
    )
)
reasons: st.SearchStrategy[Reason] = st.sampled_from(("connection_refused", "timed_out"))
uncounted: st.SearchStrategy[Reason] = st.sampled_from(("prober_error", "address_blocked"))
CLOSED: Final = ("db", "ssh")
"""Those that may have to be closed: `tcp` alone has such."""

causes: st.SearchStrategy[Cause] = st.sampled_from(("schedule", "recheck"))
limits = st.builds(
    LatencyLimit,
    max_ms=st.sampled_from((100.0, 200.0)),
    for_results=st.integers(1, 3),
    times_usual=st.sampled_from((None, 1.5, 3.0)),
    warn_ahead_ms=st.sampled_from((None, DAY_MS, 30 * DAY_MS)),
    of=st.sampled_from(("connect", "connect", "total")),
) | st.builds(
    LatencyLimit, for_results=st.integers(1, 3), times_usual=st.sampled_from((1.5, 2.0, 8.0))
)
counts: st.SearchStrategy[Counts] = st.sampled_from(
    (
        CALM,
        (100, 20, 0),
        (100, 21, 0),
        (100, 40, 40),
        (100, 41, 41),
        (100, 60, 10),
        (100, 100, 100),
        (30, 19, 19),
        (30, 20, 20),
        (0, 0, 0),
        (100, 30, 60),
        (100, 20, 60),
    )
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "regions": some_regions,
        "consensus": st.sampled_from(("quorum", "unanimous", 0.5, 0.7, 1.0)),
        "retries": st.integers(0, 2),
        "retry_delay_ms": st.sampled_from((0, 1000, 1001, 5000)),
        "open_after_ms": st.sampled_from((0, 0, 1000, 20_000)),
        "recover_after": st.integers(1, 3),
        "abandon_after_ms": st.sampled_from((0, 5_000, 60_000, 7_200_000)),
        "latency": limits | limits | st.none(),
        "team": st.sampled_from(("red", "blue")),
        "name": st.sampled_from(("Orders", "Payments")),
        "criticality": st.sampled_from(("critical", "important", "normal")),
        "probe": st.builds(
            TlsProbe, warn_days=st.sampled_from((0, 3, 14, 30)), verify=st.booleans()
        ),
    },
)
days = st.sampled_from((-1, 0, 2, 3, 13, 14, 60))
around = st.sampled_from((-1, 0, 0, 1, 30_000))
pauses = st.sampled_from((799, 800, 1000, 5000))


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fleet = Log()
        self.version = 1
        self.targets: dict[str, Target] = {}
        self.results: dict[str, CheckResult] = {}
        self.times = 1
        self.ahead: list[CheckResult] = []
        self.cut_off: dict[str, list[CheckResult]] = {}
        self.said: dict[str, Counts] = {}

    # The inventory

    @initialize(each=st.tuples(policies, policies, policies))
    def begin(self, each: tuple[dict[str, object], ...]) -> None:
        for name, policy in zip(PLACES, each, strict=True):
            known = target(name, **(BASE | PLACES[name] | TIMES[name]))  # type: ignore[arg-type]
            known = structs.replace(known, depends_on_hosts=DEPENDENCIES[name])
            self.define(structs.replace(known, **policy))

    def define(self, one: Target) -> None:
        self.version += 1
        if one.expect == "closed":  # as the inventory has it
            one = structs.replace(one, latency=None, probe=None)
        self.targets[one.id] = structs.replace(one, version=self.version)
        self.fleet.control(TargetSet(self.targets[one.id]))

    @rule(
        name=names,
        lasts=st.sampled_from((None, -1, 0, 1, 20_000, 20_000, HOUR_MS)),
        note=st.sampled_from((None, "", "disk is replaced")),
        by=st.sampled_from(("ann", "bob")),
    )
    def pause(self, name: str, lasts: int | None, note: str | None, by: str) -> None:
        """Known or removed, once or again; it may be over before it is read."""
        until = None if lasts is None else self.fleet.now + lasts
        self.fleet.control(TargetPaused(target=name, until=until, by=by, note=note))

    @rule(name=names, reason=reasons, lasts=st.sampled_from((None, 1_000, 60_000)), ends=around)
    def pause_an_outage(self, name: str, reason: Reason, lasts: int | None, ends: int) -> None:
        """What was under way goes on to come while nobody looks, and just after the end."""
        self.series(name, list(REGIONS), reason, 5000)
        self.pause(name, lasts, "disk is replaced", "ann")
        self.fleet.wait(500)
        self.one_round(name, list(REGIONS), reason)
        if lasts is not None:
            self.fleet.wait(max(0, lasts - 500 + ends))
        self.series(name, list(REGIONS), reason, 5000)
        if lasts is None:
            self.resume(name)

    @rule(name=names)
    def resume(self, name: str) -> None:
        self.fleet.control(TargetResumed(target=name, by="bob"))

    @rule(name=names)
    def disable(self, name: str) -> None:
        self.define(structs.replace(self.targets[name], enabled=False))

    @precondition(lambda self: self.fleet.reference.shelved)
    @rule(resumed=st.booleans())
    def take_up_again(self, resumed: bool) -> None:
        for name, one in list(self.fleet.reference.shelved.items()):
            if one.paused is not None and resumed:
                self.resume(name)
            if not self.targets[name].enabled:
                self.define(structs.replace(self.targets[name], enabled=True))

    @rule(name=names, policy=policies)
    def change_policy(self, name: str, policy: dict[str, object]) -> None:
        """Brings a removed target back, too."""
        if name not in self.fleet.reference.targets | self.fleet.reference.shelved:
            self.fleet.reached.add("removed and back")
        self.define(structs.replace(self.targets[name], **policy))

    @rule(name=names, interval_ms=st.sampled_from((5_000, 10_000, 30_000)))
    def check_at_another_pace(self, name: str, interval_ms: int) -> None:
        if name in self.fleet.reference.targets:
            self.define(structs.replace(self.targets[name], interval_ms=interval_ms))

    @rule(name=names, port=st.booleans(), away=st.booleans())
    def move(self, name: str, port: bool, away: bool) -> None:
        place = PLACES[name]
        if away:
            place = place | ({"port": 8080} if port else {"host": "db2.example.com"})
        self.define(structs.replace(self.targets[name], **place))

    @rule(name=st.sampled_from(CLOSED), closed=st.booleans())
    def expect(self, name: str, closed: bool) -> None:
        """The port must be closed from now on, or open again: another target."""
        if name in self.fleet.reference.targets:
            expect: ExpectedState = "closed" if closed else "open"
            if closed:
                self.fleet.reached.add("must be closed")
            self.define(structs.replace(self.targets[name], expect=expect))

    @rule(name=names, moved=st.booleans(), late=st.booleans())
    def remove(self, name: str, moved: bool, late: bool) -> None:
        if not late:
            self.version += 1
        self.fleet.control(
            TargetRemoved(
                target=name,
                version=1 if late else self.version,
                because="target_changed" if moved else "removed",
            )
        )

    @precondition(lambda self: len(self.fleet.reference.targets) < len(PLACES))
    @rule()
    def bring_back(self) -> None:
        for name in PLACES:
            if name not in self.fleet.reference.targets:
                self.fleet.reached.add("removed and back")
                self.define(self.targets[name])

    @rule(name=names, policy=policies)
    def read_an_older_definition(self, name: str, policy: dict[str, object]) -> None:
        if name in self.fleet.reference.targets:
            older = structs.replace(self.targets[name], **policy, version=1)
            self.fleet.control(TargetSet(older))

    # Results

    def send(self, found: list[CheckResult], *, together: bool = False) -> None:
        """Appends results, as one batch or one after the other; cut off regions keep theirs."""
        ready = []
        for fresh in found:
            # An identity is one result: the same once more is a duplicate.
            result = self.results.setdefault(fresh.identity, fresh)
            if result.region in self.cut_off:
                self.cut_off[result.region].append(result)
            else:
                ready.append(result)
        if together and ready:
            self.fleet.append(ready)
        elif not together:
            for result in ready:
                self.fleet.append([result])

    def result(
        self, region: str, of: str, outcome: Outcome, ago: int = 0, **changes: object
    ) -> CheckResult:
        # What is checked in a time that comes a second time is another check.
        changes = {"prober": f"{region}-{self.times}"} | changes
        if isinstance(outcome, str) and self.targets[of].expect == "closed":
            outcome = "port_open"
        if isinstance(outcome, float):
            return self.fleet.result(
                region, of=of, ago=ago, connect_ms=outcome, total_ms=outcome, **changes
            )
        return self.fleet.result(region, outcome, of=of, ago=ago, **changes)

    def one_round(
        self, name: str, each: list[str], outcome: Outcome, *, together: bool = False
    ) -> None:
        self.send([self.result(region, name, outcome) for region in each], together=together)

    def series(self, name: str, each: list[str], reason: Reason, pause: int) -> None:
        """All attempts of a series, the regions side by side."""
        for attempt in range(self.targets[name].retries + 1):
            self.fleet.wait(pause if attempt else 1)
            self.send([self.result(region, name, reason, attempt=attempt) for region in each])

    def recovery(self, name: str, each: list[str], *, together: bool = False) -> None:
        for _ in range(self.targets[name].recover_after):
            self.fleet.wait(1)
            self.one_round(name, each, None, together=together)

    @rule(
        found=st.lists(
            st.tuples(
                regions,
                names,
                outcomes,
                st.sampled_from((0, 0, 1, 700, 5_000, 14_000, 26_000, 60_000)),
            ),
            min_size=1,
            max_size=5,
        ),
        together=st.booleans(),
    )
    def check(self, found: list[Found], together: bool) -> None:
        """Results in any order; the later ones of a region may have begun before the others."""
        self.check_in(found, together=together)

    def check_in(self, found: list[Found], *, together: bool) -> None:
        self.send(
            [self.result(region, name, outcome, ago) for region, name, outcome, ago in found],
            together=together,
        )

    @rule(name=names, each=orders, reason=reasons, pause=pauses)
    def fail(self, name: str, each: list[str], reason: Reason, pause: int) -> None:
        self.series(name, each, reason, pause)

    @rule(name=names, each=orders, reason=reasons, cause=causes)
    def begin_to_fail(self, name: str, each: list[str], reason: Reason, cause: Cause) -> None:
        self.fleet.wait(1)
        self.send([self.result(region, name, reason, cause=cause) for region in each])

    @rule(name=names, each=orders, reason=reasons, failures=st.integers(1, 3), quiet=st.booleans())
    def fail_again_after_a_pause(
        self, name: str, each: list[str], reason: Reason, failures: int, quiet: bool
    ) -> None:
        """A region or more were not heard until they were stale; the others go on, or do not."""
        left = LONGEST_SPAN_MS + 5_000
        while left > 0:
            self.fleet.wait(5_000).tick()
            left -= 5_000
            others = [region for region in REGIONS if region not in each]
            if not quiet:
                self.one_round(name, others, None)
        for _ in range(failures):
            self.fleet.wait(1_000)
            self.one_round(name, each, reason)

    @rule(name=names, each=orders, together=st.booleans())
    def recover(self, name: str, each: list[str], together: bool) -> None:
        self.recovery(name, each, together=together)

    @rule(name=names, down=st.sets(regions), reason=reasons, rounds=st.integers(1, 4))
    def go_on(self, name: str, down: set[str], reason: Reason, rounds: int) -> None:
        """Some intervals, in which some regions fail and the others succeed."""
        for _ in range(rounds):
            self.fleet.wait(self.targets[name].interval_ms)
            for region in REGIONS:
                self.send([self.result(region, name, reason if region in down else None)])
                self.beat_of(region)

    @rule(
        name=names,
        each=st.permutations(REGIONS) | orders,
        times=st.sampled_from(
            ((300.0, 300.0), (100.5,) * 3, (300.0,) * 3, (300.0, 5.0, 300.0), (60.0,) * 6)
        ),
        beats=st.booleans(),
    )
    def slow_down(self, name: str, each: list[str], times: tuple[float, ...], beats: bool) -> None:
        self.answer(name, each, times, beats=beats)

    @precondition(lambda self: self.some_open("slow"))
    @rule(
        data=st.data(),
        each=st.permutations(REGIONS) | orders,
        times=st.sampled_from(((5.0,) * 3, (100.0,) * 3, (5.0, None, 5.0))),
    )
    def speed_up(
        self, data: st.DataObject, each: list[str], times: tuple[float | None, ...]
    ) -> None:
        name = data.draw(st.sampled_from(self.some_open("slow")))
        self.answer(name, each, times, beats=False)

    def answer(
        self, name: str, each: list[str], times: tuple[float | None, ...], *, beats: bool
    ) -> None:
        """An interval for each of the connect times."""
        for connect_ms in times:
            self.fleet.wait(self.targets[name].interval_ms)
            self.one_round(name, each, connect_ms)
            for region in REGIONS if beats else ():
                self.beat_of(region)

    @precondition(lambda self: self.fleet.open)
    @rule(
        data=st.data(),
        quiet=regions,
        rounds=st.integers(1, 8),
        connect_ms=st.sampled_from((None, 5.0, 5.0, 300.0)),
    )
    def recover_all_but_one(
        self, data: st.DataObject, quiet: str, rounds: int, connect_ms: float | None
    ) -> None:
        name, _ = self.some_incident(data)
        half = self.targets[name].interval_ms // 2
        for _ in range(rounds):
            self.fleet.wait(half).tick()
            self.fleet.wait(half)
            self.one_round(name, [one for one in REGIONS if one != quiet], connect_ms)

    @rule(
        name=names,
        region=regions,
        outcome=outcomes,
        ahead=st.sampled_from((1, 900, 14_000, 15_000, 15_001, 3_600_000)),
        twice=st.booleans(),
    )
    def check_with_a_clock_ahead(
        self, name: str, region: str, outcome: Outcome, ahead: int, twice: bool
    ) -> None:
        result = self.result(
            region, name, outcome, ago=-ahead, prober=f"{region}-ahead-{self.times}"
        )
        if region not in self.cut_off and result.identity not in self.results:
            self.results[result.identity] = result
            self.ahead.append(result)
            self.fleet.append([result, result] if twice else [result])

    @rule(name=names, region=regions, missed=st.booleans(), reason=uncounted)
    def find_nothing_out(self, name: str, region: str, missed: bool, reason: Reason) -> None:
        one = self.fleet.result(region, reason, of=name, missed=missed, prober=f"{region}-2")
        self.send([one])

    @rule(name=names, each=orders)
    def lack_a_secret(self, name: str, each: list[str]) -> None:
        """Probers that can't make the check; another one of the region may have the secret."""
        self.send(
            [
                self.fleet.result(
                    region, "secret_missing", of=name, missed=True, prober=f"{region}-poor"
                )
                for region in each
            ]
        )

    @precondition(lambda self: self.results)
    @rule(data=st.data(), together=st.booleans())
    def deliver_again(self, data: st.DataObject, together: bool) -> None:
        known = list(self.results.values())
        picks = st.lists(st.integers(1, min(len(known), 30)), min_size=1, max_size=6)
        again = [known[-pick] for pick in data.draw(picks)]
        self.send(again, together=together)

    @precondition(lambda self: self.ahead)
    @rule(data=st.data(), ms=st.sampled_from((0, 1, 900, 15_000)))
    def deliver_again_what_was_ahead(self, data: st.DataObject, ms: int) -> None:
        """Also when others of its region counted meanwhile, and the log has come to its start."""
        again = data.draw(st.sampled_from(self.ahead))
        self.send([self.result(again.region, again.target, "timed_out")])
        self.fleet.wait(ms)
        self.send([again])

    @rule(
        name=names,
        each=orders,
        left=st.lists(days, min_size=1, max_size=3),
        reason=st.sampled_from((None, None, "certificate_ending", "certificate_invalid")),
        rounds=st.sampled_from((1, 2, 3, 11)),
    )
    def look_at_certificates(
        self, name: str, each: list[str], left: list[int], reason: Reason | None, rounds: int
    ) -> None:
        """Regions that get, in turn, certificates with so many days left."""
        ends = [self.fleet.now + some * DAY_MS for some in left]
        for number in range(rounds):
            self.fleet.wait(1_000)
            end = ends[number % len(ends)]
            self.send([self.result(region, name, reason, cert_expires_at=end) for region in each])

    # Quick outages

    @rule(
        name=names,
        each=st.permutations(REGIONS),
        reason=reasons,
        times=st.sampled_from((2, 4, 4, 5)),
        apart=st.sampled_from((1000, 60_000, 900_000)),
    )
    def flap(self, name: str, each: list[str], reason: Reason, times: int, apart: int) -> None:
        self.flap_every(name, each, reason, times=times, apart=apart)

    def flap_every(
        self, name: str, each: list[str], reason: Reason, *, times: int, apart: int
    ) -> None:
        for _ in range(times):
            self.fleet.quiet(apart)
            self.series(name, each, reason, 5000)
            if held_for := self.targets[name].open_after_ms:
                self.fleet.wait(held_for)
                self.one_round(name, each, reason)
            self.fleet.wait(1000)
            self.recovery(name, each)

    @rule(
        name=names,
        each=st.permutations(REGIONS),
        reason=reasons,
        times=st.integers(1, 5),
        apart=st.sampled_from((1000, 1000, 60_000)),
    )
    def come_and_go_beside_a_blocked_region(
        self, name: str, each: list[str], reason: Reason, times: int, apart: int
    ) -> None:
        """One region can't reach it for good: the others' outages are one incident's."""
        for _ in range(times):
            self.fleet.quiet(apart)
            self.series(name, each, reason, 5000)
            if held_for := self.targets[name].open_after_ms:
                self.fleet.wait(held_for)
                self.one_round(name, each, reason)
            self.fleet.wait(1000)
            self.recovery(name, each[1:])

    @rule(name=names, each=st.permutations(REGIONS), reason=reasons)
    def flap_slowly(self, name: str, each: list[str], reason: Reason) -> None:
        """The hour's limit sees none of it, that of six hours does."""
        self.flap_every(name, each, reason, times=7, apart=1_500_000)

    @precondition(lambda self: self.some_open("flapping"))
    @rule(data=st.data(), more=around, some=st.integers(1, 4))
    def stay_up_after_flapping(self, data: st.DataObject, more: int, some: int) -> None:
        """Half an hour (two) has passed since the last transition, or nearly."""
        name = data.draw(st.sampled_from(self.some_open("flapping")))
        self.recovery(name, list(REGIONS))
        self.wait_out(name, more)
        self.one_round(name, list(REGIONS)[:some], None)

    @precondition(lambda self: self.some_open("flapping"))
    @rule(data=st.data(), more=around, some=st.sampled_from((1, 3, 4, 4)), reason=reasons)
    def stay_down_after_flapping(
        self, data: st.DataObject, more: int, some: int, reason: Reason
    ) -> None:
        name = data.draw(st.sampled_from(self.some_open("flapping")))
        self.series(name, list(REGIONS), reason, 5000)
        self.fleet.wait(self.targets[name].open_after_ms).tick()
        self.wait_out(name, more)
        # They are stale: what they said is said anew.
        self.series(name, list(REGIONS)[:some], reason, 5000)

    @precondition(lambda self: self.some_open("flapping"))
    @rule(data=st.data(), more=around)
    def say_nothing_after_flapping(self, data: st.DataObject, more: int) -> None:
        self.wait_out(data.draw(st.sampled_from(self.some_open("flapping"))), more)

    @precondition(lambda self: self.some_transitions())
    @rule(
        data=st.data(),
        which=st.integers(0, 12),
        more=around,
        hours=st.sampled_from((1, 1, 1, 6)),
    )
    def let_hours_pass(self, data: st.DataObject, which: int, more: int, hours: int) -> None:
        """From one of the last transitions on, or nearly."""
        name = data.draw(st.sampled_from(sorted(self.some_transitions())))
        transitions = self.some_transitions()[name]
        since = transitions[-1 - which % len(transitions)]
        self.fleet.quiet(since + hours * HOUR_MS + more - self.fleet.reference.running)

    def some_transitions(self) -> dict[str, list[int]]:
        watched = self.fleet.reference.targets
        return {name: one.transitions for name, one in watched.items() if one.transitions}

    def some_open(self, wanted: IncidentType) -> list[str]:
        return sorted(name for name, of in self.fleet.open if of == wanted)

    def wait_out(self, name: str, more: int) -> None:
        if name in self.some_open("flapping"):
            watched = self.fleet.reference.targets[name]
            until = watched.transitions[-1] + watched.quiet_ms() + more
            self.fleet.quiet(until - self.fleet.reference.running)

    # Regions that are away, or have lost their own network

    def beat_of(self, region: str, now: Counts | None = None, prober: str = "") -> None:
        """What it said last, if nothing else."""
        if now is not None:
            self.said[region] = now
        if region not in self.cut_off:
            targets, failing, newly = self.said.get(region, CALM)
            self.fleet.beat(
                region, prober=prober, targets=targets, failing=failing, newly_failing=newly
            )

    @rule(region=regions)
    def cut_off_region(self, region: str) -> None:
        self.cut_off.setdefault(region, [])

    @precondition(lambda self: self.cut_off)
    @rule(data=st.data())
    def return_with_spool(self, data: st.DataObject) -> None:
        region = data.draw(st.sampled_from(sorted(self.cut_off)))
        self.send(self.cut_off.pop(region), together=True)

    @rule(
        looking=st.sets(regions, max_size=3),
        beating=st.sets(regions),
        each=st.sets(names, min_size=1),
        minutes=st.integers(2, 12),
    )
    def look_from_some_regions_only(
        self, looking: set[str], beating: set[str], each: set[str], minutes: int
    ) -> None:
        """For a while only some regions have results, of some targets, and only some beat."""
        for _ in range(6 * minutes):
            self.fleet.wait(10_000)
            found = [
                self.result(region, name, None)
                for region in sorted(looking)
                for name in sorted(each)
            ]
            self.send(found, together=True)
            for region in sorted(beating):
                self.beat_of(region)
            if not beating:
                self.fleet.tick()

    @rule(each=orders)
    def beat(self, each: list[str]) -> None:
        for region in each:
            self.beat_of(region)

    @rule(region=regions, now=counts, second=st.booleans())
    def beat_of_a_prober(self, region: str, now: Counts, second: bool) -> None:
        self.beat_of(region, now, f"{region}-{second + 1}")

    @rule(region=regions, name=names, reason=reasons, failing=st.sampled_from((41, 60, 100)))
    def lose_a_network(self, region: str, name: str, reason: Reason, failing: int) -> None:
        """One region fails for most of its targets, while the others look and are well."""
        for _ in range(3):
            self.beat_of(region, (100, failing, failing))
            self.fleet.wait(5_000)
            for other in REGIONS:
                if other != region:
                    self.beat_of(other, CALM)
        self.series(name, [region], reason, 1000)

    @rule(each=st.permutations(REGIONS), ms=st.sampled_from((1, 1_000, 2_500)))
    def all_fail_widely(self, each: list[str], ms: int) -> None:
        """Each region says so some seconds after the others."""
        for _ in range(5):
            for region in each:
                self.fleet.wait(ms)
                self.beat_of(region, (100, 60, 60))

    @precondition(lambda self: self.fleet.reference.aside)
    @rule(data=st.data(), now=st.sampled_from((CALM, (100, 20, 0), (100, 21, 0))))
    def find_the_network_again(self, data: st.DataObject, now: Counts) -> None:
        region = data.draw(st.sampled_from(sorted(self.fleet.reference.aside)))
        self.beat_of(region, now)

    @rule(each=st.lists(regions, min_size=2, unique=True))
    def fail_widely(self, each: list[str]) -> None:
        for region in each:
            self.beat_of(region, (100, 60, 60))

    # Time

    @rule(ms=st.sampled_from((1, 200, 800, 1000, 5_000, 10_000, 15_000, 28_000, 80_000)))
    def wait(self, ms: int) -> None:
        self.fleet.wait(ms)

    @rule(ms=st.integers(0, 90_000) | st.sampled_from(DEADLINES_MS))
    def wait_and_tick(self, ms: int) -> None:
        self.fleet.wait(ms).tick()

    @rule(ms=st.sampled_from((1, 300)))
    def step_back(self, ms: int) -> None:
        """Another broker leads and its clock is behind."""
        self.fleet.now -= ms
        self.fleet.tick()

    @rule(ms=st.sampled_from((15_000, 15_001, 15_300, 28_000, 40_000, HOUR_MS)))
    def set_the_brokers_clock_back(self, ms: int) -> None:
        self.set_back(ms)

    @rule(
        ms=st.sampled_from((15_001, 40_000, HOUR_MS)),
        name=names,
        down=st.sets(regions),
        reason=reasons,
        rounds=st.integers(0, 2),
    )
    def be_ahead_for_a_while(
        self, ms: int, name: str, down: set[str], reason: Reason, rounds: int
    ) -> None:
        self.fleet.wait(ms, broker_away=True).tick()
        self.go_on(name, down, reason, rounds)
        self.set_back(ms)

    def set_back(self, ms: int) -> None:
        """What was checked before can't be told from what is checked in the same time again."""
        self.results, self.ahead = {}, []
        self.times += 10
        self.fleet.now -= ms
        self.fleet.tick()

    @rule(
        ms=st.sampled_from((15_000, 15_001, 40_000, 400_000)),
        found=st.lists(st.tuples(regions, names, outcomes, st.integers(0, 45_000)), max_size=6),
        together=st.booleans(),
    )
    def lose_the_broker(self, ms: int, found: list[Found], together: bool) -> None:
        """What was checked meanwhile comes when the broker is back, or the first thing after."""
        self.fleet.wait(ms, broker_away=True)
        self.check_in(found, together=together)
        self.fleet.tick()

    @rule(
        name=names,
        region=regions,
        after=st.sampled_from((HOUR_MS - 1, HOUR_MS, DAY_MS - 1, DAY_MS, DAY_MS, DAY_MS + 60_000)),
        each=st.permutations(REGIONS),
        times=st.sampled_from(
            ((5.0,) * 3, (40.0,) * 3, (14.0,) * 12, (90.0,) * 8, (5.0, 15.0, 15.1))
        ),
    )
    def learn_for_long(
        self, name: str, region: str, after: int, each: list[str], times: tuple[float, ...]
    ) -> None:
        """An hour or a day after a region turned up, or nearly; little is heard till then."""
        self.fleet.wait(1)
        self.one_round(name, each, 5.0)
        watched = self.fleet.reference.targets.get(name)
        said = {} if watched is None else watched.said(self.fleet.reference.running)
        since = said[region].speed.since if region in said else None
        if since is None or since + after <= self.fleet.now + IDLE_MS:
            return
        self.fleet.wait(since + after - self.fleet.now, broker_away=True)
        for connect_ms in times:
            self.one_round(name, each, connect_ms)
            self.fleet.wait(1000)

    # People

    def some_incident(self, data: st.DataObject) -> tuple[str, IncidentType]:
        return data.draw(st.sampled_from(sorted(self.fleet.open)))

    @precondition(lambda self: self.fleet.open)
    @rule(
        data=st.data(),
        by=st.sampled_from(("ann", "bob")),
        note=st.sampled_from((None, "", "on it", "the disk is full")),
        mistaken=st.booleans(),
    )
    def acknowledge(self, data: st.DataObject, by: str, note: str | None, mistaken: bool) -> None:
        key = self.some_incident(data)
        seen = "another" if mistaken else self.fleet.open[key]
        self.fleet.wait(1).control(Acknowledged(target=key[0], incident_id=seen, by=by, note=note))

    @precondition(lambda self: self.fleet.open)
    @rule(
        data=st.data(),
        note=st.sampled_from((None, "", "gone for good")),
        mistaken=st.sampled_from((False, False, True)),
    )
    def resolve(self, data: st.DataObject, note: str | None, mistaken: bool) -> None:
        key = self.some_incident(data)
        meant = "another" if mistaken else self.fleet.open[key]
        self.fleet.control(Resolved(target=key[0], incident_id=meant, by="ann", note=note))
