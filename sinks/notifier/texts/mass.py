"""The message of an outage of a large share of all targets."""

from typing import Final

from sinks.notifier.model import Delivery, MassEvent
from sinks.notifier.texts import words
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Line, Passage, listing
from sinks.notifier.texts.outside import said
from sinks.notifier.texts.telling import about_itself

WHAT: Final = "Mass Outage"
_STEPS: Final = (
    "  1. What do these hosts share (a network, a provider, a data centre, a DNS server)?",
    "  2. portquorum health: do the probers and their regions work?",
    "  3. portquorum incidents: which targets are down, and since when?",
)


def draft(events: list[MassEvent], delivery: Delivery) -> Draft:
    """The message of the newest event, without limits."""
    event = max(events, key=lambda one: one.at)
    over = event.event == "mass.over"
    lasted = words.length_text(event.at - event.since)
    head: list[Line] = [*about_itself(delivery, event.since, event.at if over else None, event.at)]
    if over and delivery.action == "missed":
        head.append("It began and ended before anybody could be told.")
    if over:
        head.append(
            f"It lasted {lasted}. {_are(event.down)} still down; whoever was told of "
            "a target is told of its end."
        )
    else:
        head.append(
            f"{_share(event)} of all targets went down within a minute. So many at once are seldom "
            "so many faults: look for the one that they share. The targets themselves follow, "
            "gathered in few messages."
        )
    times = [f"Since: {words.time_text(event.since)}"]
    if over:
        times.append(f"Ended: {words.time_text(event.at)}")
    hosts = [f"  {said(host, 253)}" for host in event.hosts]
    steps = () if over else (listing(1, "First steps:", _STEPS, len(_STEPS)),)
    listed = (listing(2, "Hosts with the most targets:", hosts, len(hosts)),) if hosts else ()
    what = f"{WHAT} Over" if over else WHAT
    if delivery.action == "reminder" and not over:
        what = f"{WHAT} Goes On"
    at = event.at if over else event.since
    return Draft(
        heading=Heading(
            what, "", f"{event.down:,} of {event.total:,} targets {'still ' if over else ''}down"
        ),
        passages=(Passage(0, tuple(head)), Passage(TIMES, tuple(times)), *steps, *listed),
        why=f"it lasted {lasted}" if over else "look for what they share",
        since=f"{'ended' if over else 'since'} {words.clock_text(at, delivery.at)}",
    )


def _share(event: MassEvent) -> str:
    if not 0 < event.down <= event.total:
        return "Many"
    share = event.down * 100 // event.total
    return f"{share} %" if share else "A part"


def _are(count: int) -> str:
    return "1 target is" if count == 1 else f"{count:,} targets are"
