"""Messages of one line: for an SMS, and where a channel refused the whole text."""

from typing import Final

from msgspec import structs

from sinks.notifier.texts import gsm7
from sinks.notifier.texts.layout import Draft
from sinks.notifier.texts.markup import Pen

_SMS: Final = Pen("plain", "sms")
_LEAST: Final = 12
"""Characters below which a part says nothing."""


def one_line(draft: Draft, pen: Pen, limit: int) -> str:
    """What, where, why and since when in one line of at most `limit`, escaped.

    Of what is too long the name is cut first, then the reason, then the time, then the place.
    """
    heading = draft.heading
    since = pen.write(f", {draft.since}") if draft.since else ""
    briefest = pen.size(pen.write(heading.briefest))
    reason = min(pen.size(pen.write(draft.why)) + 2, limit // 3) if draft.why else 0
    for tail, reserved in ((since, reason), (since, 0)):
        if briefest <= limit - pen.size(tail) - reserved:
            break
    else:
        tail, reserved = "", 0
    room = limit - pen.size(tail)
    written = heading.fitted(pen, room - reserved)
    left = room - pen.size(written) - 2
    if draft.why and left >= _LEAST:
        written += ": " + pen.fit(draft.why, left)
    return written + tail


def sms(draft: Draft, limit: int) -> str:
    """One line in the alphabet of SMS, at most `limit` septets: where comes before the name."""
    name = draft.heading.name
    shown = structs.replace(
        draft.heading,
        what=draft.heading.what.removeprefix("TCP Port "),
        name=gsm7.transliterated(name).strip() if gsm7.legible(name) else "",
        where_first=True,
    )
    return one_line(structs.replace(draft, heading=shown), _SMS, limit)
