"""The message of one incident."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from schemas.incident import HostTarget, IncidentEvent, RegionVerdict
from sinks.notifier.model import Delivery
from sinks.notifier.texts import job_words, words
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Line, Link, Passage, listing
from sinks.notifier.texts.outside import SUMMARY_LENGTH, link, said
from sinks.notifier.texts.telling import LATE_MS, about_itself

_ORDER: Final = ("down", "slow", "stale", "pending", "up")
"""Regions that fail come first: a list that is cut loses those that do not."""

_OVER: Final = {"abandoned": "Given up", "resolved": "Resolved", "target_paused": "Paused"}
"""What is written in the place of "Ended": it has not ended, or nobody knows."""

_SEEN: Final = frozenset({"recovered", "steady", "flapping"})
"""Ends that the checks have seen."""

_OF_CLOSED: Final = {"up": "closed, as it must be", "down": "open, and must be closed"}

_BRIEF: Final = frozenset({"abandoned", "flapping", "target_paused"})
"""Ends whose words are true without what follows the comma, where a title is too short."""


def draft(event: IncidentEvent, delivery: Delivery) -> Draft:
    """The message of one incident, without limits."""
    head: list[Line] = [*about_itself(delivery, since(event), _ended(event), known_at(event))]
    head += opening_lines(event, delivery)
    return Draft(
        heading=heading(event, words.what(event, delivery.action)),
        passages=(
            Passage(0, tuple(head)),
            Passage(TIMES, tuple(times(event, delivery.at))),
            Passage(1, tuple(people(event))),
            *steps([event]),
            *_by_region(event),
            listing(
                6,
                "Others on this host:",
                other_lines(event.host_targets[:1000]),
                len(event.host_targets),
            ),
            Passage(5, tuple(_labels(event))),
        ),
        why=why(event),
        since=when(event, delivery.at),
    )


def heading(event: IncidentEvent, what: str) -> Heading:
    """`TCP Port Unreachable: <name> (<host>:<port>)`."""
    brief = what.partition(", ")[0] if event.closed_because in _BRIEF else ""
    if words.of_job(event):
        return Heading(what, said(event.name), brief=brief)
    if event.host is None:
        return Heading(what, said(event.name), said(event.target), brief=brief)
    host = said(event.host)
    host = f"[{host}]" if ":" in host else host
    port = "" if event.port is None else f":{event.port}"
    return Heading(what, said(event.name), host, port, brief=brief)


def since(event: IncidentEvent) -> int:
    """The time from which it is so: the first failure, or that of this episode."""
    began = event.episode_began_at
    return event.first_failed_at if began is UNSET or event.event == "closed" else began


def known_at(event: IncidentEvent) -> int:
    """The time at which what is told was decided."""
    if event.event == "updated":  # Its news are not told; what it was before is.
        return max(event.opened_at, since(event))
    return event.at


def why(event: IncidentEvent) -> str:
    """Why, in a few words."""
    if event.event == "closed":
        return _why_closed(event)
    if words.better(event) and (failing := words.failing(event)):
        return f"{_still(event)} from {words.listed(failing, 3)}"
    if event.incident_type == "expiring" and event.expires_at is not UNSET:
        return f"it ends {words.time_text(event.expires_at)[:10]}"
    found = words.reasons(event)
    if not found:
        return said(event.summary, 100).rstrip(".")
    if words.of_job(event):
        return said(next(iter(_said(event).values()), found), 200)
    return f"{found} from {len(words.failing(event))} of {len(event.regions)} regions"


def _why_closed(event: IncidentEvent) -> str:
    failing = words.failing(event)
    if event.closed_because == "resolved" and failing and not words.of_job(event):
        return f"{_still(event)} from {words.listed(failing, 3)}"
    if event.closed_because == "target_paused":
        return _paused(event)
    return f"it lasted {_lasted(event)}"


def _paused(event: IncidentEvent) -> str:
    """Who paused it, until when, and why."""
    if event.paused_by is UNSET:
        return "by its inventory"
    until = ""
    if event.paused_until is not UNSET:
        until = f" until {words.time_text(event.paused_until)}"
    note = f": {said(event.paused_note, 100)}" if event.paused_note else ""
    return f"by {said(event.paused_by)}{until}{note}"


def _still(event: IncidentEvent) -> str:
    return "still open" if words.must_be_closed(event) else "still fails"


def when(event: IncidentEvent, now: int) -> str:
    """Since when, or when it ended: to the minute."""
    if event.event == "closed":
        over = _OVER.get(event.closed_because or "", "Ended").lower()
        return f"{over} {words.clock_text(ended_at(event), now)}"
    if event.incident_type == "expiring":  # The day of its end says what matters.
        return ""
    return f"since {words.clock_text(since(event), now)}"


def opening_lines(event: IncidentEvent, delivery: Delivery) -> list[str]:
    """The sentence of the event, and what people must not misread in it."""
    lines = [said(event.summary, SUMMARY_LENGTH)]
    if delivery.action == "reminder":
        lines.insert(0, reminder_line(delivery, [event]))
    if delivery.action == "missed":
        began, ended = event.first_failed_at, ended_at(event)
        length = words.length_text(ended - began)
        lines.insert(
            0,
            f"From {words.time_text(began)} to {words.time_text(ended)} ({length}). It began and "
            "ended before anybody could be told.",
        )
    failing, closed = words.failing(event), words.must_be_closed(event)
    if event.event == "closed":
        if event.closed_because == "abandoned":
            lines.append("This is no recovery: nobody looks at it any more.")
        elif event.closed_because == "target_paused":
            does = "waits for" if words.of_job(event) else "checks"
            lines.append(f"This is no recovery: nobody knows how it is while nobody {does} it.")
        elif words.of_job(event):
            pass  # each run is another one: of that which failed nothing goes on
        elif event.closed_because == "resolved" and failing:
            lines.append(f"It {'is ' * closed}{_still(event)} from {words.listed(failing)}.")
    elif words.better(event) and any(name not in event.summary for name in failing):
        lines.append(f"Still {'open' if closed else 'failing'} from: {words.listed(failing)}.")
    return lines


def reminder_line(delivery: Delivery, events: Sequence[IncidentEvent]) -> str:
    """For how long, how often it was told, and how whoever takes care of it says so."""
    count = max((news.reminders for news in delivery.news), default=0)
    which = f"Reminder {count + 1}" if count else "Reminder"
    length = words.length_text(max(0, delivery.at - min(map(since, events))))
    teams = list(dict.fromkeys(event.team for event in events if event.team))
    who = f"nobody of {words.listed(teams, 3)}" if teams else "nobody"
    ids = " ".join(said(event.incident_id) for event in events[:3])
    rest = " …" if len(events) > 3 else ""
    it = "it" if len(events) == 1 else f"these {len(events)}"
    return (
        f"{which}: for {length} {who} has acknowledged {it}. Whoever takes care of {it} says so: "
        f"portquorum ack {ids}{rest}"
    )


def times(event: IncidentEvent, now: int) -> list[str]:
    """When it began, was confirmed and ended."""
    closed = words.must_be_closed(event)
    first = "First failure"
    if closed or event.incident_type == "expiring" or words.of_domain(event):
        first = "First seen open" if closed else "First seen"
    if words.of_job(event):
        first = "Began" if event.event == "closed" else job_words.began(event)
    lines = [f"{first}: {words.time_text(event.first_failed_at)}"]
    if event.expires_at is not UNSET:
        # What closes as `recovered` was renewed: the end that was told last is that of the old one.
        what = "registration" if words.of_domain(event) else "certificate"
        old = event.closed_because == "recovered"
        whose = f"Old {what} ends" if old else f"{what.capitalize()} ends"
        lines.insert(0, f"{whose}: {words.time_text(event.expires_at)}")
    if event.event == "closed":
        ended = ended_at(event)
        lines.append(f"{_OVER.get(event.closed_because or '', 'Ended')}: {words.time_text(ended)}")
        lines.append(f"It lasted: {_lasted(event)}")
        if event.episode:
            what = "Times it was open" if closed else "Outages in this time"
            lines.append(f"{what}: {event.episode}")
        if event.abandoned_regions:
            lines.append(f"Without a word from: {words.listed(list(event.abandoned_regions))}")
        return lines
    began, confirmed_at = event.first_failed_at, event.opened_at
    if event.event == "worsened" and event.episode_began_at is not UNSET:
        began, confirmed_at = event.episode_began_at, event.at
        lines.append(
            f"{'Open' if closed else 'Down'} again: {words.time_text(began)} "
            f"({'opening' if closed else 'outage'} {event.episode} of this incident)"
        )
    if not words.of_job(event):
        lines.append(f"Confirmed: {words.time_text(confirmed_at)}")
    if event.incident_type != "expiring":  # How long it lasts already says nothing of its end.
        # By the log's clock; of late news by the notifier's.
        until = now if now - event.at >= LATE_MS else event.at
        lines.append(f"For: {words.length_text(until - began)} so far")
    return lines


def people(event: IncidentEvent) -> list[str]:
    """Who acknowledged and who resolved it, each with the note."""
    told = (
        ("Acknowledged", event.acknowledged_by, event.acknowledged_note),
        ("Resolved", event.resolved_by, event.resolved_note),
        ("Paused", event.paused_by, event.paused_note),
    )
    return [
        f"{what} by: {said(by or 'unknown')}{f' ({said(note)})' if note else ''}"
        for what, by, note in told
        if by or note
    ]


def by_region(event: IncidentEvent) -> list[str]:
    """A line a region, those that fail first; none of a job, which speaks for itself."""

    def order(item: tuple[str, RegionVerdict]) -> tuple[int, str]:
        name, verdict = item
        known = verdict.verdict in _ORDER
        return _ORDER.index(verdict.verdict) if known else len(_ORDER), name

    if words.of_job(event):
        return []
    return [
        f"  {said(name)}: {words.verdict_text(verdict, event.host, words.fine(event))}"
        for name, verdict in sorted(event.regions.items(), key=order)
    ]


def _said(event: IncidentEvent) -> dict[str, str]:
    """What each region that fails says, in words."""
    failing = words.failing(event)
    return {name: words.verdict_text(event.regions[name], event.host) for name in failing}


def steps(events: list[IncidentEvent]) -> list[Passage]:
    """What to do first, and where it is written; no steps after the end."""
    first = dict.fromkeys(
        step for event in events if event.event != "closed" for step in event.first_steps[:100]
    )
    lines = [f"  {n}. {said(step)}" for n, step in enumerate(first, 1)]
    books = dict.fromkeys(event.runbook for event in events if event.runbook)
    passages = [listing(2, "First steps:", lines, len(lines))] if lines else []
    found = [book_line(book) for book in books]
    if found:
        passages.append(listing(3, "", found, len(found)))
    return passages


def book_line(book: str) -> Line:
    """The line of a runbook: a link if it is one."""
    return Link("Runbook: ", book) if link(book) else f"Runbook: {said(book)}"


def ended_at(event: IncidentEvent) -> int:
    """When it ended; of one that is open the time of the event."""
    return event.at if event.closed_at is None else event.closed_at


def _lasted(event: IncidentEvent) -> str:
    """How long it lasted; at least so long if it was not seen to end."""
    seen = event.closed_because in _SEEN
    length = words.length_text(ended_at(event) - event.first_failed_at)
    return length if seen else f"at least {length}"


def _ended(event: IncidentEvent) -> int | None:
    return ended_at(event) if event.event == "closed" else None


def _by_region(event: IncidentEvent) -> list[Passage]:
    """What the regions say; nothing after an end that all of them see."""
    fine = all(
        verdict.verdict == "up" and not (verdict.reason or verdict.detail or verdict.set_aside)
        for verdict in event.regions.values()
    )
    if words.of_job(event) or (event.event == "closed" and fine):
        return []
    return [listing(4, "By region:", by_region(event), len(event.regions))]


def other_lines(others: Sequence[HostTarget]) -> list[str]:
    """A line for each other target of the host."""
    return [
        f"  {said(other.name)} ({'-' if other.port is None else other.port}): {_status(other)}"
        for other in others
    ]


def _status(other: HostTarget) -> str:
    """How another target of the host is; a port that must be closed is up when it is closed."""
    if other.expect == "closed":
        return _OF_CLOSED.get(other.status, str(other.status))
    return other.status


def _labels(event: IncidentEvent) -> list[str]:
    if words.of_job(event):
        lines = [f"Job: {said(event.name)} ({said(event.target)})"]
    else:
        lines = [f"Target: {said(event.name)}", f"Host: {said(event.host or '-')}"]
        lines.append(f"Port: {'-' if event.port is None else event.port}")
    lines.append(f"Severity: {event.severity}")
    if event.team:
        lines.append(f"Team: {said(event.team)}")
    if event.tags:
        lines.append(f"Tags: {words.listed(list(event.tags), 20)}")
    lines.append(f"Incident: {said(event.incident_id)}")
    return lines
