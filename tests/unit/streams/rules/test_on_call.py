"""Histories across the seams of the rules, as an engineer on call fears them.

What should be told was written down from docs/rules.md, before the code was read. Each history goes
through the rules, the reference and a restored state (reference_log).
"""

from collections.abc import Iterable

from msgspec import structs

from schemas.control import Acknowledged, Resolved, TargetSet
from schemas.incident import IncidentEvent, TargetsEvent
from schemas.probe import TlsProbe
from schemas.result import Reason
from schemas.target import LatencyLimit, Target
from tests.unit.streams.rules.fleet import target
from tests.unit.streams.rules.reference_log import Log

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

PHASES = {"a": 0, "b": 4, "c": 8, "d": 2, "e": 6}
"""When within a minute a region checks, in steps of 5 s."""


class Shift(Log):
    """A night on call: regions beat every 5 s, and check each target once a minute."""

    def __init__(self, *targets: Target) -> None:
        super().__init__()
        self.step = 0
        for one in targets:
            self.control(TargetSet(one))

    def live(
        self,
        minutes: float,
        failing: str = "",
        *,
        alive: str = "a b c",
        looking: str | None = None,
        reason: Reason = "timed_out",
        **seen: object,
    ) -> list[tuple[str, ...]]:
        """What is told in this time, but for updates.

        `alive` regions beat; `looking` ones (else the alive ones) check; `failing` ones fail, and
        once more a second later. `seen` stands in each result.
        """
        before = len(self.events)
        looks = (alive if looking is None else looking).split()
        for _ in range(round(minutes * 12)):
            self.now += 4 * SECOND
            for region in alive.split():
                self.beat(region)
            self.tick()
            due = [region for region in looks if PHASES[region] == self.step % 12]
            self._check(due, failing.split(), reason, seen)
            self.now += SECOND
            self._check([one for one in due if one in failing], failing.split(), reason, seen)
            self.step += 1
        return turns(self.events[before:])

    def _check(
        self, regions: Iterable[str], failing: list[str], reason: Reason, seen: dict[str, object]
    ) -> None:
        for name, entry in list(self.state.targets.items()):
            for region in regions:
                if region in entry.policy.positions:
                    found = reason if region in failing else None
                    self.append([self.result(region, found, of=name, **seen)])

    def change(self, **changes: object) -> list[tuple[str, ...]]:
        """Another definition of `db`; what it tells."""
        before = len(self.events)
        entry = self.state.targets["db"].target
        self.control(TargetSet(structs.replace(entry, version=entry.version + 1, **changes)))
        return turns(self.events[before:])

    def acknowledge(self) -> None:
        seen = self.events[-1].incident_id
        self.control(Acknowledged(target="db", incident_id=seen, by="ann"))

    def resolve(self) -> None:
        seen = self.events[-1].incident_id
        self.control(Resolved(target="db", incident_id=seen, by="ann"))

    def last(self, event: str, incident_type: str = "unreachable") -> IncidentEvent:
        return next(
            one
            for one in reversed(self.events)
            if (one.event, one.incident_type) == (event, incident_type)
        )

    @property
    def coverage(self) -> list[str]:
        found = [out for out in self.outputs if isinstance(out, TargetsEvent)]
        return [one.event.removeprefix("targets.") for one in found]

    @property
    def regions_told(self) -> list[tuple[str, str]]:
        return [(one.event.removeprefix("region."), one.region) for one in self.region_events]


def turns(events: list[IncidentEvent]) -> list[tuple[str, ...]]:
    return [
        (one.event, one.incident_type, *filter(None, [one.closed_because]))
        for one in events
        if one.event != "updated"
    ]


OPENED = ("opened", "unreachable")
IMPROVED = ("improved", "unreachable")
WORSENED = ("worsened", "unreachable")
RECOVERED = ("closed", "unreachable", "recovered")
ABANDONED = ("closed", "unreachable", "abandoned")
TAKEN_OVER = [("closed", "unreachable", "flapping"), ("opened", "flapping")]
RECOVERED_ONE_BY_ONE = [IMPROVED, RECOVERED]
"""For the moment before the last region has recovered, only some fail."""
STEADY_UP = ("closed", "flapping", "recovered")


# 1


def test_the_prober_of_a_blocked_region_dies_while_the_target_is_better() -> None:
    """Ann sleeps after her acknowledgement: the next outage must wake somebody."""
    shift = Shift(target())
    shift.live(3)
    assert shift.live(5, "a b c") == [OPENED]
    shift.acknowledge()
    assert shift.live(5, "c") == [IMPROVED]
    assert shift.last("improved").acknowledged_by == "ann"
    assert shift.live(10, alive="a b") == []
    assert shift.live(5, "a b", alive="a b") == [WORSENED]
    worsened = shift.last("worsened")
    assert (worsened.episode, worsened.acknowledged_by) == (2, None)
    assert shift.live(3, alive="a b") == [IMPROVED]
    # 30 min after the last result of c was no longer fresh nobody waits for it.
    assert shift.live(20, alive="a b") == [RECOVERED]
    assert shift.last("closed").episode == 2
    assert shift.live(5, "a b", alive="a b") == [OPENED]
    assert shift.last("opened").incident_id != worsened.incident_id


# 2


def test_beside_a_blocked_region_a_target_that_flaps_is_told_once() -> None:
    shift = Shift(target())
    shift.live(2, "c")
    told = []
    for _ in range(6):
        told += shift.live(3, "a b c")
        told += shift.live(3, "c")
    assert told == [OPENED, IMPROVED, WORSENED, IMPROVED, WORSENED, IMPROVED, *TAKEN_OVER]
    # The prober of the blocked region dies: nothing changes for the target.
    assert shift.live(20, alive="a b") == []
    assert shift.live(14, alive="a b") == [STEADY_UP]
    assert shift.live(5, "a b", alive="a b") == [OPENED]


# 3


def test_a_certificate_expires_and_is_renewed_on_one_of_three_backends() -> None:
    end = 1_800_000_000_000 + 20 * MINUTE
    shift = Shift(target(kind="tls", port=443, probe=TlsProbe()))
    assert shift.live(3, cert_expires_at=end) == [("opened", "expiring")]
    shift.acknowledge()
    assert shift.live(17, cert_expires_at=end) == []
    assert shift.live(5, "a b c", reason="certificate_expired", cert_expires_at=None) == [OPENED]
    assert shift.last("opened").acknowledged_by is None

    renewed = end + 90 * DAY
    # Only a sees the new certificate: the other two are enough for the outage.
    for _ in range(12):
        assert shift.live(1, "b c", reason="certificate_expired", looking="b c") == []
        shift.append([shift.result("a", cert_expires_at=renewed)])
    # b, too: better, since c alone is no outage. The certificate is still told.
    assert shift.live(0.5, "c", reason="certificate_expired", cert_expires_at=renewed) == [IMPROVED]
    assert shift.live(12, "c", reason="certificate_expired", looking="c") == []
    assert shift.live(12, cert_expires_at=renewed) == [
        RECOVERED,
        ("closed", "expiring", "recovered"),
    ]


# 4


def test_the_clock_of_the_broker_is_set_back_within_an_episode() -> None:
    shift = Shift(target())
    shift.live(2, "c")
    assert shift.live(3, "a b c") == [OPENED]
    assert shift.live(5, "c") == [IMPROVED]
    shift.now -= HOUR
    assert shift.live(2, "c") == []
    assert shift.live(3, "a b c") == [WORSENED]
    worsened = shift.last("worsened")
    assert worsened.episode_began_at is not None
    assert 5 * MINUTE <= worsened.episode_began_at - worsened.opened_at <= 12 * MINUTE
    times = [event.at for event in shift.events]
    assert times == sorted(times)  # of the old time, until it has come again
    shift.now -= HOUR
    assert shift.live(3) == RECOVERED_ONE_BY_ONE
    assert shift.coverage == []
    assert shift.regions_told == []


def test_the_clock_is_set_back_within_flapping_and_half_an_hour_stays_half_an_hour() -> None:
    shift = Shift(target())
    for _ in range(4):
        shift.live(3, "a b c")
        shift.live(3)
    assert turns(shift.events)[-1] == ("opened", "flapping")
    shift.live(10)
    shift.now -= HOUR
    assert shift.live(15) == []
    assert shift.live(5) == [STEADY_UP]


# 5


def test_a_region_is_added_and_one_taken_away_while_one_is_blocked() -> None:
    shift = Shift(target())
    shift.live(2, "c")
    shift.live(3, "a b c")
    assert shift.live(3, "c") == [IMPROVED]
    assert shift.change(regions=("a", "b", "c", "d")) == []
    # d is blocked, too. Two of four fail: no outage, and no recovery.
    assert shift.live(5, "c d", alive="a b c d") == []
    assert shift.live(3, "a c d", alive="a b c d") == [WORSENED]
    assert shift.last("worsened").votes.need == 3
    assert shift.live(3, "c d", alive="a b c d") == [IMPROVED]
    assert shift.change(regions=("a", "b", "d")) == []
    assert shift.change(regions=("a", "b")) == [RECOVERED]


def test_the_regions_that_succeed_are_taken_away() -> None:
    """Who is left says that it is down: that is an outage, for all that anybody can see."""
    shift = Shift(target())
    shift.live(2, "c")
    shift.live(3, "a b c")
    assert shift.live(3, "c") == [IMPROVED]
    assert shift.change(regions=("c",)) == [WORSENED]
    assert shift.live(2) == [RECOVERED]


# 6


def test_an_improved_incident_is_resolved_by_hand_and_the_next_outage_is_told() -> None:
    shift = Shift(target())
    shift.live(2, "c")
    shift.live(3, "a b c")
    assert shift.live(3, "c") == [IMPROVED]
    shift.resolve()
    assert turns(shift.events)[-1] == ("closed", "unreachable", "resolved")
    assert shift.live(10, "c") == []
    assert shift.live(3, "a b c") == [OPENED]


def test_flapping_is_resolved_by_hand_while_it_is_down() -> None:
    shift = Shift(target())
    for _ in range(3):
        shift.live(3, "a b c")
        shift.live(3)
    assert shift.live(3, "a b c") == [("opened", "flapping")]
    shift.resolve()
    # She knows of this outage. The next one is another.
    assert shift.live(10, "a b c") == []
    assert shift.live(3) == []
    assert shift.live(3, "a b c") == [OPENED]


# 7


def test_all_probers_die_within_an_outage_and_come_back_to_it() -> None:
    """Region e, which does not check the target, keeps the log alive."""
    shift = Shift(target())
    shift.live(2, alive="a b c e")
    assert shift.live(3, "a b c", alive="a b c e") == [OPENED]
    assert shift.live(20, alive="e") == []
    assert shift.coverage == ["unwatched"]
    assert sorted(shift.regions_told) == [("silent", "a"), ("silent", "b"), ("silent", "c")]
    # It is the outage that was told: nothing improved, nothing worsened.
    assert shift.live(3, "a b c", alive="a b c e") == []
    assert shift.coverage == ["unwatched", "watched"]
    assert shift.live(2, alive="a b c e") == RECOVERED_ONE_BY_ONE


def test_all_probers_are_away_for_longer_and_it_is_another_outage() -> None:
    shift = Shift(target())
    shift.live(2, alive="a b c e")
    assert shift.live(3, "a b c", alive="a b c e") == [OPENED]
    first = shift.last("opened").incident_id
    assert shift.live(40, alive="e") == [ABANDONED]
    back = shift.now
    assert shift.live(3, "a b c", alive="a b c e") == [OPENED]
    opened = shift.last("opened")
    assert opened.incident_id != first
    assert opened.first_failed_at >= back


def test_everything_is_silent_for_two_hours_within_an_outage() -> None:
    """The broker was away: no more than that is known, so it is the same outage."""
    shift = Shift(target())
    shift.live(2)
    assert shift.live(3, "a b c") == [OPENED]
    shift.now += 2 * HOUR
    assert shift.live(3, "a b c") == []
    assert shift.live(2) == RECOVERED_ONE_BY_ONE
    assert shift.coverage == []
    assert shift.regions_told == []


# 8


def test_the_broker_is_away_while_the_target_flaps() -> None:
    shift = Shift(target())
    for _ in range(4):
        shift.live(3, "a b c")
        shift.live(3)
    assert turns(shift.events)[-1] == ("opened", "flapping")
    shift.live(15)
    shift.now += 40 * MINUTE
    assert shift.live(10) == []
    assert shift.live(5) == [STEADY_UP]


# 9


def test_of_two_regions_one_is_dead_and_comes_back_into_an_outage() -> None:
    shift = Shift(target(regions="a b"))
    shift.live(3, alive="a b")
    dead = shift.now
    assert shift.live(9, alive="a") == []
    assert shift.regions_told == [("silent", "b")]
    assert shift.coverage == ["unwatched"]
    began = shift.now
    assert shift.live(60, "a", alive="a") == []
    assert shift.coverage == ["unwatched"]
    assert shift.live(3, "a b", alive="a b") == [OPENED]
    assert shift.coverage == ["unwatched", "watched"]
    assert began > dead


def test_an_outage_that_nobody_could_judge_is_over_before_anybody_can() -> None:
    """Nothing opens afterwards; that nobody looked was told."""
    shift = Shift(target())
    shift.live(3)
    assert shift.live(9, alive="a") == []
    assert shift.live(10, "a", alive="a") == []
    assert shift.live(5, alive="a") == []
    assert shift.live(5) == []
    assert shift.coverage == ["unwatched", "watched"]
    assert shift.events == []


# 10


LIMITED = LatencyLimit(max_ms=100.0, for_results=3)


def test_a_slow_target_goes_down_and_comes_back_beside_a_blocked_region() -> None:
    shift = Shift(target(latency=LIMITED))
    shift.live(4, connect_ms=20.0)
    assert shift.live(4, connect_ms=250.0) == [("opened", "slow")]
    assert shift.live(4, "a b c") == [OPENED]
    assert shift.live(4, "c", connect_ms=250.0) == [IMPROVED]
    assert shift.live(2, "a b c") == [WORSENED]
    # c says down, so not every region says that all is well: neither ends.
    assert shift.live(6, "c", connect_ms=20.0) == [IMPROVED]
    # c was slow when it was heard last, and must be fast three times.
    assert shift.live(2, connect_ms=20.0) == [RECOVERED]
    assert shift.live(2, connect_ms=20.0) == [("closed", "slow", "recovered")]


def test_one_region_is_slow_and_one_is_down() -> None:
    shift = Shift(target(latency=LIMITED))
    shift.live(4, connect_ms=20.0)
    for _ in range(4):
        shift.live(1, "b", looking="b c", connect_ms=20.0)
        shift.append([shift.result("a", connect_ms=250.0)])
    assert turns(shift.events) == [("opened", "slow")]
    assert shift.live(5, "a b c") == [OPENED]


def test_what_is_slow_after_nobody_looked_for_hours_is_not_told_of_hours_ago() -> None:
    shift = Shift(target(latency=LIMITED))
    shift.live(4, alive="a b c e", connect_ms=20.0)
    assert shift.live(5, alive="a b c e", connect_ms=250.0) == [("opened", "slow")]
    assert shift.live(40, alive="e") == [("closed", "slow", "abandoned")]
    back = shift.now
    assert shift.live(4, alive="a b c e", connect_ms=250.0) == [("opened", "slow")]
    assert shift.last("opened", "slow").first_failed_at >= back


def test_one_slow_look_after_nobody_looked_for_hours_is_no_incident() -> None:
    shift = Shift(target(latency=LIMITED))
    shift.live(4, alive="a b c e", connect_ms=20.0)
    assert shift.live(5, alive="a b c e", connect_ms=250.0) == [("opened", "slow")]
    assert shift.live(40, alive="e") == [("closed", "slow", "abandoned")]
    assert shift.live(1, alive="a b c e", connect_ms=250.0) == []
    assert shift.live(5, alive="a b c e", connect_ms=20.0) == []


# 11


def test_unanimous_with_a_silent_region_that_said_down() -> None:
    shift = Shift(target(consensus="unanimous"))
    shift.live(2)
    assert shift.live(3, "a b c") == [OPENED]
    assert shift.live(2, "b c") == [IMPROVED]
    # c dies; its word stays for a while, then it is stale, and the other two are all.
    assert shift.live(2, "a b", alive="a b") == [WORSENED]
    assert shift.live(2, "b", alive="a b") == [IMPROVED]
    assert shift.live(3, "a b", alive="a b") == [WORSENED]
    assert shift.live(2, alive="a b") == [IMPROVED]
    assert shift.live(2) == [RECOVERED]


def test_unanimous_waits_for_no_silent_region_and_its_return_is_good_news() -> None:
    shift = Shift(target(consensus="unanimous"))
    shift.live(3)
    assert shift.live(3, "a b", alive="a b") == [OPENED]
    # Back, it sees it up: then not all say that it is down.
    assert shift.live(2, "a b") == [IMPROVED]
    assert shift.live(2) == [RECOVERED]


def test_unanimous_is_not_told_of_restarts_of_the_only_prober_that_sees_it_up() -> None:
    shift = Shift(target(consensus="unanimous"))
    shift.live(2)
    assert shift.live(5, "a b") == []
    for _ in range(3):
        assert shift.live(0.5, "a b", alive="a b") == []
        assert shift.live(5, "a b") == []


# 12


def test_one_region_blinks_and_recover_after_is_three() -> None:
    shift = Shift(target(recover_after=3))
    shift.live(2)
    assert shift.live(3, "a b c") == [OPENED]
    told = []
    for _ in range(5):
        told += shift.live(2)
        told += shift.live(1, "c")
    assert told == [IMPROVED]
    assert shift.live(4) == [RECOVERED]


def test_two_regions_blink_and_recover_after_is_three() -> None:
    """Never three in a row from two of three: nobody says that it is better, nor worse."""
    shift = Shift(target(recover_after=3))
    shift.live(2)
    assert shift.live(3, "a b c") == [OPENED]
    told = []
    for _ in range(5):
        told += shift.live(2)
        told += shift.live(1, "b c")
    assert told == []
    assert shift.live(4) == [IMPROVED, RECOVERED]


# 13


def test_flapping_that_nobody_looks_at_is_abandoned_and_the_count_begins_anew() -> None:
    shift = Shift(target())
    for _ in range(4):
        shift.live(3, "a b c", alive="a b c e")
        shift.live(3, alive="a b c e")
    assert turns(shift.events)[-1] == ("opened", "flapping")
    assert shift.live(31, alive="e") == []
    assert shift.live(5, alive="e") == [("closed", "flapping", "abandoned")]
    told = []
    for _ in range(3):
        told += shift.live(3, "a b c", alive="a b c e")
        told += shift.live(3, alive="a b c e")
    assert told == [OPENED, *RECOVERED_ONE_BY_ONE] * 3


def test_a_certificate_that_nobody_looks_at_is_abandoned_and_told_again() -> None:
    end = 1_800_000_000_000 + 10 * DAY
    shift = Shift(target(kind="tls", port=443, probe=TlsProbe()))
    assert shift.live(3, alive="a b c e", cert_expires_at=end) == [("opened", "expiring")]
    assert shift.live(40, alive="e") == [("closed", "expiring", "abandoned")]
    assert shift.live(2, alive="a b c e", cert_expires_at=end) == [("opened", "expiring")]


# 14


def test_the_policy_changes_in_an_open_incident_and_back() -> None:
    shift = Shift(target())
    shift.live(2)
    assert shift.live(3, "a b") == [OPENED]
    assert shift.change(consensus="unanimous") == [IMPROVED]
    assert shift.live(3, "a b") == []
    assert shift.change(consensus="quorum") == [WORSENED]
    assert shift.change(retries=5) == []
    assert shift.live(3, "a b") == []
    assert shift.live(2) == RECOVERED_ONE_BY_ONE


# 15


def test_the_clock_of_a_prober_is_20_s_ahead() -> None:
    """Its results are history only: a target that only it checks is not watched."""
    shift = Shift(target(regions="a"), target("mail", "a b c"))
    shift.live(2)
    for _ in range(12):
        shift.live(1, looking="b c")
        for name in ("db", "mail"):
            shift.append([shift.result("a", "timed_out", of=name, ago=-20 * SECOND)])
    assert shift.events == []
    assert shift.coverage == ["unwatched"]
    assert any(
        "the clocks of their probers" in out.summary
        for out in shift.outputs
        if isinstance(out, TargetsEvent)
    )
    assert shift.live(2) == []
    assert shift.coverage == ["unwatched", "watched"]


# 16


def test_a_target_is_removed_while_it_is_worse_and_comes_back() -> None:
    shift = Shift(target())
    shift.live(2, "c")
    shift.live(3, "a b c")
    shift.live(3, "c")
    assert shift.live(3, "a b c") == [WORSENED]
    shift.remove("db")
    assert turns(shift.events)[-1] == ("closed", "unreachable", "target_removed")
    assert shift.live(2) == []
    back = shift.now
    shift.control(TargetSet(target(version=20)))
    assert shift.live(3, "a b c") == [OPENED]
    opened = shift.last("opened")
    assert (opened.episode or 1, opened.acknowledged_by) == (1, None)
    assert opened.first_failed_at >= back


# 17


def test_open_after_holds_for_each_episode() -> None:
    shift = Shift(target(open_after_ms=5 * MINUTE))
    shift.live(2, "c")
    assert shift.live(4, "a b c") == []
    assert shift.live(2, "c") == []
    assert shift.live(7, "a b c") == [OPENED]
    assert shift.live(3, "c") == [IMPROVED]
    assert shift.live(4, "a b c") == []
    assert shift.live(2, "c") == []
    assert shift.live(7, "a b c") == [WORSENED]


def test_nobody_looks_while_open_after_runs() -> None:
    shift = Shift(target(open_after_ms=10 * MINUTE))
    shift.live(3, alive="a b c e")
    assert shift.live(3, "a b c", alive="a b c e") == []
    assert shift.live(15, alive="e") == []
    back = shift.now
    assert shift.live(9, "a b c", alive="a b c e") == []
    assert shift.live(3, "a b c", alive="a b c e") == [OPENED]
    assert shift.last("opened").first_failed_at >= back


# 18


def test_a_single_region_dies_while_the_target_is_down() -> None:
    shift = Shift(target(regions="a"))
    shift.live(2, alive="a e")
    assert shift.live(3, "a", alive="a e") == [OPENED]
    # A restart of 20 min changes nothing, one of 40 min ends it.
    assert shift.live(20, alive="e") == []
    assert shift.live(4, "a", alive="a e") == []
    assert shift.live(40, alive="e") == [ABANDONED]
    assert shift.live(4, alive="a e") == []
    assert shift.live(4, "a", alive="a e") == [OPENED]


# 19


def test_the_prober_of_b_dies_once_b_has_recovered() -> None:
    shift = Shift(target(regions="a b"))
    shift.live(2, alive="a b")
    assert shift.live(3, "a b", alive="a b") == [OPENED]
    assert shift.live(1, "a", alive="a b") == [IMPROVED]
    # b is stale when a recovers, too: a alone can say neither, until nobody waits for b.
    assert shift.live(4, "a", alive="a") == []
    assert shift.live(26, alive="a") == []
    assert shift.live(4, alive="a") == [RECOVERED]
    assert shift.coverage == ["unwatched"]
