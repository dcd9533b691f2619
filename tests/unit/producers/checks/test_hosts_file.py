"""What a hosts file says of a name; test_names_as_glibc.py holds the same against glibc."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.checks.hosts_file import parsed


def ips(data: bytes, name: bytes) -> list[str]:
    return [address.ip for address in parsed(data).get(name, ())]


def test_lines_that_share_an_alias_or_an_address_stay_apart() -> None:
    data = b"127.0.0.1 a both\n127.0.0.2 b both\n127.0.0.1 c\n"
    assert ips(data, b"a") == ["127.0.0.1"]
    assert ips(data, b"b") == ["127.0.0.2"]
    assert ips(data, b"c") == ["127.0.0.1"]
    assert ips(data, b"both") == ["127.0.0.1", "127.0.0.2"]


@pytest.mark.parametrize(
    "line",
    [
        b"# 192.0.2.1 a",
        b"192.0.2.1 # a",
        b"192.0.2.1",
        b"192.0.2 a",
        b"192.0.2.01 a",
        b"0xc0000201 a",
        b"192.0.2.1:80 a",
        b"[2001:db8::1] a",
        b"fe80::1%eth0 a",
        b"fe80::1%1 a",
        b"a 192.0.2.1",
        b"\xff\xfe a",
        b"192.0.2.1 \0 a",
        b"\0 192.0.2.1 a",
        b"192.0.2.1 a.",
    ],
)
def test_a_line_that_says_nothing_of_the_name_is_skipped(line: bytes) -> None:
    assert ips(line + b"\n192.0.2.9 a\n", b"a") == ["192.0.2.9"]


def test_an_address_has_one_spelling_and_comes_once() -> None:
    data = b"2001:DB8:0:0::1 A a\r\n2001:db8::1 a\n"
    assert ips(data, b"a") == ["2001:db8::1"]


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    assert all(parsed(data).values())


def test_its_cost_grows_with_its_size_and_not_with_the_lines_of_one_name() -> None:
    """A quadratic one would need minutes for this."""
    lines = [b"10.%d.%d.%d a n%d" % (n >> 16, n >> 8 & 255, n & 255, n) for n in range(100_000)]
    began = time.process_time()
    found = parsed(b"\n".join(lines))
    assert len(found[b"a"]) == 100_000
    assert len(found) == 100_001
    assert time.process_time() - began < 20
