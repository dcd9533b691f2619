import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.partition import canonical_host, host_key, partition_for


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("DB1.Example.COM", "db1.example.com"),
        (" db1.example.com. ", "db1.example.com"),
        ("localhost", "localhost"),
        ("backup_nightly", "backup_nightly"),
        ("_sip._tcp.example.com", "_sip._tcp.example.com"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("[::1]", "::1"),
        ("::FFFF:192.0.2.1", "::ffff:192.0.2.1"),
        ("::ffff:c000:201", "::ffff:192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("例え。テスト。", "xn--r8jz45g.xn--zckzah"),
        ("１２７.０.０.１", "127.0.0.1"),  # noqa: RUF001 - the digits' width is the point
        ("3com.example", "3com.example"),
    ],
)
def test_one_spelling(written: str, canonical: str) -> None:
    assert canonical_host(written) == canonical


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        " ",
        ".",
        "a..b",
        "-a.example",
        "a-.example",
        "a b.example",
        "https://example.com",
        "example.com/path",
        "user@example.com",
        "example.com:80",
        "[example.com]",
        "256.1.1.1",
        "127.1",
        "1",
        "0x7f000001",
        "１２７.１",  # noqa: RUF001 - the digits' width is the point
        "example.com%eth0",
        "fe80::1%eth 0",
        "fe80::1%",
        ":::",
        "x" * 64 + ".example",
        ".".join(["abcdefg"] * 40),
        "a\0b",
        "ex*mple.com",
        "\u200b",
        "_",
    ],
)
def test_nonsense_is_refused_by_name(nonsense: str) -> None:
    with pytest.raises(ValueError, match=r"expected|at most"):
        canonical_host(nonsense)


host_like = st.text("abAB01.-_:[]%äßß。１x\u0301 ", max_size=30)  # noqa: RUF001 - as above


@given(host_like | st.text(max_size=40) | st.ip_addresses().map(str))
def test_canonical_is_final_or_refused(text: str) -> None:
    try:
        once = canonical_host(text)
    except ValueError:
        return
    assert canonical_host(once) == once
    assert once.isascii()
    assert once == once.lower() or "%" in once
    assert 0 < len(once) <= 253


@given(st.ip_addresses(v=6))
def test_all_spellings_of_an_address_are_one(address: object) -> None:
    assert canonical_host(address.exploded.upper()) == canonical_host(str(address))  # type: ignore[attr-defined]


@given(st.binary(max_size=100), st.integers(1, 1024))
def test_a_partition_exists(key: bytes, count: int) -> None:
    assert 0 <= partition_for(key, count) < count


def test_a_target_without_host_goes_by_its_id() -> None:
    assert host_key(None, "backup") == "backup"
    assert host_key("db1", "prod-db") == "db1"
