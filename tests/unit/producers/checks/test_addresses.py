"""The addresses of one name: which may be tried, for how long, and what their failures tell."""

import errno
import socket

import pytest

from producers.checks.address_policy import network
from producers.checks.addresses import (
    LEAST_SHARE_S,
    Failure,
    lookup_failure,
    most_telling,
    os_failure,
    permitted,
    share,
    timed_out,
)
from producers.checks.model import Vantage
from producers.checks.resolver import Address, Lookup
from schemas.result import Reason

PUBLIC = tuple(Address(socket.AF_INET, f"93.184.216.{n}") for n in range(1, 7))
PRIVATE = Address(socket.AF_INET, "10.0.0.1")
IPV6 = Address(socket.AF_INET6, "2606:2800:220:1::1")


@pytest.mark.parametrize(
    "vantage", [Vantage(), Vantage(internal=True), Vantage(source="192.0.2.1")], ids=str
)
def test_all_addresses_are_tried(vantage: Vantage) -> None:
    assert permitted(PUBLIC, vantage) == (PUBLIC, ())


def test_a_refused_address_takes_no_place_of_another() -> None:
    allowed, refused = permitted((PRIVATE, *PUBLIC), Vantage())
    assert allowed == PUBLIC
    assert [(one.reason, one.address) for one in refused] == [("address_blocked", PRIVATE.ip)]


def test_deny_holds_for_an_internal_region_too() -> None:
    allowed, (refused,) = permitted(
        (PRIVATE, PUBLIC[0]), Vantage(internal=True, deny=(network("10.0.0.0/8"),))
    )
    assert allowed == PUBLIC[:1]
    assert (refused.reason, refused.address) == ("address_blocked", PRIVATE.ip)


@pytest.mark.parametrize(
    ("redirected", "reason"), [(False, "prober_error"), (True, "unexpected_response")]
)
def test_an_address_of_the_other_family_is_whose_fault_it_is(
    *, redirected: bool, reason: Reason
) -> None:
    _, (refused,) = permitted((IPV6,), Vantage(source="192.0.2.1"), redirected=redirected)
    text = f"{IPV6.ip} can't be reached from the source address 192.0.2.1"
    assert refused == Failure(reason, text, IPV6.ip, no_way=True)


def test_an_address_that_swallows_packets_leaves_time_for_the_others() -> None:
    left, spent = 3.0, []
    for waiting in (3, 2, 1):
        spent.append(share(left, waiting))
        left -= spent[-1]
    assert spent == [1.0, 1.0, 1.0]


def test_very_many_addresses_have_a_share_in_which_one_can_answer() -> None:
    assert share(3.0, 1_000) == LEAST_SHARE_S
    assert share(0.1, 1_000) == 0.1
    assert share(3.0, 12) == pytest.approx(0.25)


def test_what_the_target_has_said_tells_more_than_the_network_and_that_more_than_we() -> None:
    order: list[Reason] = [
        "unexpected_response",
        "connection_refused",
        "timed_out",
        "host_unreachable",
        "network_unreachable",
        "address_blocked",
    ]
    failures = [Failure(reason, reason) for reason in order]
    for number, failure in enumerate(failures):
        found = most_telling(failures[: number - 1 : -1] if number else failures[::-1])
        assert found.reason == failure.reason
        assert found.detail.startswith(failure.detail)


def test_of_equal_failures_the_first_is_told_first() -> None:
    found = most_telling([timed_out("b", 10), timed_out("a", 20)])
    assert found == Failure("timed_out", "b: timed out after 10 ms; a: timed out after 20 ms", "b")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EACCES])
def test_an_address_that_we_could_not_try_hides_what_it_would_have_said(number: int) -> None:
    refused, ours = os_failure(errno.ECONNREFUSED, "192.0.2.1"), os_failure(number, "192.0.2.2")
    for failures in ([refused, ours], [ours, refused]):
        found = most_telling(failures)
        assert (found.reason, found.address) == ("prober_error", "192.0.2.2")
        assert found.detail.endswith("; 192.0.2.1: Connection refused")


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETUNREACH])
def test_a_prober_without_ipv6_takes_a_refusal_for_one(number: int) -> None:
    ipv6 = os_failure(number, IPV6.ip)
    for other in (os_failure(errno.ECONNREFUSED, "192.0.2.1"), timed_out("192.0.2.1", 9)):
        found = most_telling([ipv6, other])
        assert (found.reason, found.address) == (other.reason, "192.0.2.1")
        assert ipv6.detail in found.detail


def test_no_ipv6_for_a_name_that_has_nothing_else_is_our_fault() -> None:
    assert most_telling([os_failure(errno.EAFNOSUPPORT, IPV6.ip)]).reason == "prober_error"


def test_a_source_of_the_other_family_takes_a_refusal_for_one() -> None:
    _, refused = permitted((IPV6,), Vantage(source="192.0.2.1"))
    found = most_telling([*refused, os_failure(errno.ECONNREFUSED, "192.0.2.9")])
    assert found.reason == "connection_refused"


def test_the_detail_has_each_address_as_far_as_there_is_room() -> None:
    failures = [os_failure(errno.ECONNREFUSED, f"192.0.2.{n}") for n in range(200)]
    found = most_telling([*failures[1:], failures[0]], untried=4_000)
    assert len(found.detail) <= 300
    assert found.detail.startswith("192.0.2.1: Connection refused; 192.0.2.2: Connection refused")
    assert found.detail.endswith(" more; 4000 not tried: no time was left)")
    shown = found.detail.count("refused")
    assert f"(and {200 - shown} more" in found.detail


def test_a_long_detail_leaves_room_for_the_number_of_the_others() -> None:
    found = most_telling([Failure("unexpected_response", "x" * 999), timed_out("a", 1)])
    assert len(found.detail) <= 300
    assert found.detail.endswith("(and 1 more)")


def test_failures_in_words() -> None:
    refused = os_failure(errno.ECONNREFUSED, "192.0.2.1")
    assert (refused.reason, refused.detail) == (
        "connection_refused",
        "192.0.2.1: Connection refused",
    )
    silent = timed_out("192.0.2.1", 499.6).error()
    assert (silent.reason, silent.detail) == ("timed_out", "192.0.2.1: timed out after 500 ms")


def test_a_lookup_fails_by_the_name_or_by_us() -> None:
    lookup = Lookup("db.example")
    assert lookup_failure(lookup) is None
    lookup.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert lookup_failure(lookup) == Failure("dns_failed", "Name or service not known")
    lookup.error = OSError(errno.EMFILE, "Too many open files")
    assert lookup_failure(lookup) == Failure("prober_error", "Too many open files")
    lookup.error = UnicodeError("label too long")
    assert lookup_failure(lookup) == Failure("dns_failed", "label too long")
