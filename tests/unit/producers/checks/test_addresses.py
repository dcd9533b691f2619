"""The addresses of one name: which may be tried, for how long, and what their failures tell."""

import errno
import socket

import pytest

from producers.checks.address_policy import network
from producers.checks.addresses import (
    MAX_ADDRESSES,
    Failure,
    lookup_failure,
    most_telling,
    no_answer,
    os_failure,
    permitted,
    share,
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
def test_no_more_than_the_first_few_are_tried(vantage: Vantage) -> None:
    assert permitted(PUBLIC, vantage) == (PUBLIC[:MAX_ADDRESSES], ())


def test_a_refused_address_takes_no_place_of_another() -> None:
    allowed, refused = permitted((PRIVATE, *PUBLIC), Vantage())
    assert allowed == PUBLIC[:MAX_ADDRESSES]
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
    assert refused == Failure(reason, text, IPV6.ip)


def test_an_address_that_swallows_packets_leaves_time_for_the_others() -> None:
    left, spent = 3.0, []
    for waiting in (3, 2, 1):
        spent.append(share(left, waiting))
        left -= spent[-1]
    assert spent == [1.0, 1.0, 1.0]


def test_what_the_target_has_said_tells_more_than_the_network_and_that_more_than_we() -> None:
    order: list[Reason] = [
        "connection_refused",
        "network_unreachable",
        "prober_error",
        "address_blocked",
    ]
    failures = [Failure(reason, reason) for reason in order]
    for number, failure in enumerate(failures):
        assert most_telling(reversed(failures[number:])) == failure


def test_of_equal_failures_the_first_is_told() -> None:
    assert most_telling([no_answer("a", 10), os_failure(errno.ECONNREFUSED, "b")]).address == "a"


def test_failures_in_words() -> None:
    refused = os_failure(errno.ECONNREFUSED, "192.0.2.1")
    assert (refused.reason, refused.detail) == (
        "connection_refused",
        "192.0.2.1: Connection refused",
    )
    silent = no_answer("192.0.2.1", 499.6).error()
    assert (silent.reason, silent.detail) == ("timed_out", "192.0.2.1: no answer within 500 ms")


def test_a_lookup_fails_by_the_name_or_by_us() -> None:
    lookup = Lookup("db.example")
    assert lookup_failure(lookup) is None
    lookup.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert lookup_failure(lookup) == Failure("dns_failed", "Name or service not known")
    lookup.error = OSError(errno.EMFILE, "Too many open files")
    assert lookup_failure(lookup) == Failure("prober_error", "Too many open files")
    lookup.error = UnicodeError("label too long")
    assert lookup_failure(lookup) == Failure("dns_failed", "label too long")
