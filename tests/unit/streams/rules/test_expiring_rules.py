"""Rule 13, history by history; each goes through the rules and through the reference."""

import msgspec
import pytest
from msgspec import UNSET, structs

from schemas import incident as wire
from schemas.control import Acknowledged, Resolved, TargetSet
from schemas.duration import DAY_MS, HOUR_MS
from schemas.incident import IncidentEvent, IncidentType, Severity
from schemas.probe import (
    DomainProbe,
    GrpcProbe,
    HandshakeProbe,
    HttpProbe,
    Probe,
    Step,
    TcpProbe,
    TlsProbe,
    WebSocketProbe,
)
from schemas.result import Reason
from schemas.target import Criticality, LatencyLimit
from streams.checkpoint import decoder
from streams.explain.explain import explain
from streams.rules.apply import apply
from streams.rules.incident_event import severity_of
from streams.rules.record import Record
from streams.state.policy import warn_days_of
from streams.state.target_state import OpenIncident
from tests.unit.streams.rules.fleet import START, target
from tests.unit.streams.rules.reference_log import Log

MINUTE = 60_000
SOON = START + 10 * DAY_MS
LATER = START + 90 * DAY_MS


class Looks(Log):
    """Looks at a certificate of `db`, a minute apart."""

    def __init__(self, **changes: object) -> None:
        super().__init__()
        self.target = target(**({"kind": "tls", "port": 443, "probe": TlsProbe()} | changes))  # type: ignore[arg-type]
        self.control(TargetSet(self.target))
        self.look("a b c", LATER)

    def look(
        self, regions: str, *ends: int | None, reason: Reason | None = None
    ) -> list[IncidentEvent]:
        """One round for each end; what was told."""
        before = len(self.events)
        for end in ends:
            self.wait(MINUTE)
            for region in regions.split():
                self.append([self.result(region, reason, cert_expires_at=end)])
        return self.events[before:]

    def change(self, **changes: object) -> list[IncidentEvent]:
        before = len(self.events)
        self.target = structs.replace(self.target, version=self.target.version + 1, **changes)
        self.control(TargetSet(self.target))
        return self.events[before:]

    def resolve(self) -> None:
        of = self.state.targets["db"].incidents[0]
        self.control(Resolved(target="db", incident_id=of.incident_id, by="ann"))


def said(events: list[IncidentEvent]) -> list[tuple[str, ...]]:
    return [(one.event, one.incident_type, *filter(None, [one.closed_because])) for one in events]


def turns(events: list[IncidentEvent]) -> list[tuple[str, ...]]:
    return [one for one in said(events) if one[0] != "updated"]


OPENED = ("opened", "expiring")
RENEWED = ("closed", "expiring", "recovered")


def test_it_opens_when_one_region_saw_an_end_twice_and_closes_after_ten_clean_looks() -> None:
    fleet = Looks()
    assert fleet.look("a b c", SOON) == []
    first = fleet.now
    fleet.wait(MINUTE)
    found = fleet.append([fleet.result("a", cert_expires_at=SOON)])
    opened = fleet.events[-1]
    assert said(fleet.events) == [OPENED]
    assert found == [opened]
    assert (opened.severity, opened.expires_at, opened.first_failed_at) == ("info", SOON, first)
    assert (opened.votes.down, opened.votes.need, opened.votes.fresh) == (3, 1, 3)
    assert opened.summary == (
        "The certificate of db1.example.com:443 ends in 9 days (2027-01-25 08:00 UTC), seen from "
        "3 of 3 regions. The certificate, or one of its chain, was not renewed yet, or the service "
        "was not reloaded after it was."
    )
    assert opened.regions["a"].verdict == "up"
    assert opened.regions["a"].detail == "certificate ends 2027-01-25 08:00 UTC"
    assert "openssl s_client" in opened.first_steps[0]
    assert fleet.look("a b c", *[SOON] * 20) == []
    assert fleet.look("a b c", *[LATER] * 9) == []
    closed = fleet.look("a b c", LATER)
    assert said(closed)[-1] == RENEWED
    assert closed[-1].expires_at == SOON
    assert fleet.state.targets["db"].trouble is None
    assert fleet.requests == []


def test_one_look_in_ten_is_not_enough() -> None:
    fleet = Looks()
    assert fleet.look("a b c", SOON, *[LATER] * 9, SOON, *[LATER] * 10, SOON) == []
    assert said(fleet.look("a b c", *[LATER] * 8, SOON))[:1] == [OPENED]


def test_an_end_at_the_beginning_of_time_is_one() -> None:
    fleet = Looks()
    for _ in range(2):
        fleet.wait(MINUTE)
        offset = fleet.state.offset + 1
        looked = [fleet.result("a", cert_expires_at=0)]
        apply(fleet.state, Record(offset, fleet.now, looked, None))
    assert fleet.state.targets["db"].incidents[0].expires_at == 1


@pytest.mark.parametrize(("left", "opens"), [(14 * DAY_MS, False), (14 * DAY_MS - 1, True)])
def test_it_is_measured_from_the_start_of_the_check(left: int, opens: bool) -> None:
    fleet = Looks()
    for _ in range(3):
        fleet.wait(MINUTE)
        at = fleet.now - 700
        fleet.append([fleet.result("a", ago=700, cert_expires_at=at + left)])
    assert bool(fleet.events) == opens


def test_regions_may_get_different_certificates() -> None:
    fleet = Looks()
    for _ in range(2):
        fleet.wait(MINUTE)
        for region, end in (("a", SOON), ("b", LATER), ("c", LATER)):
            fleet.append([fleet.result(region, cert_expires_at=end)])
    opened = fleet.events[0]
    assert opened.votes.down == 1
    assert opened.summary.endswith(
        "a gets another certificate than b and c: one of several servers behind db1.example.com "
        "has an old one."
    )
    earlier = SOON - DAY_MS
    updated = fleet.look("b", earlier)
    assert said(updated) == [("updated", "expiring")]
    assert updated[0].changes == (
        "b: sees a certificate that ends soon",
        "the certificate now ends on 2027-01-24 08:00 UTC",
    )
    assert updated[0].expires_at == earlier
    # Every region's ten must be clean, not those of one.
    told = []
    for _ in range(9):
        told += fleet.look("a c", LATER) + fleet.look("b", SOON)
    assert said(told) == []
    told = fleet.look("a b c", LATER)
    assert [one.changes for one in told] == [
        ("a: sees none that ends soon any more",),
        ("the certificate now ends on 2027-01-25 08:00 UTC",),
    ]
    assert turns(fleet.look("a b c", *[LATER] * 9)) == [RENEWED]


def test_failures_that_see_no_certificate_neither_count_nor_break_it() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON)
    fleet.look("a b c", None, None, None, reason="connection_refused")
    assert turns(fleet.events) == [("opened", "unreachable")]
    assert said(fleet.look("a", SOON))[:1] == [OPENED]
    # What is not verified says nothing of an end.
    fleet.look("a b c", *[LATER] * 20, reason="certificate_invalid")
    assert "expiring" in {of for _, of in fleet.open}


def test_a_success_without_a_certificate_is_clean() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    assert said(fleet.look("a b c", *[None] * 10))[-1] == RENEWED


def test_from_critical_days_on_it_is_down_and_no_second_incident_opens() -> None:
    ends = START + DAY_MS
    fleet = Looks()
    fleet.look("a b c", *[ends] * 30, reason="certificate_ending")
    assert turns(fleet.events) == [("opened", "unreachable")]
    assert fleet.events[0].summary.startswith("db1.example.com:443 is unreachable")
    # It is renewed: all is well at once, and nothing opens for what was seen before.
    assert said(fleet.look("a b c", LATER))[-1] == ("closed", "unreachable", "recovered")
    assert fleet.look("a b c", *[LATER] * 12) == []
    assert fleet.state.targets["db"].trouble is None


def test_an_incident_that_is_open_then_stays_open_and_quiet() -> None:
    ends = START + 4 * DAY_MS
    fleet = Looks()
    assert said(fleet.look("a b c", ends, ends))[0] == OPENED
    fleet.look("a b c", *[ends] * 12)
    told = fleet.look("a b c", *[ends] * 15, reason="certificate_ending")
    assert [one for one in said(told) if one[1] == "expiring"] == []
    assert ("opened", "unreachable") in said(told)
    told = fleet.look("a b c", *[LATER] * 10)
    assert ("closed", "unreachable", "recovered") in said(told)
    assert said(told)[-1] == RENEWED


def test_what_one_region_alone_is_down_for_is_told_after_ten_looks() -> None:
    ends = START + DAY_MS
    fleet = Looks()
    for number in range(10):
        assert fleet.events == []
        fleet.wait(MINUTE)
        fleet.append([fleet.result("b", cert_expires_at=LATER)])
        fleet.append([fleet.result("c", cert_expires_at=LATER)])
        fleet.append([fleet.result("a", "certificate_ending", cert_expires_at=ends)])
        assert bool(fleet.events) == (number == 9)
    assert said(fleet.events) == [OPENED]


def test_open_after_holds_back_an_outage_and_brings_no_other_incident_forward() -> None:
    fleet = Looks(open_after_ms=HOUR_MS)
    fleet.look("a b c", *[START + DAY_MS] * 70, reason="certificate_expired")
    assert turns(fleet.events) == [("opened", "unreachable")]


def test_another_reason_to_be_down_is_another_incident() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON, reason="unexpected_response")
    assert sorted(turns(fleet.events)) == [OPENED, ("opened", "unreachable")]


def test_resolved_by_hand_it_waits_until_all_was_clean_once() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    fleet.resolve()
    assert said(fleet.events)[-1] == ("closed", "expiring", "resolved")
    assert fleet.look("a b c", *[SOON] * 30) == []
    found = explain(fleet.state, "db")
    assert found is not None
    assert "resolved by hand" in found.would_change[-1]
    assert fleet.look("a b c", *[LATER] * 10) == []
    assert said(fleet.look("a b c", SOON, SOON))[0] == OPENED


def test_somebody_has_seen_it() -> None:
    fleet = Looks()
    opened = fleet.look("a b c", SOON, SOON)[0]
    for _ in range(2):
        by = Acknowledged(target="db", incident_id=opened.incident_id, by="ann")
        fleet.control(by)
    told = [one for one in fleet.events if one.acknowledged_by]
    assert [(one.changes, one.expires_at) for one in told] == [(("acknowledged by ann",), SOON)]


def test_nobody_looks_any_more() -> None:
    fleet = Looks(abandon_after_ms=10 * MINUTE)
    fleet.look("a b c", SOON, SOON)
    fleet.quiet(HOUR_MS)
    assert said(fleet.events)[-1] == ("closed", "expiring", "abandoned")


def test_a_stale_region_that_saw_an_end_is_waited_for() -> None:
    fleet = Looks(abandon_after_ms=40 * MINUTE)
    fleet.look("a b c", SOON, SOON)
    told = fleet.look("a b", *[LATER] * 30)
    assert RENEWED not in said(told)
    assert told[-1].summary == (
        "db1.example.com:443 is still an incident: not every region has seen a certificate that "
        "holds."
    )
    told = fleet.look("a b", *[LATER] * 20)
    assert said(told)[-1] == RENEWED
    assert told[-1].abandoned_regions == ("c",)
    assert "(c long silent and not waited for)" in told[-1].summary


@pytest.mark.parametrize(
    "probe", [TlsProbe(warn_days=7), TlsProbe(warn_days=0), TlsProbe(verify=False), None]
)
def test_fewer_days_end_it_and_are_no_renewal(probe: Probe | None) -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    assert said(fleet.change(probe=probe)) == [("closed", "expiring", "policy_changed")]
    assert "warn_days" in fleet.events[-1].summary
    assert fleet.look("a b c", *[SOON] * 3) == []
    assert fleet.state.targets["db"].trouble is None


def test_fewer_days_within_which_it_still_ends_change_nothing() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    assert fleet.change(probe=TlsProbe(warn_days=11)) == []
    assert fleet.look("a b c", *[SOON] * 12) == []


def test_more_days_hold_for_the_looks_to_come() -> None:
    fleet = Looks()
    fleet.look("a b c", *[START + 20 * DAY_MS] * 5)
    assert fleet.change(probe=TlsProbe(warn_days=30)) == []
    assert said(fleet.look("a b c", *[START + 20 * DAY_MS] * 2))[0] == OPENED


def test_an_end_in_the_past_is_none_without_warn_days() -> None:
    fleet = Looks()
    fleet.look("a b c", START, START)
    assert said(fleet.events)[0] == OPENED
    assert said(fleet.change(probe=TlsProbe(warn_days=0)))[0][2] == "policy_changed"
    assert fleet.look("a b c", *[START] * 3) == []


@pytest.mark.parametrize(
    ("change", "because"),
    [({"host": "db2.example.com"}, "target_changed"), ({"kind": "tcp"}, "target_changed")],
)
def test_another_place_begins_anew(change: dict[str, object], because: str) -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    assert said(fleet.change(**change)) == [("closed", "expiring", because)]
    assert fleet.look("a b c", SOON) == []


def test_removed_with_its_target() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    fleet.remove("db")
    assert said(fleet.events)[-1] == ("closed", "expiring", "target_removed")


def test_a_region_that_is_taken_away_counts_no_more() -> None:
    fleet = Looks()
    fleet.look("a", SOON, SOON)
    fleet.look("b c", LATER)
    assert said(fleet.change(regions=("b", "c"))) == [RENEWED]


def test_a_region_that_is_set_aside_opens_none() -> None:
    fleet = Looks()
    fleet.beat("a", targets=100, failing=100, newly_failing=100)
    fleet.wait(10_000)
    for region in "bc":
        fleet.beat(region, targets=100)
    fleet.beat("a", targets=100, failing=100, newly_failing=100)
    assert fleet.look("a", SOON, SOON, SOON) == []
    for region in "abc":
        fleet.beat(region, targets=100)
    fleet.wait(1_000).tick()
    assert said(fleet.events) == [OPENED]


@pytest.mark.parametrize(
    ("probe", "days"),
    [
        (TlsProbe(), 14),
        (TlsProbe(verify=False), 0),
        (HttpProbe(warn_days=3), 3),
        (HandshakeProbe(tls="starttls"), 14),
        (HandshakeProbe(), 0),
        (HandshakeProbe(tls="implicit", verify=False), 0),
        (TcpProbe(steps=(Step(expect="OK"),), tls="implicit"), 14),
        (TcpProbe(steps=(Step(expect="OK"),), tls="implicit", verify=False), 0),
        (TcpProbe(steps=(Step(expect="OK"), Step(expect="OK", starttls=True)), warn_days=4), 4),
        (TcpProbe(steps=(Step(expect="OK", starttls=True),), verify=False), 0),
        (TcpProbe(steps=(Step(expect="OK"),)), 0),
        (WebSocketProbe(tls=True, warn_days=5), 5),
        (WebSocketProbe(tls=False), 0),
        (GrpcProbe(tls=True), 14),
        (GrpcProbe(tls=True, verify=False), 0),
        (None, 0),
    ],
)
def test_where_the_days_come_from(probe: Probe | None, days: int) -> None:
    assert warn_days_of(probe) == days


@pytest.mark.parametrize("at_once", [True, False])
def test_a_dialogue_in_tls_tells_of_its_certificate(at_once: bool) -> None:
    step = Step(send="STARTTLS\r\n", expect="OK", starttls=not at_once)
    probe = TcpProbe(steps=(step,), tls="implicit" if at_once else "none")
    fleet = Looks(kind="tcp", port=4190, probe=probe)
    assert fleet.look("a b c", SOON) == []
    opened = fleet.look("a b c", SOON)[0]
    assert (said([opened]), opened.expires_at) == ([OPENED], SOON)
    assert ("-starttls sieve" in opened.first_steps[0]) is not at_once
    assert said(fleet.look("a b c", *[LATER] * 10))[-1] == RENEWED


def test_a_target_without_certificates_does_nothing_of_this() -> None:
    fleet = Looks(kind="tcp", probe=None)
    fleet.look("a b c", *[SOON] * 4)
    assert fleet.events == []
    assert not fleet.state.targets["db"].policy.measured


def test_a_checkpoint_of_before_warn_days_reads_them_from_the_definition() -> None:
    fleet = Looks()
    old = decoder.decode(decoder.encode(fleet.state), 0, 1)
    entry = old.targets["db"]
    entry.policy = old.policy(structs.replace(entry.policy.terms, warn_days=None))
    restored = decoder.decode(decoder.encode(old), 0, 1)
    assert restored.targets["db"].policy.warn_days == 14
    assert decoder.encode(restored) == decoder.encode(fleet.state)


def test_an_incident_keeps_the_severity_with_which_it_opened() -> None:
    limit = LatencyLimit(max_ms=10.0, for_results=1)
    fleet = Looks(criticality="critical", latency=limit)
    fleet.wait(MINUTE).up("a", "b", "c", connect_ms=100.0)
    assert (fleet.events[0].incident_type, fleet.events[0].severity) == ("slow", "critical")
    fleet.change(criticality="normal")
    fleet.wait(MINUTE).up("a", "b", "c", connect_ms=1.0)
    closed = fleet.events[-1]
    assert (closed.event, closed.severity, closed.criticality) == ("closed", "critical", "normal")


def test_an_incident_of_0_1_keeps_the_severity_of_its_type() -> None:
    limit = LatencyLimit(max_ms=10.0, for_results=1)
    fleet = Looks(criticality="critical", latency=limit)
    fleet.wait(MINUTE).up("a", "b", "c", connect_ms=100.0)
    state = fleet.restored()
    trouble = state.targets["db"].troubled()
    assert trouble.slow_incident is not None
    old = msgspec.msgpack.encode(msgspec.to_builtins(trouble.slow_incident)[:11])
    trouble.slow_incident = msgspec.msgpack.decode(old, type=OpenIncident)
    fleet.wait(MINUTE).up("a", "b", "c", connect_ms=1.0)
    told = [out for record in fleet.log[-3:] for out in apply(state, record)]
    closed = [one for one in told if isinstance(one, IncidentEvent) and one.event == "closed"]
    assert [one.severity for one in closed] == ["warning"]


@pytest.mark.parametrize(
    ("of", "severities"),
    [
        ("unreachable", ("critical", "critical", "warning")),
        ("flapping", ("critical", "critical", "warning")),
        ("slow", ("critical", "warning", "warning")),
        ("expiring", ("warning", "warning", "info")),
    ],
)
def test_the_table_of_severities(of: IncidentType, severities: tuple[Severity, ...]) -> None:
    each: tuple[Criticality, ...] = ("critical", "important", "normal")
    assert tuple(severity_of(of, one) for one in each) == severities


def test_only_events_of_this_type_have_the_field() -> None:
    fleet = Looks()
    fleet.look("a b c", None, None, reason="connection_refused")
    assert fleet.events[0].expires_at is UNSET
    assert b"expires_at" not in wire.encode(fleet.events[0])
    fleet.look("a b c", SOON, SOON)
    event = next(one for one in fleet.events if one.incident_type == "expiring")
    assert wire.decode(wire.encode(event)) == event


def test_explain_says_what_it_waits_for() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    for _ in range(3):
        fleet.look("a", LATER)
        fleet.look("b c", SOON)
    found = explain(fleet.state, "db")
    assert found is not None
    assert found.headline.startswith("An incident is open: expiring since")
    assert (
        "The one for its certificate closes when a (7 more), b (10 more) and c (10 more) see none "
        "that ends within 14 days."
    ) in found.would_change


def test_thousands_of_looks_that_say_the_same_change_no_more_than_the_row() -> None:
    fleet = Looks()
    fleet.look("a b c", SOON, SOON)
    before = structs.replace(fleet.state.targets["db"].troubled().expiring_incident)  # type: ignore[type-var]
    assert fleet.look("a b c", *[SOON] * 15) == []
    assert fleet.state.targets["db"].troubled().expiring_incident == before
    assert {len(row.looks) for row in fleet.state.targets["db"].troubled().endings.values()} == {10}


def test_of_a_domain_the_newest_look_counts_alone() -> None:
    options = {"probe": DomainProbe(), "interval_ms": DAY_MS}
    fleet = Looks(kind="domain", port=None, host="example.com", **options)
    (opened,) = fleet.look("a", SOON)
    assert (opened.event, opened.incident_type, opened.expires_at) == ("opened", "expiring", SOON)
    assert opened.summary.startswith("The registration of example.com ends in 9 days")
    assert opened.regions["a"].detail is not None
    assert opened.regions["a"].detail.startswith("registration ends ")
    assert fleet.look("a", None) == [], "a registry that names no end renews nothing"
    (closed,) = fleet.look("a", LATER)
    assert (closed.event, closed.closed_because) == ("closed", "recovered")
    assert closed.summary.startswith("example.com is registered for long enough again after ")


def test_a_domain_that_is_down_for_its_end_has_one_incident() -> None:
    fleet = Looks(kind="domain", port=None, host="example.com", probe=DomainProbe(), retries=0)
    soon = START + 3 * DAY_MS
    told = fleet.look("a b c", soon, reason="domain_ending")
    of = {event.incident_type for event in told}
    assert "unreachable" in of
    down = next(event for event in told if event.incident_type == "unreachable")
    assert "in trouble, seen from" in down.summary
    assert down.first_steps[0].startswith("whois example.com")


def test_a_domain_says_nothing_of_the_host_of_its_name() -> None:
    fleet = Log()
    fleet.control(TargetSet(target("db", host="example.com", retries=0)))
    fleet.control(TargetSet(target("name", host="example.com", kind="domain", port=None)))
    for region in "abc":
        end = START + 200 * DAY_MS
        fleet.append([fleet.result(region, of="name", cert_expires_at=end)])
    fleet.wait(1_000)
    for region in "abc":
        fleet.append([fleet.result(region, "timed_out", of="db")])
    (opened,) = [event for event in fleet.events if event.event == "opened"]
    assert "The host answers" not in opened.summary
