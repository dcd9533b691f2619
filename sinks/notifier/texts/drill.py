"""The message of a fire drill that is overdue."""

from typing import Final

from schemas.duration import COARSE, duration_text
from sinks.notifier.model import Delivery, DrillEvent
from sinks.notifier.texts import words
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Line, Passage, listing
from sinks.notifier.texts.outside import said
from sinks.notifier.texts.telling import about_itself

WHAT: Final = "Fire Drill"
_OVERDUE: Final = f"{WHAT} Overdue"
_STEPS: Final = ("  1. portquorum drill",)
_STAGE: Final = (
    "  1. portquorum drill: does the same stage fail again?",
    "  2. portquorum health: which service is in trouble?",
)
_STAGE_LENGTH: Final = 100


def draft(events: list[DrillEvent], delivery: Delivery) -> Draft:
    """The message of the newest event, without limits."""
    event = max(events, key=lambda one: one.at)
    over = event.event != "drill.overdue"
    known = event.at if over else event.since
    head: list[Line] = [*about_itself(delivery, event.since, event.at if over else None, known)]
    if over and delivery.action == "missed":
        head.append("It was overdue, and that ended before anybody could be told.")
    head.append(summary(event))
    times = [f"Since: {words.time_text(event.since)}"]
    if event.last_at is not None:
        times.append(f"Last drill: {words.time_text(event.last_at)}")
    if over:
        times.append(f"Ended: {words.time_text(event.at)}")
    steps = _STAGE if event.stage else _STEPS
    listed = () if over else (listing(1, "First steps:", steps, len(steps)),)
    heading = what(event)
    if delivery.action == "reminder" and heading == _OVERDUE:
        heading = f"{WHAT} Still Overdue"
    at = event.at if over else event.since
    return Draft(
        heading=Heading(heading, "", name(event)),
        passages=(Passage(0, tuple(head)), Passage(TIMES, tuple(times)), *listed),
        why=f"it was overdue for {words.length_text(event.at - event.since)}"
        if over
        else "portquorum drill",
        since=f"{'ended' if over else 'since'} {words.clock_text(at, delivery.at)}",
    )


def what(event: DrillEvent) -> str:
    """What happened, for a heading."""
    if event.event != "drill.overdue":
        return f"{WHAT} No Longer Overdue"
    return f"{WHAT} Failed" if event.stage else _OVERDUE


def name(event: DrillEvent) -> str:
    """The last drill in a few words."""
    if event.event != "drill.overdue":
        return "none is planned any more" if not event.every_ms else f"one every {every(event)}"
    if event.stage:
        return f"{said(event.stage, _STAGE_LENGTH)} did not come in time"
    return f"none for {every(event)}" if event.last_at is not None else "there was none yet"


def summary(event: DrillEvent) -> str:
    """What is so and why it matters, in one or two sentences."""
    if event.event != "drill.overdue":
        if not event.every_ms:
            return "No inventory plans fire drills any more."
        if event.last_at is None:
            return f"There was no drill yet, and one every {every(event)} is planned now."
        return f"All stages of the last drill came in time. One every {every(event)} is planned."
    if event.stage:
        return (
            f"In the last drill the stage {said(event.stage, _STAGE_LENGTH)!r} did not come in "
            "time: an outage might be told late, or not at all."
        )
    last = "there was none yet" if event.last_at is None else "the last one is older"
    return (
        f"One every {every(event)} is planned, and {last}. Nobody knows whether an outage would be "
        "told from end to end."
    )


def every(event: DrillEvent) -> str:
    """The longest time between two drills, as `7 d`; empty if none is planned."""
    return duration_text(event.every_ms, COARSE).removesuffix(" 0 h") if event.every_ms else ""
