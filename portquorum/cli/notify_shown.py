"""Channels, test messages and who was told, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from portquorum.delivery.names import short_name
from portquorum.presentation.output import clock, out, print_notes, table
from schemas.duration import COARSE, duration_text
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from portquorum.delivery.channel_status import ChannelFacts, ChannelStatus
    from portquorum.delivery.rehearsal import Rehearsed
    from portquorum.delivery.why import EventTold, MemberNow, SubjectNow, SubjectTold, WhyAnswer
    from schemas.notification import Notification

SENT_STYLE: Final = {
    "sent": "green",
    "retrying": "yellow",
    "dead": "bold red",
    "not_sent": "magenta",
}
STATUS_WORDS: Final = {"dead": "given up", "not_sent": "not sent"}
_CONDITION_STYLE: Final = {"works": "green", "fails": "bold red", "waits": "yellow"}
_OUTCOME_WORDS: Final = {
    "confirmed": "confirmed",
    "uncertain": "no answer, may have arrived",
    "unreachable": "not reached",
    "refused": "refused",
    "misconfigured": "misconfigured",
    "not_attempted": "not attempted",
}
_UNITS: Final = {"utf16": "UTF-16 units", "sms": "septets"}
_KNOWS: Final = {"down": "the outage", "improved": "that it is better", "closed": "that it is over"}


def show_rehearsed(done: Sequence["Rehearsed"]) -> None:
    """Prints what became of the test messages."""
    rows = [
        (
            one.scheme,
            one.id,
            one.action,
            Text(_OUTCOME_WORDS[one.outcome], style="green" if one.confirmed else "bold red"),
            duration_text(one.ms),
            one.error,
        )
        for one in done
    ]
    columns = ("channel", "id", "action", "result", "time", "error")
    out().print(table(columns, rows, fold=("error", "result"), drop=("id",)))
    if any(one.outcome == "misconfigured" and " is not set " in (one.error or "") for one in done):
        print_notes(["this command sends by itself: its shell needs the secrets of the route, too"])


def show_channels(found: Sequence["ChannelStatus"], now: int) -> None:
    """Prints the channels; `now` is UTC ms."""
    if not found:
        out().print(Text("no route has a channel: events go to the notifier's console alone"))
        return
    rows = [
        (
            one.route if one.in_policy else f"{one.route} (not in a route now)",
            one.scheme,
            one.id,
            one.facts.channel_class.replace("_", "-"),
            _budget(one.facts),
            Text(one.condition, style=_CONDITION_STYLE.get(one.condition, "dim")),
            None if one.last_sent_at is None else f"{_age(one.last_sent_at, now)} ago",
            one.waiting or None,
            _trouble(one, now),
        )
        for one in found
    ]
    columns = (
        "route",
        "channel",
        "id",
        "class",
        "holds",
        "condition",
        "last sent",
        "waits",
        "trouble",
    )
    out().print(table(columns, rows, fold=("trouble",), drop=("id", "holds", "class", "last sent")))


def _budget(facts: "ChannelFacts") -> str | None:
    if facts.body is None:
        return None
    return f"{facts.body:,} {_UNITS.get(facts.units, facts.units)}"


def _trouble(one: "ChannelStatus", now: int) -> str | None:
    """What is wrong by the notifier's topics, and with the URL in this environment."""
    found = []
    if one.condition == "fails":
        since = "" if one.failing_since is None else f"for {_age(one.failing_since, now)}"
        found.append(": ".join(part for part in (since, one.error or "") if part))
    if one.limited_until is not None and one.limited_until > now:
        found.append(f"the limit of its route holds news for {_age(now, one.limited_until)}")
    elif one.next_at is not None and one.next_at > now:
        found.append(f"the next message goes in {_age(now, one.next_at)} at the earliest")
    if one.held:
        found.append(f"spared from {one.held}: {one.held_because}")
    if one.facts.missing:
        found.append(f"{', '.join(one.facts.missing)} not set here")
    if one.facts.problem is not None:
        found.append(one.facts.problem)
    return "; ".join(filter(None, found)) or None


def show_why(answer: "WhyAnswer", shown: Sequence["SubjectTold"], now: int) -> None:
    """Prints who was told of the `shown` subjects of an answer; `now` is UTC ms."""
    if not answer.subjects:
        region = answer.matched == "subject"
        what = f"the region {answer.asked}" if region else answer.asked
        words = f"nothing of {what} was to be told in the last 30 days"
        if not region:
            words += f"; `portquorum explain {answer.asked}` says who would be"
        out().print(Text(one_line(words)))
    for place, one in enumerate(shown):
        if place:
            out().print()
        _subject(one, now)
    hidden = len(answer.subjects) - len(shown)
    if hidden > 0:
        words = f"{len(shown)} of {len(answer.subjects)} shown; --limit 0 shows all"
        out().print(Text(words, style="dim"))


def _subject(one: "SubjectTold", now: int) -> None:
    out().print(Text.assemble((one_line(one.title), "bold"), (f"  {one_line(one.key)}", "dim")))
    rows = [
        (
            event_word(event, sent),
            clock(event.at),
            short_name(sent.channel) if sent.channel else "nobody",
            Text(STATUS_WORDS.get(sent.status, sent.status), style=SENT_STYLE[sent.status]),
            _after(sent),
            sent.why or sent.error or None,
        )
        for event in one.events
        for sent in event.sent
    ]
    if rows:
        columns = ("event", "at (UTC)", "channel", "status", "after", "why")
        out().print(table(columns, rows, fold=("why",), drop=("after",)))
    else:
        out().print_indented(Text("no attempt of it is in the send log yet"))
    if one.now is not None:
        _now(one.now, now)


def _after(sent: "Notification") -> str | None:
    if sent.status == "not_sent":
        return None
    tries = f", attempt {sent.attempt}" if sent.attempt > 1 else ""
    return f"{duration_text(max(0, sent.at - sent.event_at))}{tries}"


def event_word(event: "EventTold", sent: "Notification") -> str:
    """What the event was for who was told; an acknowledgement is `updated` in the log."""
    return "acknowledged" if sent.action == "acknowledge" else event.event


def _now(known: "SubjectNow", now: int) -> None:
    outage = f", outage {known.episode}" if known.episode > 1 else ""
    acknowledged = ", acknowledged" if known.acknowledged else ""
    phase = {"down": "open", "improved": "open, better", "closed": "over"}[known.phase]
    over = known.phase == "closed"
    since = f"{clock(known.changed_at if over else known.began_at)} UTC"
    words = f"Now: {phase}{outage}{acknowledged}, since {since}"
    out().print_indented(Text(words, style="bold"))
    if not known.audience:
        words = "nobody waits for news of it" if over else "nobody is to be told of it"
        out().print_indented(Text(words, style="" if over else "magenta"))
    names = {one.id: f"{one.route} ({one.scheme})" for one in known.audience}
    for one in known.audience:
        out().print_indented(_member(one, now, names))


def _member(one: "MemberNow", now: int, names: Mapping[str, str]) -> Text:
    words = "; ".join(member_words(one, now, names))
    failing = one.waits_since is not None and one.attempts
    waits = one.waits_since is not None or one.held is not None
    style = "bold red" if failing else "yellow" if waits else ""
    return Text(one_line(f"{one.route} ({one.scheme}) {words}"), style=style)


def member_words(one: "MemberNow", now: int, names: Mapping[str, str]) -> Iterator[str]:
    """What a channel of an audience knows and waits for, as parts of a sentence.

    `names` are those of the audience's channels, by id.
    """
    if one.knows is None:
        yield "may have been told: no answer came" if one.maybe_told else "knows nothing yet"
    else:
        outage = f" (outage {one.episode})" if one.episode > 1 else ""
        yield f"knows {_KNOWS[one.knows]}{outage}"
        if one.maybe_told:
            yield "may know more: no answer came to the last attempt"
    if one.open_key is not None:
        there = ", acknowledged there" if one.acknowledged else ""
        yield f"open there as {one.open_key}{there}"
    yield from _came_words(one, names)
    yield from _waits_words(one, now)


def _came_words(one: "MemberNow", names: Mapping[str, str]) -> Iterator[str]:
    """Why it is in the audience, if not from the beginning, and how often it was reminded."""
    if one.escalated_from is not None:
        yield f"joined by the escalation of the route {one.escalated_from}"
    if one.reminders:
        yield f"reminded {one.reminders} time{'' if one.reminders == 1 else 's'}"
    if one.fallback_for is not None:
        failed = names.get(one.fallback_for, f"the channel {one.fallback_for}")
        yield f"stands in for {failed}"


def _waits_words(one: "MemberNow", now: int) -> Iterator[str]:
    """What it waits for, or is spared from."""
    if one.held is not None:
        yield f"not told now: {one.held}"
    if one.limited is not None:
        until = "" if one.limited_until is None else f" until {clock(one.limited_until)} UTC"
        yield f"the limit of the route {one.limited} holds its news{until}"
    elif one.waits_since is not None and one.attempts:
        tries = f"{one.attempts} attempt{'' if one.attempts == 1 else 's'}"
        error = f", the last: {one.error}" if one.error else ""
        yield f"news waits for {_age(one.waits_since, now)} ({tries}{error})"
    elif one.waits_since is not None and one.waits_since > now:
        yield f"news goes out in {_age(now, one.waits_since)}"
    elif one.waits_since is not None:
        yield f"news is on its way, due for {_age(one.waits_since, now)}"


def _age(since: int, now: int) -> str:
    return duration_text(max(0, now - since), COARSE)
