"""One message by one of our own channels: the request of its protocol, over requests."""

import base64
import time
from collections.abc import Callable, Sequence
from typing import Final

import requests
from msgspec import Struct, structs

from sinks.notifier.channels import alertmanager, opsgenie, pagerduty, webhook
from sinks.notifier.channels.address import ChannelUrlError, HttpPost, parameters
from sinks.notifier.channels.body_errors import refusal_in
from sinks.notifier.channels.classes import ALERTMANAGER, WEBHOOK
from sinks.notifier.channels.exchange import (
    CONNECT_S,
    READ_S,
    NotAllowedError,
    Recorder,
    recording,
)
from sinks.notifier.channels.outcomes import of_exchange
from sinks.notifier.model import Delivery, SendOutcome
from sinks.notifier.texts.model import Budget, Text
from sinks.notifier.texts.render import render


class Protocol(Struct, frozen=True):
    """One protocol: whether a URL can be used, and the request of a delivery."""

    check: Callable[[str], None]
    post: Callable[[str, Delivery, Sequence[Text]], HttpPost]
    budget: Budget


_OPSGENIE: Final = Protocol(opsgenie.check, opsgenie.post, opsgenie.BUDGET)
_ALERTMANAGER: Final = Protocol(alertmanager.check, alertmanager.post, alertmanager.BUDGET)
_WEBHOOK: Final = Protocol(webhook.check, webhook.post, webhook.BUDGET)

PROTOCOLS: Final[dict[str, Protocol]] = {
    "pagerduty": Protocol(pagerduty.check, pagerduty.post, pagerduty.BUDGET),
    "opsgenie": _OPSGENIE,
    "jira": _OPSGENIE,
    **dict.fromkeys(ALERTMANAGER, _ALERTMANAGER),
    **dict.fromkeys(WEBHOOK, _WEBHOOK),
}
"""By the scheme of the URL."""


def send_by_ourselves(
    protocol: Protocol, url: str, delivery: Delivery, may_send: Callable[[], bool]
) -> SendOutcome:
    """Sends by the filled-in `url`. Errors of the outcome may hold secrets still.

    Raises:
        ChannelUrlError: the URL can't be used.
    """
    texts = [_text(delivery, at, protocol.budget) for at in range(len(delivery.news))]
    # The time of the attempt: signatures and alerts of Alertmanager are judged by it.
    now = structs.replace(delivery, at=time.time_ns() // 1_000_000)
    post = protocol.post(url, now, texts)
    subject = texts[0].line if len(texts) == 1 else f"{len(texts)} open alerts"
    recorder = Recorder(may_send)
    try:
        with recording(recorder):
            _send(post, _limits(url))
    except NotAllowedError:
        return SendOutcome(kind="not_attempted", subject=subject)
    except Exception as error:
        if not recorder.exchanges:  # It could not even be made into a request.
            name = type(error).__name__
            raise ChannelUrlError(f"no request can be made of this URL ({name})") from error
    finding = of_exchange(recorder.exchanges[-1])
    if finding.kind == "confirmed":
        scheme = url.partition("://")[0].strip().lower()
        finding = refusal_in(scheme, recorder.exchanges[-1].body) or finding
    return SendOutcome(
        kind=finding.kind,
        error=finding.error,
        retry_after_s=finding.retry_after_s,
        subject=subject,
    )


def _text(delivery: Delivery, at: int, budget: Budget) -> Text:
    """The text of one subject."""
    return render(structs.replace(delivery, news=(delivery.news[at],)), budget)


def _send(post: HttpPost, limits: tuple[float, float]) -> None:
    with requests.Session() as session:
        # A password in ~/.netrc for this host belongs to somebody else.
        session.auth = _no_auth
        session.headers["User-Agent"] = "portquorum"
        if post.user is not None:
            # In UTF-8 (RFC 7617, section 2.1), where requests would take Latin-1.
            pair = base64.b64encode(f"{post.user}:{post.password}".encode()).decode()
            session.headers["Authorization"] = f"Basic {pair}"
        session.post(
            post.url,
            data=post.body,
            headers=post.headers,
            timeout=limits,
            allow_redirects=False,
        )


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _limits(url: str) -> tuple[float, float]:
    """Seconds for connecting and reading; `cto` and `rto` of the URL may only be shorter."""
    given = parameters(url)
    return _shorter(given.get("cto"), CONNECT_S), _shorter(given.get("rto"), READ_S)


def _shorter(text: str | None, most: float) -> float:
    try:
        wanted = float(text or most)
    except ValueError:
        return most
    return wanted if 0 < wanted < most else most
