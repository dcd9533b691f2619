"""A word on an incident: its record on [results], and the event that answers it."""

from schemas import control
from schemas.control import Acknowledged, Resolved
from schemas.incident import IncidentEvent
from schemas.partition import host_key, partition_for

Word = Acknowledged | Resolved


def partition_of(event: IncidentEvent, partitions: int) -> int:
    """The partition of [results] in which a word on an incident belongs: that of its host."""
    return partition_for(host_key(event.host or None, event.target), partitions)


def check(word: Word) -> None:
    """Checks that every reader can decode a word.

    Raises:
        msgspec.ValidationError: the name or the note is too long.
    """
    control.decode(control.headers(word)[0][1])


def is_known(event: IncidentEvent, word: Word) -> bool:
    """True if the stream would tell nothing: the same person has said the same."""
    return (
        isinstance(word, Acknowledged)
        and event.acknowledged_by == word.by
        and word.note in {None, event.acknowledged_note}
    )


def answers(event: IncidentEvent, word: Word) -> bool:
    """True if an event of the word's incident shows that the stream has read the word.

    Nothing comes of a word about an incident that has closed: its closing is the answer.
    """
    if event.event == "closed":
        return True
    if isinstance(word, Resolved) or event.acknowledged_by != word.by:
        return False
    return not word.note or event.acknowledged_note == word.note


def heeded(event: IncidentEvent, word: Word) -> bool:
    """True if the stream did what the word says: an answer that has it."""
    if isinstance(word, Resolved):
        return event.closed_because == "resolved" and event.resolved_by == word.by
    return event.acknowledged_by == word.by and (
        not word.note or event.acknowledged_note == word.note
    )
