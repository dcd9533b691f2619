"""The notifier's memory as [notifier-state] has it. Pure."""

from collections.abc import Iterable
from contextlib import suppress

import msgspec
from msgspec import Struct

from schemas import notifier_state
from schemas.notifier_state import TERM_KEY, ChannelPace, HandledOffsets, Subject, Term
from sinks.notifier.state_view import StateView

StateRecord = tuple[bytes | None, bytes | None, Iterable[tuple[str, bytes]]]
"""Key, value and headers of a record."""


class NotifierMemory(Struct, frozen=True, kw_only=True):
    """What the newest active notifier knows.

    `term` is its beginning (None: none was ever active), `subjects` are by their keys
    (`incident/ID`, `region/NAME/silent`, …), `paces` by the ids of channels. `unreadable` counts
    values that can't be decoded.
    """

    term: Term | None = None
    offsets: HandledOffsets | None = None
    subjects: dict[str, Subject] = {}
    unreadable: int = 0
    paces: dict[str, ChannelPace] = {}


def remember(records: Iterable[StateRecord]) -> NotifierMemory:
    """The memory that these records make, in the order of the log.

    What a notifier wrote after another one began a newer term does not count.
    """
    view = StateView()
    term: Term | None = None
    for key, value, headers in records:
        view.take(key, value, headers)
        if key == TERM_KEY and value is not None:
            with suppress(msgspec.DecodeError):
                begun = notifier_state.decode(value)
                if isinstance(begun, Term) and (begun.term, begun.owner) == (view.term, view.owner):
                    term = begun
    offsets: HandledOffsets | None = None
    subjects: dict[str, Subject] = {}
    paces: dict[str, ChannelPace] = {}
    unreadable = 0
    for value in view.values.values():
        try:
            found = notifier_state.decode(value)
        except msgspec.DecodeError:
            unreadable += 1
            continue
        if isinstance(found, Subject):
            subjects[found.key] = found
        elif isinstance(found, ChannelPace):
            paces[found.id] = found
        elif isinstance(found, HandledOffsets):
            offsets = found
    return NotifierMemory(
        term=term, offsets=offsets, subjects=subjects, unreadable=unreadable, paces=paces
    )
