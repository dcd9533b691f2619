from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from portquorum.bench.page_fleet import event_of, target
from portquorum.web.fleet.causes import Cause, IncidentFacts, causes_of, facts_of
from schemas.incident import IncidentEvent, RegionVerdict
from schemas.result import Reason

NOW = 1_800_000_000_000


def incident(
    name: str, *, host: str | None = None, kind: str = "unreachable", **changes: object
) -> IncidentEvent:
    event = event_of(target(0, NOW), kind="unreachable", at=NOW, began=NOW - 60_000)
    fields = {
        "target": name,
        "name": name,
        "host": host or f"{name}.example.com",
        "incident_type": kind,
        "incident_id": f"{name}-{kind}",
        "depends_on": (),
    }
    return structs.replace(event, **(fields | changes))


def facts(event: IncidentEvent, *on: str, improved: bool = False) -> IncidentFacts:
    return facts_of(event, improved, on)


def by_key(*incidents: IncidentFacts) -> dict[str, Cause]:
    return {one.key: one for one in causes_of(incidents)}


def names(cause: Cause) -> list[str]:
    return [one.event.target for one in cause.incidents]


def test_an_incident_alone_is_a_cause_of_its_own() -> None:
    found = by_key(facts(incident("web")))
    assert list(found) == ["target/web"]
    assert found["target/web"].title == "web"


def test_ports_of_one_host_are_one_cause() -> None:
    found = by_key(
        facts(incident("a", host="db.example.com")),
        facts(incident("b", host="db.example.com", kind="slow")),
        facts(incident("c")),
    )
    assert set(found) == {"host/db.example.com", "target/c"}
    assert names(found["host/db.example.com"]) == ["a", "b"]
    assert found["host/db.example.com"].state == "down"


def test_what_is_behind_a_gateway_that_is_down_is_one_cause_with_it_and_it_leads() -> None:
    behind = [facts(incident(f"port{number}"), "gw") for number in range(41)]
    found = by_key(*behind, facts(incident("gw")))
    assert list(found) == ["gateway/gw"]
    assert len(found["gateway/gw"].incidents) == 42
    assert names(found["gateway/gw"])[0] == "gw"


def test_a_gateway_behind_a_gateway_is_not_the_cause() -> None:
    found = by_key(
        facts(incident("port"), "inner"),
        facts(incident("inner"), "outer"),
        facts(incident("outer")),
    )
    assert list(found) == ["gateway/outer"]


def test_other_ports_of_the_gateway_belong_to_it() -> None:
    found = by_key(
        facts(incident("port"), "gw"),
        facts(incident("gw", host="gw.example.com")),
        facts(incident("gw-443", host="gw.example.com")),
    )
    assert list(found) == ["gateway/gw"]


def test_a_gateway_that_is_up_or_better_again_is_no_cause() -> None:
    assert set(by_key(facts(incident("port"), "gw"))) == {"target/port"}
    found = by_key(facts(incident("port"), "gw"), facts(incident("gw"), improved=True))
    assert set(found) == {"target/port", "target/gw"}
    found = by_key(facts(incident("port"), "gw"), facts(incident("gw", kind="slow")))
    assert set(found) == {"target/port", "target/gw"}


def test_a_port_that_is_open_and_must_be_closed_hides_nothing() -> None:
    found = by_key(facts(incident("port"), "gw"), facts(incident("gw", expect="closed")))
    assert set(found) == {"target/port", "target/gw"}


def test_in_a_circle_nobody_is_the_gateway_of_the_other() -> None:
    found = by_key(facts(incident("a"), "b"), facts(incident("b"), "a"), facts(incident("c"), "a"))
    assert sum(len(one.incidents) for one in found.values()) == 3
    assert names(found["target/b"]) == ["b"]


def test_one_certificate_on_many_hosts_is_one_cause() -> None:
    ends = NOW + 864_000_000
    found = by_key(
        *(facts(incident(f"w{n}", kind="expiring", expires_at=ends)) for n in range(5)),
        facts(incident("other", kind="expiring", expires_at=ends + 1)),
    )
    assert set(found) == {f"certificate/{ends}", "target/other"}
    assert found[f"certificate/{ends}"].state == "expiring"


def seen_by_one(reason: Reason, count: int = 12, apart_ms: int = 1_000) -> dict[str, Cause]:
    """Causes of incidents on as many hosts that one region alone checks."""
    only = {"fra": RegionVerdict(verdict="down", reason=reason, since=NOW)}
    return by_key(
        *(
            facts(incident(f"x{n}", regions=only, first_failed_at=NOW + n * apart_ms))
            for n in range(count)
        )
    )


def test_what_only_one_region_checks_and_does_not_answer_at_once_is_the_regions() -> None:
    assert list(seen_by_one("timed_out")) == ["region/fra"]
    assert len(seen_by_one("timed_out", count=3)) == 3


def test_whoever_refuses_was_reached_so_it_is_not_the_region() -> None:
    assert len(seen_by_one("connection_refused")) == 12


def test_what_begins_to_fail_hours_apart_is_not_the_region() -> None:
    assert len(seen_by_one("timed_out", apart_ms=3_600_000)) == 12


NAMES = st.sampled_from("abcdef")
SOME = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["unreachable", "slow", "flapping", "expiring"]),
        st.sampled_from(["h1", "h2", "h3"]),
        st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one[:2],
)


@given(SOME, st.dictionaries(NAMES, st.lists(NAMES, max_size=3)))
def test_each_incident_is_in_exactly_one_cause_and_keys_are_unique(
    some: list[tuple[str, str, str, bool]], on: dict[str, list[str]]
) -> None:
    incidents = [
        facts(incident(name, host=host, kind=kind), *on.get(name, ()), improved=improved)
        for name, kind, host, improved in some
    ]
    found = causes_of(incidents)
    assert max(Counter(one.key for one in found).values(), default=1) == 1
    counted = Counter(one.event.incident_id for cause in found for one in cause.incidents)
    assert counted == Counter(one.event.incident_id for one in incidents)
    assert {one.key for one in found} == {one.key for one in causes_of(incidents[::-1])}


@given(SOME, SOME, st.dictionaries(NAMES, st.lists(NAMES, max_size=3)))
def test_causes_found_before_change_no_answer_and_are_given_again(
    some: list[tuple[str, str, str, bool]],
    others: list[tuple[str, str, str, bool]],
    on: dict[str, list[str]],
) -> None:
    before, after = (
        [
            facts(incident(name, host=host, kind=kind), *on.get(name, ()), improved=improved)
            for name, kind, host, improved in ones
        ]
        for ones in (some, others)
    )
    known = {one.key: one for one in causes_of(before)}
    assert causes_of(after, known) == causes_of(after)
    assert all(one is known[one.key] for one in causes_of(before, known))
