"""Access rights: our own roles may do everything, other local users may read, within limits."""

import base64
import hmac
import ipaddress
import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from foundation.http_origin import is_forwarded
from portquorum.embedded.clickhouse import statement
from portquorum.embedded.clickhouse.engine import Session
from portquorum.embedded.clickhouse.sql_guard import SqlGuard, StatementRefusedError

OWNER: Final = "portquorum"
READER: Final = "default"

# https://clickhouse.com/docs/operations/settings/query-complexity
READER_LIMITS: Final[Mapping[str, int]] = {
    "max_execution_time": 30,
    "max_memory_usage": 1 << 30,
    "max_temporary_data_on_disk_size_for_query": 1 << 30,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 256 << 20,
    # Half of the machine is left to what writes.
    "max_threads": max(1, (os.cpu_count() or 2) // 2),
}
# What a reader may set: how the answer looks, nothing of what it may cost.
_READER_SETTINGS: Final = (
    *("output_format_", "input_format_", "format_csv_", "date_time_", "join_", "aggregate_"),
    *("session_timezone", "extremes", "max_block_size", "result_overflow_mode"),
    *("limit", "offset", "use_client_time_zone", "cast_keep_nullable", "use_query_cache"),
)
# Of these, what names a file, which is then written: not left to the guard alone.
_NO_READER_SETTINGS: Final = frozenset(
    {"input_format_record_errors_file_path", "output_format_schema"}
)
# What clients send that here means nothing.
_IGNORED: Final = frozenset({"readonly", "log_queries"})
_READER_WORDS: Final = frozenset(
    {"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"}
)
# What changes a session and nothing else.
_SESSION_WORDS: Final = frozenset({"SET", "USE"})


_DEFAULT_DATABASE: Final = "default"


class User(NamedTuple):
    """The sender of a request."""

    name: str
    owner: bool


class UserAccess:
    """The two users, and the restrictions of the reader."""

    def __init__(
        self,
        guard: SqlGuard,
        password: str,
        reader_password: str | None = None,
        *,
        open_here: bool = True,
    ) -> None:
        """Takes the SQL guard and the passwords.

        If readers have no password, they have access from this machine only, and only while
        `open_here`.
        """
        self._guard = guard
        self._password = password
        self._reader_password = reader_password
        self._open_here = open_here

    def user(
        self, headers: Mapping[str, str], query: Mapping[str, str], address: str | None
    ) -> User:
        """The user of a request: by Basic authentication, X-ClickHouse headers or parameters.

        Args:
            headers: of the request.
            query: its parameters.
            address: where it came from.

        Raises:
            StatementRefusedError: unknown user or wrong password.
        """
        name, password = _credentials(headers, query)
        if name == OWNER and _same(password, self._password):
            return User(OWNER, owner=True)
        if name == READER and (
            not password and self._is_open(headers, address)
            if self._reader_password is None
            else _same(password, self._reader_password)
        ):
            return User(READER, owner=False)
        raise StatementRefusedError(
            f"Code: 516. DB::Exception: {name}: Authentication failed: password is incorrect, or "
            f"there is no user with such name. The user {OWNER!r} has its password in "
            f"services.json; {READER!r} reads only, and needs PORTQUORUM_READER_PASSWORD from "
            "another machine, through a proxy, where the kernel has no Landlock, or where one "
            "is set. (AUTHENTICATION_FAILED)"
        )

    def _is_open(self, headers: Mapping[str, str], address: str | None) -> bool:
        """True if readers need no password: a forwarded request may come from anywhere."""
        return self._open_here and _is_here(address) and not is_forwarded(headers)

    def database(self, user: User, asked: str | None) -> str | None:
        """The initial database of a request; None if the request names none.

        Raises:
            StatementRefusedError: a reader in `system`, whose tables readers name in full.
        """
        if asked == _DEFAULT_DATABASE:
            return None  # what clients send when nobody chose: here, portquorum
        if asked is not None and not user.owner and asked.lower() == "system":
            raise _readonly("system is not a reader's database; write system.tables and so on")
        return asked

    def settings(self, user: User, asked: Mapping[str, str]) -> dict[str, str]:
        """The settings that a user's statement runs with.

        Raises:
            StatementRefusedError: the reader, or anybody, may not change the setting.
        """
        asked = {name: value for name, value in asked.items() if name not in _IGNORED}
        for name in asked:
            self._guard.check_setting(name)
        if user.owner:
            return asked
        limits = {name: str(most) for name, most in READER_LIMITS.items()}
        for name, value in asked.items():
            if name in READER_LIMITS:
                limits[name] = _smaller(value, READER_LIMITS[name])
            elif name.startswith(_READER_SETTINGS) and name not in _NO_READER_SETTINGS:
                limits[name] = value
            else:
                raise StatementRefusedError(
                    f"Code: 164. DB::Exception: Cannot modify {name!r} setting in readonly mode. "
                    "(READONLY)"
                )
        return limits

    def reading(self, session: Session, sql: str) -> str:
        """The statement to run for a reader in place of `sql`: the same one, printed by the engine.

        The engine prints it again (so that no trick of quoting or comments hides anything from the
        checks), and from here on the session can change nothing.

        Raises:
            StatementRefusedError: it writes, or touches anything outside of the database.
            QueryError: it can't be parsed, or is more than one statement.
        """
        canonical = self._guard.canonical(sql)
        self._guard.check(canonical, {})
        self._guard.check_reader(canonical)
        first = statement.first_word(canonical.encode())
        session.set({"readonly": "1"})
        if first not in _READER_WORDS or not session.reads(canonical):
            raise _readonly(f"{first} is not for readers")
        return canonical

    def owning(
        self, session: Session, sql: str, params: Mapping[str, str], only_reads: bool
    ) -> tuple[str, bool]:
        """The statement to run for the owner in place of `sql`, and whether it only reads.

        The engine prints it: the checked text is the one that runs.

        Raises:
            StatementRefusedError: it touches anything outside of the database; or it writes, and
                the request may not.
            QueryError: it can't be parsed, or is more than one statement.
        """
        canonical = self._guard.canonical(sql)
        self._guard.check(canonical, params)
        reads = session.reads(canonical)
        first = statement.first_word(canonical.encode())
        if only_reads and not reads and first not in _SESSION_WORDS:
            raise _readonly(f"{first} writes, and the request only reads")
        if first == "KILL":
            return _by_our_names(canonical), False
        return canonical, reads

    def inserting(self, head: str, params: Mapping[str, str]) -> str:
        """The head of an INSERT with inline data, as the engine prints it.

        Raises:
            StatementRefusedError: it touches anything outside of the database.
        """
        canonical = self._guard.canonical(f"{head} FORMAT Native")
        self._guard.check(canonical, params)
        return canonical.removesuffix("FORMAT Native").rstrip()


def _by_our_names(kill: str) -> str:
    """KILL QUERY with the clients' ids instead of the engine's own.

    A request's id is the `log_comment` of its statement.
    """
    text = kill.encode()
    parts = []
    at = 0
    for token in statement.tokens(text):
        if token.kind in {"word", "name"} and token.text.upper() == "QUERY_ID":
            written = len(token.text) + (2 if token.kind == "name" else 0)
            parts += [text[at : token.end - written], b"Settings['log_comment']"]
            at = token.end
    return b"".join([*parts, text[at:]]).decode()


def _readonly(why: str) -> StatementRefusedError:
    return StatementRefusedError(
        f"Code: 164. DB::Exception: {READER}: Cannot execute query in readonly mode: {why}. "
        "(READONLY)"
    )


def _same(found: str, expected: str) -> bool:
    # Bytes of a header that are no UTF-8 come as surrogates.
    return hmac.compare_digest(found.encode(errors="surrogatepass"), expected.encode())


def _is_here(address: str | None) -> bool:
    """True if a client is on this machine; an IPv4 address may appear as an IPv6 one."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


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
        except ValueError:  # no base 64, no ASCII, no UTF-8
            return "", ""
        return name, password
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", READER), headers.get("X-ClickHouse-Key", "")
    return query.get("user", READER), query.get("password", "")
