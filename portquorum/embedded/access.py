"""Who may do what: our own roles everything, everybody else on this machine read, within limits."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, NamedTuple

from portquorum.embedded import statement
from portquorum.embedded.engine import Engine, QueryError, Session, quote

OWNER: Final = "portquorum"
READER: Final = "default"

# https://clickhouse.com/docs/operations/settings/query-complexity
READER_LIMITS: Final[Mapping[str, int]] = {
    "max_execution_time": 30,
    "max_memory_usage": 1 << 30,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 256 << 20,
}
# What a reader may set: how the answer looks, nothing of what it may cost.
_READER_SETTINGS: Final = (
    *("output_format_", "input_format_", "format_csv_", "date_time_", "join_", "aggregate_"),
    *("session_timezone", "extremes", "max_block_size", "max_threads", "result_overflow_mode"),
    *("limit", "offset", "use_client_time_zone", "cast_keep_nullable", "use_query_cache"),
)
# What clients send that here means nothing.
_IGNORED: Final = frozenset({"readonly", "log_queries"})
# The one plain function that reads files, which readonly does not forbid. A function can be named
# without brackets (`* APPLY file`, `arrayMap(file, …)`) and by a parameter (`{f:Identifier}`), so
# a reader may not even call a column so.
_NAMES_OF_FILES: Final = frozenset({"FILE", "IDENTIFIER"})
_READER_WORDS: Final = frozenset(
    {"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"}
)


class RefusedError(QueryError):
    """A user without the right; has a ClickHouse error code as the engine's own refusals do."""


class User(NamedTuple):
    """Who sent a request."""

    name: str
    owner: bool


class Access:
    """The two users, and what stands between the reader and the machine."""

    def __init__(self, password: str, engine: Engine) -> None:
        """Takes the owner's password, and the names of what reads from outside from the engine."""
        self._password = password
        with engine.session({}) as session:
            names = session.run(
                "SELECT name FROM system.table_functions WHERE NOT allow_readonly "
                "AND name NOT IN (SELECT name FROM system.functions) FORMAT TSVRaw"
            )
        self._outside = {name.upper() for name in names.data.decode().split()}

    def user(self, headers: Mapping[str, str], query: Mapping[str, str]) -> User:
        """The user of a request: by Basic authentication, X-ClickHouse headers or parameters.

        Raises:
            RefusedError: unknown user or wrong password.
        """
        name, password = _credentials(headers, query)
        if name == OWNER and hmac.compare_digest(password.encode(), self._password.encode()):
            return User(OWNER, owner=True)
        if name == READER and not password:
            return User(READER, owner=False)
        raise RefusedError(
            f"Code: 516. DB::Exception: {name}: Authentication failed: password is incorrect, or "
            f"there is no user with such name. The user {OWNER!r} has its password in "
            f"services.json, {READER!r} has none and reads only. (AUTHENTICATION_FAILED)"
        )

    def settings(self, user: User, asked: Mapping[str, str]) -> dict[str, str]:
        """The settings that a user's statement runs with.

        Raises:
            RefusedError: a setting that is not the reader's to change.
        """
        asked = {name: value for name, value in asked.items() if name not in _IGNORED}
        if user.owner:
            return asked
        limits = {name: str(most) for name, most in READER_LIMITS.items()}
        for name, value in asked.items():
            if name in READER_LIMITS:
                limits[name] = _smaller(value, READER_LIMITS[name])
            elif name.startswith(_READER_SETTINGS):
                limits[name] = value
            else:
                raise RefusedError(
                    f"Code: 164. DB::Exception: Cannot modify {name!r} setting in readonly mode. "
                    "(READONLY)"
                )
        return limits

    def reading(self, session: Session, sql: str) -> str:
        """The statement that a reader may run in place of `sql`: the same one, seen by the engine.

        The engine writes it anew (so that no trick of quoting or comments hides anything from
        what is looked for here), and from here on the session can change nothing.

        Raises:
            RefusedError: the statement writes, or reads anything outside of the database.
            QueryError: it can't be parsed, or is more than one statement.
        """
        text = f"SELECT formatQuerySingleLine({quote(sql)})"
        canonical = session.run(text, "TSVRaw").data.decode().strip()
        session.set({"readonly": "1"})
        words = [
            "" if token.kind == "string" else token.text.upper()
            for token in statement.tokens(canonical.encode())
        ]
        for word, follows in pairwise([*words, ""]):
            if word in _NAMES_OF_FILES or (word in self._outside and follows == "("):
                raise _readonly(f"{word.lower()} reads from outside of the database")
            if (word, follows) == ("INTO", "OUTFILE"):
                raise _readonly("INTO OUTFILE writes a file")
        first = statement.first_word(canonical.encode())
        if first not in _READER_WORDS or not session.reads(canonical):
            raise _readonly(f"{first} is not for readers")
        return canonical


def _readonly(why: str) -> RefusedError:
    return RefusedError(
        f"Code: 164. DB::Exception: {READER}: Cannot execute query in readonly mode: {why}. "
        "(READONLY)"
    )


def _smaller(asked: str, most: int) -> str:
    try:
        value = float(asked)
    except ValueError:
        return str(most)
    return asked if 0 < value < most else str(most)


def _credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return name, password
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", READER), headers.get("X-ClickHouse-Key", "")
    return query.get("user", READER), query.get("password", "")
