"""The line `hosts:` of nsswitch.conf; test_names_as_glibc.py holds the same against glibc."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.checks.name_sources import DEFAULT, Source, parsed

RETURN_ALL = frozenset({"SUCCESS", "NOTFOUND", "TRYAGAIN"})


@pytest.mark.parametrize(
    ("data", "sources"),
    [
        (b"", DEFAULT),
        (b"passwd: files\nhosts_x: dns\n# hosts: dns\n#hosts: dns\n", DEFAULT),
        (b"hosts: dns", DEFAULT),
        (b"hosts:\n", ()),
        (b"hosts: files dns\n", (Source("files"), Source("dns"))),
        (b"hosts: dns\nhosts: files\n", (Source("files"),)),
        (b" hosts\t:\tfiles\r\n", (Source("files"),)),
        (b"HOSTS: dns\n", DEFAULT),
        (
            b"hosts: files mdns4_minimal [NOTFOUND=return] dns myhostname\n",
            (
                Source("files"),
                Source("mdns4_minimal", frozenset({"SUCCESS", "NOTFOUND"})),
                Source("dns"),
                Source("myhostname"),
            ),
        ),
        (
            b"hosts: resolve[!UNAVAIL=return] files\n",
            (Source("dns", RETURN_ALL), Source("files")),
        ),
        (
            b"hosts: dns [ notfound = Return success=CONTINUE]\n",
            (Source("dns", frozenset({"NOTFOUND"})),),
        ),
        (b"hosts: files [SUCCESS=merge] dns\n", (Source("files", frozenset()), Source("dns"))),
    ],
)
def test_sources_and_when_they_end_the_lookup(data: bytes, sources: tuple[Source, ...]) -> None:
    assert parsed(data) == sources


@pytest.mark.parametrize(
    "line",
    ["dns [NOTFOUND=return", "dns []", "dns [NOTFOUND]", "dns [NOTFOUND=go]", "dns [X=return]"],
)
def test_a_line_that_glibc_does_not_understand_is_told(line: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parsed(f"hosts: {line}\n".encode())


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert all(source.service for source in parsed(b"hosts: " + data + b"\n"))
