"""Spellings of one record, and records that only look alike."""

import dns.message
import dns.rrset
import pytest

from producers.judging.dns_records import meaning_of, read
from producers.judging.jobs import DnsAnswer, DnsSummary

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("record", "one", "other"),
    [
        ("A", "192.0.2.1", r"\# 4 C0000201"),
        ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
        ("AAAA", "::ffff:192.0.2.1", "::FFFF:c000:201"),
        ("CNAME", "WWW.Example.com", "www.example.com."),
        ("NS", "ns1.example.com", "NS1.EXAMPLE.COM."),
        ("PTR", "Host.example", "host.example."),
        ("DNAME", "A.example", "a.example."),
        ("MX", "10 mail.example.com", "010  MAIL.example.com."),
        ("SRV", "0 5 5060 SIP.example.com", "0 05 5060 sip.example.com."),
        ("SOA", "ns.example. Root.example 1 2 3 4 5", "NS.example root.example. 1 2 3 4 5"),
        ("HTTPS", '1 WWW.example. alpn="h2"', "1 www.example alpn=h2"),
        ("NAPTR", '10 1 "u" "E2U+sip" "" A.example', '10 1 u E2U+sip "" a.example.'),
        ("CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'),
        ("CAA", "0 ISSUE ca.test", '0 issue "ca.test"'),
        ("CAA", "0 issue ca.test; policy=ev", '0 issue "ca.test; policy=ev"'),
        ("TLSA", f"3 1 1 {HEX.upper()}", f"3 1 1 {HEX[:9]} {HEX[9:]}"),
        ("DS", f"1 8 2 {HEX}", f"00001 8 2 {HEX[:20].upper()} {HEX[20:]}"),
        ("SSHFP", f"1 2 {HEX}", f"1 2 {HEX.upper()}"),
        ("TXT", "v=spf1 include:a.test -all", '"v=spf1 include:a.test -all"'),
        ("TXT", "v=DKIM1; k=rsa; p=AB", '"v=DKIM1; k=rsa" "; p=AB"'),
        ("TXT", r"v=DKIM1\; k=rsa", '"v=DKIM1; k=rsa"'),
        ("TXT", 'key="x y"', r'"key=\"x y\""'),
        ("TXT", r"key=\"x\"", r'"key=\"x\""'),
        ("TXT", "grün", r'"gr\195\188n"'),
        ("TXT", "x" * 600, " ".join(f'"{"x" * 200}"' for _ in range(3))),
        ("TXT", f'"{"x" * 600}"', "x" * 600),
        ("SPF", "v=spf1 -all", '"v=spf1" " -all"'),
        ("TYPE65280", r"\# 2 AbCd", r"\# 2 ab cd"),
    ],
)
def test_spellings_of_one_record(record: str, one: str, other: str) -> None:
    assert meaning_of(record, one) == meaning_of(record, other)
    assert isinstance(meaning_of(record, one), bytes)


@pytest.mark.parametrize(
    ("record", "one", "other"),
    [
        ("A", "1.1.1.1", "11.1.1.1"),
        ("CNAME", "cdn.example.com", "cdn.example.company"),
        ("MX", "10 mail.example.com", "20 mail.example.com"),
        ("TXT", "TOKEN=abc", "TOKEN=ABC"),
        ("TXT", "a b", '"a" "b"'),
        ("CAA", "0 issue ca.test", "128 issue ca.test"),
        ("CAA", "0 issue ca.test", "0 issuewild ca.test"),
    ],
)
def test_records_that_look_alike(record: str, one: str, other: str) -> None:
    assert meaning_of(record, one) != meaning_of(record, other)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ("A", "010.0.0.1"),
        ("A", "192.0.2.1 192.0.2.2"),
        ("AAAA", "192.0.2.1"),
        ("MX", "mail.example.com"),
        ("MX", "70000 mail.example.com"),
        ("CAA", "0 issue"),
        ("TXT", '"no end'),
        ("TLSA", "3 1 1 zz"),
        ("CNAME", "a..b"),
    ],
)
def test_what_is_no_such_record(record: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(record, text)
    assert meaning_of(record, text) == text


def test_what_is_written_means_the_same_when_it_is_read_again() -> None:
    for record, text in (("TXT", "x" * 600), ("TXT", 'a "b" \\; c'), ("CAA", "0 issue a;b=c")):
        written = read(record, text).to_text()
        assert read(record, written).to_text() == written
        assert meaning_of(record, written) == meaning_of(record, text)


def answered(*records: tuple[str, str, str], expect: tuple[str, ...] = ()) -> DnsSummary:
    query = dns.message.make_query("www.test", "A")
    response = dns.message.make_response(query)
    response.answer += [dns.rrset.from_text(name, 1, "IN", kind, of) for name, kind, of in records]
    return DnsAnswer(query.to_wire(), "A", response.to_wire(), expect).verdict()


def test_records_that_the_question_leads_to() -> None:
    address = ("End.test.", "A", "192.0.2.1")
    first, second = ("WWW.test.", "CNAME", "a.test."), ("A.test.", "CNAME", "end.test.")
    assert answered(second, address, first).records == ("192.0.2.1",)
    assert answered(second, address).records == ()
    assert answered(first, second).beside == "only an alias: end.test."


def test_aliases_in_a_circle_end() -> None:
    circle = answered(("www.test.", "CNAME", "a.test."), ("a.test.", "CNAME", "www.test."))
    assert circle.beside == "only an alias: a.test."
    assert answered(("www.test.", "CNAME", "www.test.")).records == ()


def test_what_is_missing_is_told_as_it_was_written() -> None:
    found = answered(("www.test.", "A", "192.0.2.1"), expect=("192.0.2.1", "192.0.2.2", "odd"))
    assert found.missing == ("192.0.2.2", "odd")


def test_a_server_that_refers_to_others_is_named() -> None:
    query = dns.message.make_query("www.test", "A")
    response = dns.message.make_response(query)
    response.authority.append(dns.rrset.from_text("test.", 1, "IN", "NS", "ns.other."))
    found = DnsAnswer(query.to_wire(), "A", response.to_wire()).verdict()
    assert found.beside == "the server refers to others: ns.other."
