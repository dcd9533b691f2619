"""The jobs of a judge: values with the data of a server and the expectation.

A job is pure, so it gives the same verdict in the event loop and in a worker process. `small`: its
cost is bounded and far below a millisecond a kilobyte, so that it may run in the loop.
"""

import json
import struct
from itertools import islice
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import jsonpath
from msgspec import Struct

from producers.checks.os_errors import shown
from producers.judging.conditions import AnyMatch, JsonConditions, TextConditions
from producers.judging.dns_records import meaning, meaning_of
from producers.judging.json_values import found_by, in_utf8, is_singular, parsed, same
from producers.judging.search import expected
from schemas.probe import Exchange

SMALL_BYTES: Final = 4_096
"""RE2 needs up to some 3 µs a byte for an unlucky pattern (measured: 2.1 s for 900 kB)."""

SMALL_JSON_BYTES: Final = 32_768
"""Python's json needs some 0.05 µs a byte; a singular path visits one value a step."""

SMALL_DNS_BYTES: Final = 1_024
_FEW_DNS_BYTES: Final = 256
_FEW_RECORDS: Final = 4
"""A record with a name of 120 labels, which takes 14 bytes by a pointer, needs some 5 ms of
dnspython's (measured: 1.4 s for 4 KiB)."""

_COUNTS: Final = struct.Struct(">6xHHH")
SHOWN_RECORDS: Final = 5
_ALIASES: Final = 16
"""The most aliases that are followed; resolvers give up sooner."""
_TEXT: Final = 200
_SHOWN_VALUES: Final = 5


class Search(Struct, frozen=True, tag="search"):
    """The end of the first match of the expectation of `step` in `data`, None if there is none."""

    step: Exchange
    data: bytes

    @property
    def small(self) -> bool:
        """A search for bytes is fast in the most data that a check receives."""
        return self.step.expect_regex is None or len(self.data) <= SMALL_BYTES

    def verdict(self) -> int | None:
        """See the class."""
        wanted = expected(self.step)
        return 0 if wanted is None else wanted.end_in(self.data)


class Json(Struct, frozen=True, tag="json"):
    """The error of a body that must be JSON with a value at `path`; None for a good one.

    With `value` (JSON) one of the values found must be equal to it, as JSON has it: 1 is 1.0, and
    not `true`. Of a repeated name the last value counts (RFC 8259, section 4). `charset`: see
    `json_values.in_utf8`.
    """

    path: str
    value: str | None
    body: bytes
    charset: str | None = None

    @property
    def small(self) -> bool:
        """Paths that are not singular can be quadratic and worse, also in a small body."""
        return len(self.body) <= SMALL_JSON_BYTES and is_singular(self.path)

    def verdict(self) -> str | None:
        """See the class."""
        try:
            found = found_by(self.path, parsed(in_utf8(self.body, self.charset)))
            if self.value is None:
                return None if any(True for _ in found) else f"{self.path} finds nothing"
            wanted = parsed(self.value)
            seen: list[Any] = []
            for value in found:
                if same(value, wanted):
                    return None
                if len(seen) < _SHOWN_VALUES:
                    seen.append(value)
            text = shown(json.dumps(seen).encode())
        except (ValueError, RecursionError, jsonpath.JSONPathError) as error:
            return f"expected JSON, found {shown(self.body)!r} ({type(error).__name__})"
        return f"{self.path}: expected {self.value}, found {text}"


class DnsSummary(Struct, frozen=True):
    """The content of a DNS answer.

    `records`: those of the wanted type that the question leads to, in zone format. `missing`: the
    expected ones that are not among them. `beside`: what was answered in their place, for people.
    """

    matches: bool
    truncated: bool
    rcode: str
    records: tuple[str, ...]
    wrong: str | None = None
    missing: tuple[str, ...] = ()
    beside: str | None = None


class DnsAnswer(Struct, frozen=True, tag="dns"):
    """The content of `data` as an answer to the question `query` (both in wire format).

    `record` is the type of the wanted records, `expect` has those that must be among them, in zone
    format.
    """

    query: bytes
    record: str
    data: bytes
    expect: tuple[str, ...] = ()

    @property
    def small(self) -> bool:
        """Compressed names can make a short message expensive to unpack."""
        size = len(self.data)
        if size <= _FEW_DNS_BYTES:
            return True
        return size <= SMALL_DNS_BYTES and sum(_COUNTS.unpack_from(self.data)) <= _FEW_RECORDS

    def verdict(self) -> DnsSummary:
        """See the class; `wrong` is the reason why it is not an answer."""
        try:
            query = dns.message.from_wire(self.query)
            # As resolvers do: a broken record beside those that are wanted does no harm.
            answer = dns.message.from_wire(self.data, ignore_trailing=True, continue_on_error=True)
            wanted = dns.rdatatype.from_text(self.record)
            names = _led_to(query, answer)
            found = [
                record
                for rrset in answer.answer
                if rrset.rdtype == wanted and rrset.name in names
                for record in rrset
            ]
            said = answer.question and answer.rcode() != dns.rcode.NOERROR
            if answer.errors and not found and not said:
                return _no_dns(_plain(str(answer.errors[0].exception)))
            return DnsSummary(
                matches=query.is_response(answer),
                truncated=bool(answer.flags & dns.flags.TC),
                rcode=dns.rcode.to_text(answer.rcode()),
                records=tuple(record.to_text() for record in found),
                missing=self._missing(found),
                beside=None if found else _beside(answer, names),
            )
        except dns.exception.DNSException as error:
            return _no_dns(_plain(str(error)))
        except Exception as error:  # noqa: BLE001  (dnspython lets others pass for odd records)
            return _no_dns(_told(error))

    def _missing(self, found: list[dns.rdata.Rdata]) -> tuple[str, ...]:
        if not self.expect:
            return ()
        meanings = {meaning(record) for record in found}
        return tuple(text for text in self.expect if meaning_of(self.record, text) not in meanings)


def _no_dns(wrong: str) -> DnsSummary:
    return DnsSummary(matches=True, truncated=False, rcode="", records=(), wrong=wrong)


def _led_to(query: dns.message.Message, answer: dns.message.Message) -> list[dns.name.Name]:
    """The name of the question, and those that aliases of the answer lead to, in their order.

    A DNAME counts by the CNAME that comes with it (RFC 6672, section 3.1).
    """
    aliases = {
        rrset.name: rrset[0].target
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.CNAME
    }
    names = [question.name for question in query.question]
    while len(names) <= _ALIASES and (name := aliases.get(names[-1])) and name not in names:
        names.append(name)
    return names


def _beside(answer: dns.message.Message, names: list[dns.name.Name]) -> str | None:
    """The content of an answer that has no wanted record."""
    if len(names) > 1:
        return f"only an alias: {names[-1]}"
    servers = [
        record.to_text()
        for rrset in answer.authority
        if rrset.rdtype == dns.rdatatype.NS
        for record in rrset
    ]
    if servers and not answer.flags & dns.flags.AA:
        return f"the server refers to others: {first(tuple(servers))}"
    return None


Job = Search | Json | JsonConditions | TextConditions | AnyMatch | DnsAnswer
Verdict = int | str | DnsSummary | None


def take(job: Job) -> Verdict:
    """The verdict of `job`, whatever is in its data.

    Raises:
        JudgingError: the data can't be judged (too deep, too large for the memory).
    """
    try:
        return job.verdict()
    except (Exception, MemoryError) as error:
        raise JudgingError(_told(error)) from error


class JudgingError(Exception):
    """The data of the server can't be judged; the text has the cause."""


def _told(error: BaseException) -> str:
    return _plain(f"{type(error).__name__}: {error}")


def _plain(text: str) -> str:
    """JSON has lone surrogates, which no encoding takes."""
    return text[:_TEXT].encode("ascii", "backslashreplace").decode()


def first(records: tuple[str, ...]) -> str:
    """The first records, for people."""
    return ", ".join(islice(records, SHOWN_RECORDS))
