"""Which events somebody wants to see."""

import pytest
from msgspec import structs

from portquorum.events.message import EventMessage
from portquorum.events.selection import KNOWN_TYPES, EventSelection, is_type, unknown_types

EVENT = EventMessage(
    topic="t",
    partition=0,
    offset=0,
    key=None,
    attributes={"type": "portquorum.incident.opened.v1"},
    value=b"{}",
    fields={
        "target": "prod-db",
        "name": "Orders ÖB",
        "host": "DB1.example.com",
        "port": 5432,
        "team": "database",
    },
    at=1_000,
)
REGION = structs.replace(
    EVENT, attributes={"type": "portquorum.region.clock_skewed.v1"}, fields={"region": "eu"}
)


@pytest.mark.parametrize(
    "pattern",
    [
        "opened",
        "open*",
        "incident.opened",
        "incident.*",
        "portquorum.incident.opened.v1",
        "portquorum.*.v1",
        "*",
    ],
)
def test_a_type_by_each_of_its_names(pattern: str) -> None:
    assert is_type("portquorum.incident.opened.v1", pattern)


@pytest.mark.parametrize("pattern", ["open", "region.*", "incident", "OPENED", "", "v1"])
def test_no_other_type(pattern: str) -> None:
    assert not is_type("portquorum.incident.opened.v1", pattern)


def test_types_of_this_version() -> None:
    assert unknown_types(KNOWN_TYPES) == []
    assert unknown_types(["opened", "opend", "region.*", "regions.*"]) == ["opend", "regions.*"]


@pytest.mark.parametrize(
    "text", ["prod-db", "PROD", "öb", "db1", "db1.example.com:5432", "example.com"]
)
def test_a_target_by_each_of_its_names(text: str) -> None:
    assert EventSelection(target=text).takes(EVENT)
    assert not EventSelection(target=text).takes(REGION)


@pytest.mark.parametrize("text", ["prod-db2", "db1.example.com:543", ":5432", "5432"])
def test_no_other_target(text: str) -> None:
    assert not EventSelection(target=text).takes(EVENT)


def test_an_address_with_colons() -> None:
    six = structs.replace(EVENT, fields={"host": "2001:db8::1", "port": 443})
    assert EventSelection(target="[2001:DB8::1]:443").takes(six)


def test_all_conditions_must_be_met() -> None:
    assert EventSelection(types=["closed", "opened"], teams=["web", "database"]).takes(EVENT)
    assert not EventSelection(types=["opened"], teams=["web"]).takes(EVENT)
    assert not EventSelection(teams=["database"]).takes(REGION)


def test_from_since_to_before_until() -> None:
    assert EventSelection(since=1_000, until=1_001).takes(EVENT)
    assert not EventSelection(since=1_001).takes(EVENT)
    assert not EventSelection(until=1_000).takes(EVENT)
