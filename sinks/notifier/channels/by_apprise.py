"""One message by a plugin of Apprise, with the truth about what became of it."""

import html
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Literal

import apprise

from foundation import telemetry
from schemas.incident import Event, IncidentEvent, RegionEvent
from schemas.plain_text import one_line
from sinks.notifier.channels.body_errors import refusal_in
from sinks.notifier.channels.exchange import Exchange, NotAllowedError, Recorder, recording
from sinks.notifier.channels.outcomes import Finding, of_exchange, of_mail
from sinks.notifier.channels.plugins import amendment, listening, make, uses_http
from sinks.notifier.channels.ways import MOST_FILLED, Way, budget_for, plugin_name
from sinks.notifier.model import (
    ChannelEvent,
    Delivery,
    DrillEvent,
    MassEvent,
    News,
    SendOutcome,
)
from sinks.notifier.texts.model import Text
from sinks.notifier.texts.render import render
from sinks.notifier.texts.telling import action_of, ending_of, ordinary

AppriseType = Literal["failure", "warning", "success", "info"]

_log = telemetry.logger(__name__)

_GRAVE: Final = frozenset({"opened", "worsened", "reminder"})
_DOWN: Final = frozenset({"unreachable", "flapping"})
_GRAVEST: Final[tuple[AppriseType, ...]] = ("failure", "warning", "info", "success")
_MARK: Final = re.compile(r"[A-Za-z0-9]{4,}")


def send_by_apprise(url: str, delivery: Delivery, may_send: Callable[[], bool]) -> SendOutcome:
    """Sends by the filled-in `url`. Errors of the outcome may hold secrets still.

    Raises:
        ChannelUrlError: the URL can't be used.
    """
    plugin, way = make(url)
    text = render(delivery, budget_for(plugin, way))
    if text.problem:
        _log.warning(
            "a template of the route can't be used: the usual text goes",
            route=delivery.channel.route,
            why=text.problem,
        )
    recorder = Recorder(may_send, mark=_mark(text), amend=amendment(plugin))
    http = uses_http(plugin)
    with recording(recorder), listening() as said:
        try:
            if not http:
                recorder.ask()
            sent = _notify(plugin, way, text, type_of(delivery))
        except NotAllowedError:
            sent = False
    if recorder.blocked and not recorder.exchanges:
        return SendOutcome(kind="not_attempted", subject=text.line)
    finding = _finding(plugin, recorder, said, sent=sent, http=http)
    return SendOutcome(
        kind=finding.kind,
        error=finding.error,
        retry_after_s=finding.retry_after_s,
        subject=text.line,
    )


def type_of(delivery: Delivery) -> AppriseType:
    """Apprise's type: plugins choose colours, priorities, or whether they send at all by it."""
    if delivery.action == "resolve":
        return "success"
    if delivery.action == "digest":
        return _of_digest(delivery)
    if delivery.action == "closed":
        # Green is for what was seen to be well again, not for what nobody looks at any more.
        return "success" if ending_of(delivery) == "good" else "info"
    if delivery.action in {"trigger", "acknowledge", "refresh"}:
        return "failure"
    grave = {_severity(news.event) for news in delivery.news}
    if delivery.action not in _GRAVE or grave == {"info"}:
        return "info"
    return "failure" if "critical" in grave else "warning"


def _of_digest(delivery: Delivery) -> AppriseType:
    """`failure` if anything is down in it; of the rest the gravest."""
    found = {type_of(ordinary(delivery, [news])) for news in delivery.news}
    if any(map(partial(_is_down, delivery), delivery.news)):
        return "failure"
    return next((kind for kind in _GRAVEST if kind in found), "info")


def _is_down(delivery: Delivery, news: News) -> bool:
    if action_of(news, delivery) not in _GRAVE:
        return False
    event = news.event
    if isinstance(event, DrillEvent):
        return False
    return not isinstance(event, IncidentEvent) or event.incident_type in _DOWN


def _severity(event: "Event | ChannelEvent | MassEvent | DrillEvent") -> str:
    return "warning" if isinstance(event, (RegionEvent, ChannelEvent)) else event.severity


def _notify(plugin: Any, way: Way, text: Text, kind: AppriseType) -> bool:
    """Gives the text to the plugin as its way says; true if Apprise calls it sent."""
    body, title, source = text.body, text.subject, way.source
    if way.title == "none":
        body, title = text.short, ""
    elif way.title == "line":
        title = text.line[: max(int(plugin.title_maxlen), 0)]
    if way.fill_blank_lines:
        body = body.replace("\n\n", "\n\u200b\n", MOST_FILLED)
    if way.markup == "html":
        lines = html.escape(text.body, quote=False).replace("\n", "<br>\n")
        body = text.html if text.html is not None else f"<p>{lines}</p>"
    sender = apprise.Apprise(asset=plugin.asset)
    sender.add(plugin)
    return bool(
        sender.notify(
            body=body,
            title=title,
            # By name: plain strings in Apprise 1, members of an enumeration in Apprise 2.
            notify_type=getattr(apprise.NotifyType, kind.upper()),
            body_format=source and getattr(apprise.NotifyFormat, source.upper()),
        )
    )


def _finding(
    plugin: Any, recorder: Recorder, said: Sequence[str], *, sent: bool, http: bool
) -> Finding:
    """What became of the message, by what passed over the network rather than by what is said."""
    name = plugin_name(plugin)
    mail = of_mail(recorder.mail)
    if mail is not None and name == "email":
        return mail
    if recorder.exchanges:
        return _of_exchanges(name, recorder.exchanges, said, sent=sent)
    if sent and not http:
        return Finding("confirmed")
    if sent:
        why = f"Apprise's plugin {name} says that it was sent, and made no request"
        return Finding("refused", why)
    # A plugin for HTTP that made no request found something wrong in what it was given.
    words = _words(said) or "the channel did not confirm"
    return Finding("misconfigured" if http else "unreachable", words)


def _of_exchanges(
    name: str, exchanges: Sequence[Exchange], said: Sequence[str], *, sent: bool
) -> Finding:
    both = [(_of(name, one), one) for one in exchanges]
    failed = [one for one, _ in both if one.kind != "confirmed"]
    carried = [(one, exchange) for one, exchange in both if exchange.carried]
    # A body in Base64 does not show that it carries the message.
    those = carried or both
    # Refusals that a plugin does not see: those in the body of a 2xx, and lost redirects.
    unseen = any(one.kind != "confirmed" and exchange.good for one, exchange in those)
    if sent and not unseen and any(one.kind == "confirmed" for one, _ in those):
        # What else failed (a look-up, a first try with an old token) was not needed.
        return Finding("confirmed")
    if failed and any(one.kind == "confirmed" for one, _ in carried):
        why = failed[-1].error or "the lease has ended"
        return Finding("confirmed", f"not all targets of the URL were told: {why}")
    if failed:
        return failed[-1]
    if not exchanges[-1].whole:
        return Finding("uncertain", "the answer broke off")
    words = _words(said) or "no reason given"
    return Finding("refused", f"Apprise's plugin {name} takes the answer for a refusal: {words}")


def _of(plugin: str, exchange: Exchange) -> Finding:
    finding = of_exchange(exchange)
    if finding.kind != "confirmed":
        return finding
    return refusal_in(plugin, exchange.body) or finding


def _words(said: Sequence[str]) -> str:
    return " ".join(one_line("; ".join(said[-3:])).split())


def _mark(text: Text) -> str:
    """The longest plain word of the message: requests that carry it carry the message."""
    return max(_MARK.findall(text.line), key=len, default="")
