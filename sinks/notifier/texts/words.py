"""What happened, in the words of a subject line."""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from schemas.duration import WHOLE_SECONDS, duration_text
from schemas.incident import IncidentEvent, RegionVerdict
from schemas.probe import JOB
from schemas.result import REASON_TEXT
from sinks.notifier.model import Action
from sinks.notifier.texts import domain_words, job_words
from sinks.notifier.texts.outside import said

_OPENED: Final[dict[str, str]] = {
    "unreachable": "Unreachable",
    "slow": "Slow",
    "flapping": "Flapping",
    "expiring": "Certificate Ends Soon",
}
_STILL: Final[dict[str, str]] = {
    "unreachable": "Still Unreachable",
    "slow": "Still Slow",
    "flapping": "Still Flapping",
    "expiring": "Certificate Still Ends Soon",
}
_CLOSED: Final[dict[str, str]] = {
    "unreachable": "Reachable Again",
    "slow": "Fast Again",
    "flapping": "Steady Again",
    "expiring": "Certificate Renewed",
}
_WAS: Final[dict[str, str]] = {
    "unreachable": "Was Unreachable",
    "slow": "Was Slow",
    "flapping": "Was Flapping",
    "expiring": "Certificate Was About To End",
}
_ENDED: Final = {
    "resolved": "Incident Resolved By Hand",
    "target_removed": "No Longer Watched",
    "target_changed": "Changed, Watched Anew",
    "target_paused": "Paused, Nobody Checks It",
    "policy_changed": "No Longer Watched For This",
    "steady": "No Longer Flapping, Down For Good",
    "flapping": "Down And Up Again And Again, Told As Flapping From Here On",
    "abandoned": "Not Looked At Any More, Not Known To Be Over",
}
_DOMAIN: Final = "domain"
_THINGS: Final = {"tcp": "TCP Port", _DOMAIN: "Domain", JOB: job_words.THING}
_BETTER: Final = "Reachable From"

# Of a port that must be closed.
_OPEN: Final = {"unreachable": "Open"}
_STILL_OPEN: Final = {"unreachable": "Still Open"}
_CLOSED_AGAIN: Final = {"unreachable": "Closed Again"}
_WAS_OPEN: Final = {"unreachable": "Was Open"}
_STAYS_OPEN: Final = {
    "steady": "No Longer Flapping, Open For Good",
    "flapping": "Open And Closed Again And Again, Told As Flapping From Here On",
}
_BETTER_CLOSED: Final = "Closed To"
_GOES_ON: Final = "Incident Goes On"
_MOST_MS: Final = 9_999_999_999_999
_FAILING: Final = frozenset({"down", "slow"})


def what(event: IncidentEvent, action: Action) -> str:
    """`TCP Port Unreachable`, `TCP Port Reachable Again`, `Certificate Ends Soon` and so on.

    It says what is true now: an outage that is told late and is better by now is not "Unreachable".
    """
    told, ended = _happened(event, action)
    if must_be_closed(event):
        return f"{event.kind.upper()} Port {told}"
    if event.incident_type != "expiring" or of_domain(event):
        return f"{thing(event.kind)} {told}"
    # It is the certificate that ends, whatever is spoken on the port.
    return told if ended is None else f"{thing(event.kind)} Certificate: {ended}"


def happened(event: IncidentEvent, action: Action) -> str:
    """What happened, without the thing that is checked: `Unreachable`, `Reachable Again`."""
    return _happened(event, action)[0]


def _happened(event: IncidentEvent, action: Action) -> tuple[str, str | None]:
    """What happened, and the same if it is no ordinary beginning or end."""
    closed = must_be_closed(event)
    ended = None
    if event.event == "closed":
        ways = _ENDED | _STAYS_OPEN if closed else _ENDED
        if of_job(event):
            ways = ways | job_words.ENDED
        ended = ways.get(event.closed_because or "")
    if action == "missed":
        was = _WAS | _WAS_OPEN if closed else _WAS
        told, ended = _word(event, was, _own(event).was, "Had An Incident"), None
    elif event.event == "closed":
        over = _CLOSED | _CLOSED_AGAIN if closed else _CLOSED
        told = ended or _word(event, over, _own(event).closed, "Incident Over")
    elif action == "acknowledge":
        told = ended = "Incident Acknowledged"
    elif better(event):
        where = _BETTER_CLOSED if closed else _BETTER
        where = domain_words.BETTER if of_domain(event) else where
        told = f"{where} {'Most' if _most_are_up(event) else 'Some'} Regions"
    elif action == "updated":
        told = ended = _GOES_ON
    elif action == "reminder":
        still = _STILL | _STILL_OPEN if closed else _STILL
        told = _word(event, still, _own(event).still, "Incident Goes On")
    else:
        begun = _OPENED | _OPEN if closed else _OPENED
        told = _word(event, begun, _own(event).opened, "Incident")
        if event.event == "worsened" or (event.episode or 1) > 1:
            told += " Again"
    return told, ended


class _Own(Struct, frozen=True, gc=False):
    """Words that a kind has of its own, by the type of the incident."""

    opened: dict[str, str]
    still: dict[str, str]
    closed: dict[str, str]
    was: dict[str, str]


_NOTHING_OF_ITS_OWN: Final = _Own({}, {}, {}, {})


def _own(event: IncidentEvent) -> _Own:
    """The words of a domain or a job, to which nobody tries to connect; else none."""
    if of_domain(event):
        opened = domain_words.opened(event)
        return _Own(opened, domain_words.STILL, domain_words.CLOSED, domain_words.WAS)
    if of_job(event):
        opened, still = job_words.opened(event), job_words.still(event)
        return _Own(opened, still, job_words.CLOSED, job_words.WAS)
    return _NOTHING_OF_ITS_OWN


def _word(event: IncidentEvent, words: dict[str, str], own: dict[str, str], unknown: str) -> str:
    """The words for the type of the incident; those that its kind has of its own go before."""
    return own.get(event.incident_type) or words.get(event.incident_type, unknown)


def thing(kind: str) -> str:
    """What is checked: `TCP Port`, `HTTP`, `POSTGRES`, `Domain`."""
    return _THINGS.get(kind) or kind.upper()


def must_be_closed(event: IncidentEvent) -> bool:
    """Whether it is about a port that must be closed: what is `down` is open."""
    return event.expect == "closed"


def of_domain(event: IncidentEvent) -> bool:
    """Whether it is about the registration of a domain: nobody tried to reach anything."""
    return event.kind == _DOMAIN


def of_job(event: IncidentEvent) -> bool:
    """Whether it is about a job that reports itself."""
    return job_words.of_job(event)


def fine(event: IncidentEvent) -> str:
    """The word for a region that sees it as it should be."""
    if must_be_closed(event):
        return "closed"
    if of_job(event):
        return "succeeded"
    return domain_words.FINE if of_domain(event) else "reachable"


def better(event: IncidentEvent) -> bool:
    """Whether the regions no longer agree that it is down, while it is still an incident."""
    if event.event == "improved":
        return True
    # An acknowledgement of an incident that has improved is `updated`.
    return (
        event.event == "updated"
        and event.incident_type == "unreachable"
        and event.votes.down < event.votes.need
        and _most_are_up(event)
    )


def _most_are_up(event: IncidentEvent) -> bool:
    up = sum(verdict.verdict in {"up", "slow"} for verdict in event.regions.values())
    return up * 2 > len(event.regions)


def place(event: IncidentEvent) -> str:
    """`host:port`; IPv6 in brackets; the target's id when there is no host."""
    if event.host is None:
        return event.target
    host = f"[{event.host}]" if ":" in event.host else event.host
    return host if event.port is None else f"{host}:{event.port}"


def failing(event: IncidentEvent) -> list[str]:
    """The regions that fail now, those that are set aside last."""
    found = [
        (verdict.set_aside, name)
        for name, verdict in event.regions.items()
        if verdict.verdict in _FAILING
    ]
    return [name for _, name in sorted(found)]


def reasons(event: IncidentEvent) -> str:
    """Why, in a few words: the reasons of the regions that fail; empty without any."""
    found = dict.fromkeys(
        REASON_TEXT.get(verdict.reason, str(verdict.reason)) if verdict.reason else "slow"
        for verdict in event.regions.values()
        if verdict.verdict in _FAILING and (verdict.reason or verdict.verdict == "slow")
    )
    return " / ".join(found)


def verdict_text(verdict: RegionVerdict, host: str | None, up: str = "reachable") -> str:
    """What one region says, in words; the detail as the prober or the server wrote it.

    `up` is the word for that verdict.
    """
    aside = " (set aside)" if verdict.set_aside else ""
    reason = verdict.reason and REASON_TEXT.get(verdict.reason, str(verdict.reason))
    text = reason or {"slow": "slow"}.get(verdict.verdict, str(verdict.verdict))
    detail = said(verdict.detail) if verdict.detail else ""
    match verdict.verdict:
        case "up":
            more = f" ({detail})" if detail else ""
            text = f"{reason} (not confirmed yet)" if reason else f"{up}{more}"
        case "pending":
            text = "not checked yet"
        case "stale":
            text = f"no fresh result (last: {reason})" if reason else "no fresh result"
        case _:
            # The prober writes `address: reason`; of that only what is not said already.
            detail = detail.removesuffix(text).removesuffix(": ")
            if detail and detail != host:
                text += f" ({detail})"
    return text + aside


def time_text(at: int) -> str:
    """UTC, to the second."""
    moment = datetime.fromtimestamp(min(max(0, at), _MOST_MS) / 1000, tz=UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def clock_text(at: int, now: int) -> str:
    """UTC, to the minute; the day only if it is not that of `now`."""
    text = time_text(at)
    today = text[:10] == time_text(now)[:10]
    return f"{text[11:16]} UTC" if today else f"{text[:16]} UTC"


def length_text(milliseconds: int) -> str:
    """`3 s`, `42 min 10 s`, `2 h 5 min`."""
    return duration_text(milliseconds, WHOLE_SECONDS)


def channel_text(channel: str) -> str:
    """`route (scheme)` of a channel's name `route/id/scheme`; of another text the text itself."""
    route, *others = channel.split("/")
    return said(f"{route} ({others[-1]})" if len(others) > 1 else channel)


def listed(names: list[str], most: int = 5) -> str:
    """`a, b, c and 37 more`."""
    shown = [said(name, 100) for name in names[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
