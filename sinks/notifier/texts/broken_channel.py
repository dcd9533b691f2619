"""The message of a channel that does not deliver, told to those who stand in for it."""

from sinks.notifier.model import ChannelEvent, Delivery
from sinks.notifier.texts import words
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Line, Passage
from sinks.notifier.texts.outside import said
from sinks.notifier.texts.telling import about_itself


def draft(events: list[ChannelEvent], delivery: Delivery) -> Draft:
    """The message of the events of one channel, without limits."""
    event = max(events, key=lambda one: one.at)
    broken = event.event == "channel.broken"
    # Its end has an error if no route has the channel any more: nobody knows whether it works.
    gone = not broken and bool(event.error)
    what = f"Notification Channel {'Broken' if broken else 'Removed' if gone else 'Works Again'}"
    if delivery.action == "missed":
        what = "Notification Channel Was Broken"
    lasted = words.length_text(event.at - event.since)
    head: list[Line] = [
        *about_itself(delivery, event.since, None if broken else event.at, event.at)
    ]
    if broken:
        told = "1 message waits" if event.waiting == 1 else f"{event.waiting} messages wait"
        waits = f" {told} for it." if event.waiting else ""
        head.append(f"It confirms nothing, so its people may not know.{waits}")
        if event.error:
            head.append(f"The last error: {said(event.error)}")
        head.append("You get the messages of its route until it works again.")
    elif gone:
        head.append(f"No route has it any more. It was broken for {lasted}.")
    else:
        head.append(f"It delivers again after {lasted}. Its people are told by it from now on.")
    at = event.since if broken else event.at
    over = "since" if broken else "removed" if gone else "works since"
    return Draft(
        heading=Heading(what, "", words.channel_text(event.channel)),
        passages=(
            Passage(0, tuple(head)),
            Passage(
                TIMES,
                (f"{'Since' if broken else 'Broken since'}: {words.time_text(event.since)}",),
            ),
            Passage(5, (f"Channel: {said(event.channel)}",)),
        ),
        why=said(event.error, 100) if broken else "",
        since=f"{over} {words.clock_text(at, delivery.at)}",
    )
