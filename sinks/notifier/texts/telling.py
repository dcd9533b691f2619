"""What a message says about itself: that it is late, why, or that it may be a repetition."""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import structs

from schemas.incident import IncidentEvent
from sinks.notifier.model import Action, Delivery, News
from sinks.notifier.texts.outside import said
from sinks.notifier.texts.words import channel_text, length_text, listed, time_text

LATE_MS: Final = 60_000
"""How much later than due a message must be to say so."""

LATE_DIGEST_MS: Final = 600_000
"""The same for news that were gathered: they say since when they are so."""

_NEVER_LATE: Final = frozenset({"missed", "refresh", "acknowledge", "reminder"})
"""`missed` says from when to when, `refresh` and `reminder` are repetitions, and who is given an
acknowledgement knows the beginning."""

_MOST_HELD: Final = 3
_MOST_IDS: Final = 3

Ending = Literal["none", "good", "other"]

_ENDINGS: Final = frozenset({"closed", "missed", "resolve"})


def action_of(news: News, delivery: Delivery) -> Action:
    """What is told of one subject of the message."""
    if delivery.action == "digest":
        return news.action or "opened"
    return delivery.action


def ordinary(delivery: Delivery, news: Iterable[News]) -> Delivery:
    """A digest's news of one action as a message of their own."""
    chosen = tuple(news)
    return structs.replace(delivery, news=chosen, action=action_of(chosen[0], delivery))


def ending_of(delivery: Delivery) -> Ending:
    """Which end the message tells: a good one if all that it tells were seen to be well again."""
    if any(action_of(news, delivery) not in _ENDINGS for news in delivery.news):
        return "none"
    return "good" if all(_is_well(news.event) for news in delivery.news) else "other"


def about_itself(delivery: Delivery, since: int, ended: int | None, known: int) -> list[str]:
    """The first lines of a message that is late or may be a repetition; none for most messages.

    Args:
        delivery: the message.
        since: the time from which it is so (UTC ms).
        ended: the time at which it ended, None while it lasts.
        known: the time at which it was decided (UTC ms of the log). What was due later than that
            is late, too: nobody was there to tell it, or somebody else was told before.
    """
    lines = []
    escalated = [news.escalated_from for news in delivery.news if news.escalated_from]
    dues = [
        news.due_at
        for news in delivery.news
        if news.due_at and action_of(news, delivery) not in _NEVER_LATE
    ]
    # An escalation is due later than the event, and that is no delay.
    due = min(dues, default=delivery.at) if escalated else min((known, *dues))
    held = list(dict.fromkeys(said(_past(news.held)) for news in delivery.news if news.held))
    patience = LATE_DIGEST_MS if delivery.action == "digest" else LATE_MS
    if delivery.at - due >= patience and delivery.action not in _NEVER_LATE:
        it = "it" if len(delivery.news) == 1 else "the oldest"
        at, what = (since, f"{it} began") if ended is None else (ended, "it ended")
        ago = length_text(delivery.at - at)
        why = "" if held else _why(delivery)
        lines.append(f"Told late: {what} at {time_text(at)}, {ago} ago.{why}")
    if held:
        more = f"; and {len(held) - _MOST_HELD} reasons more" if len(held) > _MOST_HELD else ""
        lines.append(f"Held back until now: {'; '.join(held[:_MOST_HELD])}{more}.")
    if escalated and ending_of(delivery) == "none":
        routes = list(dict.fromkeys(escalated))
        after = length_text(max(0, (min(dues) if dues else delivery.at) - since))
        # People of that route may have been spared at first: what is said is since when it is so.
        it, all_ = ("it", "it") if len(delivery.news) == 1 else ("the oldest", "them")
        lines.append(
            f"Escalated from route {listed(routes)}: {after} after {it} began nobody has "
            f"acknowledged {all_}{_how_to_acknowledge(delivery)}."
        )
    others = dict.fromkeys(news.stands_in_for for news in delivery.news if news.stands_in_for)
    if others and ending_of(delivery) == "none":
        names = listed([channel_text(name) for name in others])
        lines.append(f"Told here because it was not confirmed by: {names}.")
    if any(map(_perhaps_told, delivery.news)):
        if delivery.action in _ENDINGS:
            lines.append("Perhaps you were not told that it began: that message had no answer.")
        else:
            lines.append("Perhaps you have this already: an earlier attempt had no answer.")
    return lines


def _how_to_acknowledge(delivery: Delivery) -> str:
    events = [news.event for news in delivery.news if isinstance(news.event, IncidentEvent)]
    if not events:
        return ""  # what befalls a region, nobody can acknowledge
    ids = " ".join(said(event.incident_id) for event in events[:_MOST_IDS])
    rest = " …" if len(events) > _MOST_IDS else ""
    return f" (portquorum ack {ids}{rest})"


def _past(held: str) -> str:
    """What held the news, as of a time at which it does so no more."""
    name, _, rest = held.partition("dependency: ")
    if name or not rest.endswith(" is down"):
        return held
    return f"dependency: {rest.removesuffix(' is down')} was down"


def _is_well(event: object) -> bool:
    # A region, unwatched targets or a channel have no other end.
    return not isinstance(event, IncidentEvent) or event.closed_because == "recovered"


def _why(delivery: Delivery) -> str:
    failed = delivery.attempt - 1
    if failed < 1:
        # A stand-in is told late because others were to be told first.
        stands_in = any(news.stands_in_for for news in delivery.news)
        return "" if stands_in else " It could not be told here before."
    many = "attempt" if failed == 1 else "attempts"
    return f" Told only now because {failed} earlier {many} on this channel failed."


def _perhaps_told(news: News) -> bool:
    return news.maybe_told and not news.told_before
