"""Incidents in words, a few lines each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from portquorum.delivery.names import short_names
from portquorum.presentation.output import clock, job_word, out
from schemas.duration import WHOLE_SECONDS, duration_text
from schemas.plain_text import one_line
from schemas.probe import JOB
from sinks.notifier.decision import rows

if TYPE_CHECKING:
    from sinks.clickhouse.queries import Incident, IncidentNotification

_EXPECTED: Final = frozenset({rows.KNOWN, rows.NO_IMPROVEMENT, rows.STAYS_OPEN})
"""Reasons for which nobody misses anything; `notify why` shows them."""
_FAILED: Final = {"retrying": "not told yet", "dead": "never told"}
_SAME_S: Final = 1.0
"""Two ends of one span that are no further apart are the same, in seconds."""


def show_incidents(found: Sequence["Incident"]) -> None:
    """Prints the incidents in their order."""
    for one in found:
        is_open = one.status == "open"
        style = "bold red" if is_open else "green"
        line = Text.assemble(
            (f"{one_line(one.name)} ", "bold"),
            f"({place(one.kind, one.host, one.port)})  ",
            (one_line(type_word(one)), "red" if is_open else "green"),
        )
        out().print_indented(line, Text("● " if is_open else "○ ", style))
        out().print_indented(Text(_when(one), style="dim"))
        out().print_indented(Text(one_line(one.summary)))
        for words in _by_hand(one):
            out().print_indented(Text(one_line(words), style="yellow"))
        for words, style in told_words(one.notifications):
            out().print_indented(Text(one_line(words), style=style))
        out().print_indented(Text(one_line(one.incident_id), style="dim"))


def told_words(found: Sequence["IncidentNotification"]) -> list[tuple[str, str]]:
    """Who was told, who was not and why, in the order of the events; a sentence and its style.

    Of each channel the newest entry counts: what failed before is no news once it was told.
    """
    newest = {one.channel: one for one in found if one.channel}
    names = short_names(newest)
    told = [one.channel for one in found if one.status == "sent" and one.channel]
    lines = []
    if told:
        lines.append((f"told: {', '.join(names[one] for one in dict.fromkeys(told))}", "dim"))
    for channel, one in newest.items():
        if one.status in _FAILED:
            tries = f"attempt {one.attempt}{': ' if one.error else ''}{one.error or ''}"
            lines.append(
                (f"{_FAILED[one.status]} of {one.event}: {names[channel]} ({tries})", "red")
            )
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in found:
        if one.status == "not_sent" and one.why not in _EXPECTED:
            reasons.setdefault((one.event, one.why or ""), []).append(names.get(one.channel, ""))
    for (event, why), whom in reasons.items():
        named = ", ".join(dict.fromkeys(filter(None, whom)))
        who = f"not told: {named}" if named else "nobody was told"
        lines.append((f"{who} of {event}" + (f" ({why})" if why else ""), "magenta"))
    return lines


def place(kind: str, host: str, port: int | None) -> str:
    """`tcp db1.example.com:5432`; `job` of one that reports itself."""
    if kind == JOB:
        return "job"
    shown = f"[{host}]" if ":" in host else host
    return one_line(f"{kind} {shown}" if host else kind) + (f":{port}" if port else "")


def type_word(one: "Incident") -> str:
    """What people call it: nobody tries to reach a job, and an open port is no outage."""
    if one.expect == "closed" and one.incident_type == "unreachable":
        return "open port"
    if one.kind == JOB and one.incident_type == "unreachable":
        return job_word(one.reasons.values())
    return one.incident_type


def _when(one: "Incident") -> str:
    """When it began, when it closed, and how long it lasted.

    An outage may be over before its incident (while the target flaps and is up), and may go on
    after it (resolved by hand while the target is down).
    """
    began = f"since {clock(one.first_failed_at)} UTC"
    lasted = _lasted(one.duration_s)
    over_at = one.first_failed_at + round(one.duration_s * 1000)
    if one.closed_at is None:
        elapsed_s = one.detect_s + one.open_s
        up = f"; up since {clock(over_at)} UTC" if elapsed_s - one.duration_s > _SAME_S else ""
        return f"{began}, {_lasted(elapsed_s)}{up}"
    because = one_line((one.closed_because or "").replace("_", " "))
    closed = f"{began}, closed {clock(one.closed_at)} UTC ({because})"
    if over_at - one.closed_at > _SAME_S * 1000:
        return f"{closed}, the outage went on: {lasted} in all"
    return f"{closed}, lasted {lasted}"


def _lasted(seconds: float) -> str:
    return duration_text(max(0.0, seconds) * 1000, WHOLE_SECONDS)


def _by_hand(one: "Incident") -> list[str]:
    """What people said of it."""
    return [
        f"{word} by {who}" + (f": {note}" if note else "")
        for word, who, note in (
            ("acknowledged", one.acknowledged_by, one.acknowledged_note),
            ("resolved", one.resolved_by, one.resolved_note),
        )
        if who
    ]
