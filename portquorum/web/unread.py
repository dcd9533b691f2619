"""What is said of things that were not found while the topics can't be read. Pure."""

from http import HTTPStatus
from typing import Final

from portquorum.web.answers import Freshness
from portquorum.web.problem import RETRY_AFTER, ProblemError
from portquorum.web.words import BLIND, ENGLISH

_UNSEEN: Final = frozenset({"starting", "kafka_away"})
"""Why the page may not know what there is; while the stream stands, the topics are read."""


def missing(fresh: Freshness, detail: str) -> ProblemError:
    """404 with `detail`; 503 while it may be there unseen, so that no program takes it as deleted.

    `since` of a 503 is when the page went blind, in UTC ms.
    """
    if fresh.is_read and fresh.blind_because not in _UNSEEN:
        return ProblemError(HTTPStatus.NOT_FOUND, detail)
    return _unavailable(fresh)


def refuse_unread(fresh: Freshness) -> None:
    """A file has no freshness: one of what was never read would say that there is nothing.

    Raises:
        ProblemError: 503, the topics were not read to their ends yet.
    """
    if not fresh.is_read:
        raise _unavailable(fresh)


def _unavailable(fresh: Freshness) -> ProblemError:
    why = BLIND.get(fresh.blind_because or "", ENGLISH.blind_starting)
    if fresh.kafka_trouble:
        why = f"{why}: {fresh.kafka_trouble}"
    said = ENGLISH.not_seen if fresh.is_read else ENGLISH.not_read
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{why}. {said}",
        since=fresh.blind_since,
        headers=RETRY_AFTER,
    )
