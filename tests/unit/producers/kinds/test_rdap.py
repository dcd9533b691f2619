"""What an RDAP answer and IANA's list of servers say."""

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.kinds import rdap
from producers.kinds.rdap import RdapError, Registration
from tests.unit.producers.kinds import rdap_answers as answers

NAME = "example.com"


def read(**changes: Any) -> Registration:
    answer = answers.registry(NAME, 100, **changes)
    return rdap.registration(answers.as_body(answer), NAME)


def ending(*events: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"eventAction": action, "eventDate": date} for action, date in events]


def ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def test_a_registrys_answer_has_end_registrar_and_status() -> None:
    found = read()
    assert found.registrar == "Example Registrar, Inc."
    assert found.status == ("client delete prohibited", "client transfer prohibited")
    assert found.words == (
        "Example Registrar, Inc.; client delete prohibited, client transfer prohibited"
    )
    assert found.gone == ()
    assert not found.on_trial
    left = (found.ends_at or 0) / 86_400_000 - dt.datetime.now(dt.UTC).timestamp() / 86_400
    assert 99.9 < left < 100.1


def test_the_example_of_the_rfc_ends_when_the_domain_does_and_not_its_name_server() -> None:
    body = answers.as_body(answers.of_the_rfc("xn--fo-5ja.example", 10))
    found = rdap.registration(body, "xn--fo-5ja.example")
    assert found.ends_at is not None
    assert found.ends_at > ms("2026-01-01T00:00:00Z")
    assert found.registrar is None


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2027-08-13T04:00:00Z", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13T04:00:00.0Z", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13T04:00:00.123456789Z", "2027-08-13T04:00:00.123456+00:00"),
        ("2027-08-13T06:00:00+02:00", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13T04:00:00", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13 04:00:00", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13", "2027-08-13T00:00:00+00:00"),
        (" 2027-08-13T04:00:00Z\n", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13t04:00:00z", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13T06:00:00+0200", "2027-08-13T04:00:00+00:00"),
        ("2027-08-13 04:00:00 UTC", "2027-08-13T04:00:00+00:00"),
    ],
)
def test_dates_as_registries_write_them(written: str, at: str) -> None:
    assert read(events=ending(("expiration", written))).ends_at == ms(at)


@pytest.mark.parametrize("written", ["never", "0000-00-00", "13.08.2027", 1_800_000_000, ["2027"]])
def test_an_end_that_is_no_date_is_an_error_and_not_no_end(written: Any) -> None:
    with pytest.raises(RdapError, match="expected the date of the end, found"):
        read(events=ending(("expiration", written)))


@pytest.mark.parametrize(
    "written", [None, "", " ", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1900-01-01"]
)
def test_an_end_that_is_empty_or_before_all_domains_is_none(written: Any) -> None:
    """Redacted (RFC 9537, `emptyValue`), or what a database writes where there is nothing."""
    assert read(events=ending(("expiration", written))).ends_at is None
    both = ending(("expiration", written), ("registrar expiration", "2027-01-01T00:00:00Z"))
    assert read(events=both).ends_at == ms("2027-01-01T00:00:00Z")


def test_a_registry_that_names_no_end() -> None:
    """DENIC: few fields, one status; of a domain that is given up no events at all."""
    denic = {
        "objectClassName": "domain",
        "handle": "example.de",
        "ldhName": "example.de",
        "status": ["active"],
        "events": ending(("last changed", "2018-03-12T21:44:25+01:00")),
    }
    assert rdap.registration(answers.as_body(denic), "example.de") == Registration(
        None, status=("active",)
    )
    given_up = denic | {"status": ["redemption period"], "events": None}
    assert rdap.registration(answers.as_body(given_up), "example.de").gone == ("redemption period",)


def test_a_redacted_end_is_none() -> None:
    """auDA removes the event and says so; what is redacted is not looked for elsewhere."""
    path = "$.events[?(@.eventAction=='expiration')]"
    redacted = [{"name": {"type": "Registry Domain Expiration Date"}, "prePath": path}]
    events = ending(("last changed", "2026-01-01T00:00:00Z"))
    assert read(events=events, redacted=redacted).ends_at is None


def test_the_earlier_of_registry_and_registrar_counts() -> None:
    events = ending(
        ("Expiration", "2028-01-01T00:00:00Z"), ("registrar expiration", "2027-01-01T00:00:00Z")
    )
    assert read(events=events).ends_at == ms("2027-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "events", [None, [], "soon", [None, 3, "x"], ending(("reregistration", "x"))]
)
def test_without_such_an_event_there_is_no_end(events: Any) -> None:
    assert read(events=events).ends_at is None


@pytest.mark.parametrize(
    ("status", "gone", "on_trial"),
    [
        (["active"], (), False),
        (["auto renew period", "active"], (), True),
        (["Redemption Period"], ("redemption period",), False),
        (["pending delete", "redemption period"], ("pending delete", "redemption period"), False),
        ("pending delete", ("pending delete",), False),
        (["redemption  period"], ("redemption period",), False),
        (["pendingDelete", "ok"], ("pending delete",), False),
        (
            ["redemptionPeriod https://icann.org/epp#redemptionPeriod"],
            ("redemption period",),
            False,
        ),
        (["autoRenewPeriod"], (), True),
        (["redemption_period"], ("redemption period",), False),
        ([None, 4], (), False),
        (None, (), False),
    ],
)
def test_statuses_tell_what_has_ended_already(
    status: Any, gone: tuple[str, ...], on_trial: bool
) -> None:
    found = read(status=status)
    assert (found.gone, found.on_trial) == (gone, on_trial)


def test_a_referral_is_a_related_link_to_rdap() -> None:
    page = {"rel": "related", "type": "text/html", "href": "https://registrar.example/"}
    other = {"rel": "self", "type": "application/rdap+json", "href": "https://registry.example/"}
    odd = {"rel": "related", "href": "ftp://registrar.example/"}
    there = {
        "rel": "related",
        "type": "application/rdap+json",
        "href": "https://registrar.example/domain/EXAMPLE.COM",
    }
    assert read(links=[page, other, odd, None, there]).referral == there["href"]
    assert read(links=[page, other, odd]).referral is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "expected JSON"),
        (b"<html>", "expected JSON, found '<html>'"),
        (b"[]", "expected a JSON object"),
        (b"[" * 200_000, "expected JSON"),
        (b'"\xff"', "expected JSON"),
        (b"{}", "expected a domain, found an answer without objectClassName"),
        (b'{"objectClassName": "entity"}', "expected a domain, found an answer about a 'entity'"),
        (
            answers.as_body(answers.error(429, "Too Many Requests")),
            "expected a domain, found Too Many Requests",
        ),
        (
            answers.as_body(answers.registry("example.net", 9)),
            "expected an answer about example.com, found one about EXAMPLE.NET",
        ),
    ],
)
def test_what_is_no_answer_about_the_domain_is_an_error(answer: bytes, said: str) -> None:
    with pytest.raises(RdapError) as error:
        rdap.registration(answer, NAME)
    assert said in str(error.value)


def test_a_name_is_the_same_in_every_spelling() -> None:
    for spelling in ("xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE.", "bücher.example"):
        body = answers.as_body(answers.registry("x", 9, ldhName=spelling))
        assert rdap.registration(body, "xn--bcher-kva.example").ends_at
    body = answers.as_body(answers.registry("x", 9, ldhName=None))
    assert rdap.registration(body, NAME).ends_at


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(("status", "events", "entities", "links", "objectClassName", "ldhName")),
    json_values,
)
def test_no_value_is_unforeseen(field: str, value: Any) -> None:
    answer = answers.registry(NAME, 9) | {field: value}
    with contextlib.suppress(RdapError):
        rdap.registration(json.dumps(answer).encode(), NAME)


@given(st.binary(max_size=60))
def test_no_bytes_are_unforeseen(body: bytes) -> None:
    for reader in (lambda: rdap.registration(body, NAME), lambda: rdap.servers(body)):
        with pytest.raises(RdapError):
            reader()
    assert isinstance(rdap.error_text(body), str)


LIST = answers.services(
    (["com", "net"], ["http://rdap.registry.example/v1/", "https://rdap.registry.example/v1/"]),
    (["uk"], ["https://uk.example/"]),
    (["org.uk"], ["https://org-uk.example/"]),
    (["XN--P1AI"], ["https://idn.example/"]),
    (["bad"], ["ftp://x/", "https://with blank/"]),
)


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("example.com", "https://rdap.registry.example/v1/"),
        ("example.co.uk", "https://uk.example/"),
        ("example.org.uk", "https://org-uk.example/"),
        ("myorg.uk", "https://uk.example/"),
        ("example.xn--p1ai", "https://idn.example/"),
        ("example.bad", None),
        ("example.de", None),
    ],
)
def test_the_longest_suffix_of_the_list_has_the_server(name: str, server: str | None) -> None:
    assert rdap.server_of(rdap.servers(LIST), name) == server


def test_entries_that_cannot_be_read_are_left_out() -> None:
    body = json.dumps({"services": [None, [], [["a"]], [["b"], [1]], [["c"], ["https://c/"]]]})
    assert rdap.servers(body.encode()) == {"c": "https://c/"}
    with pytest.raises(RdapError, match="expected a list of services"):
        rdap.servers(b'{"services": {}}')


def test_an_error_is_told_in_its_own_words() -> None:
    limited = answers.error("422", "Forbidden request", "Your access is too fast, try later.")
    assert rdap.error_text(answers.as_body(limited)) == (
        "Forbidden request; Your access is too fast, try later."
    )
    page = b"<HTML><TITLE>Number of allowed queries exceeded.</TITLE>"
    assert rdap.error_text(page) == page.decode()
    assert rdap.error_text(b"") == ""
