"""What of [web] is over, by the broker's time of the newest record: its keys may be removed.

No clock of a machine decides: one that is wrong by years would remove the audit log.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from portquorum.journal.book import PageBook, single_key
from schemas.duration import DAY_MS
from schemas.web import (
    Audit,
    Bulk,
    Claim,
    IncidentNote,
    Invitation,
    Lockout,
    Request,
    Session,
    SessionUse,
    Single,
    StatusPost,
    Token,
    TokenSeen,
    Versioned,
)

AUDIT_ENTRIES: Final = 20_000
OWN_ENTRIES: Final = 1_000
"""The newest entries of each author stay: nobody drives those of others out by writing many."""

AUDIT_MS: Final = 400 * DAY_MS
NOTE_MS: Final = 90 * DAY_MS
BULK_MS: Final = 30 * DAY_MS
REMOVED_MS: Final = 30 * DAY_MS
"""The last record of a removed object is kept for so long: its number of versions counts on."""

POST_MS: Final = 400 * DAY_MS
"""A post that is over is kept for so long: status pages show those of a year."""

REQUEST_MS: Final = DAY_MS
"""An Idempotency-Key is remembered for so long."""

LOCKOUT_MS: Final = DAY_MS
CLAIM_MS: Final = DAY_MS

_OVER: Final = frozenset({"resolved", "completed"})
_AGES: Final[tuple[tuple[type[Single], int], ...]] = (
    (Audit, AUDIT_MS),
    (IncidentNote, NOTE_MS),
    (Bulk, BULK_MS),
    (Lockout, LOCKOUT_MS),
    (Claim, CLAIM_MS),
)


def overdue(book: PageBook) -> Iterator[bytes]:
    """The keys of records that are over.

    Of an object it is the key that counts: those of `PageBook.stale` must be removed before it.
    """
    yield from _edits(book)
    yield from _aged(book)
    yield from _ended(book)
    yield from _surplus(book)


def _surplus(book: PageBook) -> Iterator[bytes]:
    """The oldest entries of the audit log that are more than it keeps."""
    entries = list(book.every(Audit).items())
    left = len(entries) - AUDIT_ENTRIES
    if left <= 0:
        return
    of_author: Counter[str] = Counter(entry.by for _, entry in entries)
    for name, entry in entries:
        if not left:
            return
        if of_author[entry.by] > OWN_ENTRIES:
            of_author[entry.by] -= 1
            left -= 1
            yield single_key(Audit, name)


def _edits(book: PageBook) -> Iterator[bytes]:
    for key, record, place in book.counting():
        kept_ms = _kept_ms(record)
        if kept_ms is not None and place.at + kept_ms < book.clock:
            yield key


def _kept_ms(record: Versioned) -> int | None:
    """How long an object is kept after its last edit; None: as long as it is there."""
    if isinstance(record, Request):
        return REQUEST_MS
    if record.removed:
        return REMOVED_MS
    is_over = isinstance(record, StatusPost) and record.updates[-1].state in _OVER
    return POST_MS if is_over else None


def _aged(book: PageBook) -> Iterator[bytes]:
    for kind, age_ms in _AGES:
        for name in book.every(kind):
            place = book.place(kind, name)
            if place is not None and place.at + age_ms < book.clock:
                yield single_key(kind, name)


def _ended(book: PageBook) -> Iterator[bytes]:
    for name, session in book.every(Session).items():
        if session.expires_at < book.clock:
            yield single_key(Session, name)
    for name, invitation in book.every(Invitation).items():
        if invitation.expires_at < book.clock:
            yield single_key(Invitation, name)
    for name in book.every(TokenSeen):
        if book.get(Token, name) is None:
            yield single_key(TokenSeen, name)
    for name in book.every(SessionUse):
        if book.one(Session, name) is None:
            yield single_key(SessionUse, name)
