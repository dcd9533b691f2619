"""What an exchange means for the message: the `OutcomeKind` of an answer or an error.

The question behind each kind is what helps: the same again later (`unreachable`), the same again
though it may arrive twice (`uncertain`), another text (`refused`), another URL (`misconfigured`).
"""

import smtplib
import ssl
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Final

import msgspec
import requests
from msgspec import Struct

from schemas.plain_text import one_line
from sinks.notifier.channels.exchange import (
    ElsewhereError,
    Exchange,
    MailStep,
    NotAllowedError,
)
from sinks.notifier.model import OutcomeKind

MOST_RETRY_AFTER_S: Final = 86_400.0
"""Longer than a day is not believed."""

_BY_STATUS: Final[dict[int, OutcomeKind]] = {
    401: "misconfigured",
    402: "misconfigured",
    403: "misconfigured",
    404: "misconfigured",
    405: "misconfigured",
    407: "misconfigured",
    408: "unreachable",
    410: "misconfigured",
    421: "unreachable",
    425: "unreachable",
    429: "unreachable",
    # A gateway passed the message on and has no answer (RFC 9110, sections 15.6.3 and 15.6.5; 520
    # and 524 are Cloudflare's): what is behind it may have taken it.
    502: "uncertain",
    504: "uncertain",
    520: "uncertain",
    524: "uncertain",
}
_BAD_URL: Final = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
)
_BEFORE_THE_REQUEST: Final = frozenset(
    {
        "connect",
        "_new_conn",
        "_validate_conn",
        "_prepare_proxy",
        "_connect_tls_proxy",
        "do_handshake",
    }
)
"""Functions of urllib3 and ssl that an error has passed only before the request was sent."""
# A proxy's failure, says urllib3, is also what breaks behind it.
_AFTER_THE_REQUEST: Final = frozenset({"getresponse"})
_SAID_LENGTH: Final = 160
_NO_MAILBOX: Final = 550


class Finding(Struct, frozen=True):
    """What one exchange or step came to; `error` may hold secrets still."""

    kind: OutcomeKind
    error: str | None = None
    retry_after_s: float | None = None


def of_exchange(exchange: Exchange) -> Finding:
    """What an HTTP exchange came to, by its status or error alone."""
    if isinstance(exchange.error, NotAllowedError):
        return Finding("not_attempted")
    if exchange.error is not None:
        return of_error(exchange.error)
    status = exchange.status or 0
    if exchange.became_get:
        return Finding(
            "misconfigured",
            "the URL redirects, and the redirect drops the message; write the new URL",
        )
    if 200 <= status < 300:
        return Finding("confirmed")
    if 300 <= status < 400:
        error = f"expected 2xx, found {_named(status)}: the URL redirects; write the new one"
        return Finding("misconfigured", error)
    kind = _BY_STATUS.get(status) or ("unreachable" if status >= 500 else "refused")
    said = said_in(exchange.body)
    error = f"the channel answered {_named(status)}" + (f": {said}" if said else "")
    # Also with a 403: some limit their rates by that (GitHub).
    wait = None if kind == "refused" else retry_after_s(exchange)
    return Finding(kind, error, wait)


def of_error(error: Exception) -> Finding:
    """What an error of requests means: whether the request can have arrived."""
    words = _words(error)
    waited = isinstance(error, requests.exceptions.Timeout)
    passed = set(_functions(error))
    kind: OutcomeKind = "uncertain"
    text = f"the connection broke before the answer: {words}"
    if isinstance(error, _BAD_URL):
        kind, text = "misconfigured", words
    elif isinstance(error, ElsewhereError):
        kind = "misconfigured"
        text = "the URL redirects to another host, which is not followed; write the new URL"
    elif isinstance(error, requests.exceptions.SSLError):
        kind, text = "unreachable", f"TLS failed: {words}"
    elif not isinstance(error, (requests.RequestException, OSError)):
        kind, text = "misconfigured", f"the request could not be made: {words}"
    elif not _AFTER_THE_REQUEST & passed and (
        isinstance(error, requests.exceptions.ProxyError) or _BEFORE_THE_REQUEST & passed
    ):
        kind, text = "unreachable", "no connection in time" if waited else words
    elif waited:
        text = "the request was sent, no answer came in time"
    return Finding(kind, text)


def of_mail(steps: Sequence[MailStep]) -> Finding | None:
    """What the steps with a mail server came to; None if there was no step.

    One message may go to several recipients by several `sendmail`; the worst of them counts, unless
    some were told: then the message is confirmed, and `error` names the rest.
    """
    if not steps:
        return None
    sent = [step for step in steps if step.name == "sendmail"]
    good = [step for step in sent if step.error is None]
    failed = [step for step in steps if step.error is not None and step.name != "data"]
    begun = {id(step.error) for step in steps if step.name == "data" and step.error is not None}
    if failed:
        worst = failed[-1]
        error = worst.error
        finding = _of_mail_error(error, in_data=id(error) in begun) if error else None
        if finding is not None and not good:
            return finding
        if finding is not None:
            return Finding("confirmed", f"not all recipients were told: {finding.error}")
    refused = [f"{name}: {reply}" for step in good for name, reply in step.refused.items()]
    if refused:
        return Finding("confirmed", f"not all recipients were told: {'; '.join(refused)}")
    return Finding("confirmed") if good else Finding("uncertain", "the mail was not handed over")


def _of_mail_error(error: Exception, *, in_data: bool) -> Finding:
    if isinstance(error, NotAllowedError):
        return Finding("not_attempted")
    words = _words(error)
    kind: OutcomeKind = "unreachable"
    match error:
        case smtplib.SMTPAuthenticationError():
            kind, words = _by_reply(error.smtp_code, "misconfigured"), f"login refused: {words}"
        case smtplib.SMTPSenderRefused():
            kind, words = _by_reply(error.smtp_code, "misconfigured"), f"sender refused: {words}"
        case smtplib.SMTPRecipientsRefused():
            codes = [reply[0] for reply in error.recipients.values() if isinstance(reply, tuple)]
            kind = _by_reply(min(codes, default=_NO_MAILBOX), "misconfigured")
            words = f"no recipient accepted: {words}"
        case smtplib.SMTPDataError():
            kind, words = _by_reply(error.smtp_code, "refused"), f"mail refused: {words}"
        case smtplib.SMTPResponseException():
            kind = _by_reply(error.smtp_code, "misconfigured")
        case ssl.SSLError():
            words = f"TLS failed: {words}"
        case smtplib.SMTPNotSupportedError() | UnicodeError() | ValueError():
            kind = "misconfigured"
        case _ if in_data:
            kind, words = "uncertain", f"the mail was sent, no answer came: {words}"
    return Finding(kind, words)


def _by_reply(code: int, permanent: OutcomeKind) -> OutcomeKind:
    """4yz is transient, 5yz permanent (RFC 5321, section 4.2.1)."""
    return permanent if code >= 500 else "unreachable"


def retry_after_s(exchange: Exchange) -> float | None:
    """The wait in seconds that the other side asks for; None if it does not.

    `Retry-After` holds seconds or a date (RFC 9110, section 10.2.3). A date is compared with the
    other side's own clock, if it says its time. Discord and Telegram say seconds in the body too.
    """
    if exchange.retry_after is not None:
        text = exchange.retry_after.strip()
        try:
            return _sane(float(text))
        except ValueError:
            at = _timestamp(text)
            if at is not None:
                return _sane(at - (_timestamp(exchange.date or "") or time.time()))
    body = json_object(exchange.body)
    parameters = body.get("parameters")
    for place in (body, parameters if isinstance(parameters, dict) else {}):
        wait = place.get("retry_after")
        if isinstance(wait, (int, float)):
            return _sane(float(wait))
    return None


def json_object(body: bytes) -> dict[str, object]:
    """The JSON object that `body` is; empty if it is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def said_in(body: bytes) -> str:
    """The beginning of a short answer as one line of text; empty for pages of HTML."""
    text = body[: 4 * _SAID_LENGTH].decode("utf-8", "replace").strip()
    if text[:1] == "<":
        return ""
    return " ".join(one_line(text).split())[:_SAID_LENGTH]


def _sane(wait: float) -> float | None:
    return min(max(wait, 0.0), MOST_RETRY_AFTER_S) if wait == wait else None  # noqa: PLR0124 - NaN


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _words(error: BaseException) -> str:
    """The innermost cause in words: what requests and urllib3 put around it tells nothing more."""
    innermost = list(_chain(error))[-1]
    text = " ".join(one_line(str(innermost)).split())
    return f"{type(innermost).__name__}: {text}" if text else type(innermost).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it came from; of requests also the error that it carries as argument."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _functions(error: BaseException) -> Iterator[str]:
    """The names of the functions in which `error` and what it came from were raised."""
    for one in _chain(error):
        trace: TracebackType | None = one.__traceback__
        while trace is not None:
            yield trace.tb_frame.f_code.co_name
            trace = trace.tb_next
