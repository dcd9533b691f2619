"""The names of running queries: the engine has ids of its own, and one user.

A statement's `log_comment`, which no user can set, is the id that the client gave it; of a
reader's with a mark in front that no id can contain (`http_exchange`: printable ASCII).
"""

from typing import Final

from portquorum.embedded.clickhouse.engine import quote

_READERS: Final = "default\n"
_COMMENT: Final = "row.Settings['log_comment']"

# SQL for a row of `system.processes AS row`.
IS_READERS: Final = f"startsWith({_COMMENT}, {quote(_READERS)})"
USER: Final = f"if({IS_READERS}, 'default', 'portquorum')"
"""The user of the query."""
CLIENT_ID: Final = (
    f"multiIf({IS_READERS}, substring({_COMMENT}, {len(_READERS) + 1}), "
    f"{_COMMENT} != '', {_COMMENT}, row.query_id)"
)
"""The query's id, as the client gave it."""


def comment_of(query_id: str, *, owner: bool) -> str:
    """The `log_comment` of a request's statements."""
    return query_id if owner else f"{_READERS}{query_id}"
