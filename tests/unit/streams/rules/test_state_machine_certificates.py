"""Histories of one target with certificates, through the rules and through the reference.

The large machine reaches their ends now and then; here little else happens.
"""

from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from schemas.control import Acknowledged, Resolved, TargetSet
from schemas.duration import DAY_MS
from schemas.probe import DomainProbe, HttpProbe, Probe, TlsProbe
from schemas.result import Reason
from schemas.target import LatencyLimit, Target
from tests.examples import examples, minutes
from tests.unit.streams.rules.fleet import target
from tests.unit.streams.rules.reference_log import Log

REGIONS: Final = ("a", "b", "c")
probes = st.builds(
    TlsProbe,
    warn_days=st.sampled_from((0, 3, 14, 14, 30)),
    verify=st.sampled_from((True, True, False)),
) | st.just(HttpProbe())
days = st.sampled_from((-1, 0, 2, 3, 13, 13, 14, 20, 60, None))
each = st.lists(st.sampled_from(REGIONS), min_size=1, unique=True)
reasons: st.SearchStrategy[Reason | None] = st.sampled_from(
    (
        None,
        None,
        None,
        "certificate_ending",
        "certificate_expired",
        "certificate_invalid",
        "unexpected_response",
    )
)


class Certificates(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fleet = Log()
        self.target = self.first()

    def first(self) -> Target:
        return target(kind="tls", port=443)

    def options(self, probe: TlsProbe | HttpProbe) -> Probe:
        return probe

    def reason(self, reason: Reason | None) -> Reason | None:
        return reason

    @initialize(probe=probes, retries=st.integers(0, 2), limit=st.booleans())
    def begin(self, probe: TlsProbe | HttpProbe, retries: int, limit: bool) -> None:
        self.target = structs.replace(
            self.target,
            retries=retries,
            latency=LatencyLimit(max_ms=100.0, for_results=2) if limit else None,
        )
        self.give(probe, list(REGIONS), 1_800_000)

    @rule(probe=probes, regions=each, abandon_after=st.sampled_from((0, 200_000, 1_800_000)))
    def give(self, probe: TlsProbe | HttpProbe, regions: list[str], abandon_after: int) -> None:
        self.target = structs.replace(
            self.target,
            probe=self.options(probe),
            regions=tuple(regions),
            abandon_after_ms=abandon_after,
            version=self.target.version + 1,
        )
        self.fleet.control(TargetSet(self.target))

    @rule(probe=probes)
    def change_days(self, probe: TlsProbe | HttpProbe) -> None:
        self.give(probe, list(self.target.regions), self.target.abandon_after_ms)

    @rule(
        each=each,
        left=st.lists(days, min_size=1, max_size=3),
        reason=reasons,
        rounds=st.sampled_from((1, 2, 3, 8, 10, 11)),
        together=st.booleans(),
    )
    def look(
        self,
        each: list[str],
        left: list[int | None],
        reason: Reason | None,
        rounds: int,
        *,
        together: bool,
    ) -> None:
        """Regions that get, in turn, certificates with so many days left, or none."""
        reason = self.reason(reason)
        for number in range(rounds):
            self.fleet.wait(20_000)
            some = left[number % len(left)]
            end = None if some is None else self.fleet.now + some * DAY_MS
            found = [self.fleet.result(one, reason, cert_expires_at=end) for one in each]
            for batch in [found] if together else [[one] for one in found]:
                self.fleet.append(batch)

    @rule(left=st.sampled_from((2, 13, 60)), rounds=st.sampled_from((1, 2, 10)))
    def go_on(self, left: int, rounds: int) -> None:
        """All regions get the same certificate, and no other."""
        end = self.fleet.now + left * DAY_MS
        for _ in range(rounds):
            self.fleet.wait(60_000)
            for one in REGIONS:
                reason = self.reason("certificate_ending" if left < 3 else None)
                self.fleet.append([self.fleet.result(one, reason, cert_expires_at=end)])

    @precondition(lambda self: ("db", "expiring") in self.fleet.open)
    @rule(left=st.sampled_from((13, 60, 60)), rounds=st.sampled_from((9, 10, 11)))
    def renew(self, left: int, rounds: int) -> None:
        self.go_on(left, rounds)

    @precondition(lambda self: ("db", "expiring") in self.fleet.open)
    @rule(warn_days=st.sampled_from((0, 2, 12, 30)))
    def warn_otherwise(self, warn_days: int) -> None:
        self.change_days(TlsProbe(warn_days=warn_days))

    @rule(each=each, slow=st.booleans(), times=st.integers(1, 3))
    def answer(self, each: list[str], slow: bool, times: int) -> None:
        for _ in range(times):
            self.fleet.wait(1_000).up(*each, connect_ms=300.0 if slow else 3.0)

    @rule(each=each)
    def fall(self, each: list[str]) -> None:
        self.fleet.wait(1_000).down(*each)

    @rule(ms=st.sampled_from((1_000, 160_000, 400_000, 2_000_000)))
    def say_nothing(self, ms: int) -> None:
        self.fleet.quiet(ms)

    @rule(aside=st.booleans())
    def guard(self, aside: bool) -> None:
        """One region's network fails, or is well again."""
        for region in REGIONS[1:]:
            self.fleet.beat(region, targets=100)
        failing = 100 if aside else 0
        self.fleet.beat("a", targets=100, failing=failing, newly_failing=failing)

    @precondition(lambda self: self.fleet.open)
    @rule(data=st.data(), by_hand=st.booleans())
    def speak(self, data: st.DataObject, by_hand: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.fleet.open)))
        if by_hand:
            self.fleet.control(Resolved(target="db", incident_id=self.fleet.open[key], by="ann"))
        else:
            by = Acknowledged(target="db", incident_id=self.fleet.open[key], by="ann")
            self.fleet.control(by)

    @invariant()
    def the_reference_sees_the_same(self) -> None:
        if "db" not in self.fleet.state.targets:
            return
        entry, other = self.fleet.state.targets["db"], self.fleet.reference
        watched = other.targets["db"]
        heard = watched.said(other.running)
        for region, window in zip(entry.policy.regions, self.fleet.windows(), strict=True):
            looks = [] if window is None or window.endings is None else window.endings.looks
            ends = heard[region].ends_soon if region in heard else ()
            assert [(at, end) for at, end in looks if end] == [
                (one.effective, one.end) for one in ends
            ]
        held = entry.trouble is not None and entry.trouble.expiring_held
        assert held == ("expiring" in watched.held)
        assert {("db", of) for of in watched.incidents} == self.fleet.open.keys()

    def teardown(self) -> None:
        for name in sorted(self.fleet.reached):
            event(name)


class Domains(Certificates):
    """The same of registrations, of which the newest look counts alone."""

    def first(self) -> Target:
        return target(kind="domain", port=None, host="example.com")

    def options(self, probe: TlsProbe | HttpProbe) -> Probe:
        return DomainProbe(warn_days=probe.warn_days)

    def reason(self, reason: Reason | None) -> Reason | None:
        of_domains: dict[Reason, Reason] = {
            "certificate_ending": "domain_ending",
            "certificate_expired": "domain_expired",
            "certificate_invalid": "domain_expired",
        }
        return None if reason is None else of_domains.get(reason, reason)


TestDomains = pytest.mark.timeout(minutes(5))(Domains.TestCase)
TestDomains.settings = settings(
    max_examples=examples(15),
    stateful_step_count=20,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TestCertificates = pytest.mark.timeout(minutes(5))(Certificates.TestCase)
TestCertificates.settings = settings(
    max_examples=examples(15),
    stateful_step_count=20,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
