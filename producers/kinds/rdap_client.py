"""Asks RDAP servers over our own connections: the address policy judges each address.

RFC 7480 (HTTP), RFC 9082 (URLs) and RFC 9224 (which server). No library for RDAP lets its caller
choose the address that is connected to, or has a deadline for all of it together.
"""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.kinds import rdap, tls_session
from producers.kinds.certificate_end import span
from producers.kinds.check_context import CheckContext
from producers.kinds.http_body import BodyReader
from producers.kinds.http_coding import Unpacker
from producers.kinds.http_head import Head, HeadReader
from producers.kinds.http_url import RequestUrl, next_place
from producers.kinds.rdap import RdapError, Registration
from producers.kinds.rdap_memory import Registries
from schemas.result import REASON_TEXT

MOST_ANSWER_BYTES: Final = 256 << 10
MOST_LIST_BYTES: Final = 900_000
MOST_REDIRECTS: Final = 5
_AGENT: Final = "portquorum"
_ACCEPT: Final = "application/rdap+json, application/json;q=0.9"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_NO_RDAP: Final = frozenset({404, 405, 410, 501})
"""Statuses of a place that has no RDAP, and will have none tomorrow."""
_START: Final = RequestUrl("https", "rdap.invalid", 443, "/")


class _NoRdapError(CheckFailedError):
    """There is no RDAP where the question went."""


class _Answer:
    """The last answer of a chain of redirects."""

    __slots__ = ("body", "head", "place")

    def __init__(self, place: RequestUrl, head: Head, body: bytes) -> None:
        self.place = place
        self.head = head
        self.body = body


async def registration_of(
    context: CheckContext, known: Registries, name: str, base: str | None
) -> Registration | None:
    """What the registry of a domain says of it; None if it knows no such domain.

    `base` is the base URL of the server; None for the one of IANA's list. Where the registry names
    no end, its referral to the registrar is followed, once. A registrar that has no RDAP there has
    no word on the end either; one that does not answer for now might have one.

    Raises:
        CheckFailedError: `prober_error` or `address_blocked`: nobody said anything of the domain.
    """
    server = await _server_of(context, known, name) if base is None else base
    url = f"{server.removesuffix('/')}/domain/{name}"
    found = await _asked(context, known, url, name)
    if found is None or found.ends_at is not None or found.gone or found.referral is None:
        return found
    try:
        there = await _asked(context, known, found.referral, name)
    except _NoRdapError:
        return found
    return found if there is None or there.ends_at is None else there


async def _server_of(context: CheckContext, known: Registries, name: str) -> str:
    servers = known.servers(time.monotonic())
    if servers is None:
        async with known.asking:
            servers = known.servers(time.monotonic())
            if servers is None:
                servers = await _listed(context, known)
    server = rdap.server_of(servers, name)
    if server is None:
        text = (
            f"the registry of .{name.rpartition('.')[2]} has no RDAP server in IANA's list "
            f"({known.list_url}): give one by rdap:, or watch this domain in another way"
        )
        raise CheckFailedError("prober_error", text)
    return server


async def _listed(context: CheckContext, known: Registries) -> dict[str, str]:
    context.waiting_for = f"list of RDAP servers ({known.list_url})"
    try:
        answer = await _fetched(context, known, _place(known.list_url), MOST_LIST_BYTES)
        if answer.head.status != _OK:
            raise _refusal(known, answer)
        servers = rdap.servers(answer.body)
    except (CheckFailedError, RdapError) as error:
        old = known.old_servers(time.monotonic())
        if old is not None:
            return old
        if isinstance(error, CheckFailedError):
            raise
        text = f"the list of RDAP servers ({known.list_url}): {error}"
        raise CheckFailedError("prober_error", text) from error
    known.take_servers(servers, time.monotonic())
    return servers


async def _asked(
    context: CheckContext, known: Registries, url: str, name: str
) -> Registration | None:
    remembered = known.answer(url, time.monotonic())
    if remembered is not None:
        return remembered[0]
    answer = await _fetched(context, known, _place(url), MOST_ANSWER_BYTES)
    found: Registration | None = None
    if answer.head.status == _OK:
        try:
            found = rdap.registration(answer.body, name)
        except RdapError as error:
            text = f"the RDAP server {answer.place.authority}: {error}"
            raise CheckFailedError("prober_error", text) from error
    elif answer.head.status != _NOT_FOUND or not _is_a_registrys(answer):
        raise _refusal(known, answer)
    known.take_answer(url, found, time.monotonic())
    return found


def _is_a_registrys(answer: _Answer) -> bool:
    """Whether a 404 is that of a registry, and not of a web server that has no RDAP there.

    Its body is JSON, or it has none (RFC 7480, section 5.3) and the media type of JSON. Without
    that a registry's own server has no RDAP at this path (icann-rdap-srv).
    """
    if body := answer.body.strip():
        return body.startswith(b"{")
    return b"json" in (answer.head.value("content-type") or b"").lower()


def _refusal(known: Registries, answer: _Answer) -> CheckFailedError:
    """The failure for an answer that says nothing of the domain; too many are counted as such."""
    head, server = answer.head, answer.place.authority
    said = rdap.error_text(answer.body)
    text = f"the RDAP server {server} answered {head.status}"
    text += f" ({said})" if said else ""
    after_s = _retry_after_s(head)
    if head.status == _TOO_MANY or after_s is not None:
        waits_s = known.hold(server, after_s, time.monotonic())
        text += f"; it is not asked again for {span(waits_s * 1000)}"
    if head.status in _NO_RDAP:
        return _NoRdapError("prober_error", text)
    return CheckFailedError("prober_error", text)


def _retry_after_s(head: Head) -> float | None:
    """The time of Retry-After (RFC 9110, section 10.2.3) in seconds; None without one."""
    written = (head.value("retry-after") or b"").decode("latin-1").strip()
    if written.isascii() and written.isdecimal():
        return float(written[:9])
    try:
        at = parsedate_to_datetime(written[:100])
    except (ValueError, OverflowError):
        return None
    return (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


async def _fetched(
    context: CheckContext, known: Registries, place: RequestUrl, most: int
) -> _Answer:
    """The answer after all redirects.

    Raises:
        CheckFailedError: `prober_error` or `address_blocked`, whatever went wrong.
    """
    followed = 0
    while True:
        held_s = known.held_s(place.authority, time.monotonic())
        if held_s:
            text = (
                f"the RDAP server {place.authority} wants not to be asked for another "
                f"{span(held_s * 1000)}"
            )
            raise CheckFailedError("prober_error", text)
        try:
            head, body = await _get(context, place, most)
            location = next(iter(head.values("location")), b"").decode("latin-1")
            if head.status not in _REDIRECTS or not location:
                return _Answer(place, head, body)
            following = next_place(place, location)
        except CheckFailedError as error:
            blocked = error.reason == "address_blocked"
            why = "" if blocked else f"{REASON_TEXT[error.reason]}: "
            text = f"the RDAP server {place.authority} can't be asked: {why}{error.detail}"
            raise CheckFailedError(
                "address_blocked" if blocked else "prober_error", text
            ) from error
        followed += 1
        if followed > MOST_REDIRECTS or (place.scheme, following.scheme) == ("https", "http"):
            what = "from TLS to none" if followed <= MOST_REDIRECTS else f"{followed} times"
            text = f"the RDAP server {place.authority} redirects {what}: {following.url}"
            raise CheckFailedError("prober_error", text)
        place = following


async def _get(context: CheckContext, place: RequestUrl, most: int) -> tuple[Head, bytes]:
    """One request, without redirects; the answer has at most `most` bytes."""
    stream = await context.connect(place.host, place.port)
    try:
        if place.scheme == "https":
            await tls_session.secure(context, stream, verify=True, server_name=place.host)
        stream.server_first = True
        lines = (
            f"GET {place.target} HTTP/1.1",
            f"Host: {place.authority}",
            f"User-Agent: {_AGENT}",
            f"Accept: {_ACCEPT}",
            "Connection: close",
        )
        await stream.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
        reader = HeadReader()
        head: Head | None = None
        while head is None:
            data = await stream.receive()
            head = reader.feed(data) if data else reader.end()
        body_reader, unpacker, body = BodyReader(head, "GET"), Unpacker(head, most + 1), bytearray()
        data = reader.rest if data else b""
        while True:
            body += unpacker.feed(body_reader.feed(data))
            if body_reader.done or len(body) > most:
                break
            data = await stream.receive()
            if not data:
                break
    finally:
        stream.close()
    if len(body) > most:
        raise CheckFailedError("unexpected_response", f"more than {most} bytes came")
    if body_reader.cut is not None or unpacker.cut:
        text = f"the answer ends too soon, after {len(body)} bytes"
        raise CheckFailedError("unexpected_response", text)
    return head, bytes(body)


def _place(url: str) -> RequestUrl:
    return next_place(_START, url)
