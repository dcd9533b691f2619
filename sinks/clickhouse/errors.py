"""Why a block was not finished; each ends in reading the offsets again."""

import urllib3
from clickhouse_connect.driver.exceptions import ClickHouseError

FAILURES = (ClickHouseError, urllib3.exceptions.HTTPError, OSError)
"""What a call of the ClickHouse client may raise."""

_LONGEST = 300


class DoubtError(RuntimeError):
    """What this sink knows of a partition may be old; nothing was inserted."""


class PartEndedError(RuntimeError):
    """A part that the sink can't do without has ended, or fails for too long; begin anew."""


class NotInsertedError(RuntimeError):
    """ClickHouse did not confirm an insert; it may or may not have landed."""


def in_words(error: BaseException) -> str:
    """What a client's error is about, in one line: the cause at its bottom, if it is the network's.

    The client's own text for an unreachable server has 400 characters of URL.
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
