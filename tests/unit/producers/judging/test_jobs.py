"""Jobs: the verdicts, and which of them are small."""

import json
import struct

import dns.message
import dns.rcode
import dns.rrset
import pytest

from producers.judging.conditions import JsonConditions
from producers.judging.jobs import DnsAnswer, Job, Json, JudgingError, Search, take
from schemas.probe import Condition, Step


@pytest.mark.parametrize(
    ("path", "value", "body", "verdict"),
    [
        ("$.a", None, {"a": 1}, None),
        ("$.a", "1", {"a": 1}, None),
        ("$..b", '"x"', [{"b": "y"}, {"c": {"b": "x"}}], None),
        ("$.b", None, {"a": 1}, "$.b finds nothing"),
        ("$.a", "2", {"a": 1}, "$.a: expected 2, found [1]"),
        ("$[*]", "9", list(range(7)), "$[*]: expected 9, found [0, 1, 2, 3, 4]"),
    ],
)
def test_a_body_of_json(path: str, value: str | None, body: object, verdict: str | None) -> None:
    assert take(Json(path, value, json.dumps(body).encode())) == verdict


@pytest.mark.parametrize(
    ("regex", "data", "end"),
    [
        ("Köln", "in Köln!".encode(), 8),
        ("Köln", "in Köln!".encode("latin-1"), 7),
        ("正.", "正常x".encode(), 6),
        ("[\x80-\xff]", b"a\xff", 2),
        (r"\xff", b"a\xff", 2),
        ("ü", b"u", None),
    ],
)
def test_characters_beyond_ascii_are_found_as_bytes_and_as_text(
    regex: str, data: bytes, end: int | None
) -> None:
    assert take(Search(Step(expect_regex=regex), data)) == end


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff", b"[" * 20_000, b"NaN", b'{"a": -Infinity}'),
        b"[NaN," + b"1" * 5_000 + b"]",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_is_told(body: bytes) -> None:
    verdict = take(Json("$.a", None, body))
    assert isinstance(verdict, str)
    assert verdict.startswith("expected JSON, found ")


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1", "true", False),  # nagios-http-json 32
        ("true", "1", False),
        ("0", "false", False),
        ("1", "1.0", True),
        ("1e0", "1", True),
        ("true", "true", True),
        ("null", "false", False),
        ("0", "null", False),
        ('"1"', "1", False),
        ("[1, [0]]", "[true, [false]]", False),
        ('{"a": {"b": [1]}}', '{"a": {"b": [true]}}', False),
        ('{"a": 1, "b": 2}', '{"b": 2.0, "a": 1}', True),
        ('{"a": 1}', '{"a": 1, "b": 2}', False),
        ("[1, 2]", "[1]", False),
        ("9007199254740993", "9007199254740992", False),
        ("-0", "0", True),
        ('"\\u00e9"', '"é"', True),
        ('{"a": 1, "a": 2}', '{"a": 2}', True),
        ("[]", "{}", False),
        ('""', "false", False),
    ],
)
def test_values_are_compared_as_json_has_them(one: str, other: str, equal: bool) -> None:
    verdict = take(Json("$.v", other, f'{{"v": {one}}}'.encode()))
    assert (verdict is None) == equal, verdict


def test_of_several_values_one_must_be_equal() -> None:
    body = b'{"a": [1, 0, "true", true]}'
    assert take(Json("$.a[*]", "true", body)) is None
    assert (
        take(Json("$.a[*]", "false", body)) == '$.a[*]: expected false, found [1, 0, "true", true]'
    )


def test_a_number_longer_than_python_converts_is_json() -> None:
    assert take(Json("$.a", None, b'{"a": ' + b"1" * 5_000 + b"}")) is None


@pytest.mark.parametrize(
    ("job", "small"),
    [
        (Search(Step(expect="x"), b"y" * 900_000), True),
        (Search(Step(expect_regex="x"), b"y" * 4_096), True),
        (Search(Step(expect_regex="x"), b"y" * 4_097), False),
        (Json("$.a[0]['b']", "1", b" " * 32_768), True),
        (Json("$.a", None, b" " * 32_769), False),
        (Json("$.*", None, b"[]"), False),
        (Json("$..a", None, b"[]"), False),
        (Json("$[?search(@.a, @.b)]", None, b"[]"), False),
        (Json("$.a | $.b", None, b"[]"), False),
        (DnsAnswer(b"", "A", bytes(1_024)), True),
        (DnsAnswer(b"", "A", bytes(1_025)), False),
        (DnsAnswer(b"", "A", bytes(6) + b"\0\1\0\2\0\1" + bytes(500)), True),
        (DnsAnswer(b"", "A", bytes(6) + b"\0\1\0\2\0\2" + bytes(500)), False),
        (DnsAnswer(b"", "A", bytes(6) + b"\0\1\0\2\0\2" + bytes(200)), True),
    ],
    ids=str,
)
def test_only_what_is_surely_short_is_small(job: Job, small: bool) -> None:
    assert job.small is small


def test_a_dns_answer_is_summed_up() -> None:
    query = dns.message.make_query("a.example", "A")
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text("a.example.", 60, "IN", "A", "192.0.2.1"))
    found = DnsAnswer(query.to_wire(), "A", response.to_wire()).verdict()
    assert (found.matches, found.rcode, found.records) == (True, "NOERROR", ("192.0.2.1",))
    other = dns.message.make_query("b.example", "A").to_wire()
    assert not DnsAnswer(other, "A", response.to_wire()).verdict().matches


BROKEN = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\5abcde"  # an address of five bytes


def test_a_broken_record_beside_a_good_one_does_no_harm() -> None:
    query = dns.message.make_query("a.example", "A")
    response = dns.message.make_response(query)
    wire = bytearray(response.to_wire())
    wire[7] = 1
    found = DnsAnswer(query.to_wire(), "A", bytes(wire) + BROKEN).verdict()
    assert found.wrong is not None  # alone it is no answer
    response.answer.append(dns.rrset.from_text("a.example.", 60, "IN", "A", "192.0.2.1"))
    wire = bytearray(response.to_wire())
    wire[11] = 1  # one more, in the additional section
    found = DnsAnswer(query.to_wire(), "A", bytes(wire) + BROKEN, ("192.0.2.1",)).verdict()
    assert (found.wrong, found.records, found.missing) == (None, ("192.0.2.1",), ())
    response.answer.clear()
    response.set_rcode(dns.rcode.NXDOMAIN)
    wire = bytearray(response.to_wire())
    wire[9] = 1  # in the authority section
    found = DnsAnswer(query.to_wire(), "A", bytes(wire) + BROKEN).verdict()
    assert (found.wrong, found.rcode) == (None, "NXDOMAIN")


def test_a_dns_answer_that_points_into_itself_is_wrong() -> None:
    query = dns.message.make_query("a.example", "A").to_wire()
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 0, 5_000, 0, 0)
    for tail in (b"\xc0\x0c" * 20_000, b"\xc0\x0e\xc0\x0c" * 900, b"\x3f" * 9_000):
        found = DnsAnswer(query, "A", head + tail).verdict()
        assert found.wrong is not None


def test_what_can_not_be_judged_says_so() -> None:
    with pytest.raises(JudgingError, match="ValueError"):
        take(Search(Step(expect_regex="("), b""))


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("cp1252", '{"a": "hä"}'.encode("cp1252")),
        ("cp1252", '{"a": "hä"}'.encode()),  # UTF-8, whatever its head says
        (None, '{"a": "hä"}'.encode()),
        ("utf-16-le", '{"a": "hä"}'.encode("utf-16-le")),
    ],
)
def test_json_in_the_encoding_of_its_page(charset: str | None, body: bytes) -> None:
    assert take(Json("$.a", '"hä"', body, charset)) is None
    conditions = (Condition(json="$.a", equals='"hä"'),)
    assert take(JsonConditions(conditions, body, charset)) is None
