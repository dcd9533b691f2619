"""What the outcome of one send changes of what a channel knows. Pure."""

from typing import Final, get_args

from sinks.notifier.decision.channel_condition import ERROR_LENGTH, jittered
from sinks.notifier.decision.subjects import MOST_NEWS, Listener
from sinks.notifier.decision.transitions import OPENINGS
from sinks.notifier.model import Action, Delivery, News, NewsAction, SendOutcome

REFUSED_WAIT_MS: Final = 60_000
"""Wait of a message after its plain text was refused, too; it is up to 20 % more or less."""

UNCERTAIN_WAIT_MS: Final = 30_000
UNCERTAIN_LONGEST_MS: Final = 300_000
"""Wait of a message to people that may have arrived: doubled each time, up to the longest. They
would get it again and again from a chat that takes it and never answers."""

LONGEST_ALONE_MS: Final = 360_000
"""Longest wait of one message while others of its channel go: 20 % more than the longest above."""

_PEOPLE: Final = frozenset({*get_args(NewsAction), "digest"})

_RANK: Final = {None: -1, "down": 0, "improved": 1, "closed": 2}


def acting(delivery: Delivery, news: News) -> Action:
    """What is told of one subject: in a digest, each has an action of its own."""
    return news.action or delivery.action


def confirm(listener: Listener, delivery: Delivery, news: News, now: int) -> None:
    """The channel said yes: it knows what the message said, which may be no longer true."""
    listener.told_at = now
    match acting(delivery, news):
        case "reminder":
            listener.reminders += 1
            _told(listener, news)
        case "trigger":
            listener.open_key = news.key
            listener.maybe = listener.acknowledged = False
            _told(listener, news)
        case "acknowledge":
            listener.acknowledged = True
        case "resolve":
            if listener.open_key in ("", news.key):
                listener.open_key = ""
                listener.maybe = listener.acknowledged = False
                if news.phase == "closed":
                    _told(listener, news)
                else:
                    listener.told_phase = "closed"
        case "missed":
            listener.told_phase, listener.told_episode = "closed", 0
            listener.told_event = _newest(news)
        case _:
            listener.maybe = False
            _told(listener, news)
    begin_anew(listener)


def lost(listener: Listener) -> None:
    """What became of the delivery that was under way is not known: it may have arrived.

    To resolve a key that is not open does no harm.
    """
    if listener.under_way:
        listener.under_way, listener.maybe = False, True
        listener.open_key = listener.open_key or listener.flight_key
    listener.flight_key = ""


def begin_anew(listener: Listener) -> None:
    """Nothing waits for the channel."""
    listener.due_at = listener.attempts = listener.refusals = listener.uncertain = 0
    listener.not_before = listener.failed_at = 0
    listener.error, listener.plain = "", False
    listener.company = MOST_NEWS
    listener.held_before = ""
    listener.fallback_asked = False
    listener.fallback_not_before = 0
    listener.limited, listener.limited_until = "", 0


def fail(
    listener: Listener, delivery: Delivery, news: News, outcome: SendOutcome, now: int
) -> None:
    """The channel did not say yes."""
    if acting(delivery, news) in OPENINGS and outcome.kind == "uncertain":
        listener.maybe = True
        if delivery.action == "trigger":
            listener.open_key = news.key
    listener.attempts += 1
    listener.error = (outcome.error or outcome.kind)[:ERROR_LENGTH]
    if outcome.kind != "refused":
        listener.failed_at = now
        if outcome.kind == "uncertain" and delivery.action in _PEOPLE:
            listener.uncertain += 1
            wait_ms = min(UNCERTAIN_WAIT_MS * 2 ** (listener.uncertain - 1), UNCERTAIN_LONGEST_MS)
            # All of a message wait for the same time: it is repeated as it was.
            listener.not_before = now + jittered(wait_ms, f"{listener.id}|{delivery.id}|{now}")
        return
    listener.refusals += 1
    if listener.refusals == 1 and not delivery.plain:
        listener.plain = True
        return
    listener.plain = True
    listener.company = max(1, len(delivery.news) // 2)
    listener.refusals = max(listener.refusals, 2)
    listener.not_before = now + jittered(REFUSED_WAIT_MS, f"{listener.id}|{delivery.id}|{now}")


def _told(listener: Listener, news: News) -> None:
    newer = (news.episode, _RANK[news.phase]) >= (
        listener.told_episode,
        _RANK[listener.told_phase],
    )
    if newer:
        listener.told_episode, listener.told_phase = news.episode, news.phase
        listener.told_event = _newest(news)
    listener.told_revision = max(listener.told_revision, news.revision)


def _newest(news: News) -> str:
    return news.marks[-1].event_id if news.marks else ""
