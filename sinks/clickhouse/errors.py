"""Reasons why a block was not finished; after each of them the offsets are read again."""

import urllib3
from clickhouse_connect.driver.exceptions import ClickHouseError

FAILURES = (ClickHouseError, urllib3.exceptions.HTTPError, OSError)
"""Errors that a call of the ClickHouse client may raise."""

_LONGEST = 300


class DoubtError(RuntimeError):
    """The sink's knowledge of a partition may be outdated; nothing was inserted."""


class SinkTaskEndedError(RuntimeError):
    """A necessary task of the sink has ended, or has failed for too long; the sink must restart."""


class NotInsertedError(RuntimeError):
    """ClickHouse did not confirm an insert; the rows may or may not be in the table."""


def in_words(error: BaseException) -> str:
    """A client error in one line: for a network error, its root cause.

    The client's own text for an unreachable server contains 400 characters of URL.
    """
    cause: BaseException = error
    while inner := _inner(cause):
        cause = inner
    text = str(cause if isinstance(cause, OSError | urllib3.exceptions.HTTPError) else error)
    return " ".join(text.split())[:_LONGEST] or repr(error)


def _inner(error: BaseException) -> BaseException | None:
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        return error.reason
    return error.__cause__
