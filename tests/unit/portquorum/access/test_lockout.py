"""Back-off of sign-ins."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from portquorum.access.lockout import (
    FORGET_MS,
    FREE,
    LONGEST_MS,
    failed,
    id_of_address,
    id_of_name,
    wait_ms,
)
from schemas import web
from schemas.web import Lockout

NOW = 1_764_500_000_000


def test_five_are_free_then_it_doubles_up_to_a_quarter_of_an_hour() -> None:
    record: Lockout | None = None
    waits = []
    for _ in range(FREE + 13):
        record = failed(record, id_of_name("ann"), NOW)
        waits.append(wait_ms(record, NOW))
    assert waits[:FREE] == [0] * FREE
    assert waits[FREE : FREE + 4] == [1_000, 2_000, 4_000, 8_000]
    assert waits[-1] == LONGEST_MS
    assert record is not None
    assert wait_ms(record, NOW + LONGEST_MS) == 0
    assert web.decode(web.encode(record)) == record


def test_a_day_forgets() -> None:
    record = failed(Lockout(id="a" * 64, failures=30, last_at=NOW, until=NOW), "a" * 64, NOW)
    assert failed(record, record.id, NOW + FORGET_MS + 1).failures == 1
    assert failed(record, record.id, NOW + FORGET_MS).failures == 32


@given(st.integers(0, 10**13 - 1), st.integers(0, 10**13 - 1), st.integers(0, 10**9))
def test_no_clock_keeps_anybody_out_for_longer(until: int, now: int, failures: int) -> None:
    record = Lockout(id="a" * 64, failures=failures, last_at=0, until=until)
    assert 0 <= wait_ms(record, now) <= LONGEST_MS
    assert wait_ms(failed(record, record.id, now), now) <= LONGEST_MS


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("unix", "unix", True),
    ],
)
def test_addresses(one: str, other: str, is_same: bool) -> None:
    assert (id_of_address(one) == id_of_address(other)) is is_same


def test_names_are_those_of_users() -> None:
    assert id_of_name(" Ann") == id_of_name("ann")
    assert id_of_name("192.0.2.1") != id_of_address("192.0.2.1")
    assert id_of_name("\ud800") == id_of_name("\ud800")
