"""The message of a delivery, fitted to its channel."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, get_args

from msgspec import structs

from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.policy import Templates
from sinks.notifier.model import (
    Action,
    ChannelEvent,
    Delivery,
    DrillEvent,
    MassEvent,
    News,
    OnCallAction,
)
from sinks.notifier.texts import (
    broken_channel,
    digest,
    drill,
    host_group,
    incident,
    layout,
    mail,
    mass,
    region,
    short,
)
from sinks.notifier.texts import unwatched as targets
from sinks.notifier.texts.layout import Draft, Heading, Link, Passage, listing
from sinks.notifier.texts.markup import Pen
from sinks.notifier.texts.model import ONE_LINE, SHORT, SUBJECT_LENGTH, Budget, Text
from sinks.notifier.texts.outside import link, said
from sinks.notifier.texts.telling import action_of, ending_of, ordinary
from sinks.notifier.texts.templates.own import TemplateFaultError, own_text

_HEADER_OCTETS: Final = 960
"""Octets of an encoded subject: a line of a mail has 998 (RFC 5322, section 2.1.1), servers refuse
longer ones, and Apprise does not fold headers."""

_ON_CALL: Final = frozenset(get_args(OnCallAction))
_PLAIN: Final = Pen("plain", "characters")


def render(delivery: Delivery, budget: Budget) -> Text:
    """The text of a delivery, within the budget, with what is true now by its newest events.

    Never raises: an event whose text can't be made is told by its key alone, and one whose
    templates can't be used by the usual text, with `problem`.
    """
    try:
        draft = draft_of(delivery)
        if delivery.templates is None or delivery.plain or delivery.action in _ON_CALL:
            return _render(draft, delivery, budget)
        return _own(delivery.templates, draft, delivery, budget)
    except Exception as error:  # noqa: BLE001 - a message with a poor text beats none
        return _bare(delivery, budget, type(error).__name__)


def _own(templates: Templates, draft: Draft, delivery: Delivery, budget: Budget) -> Text:
    """The text by the templates of the route; the usual one if they can't be used."""

    def usual(room: Budget) -> Text:
        return _render(draft, delivery, room)

    def document(room: int) -> dict[str, object]:
        _, shown = layout.fitted(draft.passages, Pen.of(budget), room)
        return mail.values(draft, shown, ending_of(delivery))

    try:
        return own_text(templates, delivery, budget, usual, document)
    except Exception as error:  # noqa: BLE001 - the usual text beats none
        why = str(error) if isinstance(error, TemplateFaultError) else type(error).__name__
        return structs.replace(usual(budget), problem=why)


def draft_of(delivery: Delivery) -> Draft:
    """The message of a delivery, without limits."""
    drafts = _of_digest(delivery) if delivery.action == "digest" else _drafts(delivery)
    draft = drafts[0] if len(drafts) == 1 else _together(drafts)
    found = _links(delivery)
    return structs.replace(draft, passages=(*draft.passages, *found)) if found else draft


def _of_digest(delivery: Delivery) -> list[Draft]:
    """One draft of all incidents, and one for each other subject."""
    incidents = [news for news in delivery.news if isinstance(news.event, IncidentEvent)]
    others: dict[tuple[Action, str], list[News]] = {}
    for news in delivery.news:
        if not isinstance(news.event, IncidentEvent):
            others.setdefault((action_of(news, delivery), news.entry), []).append(news)
    drafts = [one for group in others.values() for one in _drafts(ordinary(delivery, group))]
    if incidents:
        kinds = {(action_of(news, delivery), _host(news)) for news in incidents}
        if len(kinds) == 1:
            drafts = _drafts(ordinary(delivery, incidents)) + drafts
        else:
            drafts.insert(0, digest.draft(structs.replace(delivery, news=tuple(incidents))))
    # What concerns the most comes first.
    return sorted(drafts, key=lambda one: not one.heading.what.startswith(mass.WHAT))


def _host(news: News) -> str:
    event = news.event
    return event.host or event.target if isinstance(event, IncidentEvent) else ""


def _links(delivery: Delivery) -> list[Passage]:
    """Where people acknowledge or silence it, at the end."""
    found = dict.fromkeys(news.link for news in delivery.news if link(news.link))
    if not found:
        return []
    label = "Acknowledge or silence: "
    if len(found) == 1:
        return [Passage(1, tuple(Link(label, url) for url in found))]
    lines = [
        Link(f"  {said(_name(news), 100)}: ", news.link)
        for news in delivery.news
        if link(news.link)
    ]
    return [listing(8, label.strip(), lines, len(lines))]


def _name(news: News) -> str:
    return news.event.name if isinstance(news.event, IncidentEvent) else news.key


def _drafts(delivery: Delivery) -> list[Draft]:
    events = [news.event for news in delivery.news]
    drafts: list[Draft] = []
    if incidents := [event for event in events if isinstance(event, IncidentEvent)]:
        one = len(incidents) == 1
        drafts.append(
            incident.draft(incidents[0], delivery) if one else host_group.draft(incidents, delivery)
        )
    if regions := [event for event in events if isinstance(event, RegionEvent)]:
        drafts.append(region.draft(regions, delivery))
    if blind := [event for event in events if isinstance(event, TargetsEvent)]:
        drafts.append(targets.draft(blind, delivery))
    if channels := [event for event in events if isinstance(event, ChannelEvent)]:
        drafts.append(broken_channel.draft(channels, delivery))
    if drills := [event for event in events if isinstance(event, DrillEvent)]:
        drafts.append(drill.draft(drills, delivery))
    if outages := [event for event in events if isinstance(event, MassEvent)]:
        drafts.insert(0, mass.draft(outages, delivery))
    return drafts


def _together(drafts: Sequence[Draft]) -> Draft:
    """One message of several drafts: the heading of the first, the passages of all."""
    first = drafts[0]
    also = [f"Also: {draft.heading.text}" for draft in drafts[1:]]
    passages = [listing(0, "", also, len(also), "and {} subjects more"), *first.passages]
    for draft in drafts[1:]:
        passages.append(Passage(5, (draft.heading.text,)))
        passages += draft.passages
    heading, more = first.heading, f" / {len(also)} more"
    if heading.host or heading.port:
        heading = structs.replace(heading, port=heading.port + more)
    else:
        brief = heading.brief and heading.brief + more
        heading = structs.replace(heading, what=heading.what + more, brief=brief)
    return Draft(heading, tuple(passages), first.why, first.since)


def _render(draft: Draft, delivery: Delivery, budget: Budget) -> Text:
    pen = Pen.of(budget)
    title = 0 if budget.title_in_body else min(budget.title, SUBJECT_LENGTH)
    subject = draft.heading.fitted(pen, title) if title > 0 else ""
    line = _line(draft.heading)
    if budget.markup == "html" and subject:
        subject = min(subject, line, key=len)
    document = None
    if delivery.plain or budget.body < ONE_LINE:
        body = short.one_line(draft, pen, min(budget.body, ONE_LINE))
    else:
        # A title that is too short for the place leaves it to the body.
        told = title > 0 and pen.size(pen.write(draft.heading.bare)) <= title
        first = "" if told else draft.heading.fitted(pen, min(budget.body // 2, SUBJECT_LENGTH))
        body, _ = layout.fitted(draft.passages, pen, budget.body, first)
        if budget.markup == "html":
            document = mail.document(draft, pen, budget.body, ending_of(delivery))
    return Text(
        subject=subject,
        body=body,
        html=document,
        short=short.sms(draft, min(budget.short, SHORT)),
        line=line,
    )


def _line(heading: Heading) -> str:
    """The heading as a header of a mail."""

    def octets(limit: int) -> int:
        return _header_octets(heading.fitted(_PLAIN, limit))

    limit = SUBJECT_LENGTH
    if octets(limit) > _HEADER_OCTETS:
        limit = bisect_right(range(limit), _HEADER_OCTETS, lo=1, key=octets) - 1
    return heading.fitted(_PLAIN, limit)


def _header_octets(line: str) -> int:
    """The most octets that the line has as a header: with the encoding Q (RFC 2047, 4.2)."""
    if line.isascii():
        return len(line)
    kept = sum(char.isascii() and (char.isalnum() or char == " ") for char in line)
    return kept + 3 * (len(line.encode()) - kept)


def _bare(delivery: Delivery, budget: Budget, error: str) -> Text:
    keys = ", ".join(_PLAIN.write(said(news.key, 100)) for news in delivery.news[:3])
    line = f"Port monitor: {delivery.action} {keys}"
    body = f"{line} (its text could not be made: {error})"
    pen = Pen.of(budget)
    title = 0 if budget.title_in_body else min(budget.title, SUBJECT_LENGTH)
    return Text(
        subject=pen.fit(line, title) if title > 0 else "",
        body=pen.fit(body, budget.body),
        html=None,
        short=Pen("plain", "sms").fit(line, min(budget.short, SHORT)),
        line=_PLAIN.fit(line, SUBJECT_LENGTH),
    )
