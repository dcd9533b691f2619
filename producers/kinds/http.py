"""HTTP: one request, its redirects, and the expected answer.

HTTP/1.1 by h11 over our own connections: the address policy judges each address, also after a
redirect. No proxy, no cookies, no credentials that a redirect could pass on.
"""

import json
import re
import time
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

import h11
import jsonpath
from msgspec import Struct
from msgspec.structs import replace

from producers.checks.errors import CheckFailedError
from producers.checks.model import Hop
from producers.checks.os_errors import shown
from producers.judging.jobs import Job, Json, Search
from producers.judging.search import Expected, expected
from producers.kinds import tls, tls_session
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.kind import Kind
from schemas.partition import canonical_host
from schemas.probe import HttpProbe, Probe, Step

MOST_BODY_BYTES: Final = 900_000
MOST_LOCATION_BYTES: Final = 8_192
MOST_CHUNKS: Final = 20_000
"""The most pieces of a body: a server that sends more is malicious or not an HTTP server."""
_TLS_PORTS: Final = frozenset({443, 8443})
_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FINE: Final = frozenset(range(200, 300))
_AGENT: Final = "portquorum"
_NOT_IN_URL: Final = re.compile(r"[ \x80-\xff]")
# RFC 9112, section 3.2: visible characters; without the slash it would be no path.
_TARGET: Final = re.compile(r"/[\x21-\x7e]*")


class RequestUrl(Struct, frozen=True):
    """The URL of a request; `target` in the form of the request line."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


class _Answer(Struct):
    """`began_at` and `ended_at` are when its head and its last byte were read (monotonic s)."""

    status: int
    headers: list[tuple[str, str]]
    began_at: float
    ended_at: float = 0.0
    body: bytes = b""

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(found) if found else None


async def check(trial: CheckContext) -> None:
    """Up: the answer after the last redirect has the expected status, headers and body.

    DNS time is the sum of all lookups; connect and TLS times are those of the last connection.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` for another status or content.
    """
    probe, target = trial.target.probe, trial.target
    options = probe if isinstance(probe, HttpProbe) else HttpProbe(tls=target.port in _TLS_PORTS)
    if target.host is None or target.port is None:
        raise CheckFailedError("prober_error", "the target has no host or no port")
    scheme = "https" if options.tls else "http"
    place = RequestUrl(scheme, target.host, target.port, options.path)
    headers, followed = options.headers, 0
    while True:
        answer = await _ask(trial, place, options, headers)
        location = answer.header("location")
        if answer.status not in _REDIRECTS or location is None or not options.redirects:
            break
        if answer.status in options.status:
            break
        if followed == options.redirects:
            text = f"more than {options.redirects} redirects, the last one to {shown_url(location)}"
            raise CheckFailedError("unexpected_response", text)
        before, place = place, next_place(place, location)
        if (before.scheme, before.host, before.port) != (place.scheme, place.host, place.port):
            headers = {}  # they may have credentials, which only the target may see
        followed += 1
    if followed:
        redirects = "1 redirect" if followed == 1 else f"{followed} redirects"
        trial.banner = f"after {redirects}: {shown_url(place.url)}"
    # The rest is our own time, not the target's.
    trial.ended_at = time.monotonic()
    await _judge(trial, options, answer)
    if place.scheme == "https":
        tls.hold_on(trial, options.critical_days, options.warn_days)


def shown_url(url: str) -> str:
    """The URL for people without its query, which may have secrets."""
    return shown(url.partition("?")[0].encode())


def next_place(place: RequestUrl, location: str) -> RequestUrl:
    """The URL of the redirect `location` (Latin-1, as received) relative to `place`.

    Blanks and bytes beyond ASCII are percent-encoded, as in browsers and curl.

    Raises:
        CheckFailedError: it is not a URL of HTTP.
    """
    try:
        if len(location) > MOST_LOCATION_BYTES:
            raise ValueError("too long")  # noqa: TRY301  (one outcome for all that is wrong)
        url: SplitResult = urlsplit(urljoin(place.url, _encoded(location)))
        port = _PORTS[url.scheme] if url.port is None else url.port
        host = canonical_host(url.hostname or "")
        query = f"?{url.query}" if url.query else ""
        target = (url.path or "/") + query
        if not 0 < port < 65_536 or _TARGET.fullmatch(target) is None:
            raise ValueError(target)  # noqa: TRY301
    except (ValueError, KeyError, UnicodeError):
        text = f"a redirect to what is no URL of HTTP: {shown_url(location)}"
        raise CheckFailedError("unexpected_response", text) from None
    return RequestUrl(url.scheme, host, port, target)


def _encoded(location: str) -> str:
    return _NOT_IN_URL.sub(lambda one: f"%{ord(one[0]):02X}", location.strip(" \t"))


async def _ask(
    trial: CheckContext, place: RequestUrl, options: HttpProbe, headers: dict[str, str]
) -> _Answer:
    trial.waiting_for = "connection"
    dns_before_ms = trial.dns_ms
    stream = await trial.connect(place.host, place.port)
    trial.cert_expires_at = trial.tls_ms = None
    if place.scheme == "https":
        await tls_session.secure(trial, stream, verify=options.verify, server_name=place.host)
    trial.silence, trial.waiting_for = "timed_out", "HTTP answer"
    wants_body = bool(options.expect or options.expect_regex or options.expect_json)
    stream.server_first = True  # we ask for it: "Connection: close"
    asked_at = time.monotonic()
    try:
        answer = await _exchange(stream, place, options, headers, wants_body=wants_body)
    finally:
        stream.close()
    trial.http_status = answer.status
    asked = trial.dns_ms is not None and trial.dns_ms != dns_before_ms
    trial.hops.append(
        Hop(
            url=shown_url(place.url),
            address=trial.address,
            status=answer.status,
            dns_ms=round((trial.dns_ms or 0.0) - (dns_before_ms or 0.0), 3) if asked else None,
            connect_ms=trial.connect_ms,
            tls_ms=None if trial.tls_ms is None else round(trial.tls_ms, 3),
            wait_ms=round((answer.began_at - asked_at) * 1000, 3),
            body_ms=round((answer.ended_at - answer.began_at) * 1000, 3) if wants_body else None,
        )
    )
    return answer


async def _exchange(
    stream: Connection,
    place: RequestUrl,
    options: HttpProbe,
    headers: dict[str, str],
    *,
    wants_body: bool,
) -> _Answer:
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=65_536)
    await stream.send(_request(talk, place, options, headers))
    answer: _Answer | None = None
    body, events = bytearray(), 0
    while True:
        event = _next_event(talk)
        events += 1
        if events > MOST_CHUNKS:
            text = f"the answer came in more than {MOST_CHUNKS} pieces"
            raise CheckFailedError("unexpected_response", text)
        if event is h11.NEED_DATA:
            _receive(talk, await stream.receive())
        elif isinstance(event, h11.Response):
            names = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers
            ]
            answer = _Answer(event.status_code, names, time.monotonic())
            if not wants_body:
                return answer
        elif isinstance(event, h11.Data) and answer is not None:
            body += event.data
            # The expected content must be in the beginning.
            if len(body) > MOST_BODY_BYTES:
                return _with_body(answer, body)
        elif isinstance(event, h11.EndOfMessage) and answer is not None:
            return _with_body(answer, body)
        elif not isinstance(event, h11.InformationalResponse):
            raise CheckFailedError("protocol_mismatch", "closed by the server without HTTP answer")


def _request(
    talk: h11.Connection, place: RequestUrl, options: HttpProbe, headers: dict[str, str]
) -> bytes:
    sent = {"host": place.authority, "user-agent": _AGENT, "accept": "*/*"}
    sent |= {name.lower(): value for name, value in headers.items()}
    sent["connection"] = "close"
    fields = list(sent.items())
    try:
        request = h11.Request(method=options.method, target=place.target, headers=fields)
        return (talk.send(request) or b"") + (talk.send(h11.EndOfMessage()) or b"")
    except h11.LocalProtocolError as error:
        # Our own options: `next_place` has checked the URLs of redirects.
        raise CheckFailedError("prober_error", f"no request can be made: {error}") from error


def _with_body(answer: _Answer, body: bytearray) -> _Answer:
    return replace(answer, body=bytes(body), ended_at=time.monotonic())


def _next_event(talk: h11.Connection) -> Any:
    """The next event of the received data.

    Raises:
        CheckFailedError: the data is not HTTP.
    """
    try:
        return talk.next_event()
    except (h11.ProtocolError, ValueError) as error:
        raise CheckFailedError("protocol_mismatch", f"expected an HTTP answer: {error}") from None


def _receive(talk: h11.Connection, data: bytes) -> None:
    try:
        talk.receive_data(data)
    except (h11.ProtocolError, RuntimeError) as error:
        raise CheckFailedError("protocol_mismatch", f"expected an HTTP answer: {error}") from None


async def _judge(trial: CheckContext, options: HttpProbe, answer: _Answer) -> None:
    if answer.status not in (options.status or _FINE):
        wanted = ", ".join(map(str, options.status)) or "200 to 299"
        text = f"expected the status {wanted}, found {answer.status}"
        raise CheckFailedError("unexpected_response", text)
    for name, pattern in options.expect_headers.items():
        value = answer.header(name)
        step = Step(expect_regex=pattern)
        if value is None or await trial.verdict(Search(step, value.encode("latin-1"))) is None:
            found = "none" if value is None else repr(shown(value.encode("latin-1")))
            text = f"header {name}: expected {_words(step)}, found {found}"
            raise CheckFailedError("unexpected_response", text)
    for step in _body_steps(options):
        if await trial.verdict(Search(step, answer.body)) is None:
            text = f"body: expected {_words(step)}, found {shown(answer.body)!r}"
            raise CheckFailedError("unexpected_response", text)
    if options.expect_json is not None:
        job: Job = Json(options.expect_json, options.json_value, answer.body)
        wrong = await trial.verdict(job)
        if wrong is not None:
            raise CheckFailedError("unexpected_response", f"body: {wrong}")


def _words(step: Step) -> str:
    wanted = expected(step)
    return "" if wanted is None else wanted.words


def _body_steps(options: HttpProbe) -> list[Step]:
    steps = [Step(expect=options.expect), Step(expect_regex=options.expect_regex)]
    return [step for step in steps if step.expect or step.expect_regex]


def _regex(pattern: str) -> Expected:
    found = expected(Step(expect_regex=pattern))
    if found is None:
        raise ValueError(f"expected a regular expression, found {pattern!r}")
    return found


def _settle(probe: Probe | None, port: int | None) -> Probe:
    written = probe if isinstance(probe, HttpProbe) else HttpProbe()
    if written.method == "HEAD" and (_body_steps(written) or written.expect_json):
        raise ValueError("expected nothing of the body, since HEAD has none")
    for pattern in (*written.expect_headers.values(), *filter(None, [written.expect_regex])):
        _regex(pattern)
    for name, value in (("path", written.expect_json), ("value", written.json_value)):
        try:
            if value is not None:
                jsonpath.compile(value) if name == "path" else json.loads(value)
        except (ValueError, jsonpath.JSONPathError) as error:
            raise ValueError(
                f"expected a JSONPath and a JSON value, found {value!r}: {error}"
            ) from error
    if written.json_value is not None and written.expect_json is None:
        raise ValueError("expected expect_json beside json_value")
    if written.tls is None:
        return replace(written, tls=port in _TLS_PORTS)
    return written


KIND: Final = Kind(check=check, port=80, options=HttpProbe, settle=_settle)
