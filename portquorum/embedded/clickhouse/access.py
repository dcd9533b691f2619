"""Access rights: our own roles may do everything, other local users may read, within limits."""

import base64
import hmac
import ipaddress
import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from foundation.http_origin import is_forwarded
from portquorum.embedded.clickhouse import kill_query, statement
from portquorum.embedded.clickhouse.engine import Session
from portquorum.embedded.clickhouse.sql_guard import (
    SqlGuard,
    StatementRefusedError,
    settings_of,
)
from portquorum.embedded.clickhouse.system_views import READER_SYSTEM

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
    # What DESCRIBE and SHOW CREATE print.
    *("describe_", "show_table_uuid_in_table_create_query_if_not_nil", "print_pretty_type_names"),
    *("low_cardinality_allow_in_native_format", "union_default_mode"),
    # `final` works within the same limits; the others only end a query earlier.
    *("final", "max_rows_to_read", "max_bytes_to_read", "read_overflow_mode"),
    "timeout_overflow_mode",
)
# Of these, what names a file, which is then written: not left to the guard alone.
_NO_READER_SETTINGS: Final = frozenset(
    {"input_format_record_errors_file_path", "output_format_schema"}
)
# What clients send that here means nothing.
_IGNORED: Final = frozenset({"readonly", "log_queries"})
# What readers' clients send with each request, some without being asked, and what would change
# nothing for one who only reads from one server over HTTP.
_IGNORED_OF_READERS: Final = frozenset(
    {
        # clickhouse-go (conn_http.go): blocks of answers are LZ4 over HTTP, as a server's.
        *("network_compression_method", "network_zstd_compression_level"),
        # Of what writes, in the settings of a connection that does both.
        *("async_insert", "wait_for_async_insert", "wait_for_async_insert_timeout"),
        *("async_insert_busy_timeout_ms", "async_insert_max_data_size", "async_insert_deduplicate"),
        *("insert_deduplicate", "insert_quorum", "insert_distributed_sync", "mutations_sync"),
        *("alter_sync", "replication_alter_partitions_sync", "lightweight_deletes_sync"),
        *("allow_experimental_lightweight_delete", "allow_nondeterministic_mutations"),
        # Of a cluster: there is one server, and no replicas.
        *("select_sequential_consistency", "load_balancing", "prefer_localhost_replica"),
        *("database_replicated_enforce_synchronous_settings", "skip_unavailable_shards"),
        # Whose turn it is decides the embedded server: readers have four threads of their own.
        *("priority", "workload"),
        # Logs, and packets of the native protocol.
        *("send_logs_level", "send_profile_events", "log_profile_events", "log_query_threads"),
        *(
            "log_formatted_queries",
            "log_processors_profiles",
            "opentelemetry_start_trace_probability",
        ),
        # Times of connections.
        *("connect_timeout", "receive_timeout", "send_timeout", "idle_connection_timeout"),
        *("http_connection_timeout", "http_receive_timeout", "http_send_timeout"),
        *("tcp_keep_alive_timeout", "connect_timeout_with_failover_ms"),
        *("http_max_uri_size", "http_native_compression_disable_checksumming_on_decompress"),
    }
)
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
        self._views = guard.views
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
            f"services.json; {READER!r} reads only, with an empty password (set it: old JDBC "
            "drivers send the word null), and needs PORTQUORUM_READER_PASSWORD from "
            "another machine, through a proxy, where the kernel has no Landlock, or where one "
            "is set. (AUTHENTICATION_FAILED)"
        )

    def _is_open(self, headers: Mapping[str, str], address: str | None) -> bool:
        """True if readers need no password: a forwarded request may come from anywhere."""
        return self._open_here and _is_here(address) and not is_forwarded(headers)

    def database(self, user: User, asked: str | None) -> str | None:
        """The initial database of a request; None if the request names none.

        A reader's `system` is the database of what readers see of it.
        """
        if asked == _DEFAULT_DATABASE:
            return None  # what clients send when nobody chose: here, portquorum
        if asked is not None and not user.owner and asked.lower() == "system":
            return READER_SYSTEM
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
            if name in _IGNORED_OF_READERS:
                continue
            if name in READER_LIMITS:
                limits[name] = _smaller(value, READER_LIMITS[name])
            elif _may_set(name):
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
        checks), tables of `system` are those for readers, and from here on the session can change
        nothing.

        Raises:
            StatementRefusedError: it writes, or touches anything outside of the database.
            QueryError: it can't be parsed, or is more than one statement.
        """
        canonical = self._guard.canonical(sql)
        self._guard.check(canonical, {})
        self._guard.check_reader(canonical)
        canonical = self._views.of_reader(canonical)
        first = statement.first_word(canonical.encode())
        if first in _SESSION_WORDS:
            raise _readonly(
                f"{first} is not for readers, whose sessions keep nothing; name settings and the "
                "`database` in the URL"
            )
        # The engine takes a SETTINGS of the statement that changes nothing any more.
        session.set(_own_settings(canonical) | {"readonly": "1"})
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
        return self._views.of_owner(canonical), reads

    def killing(
        self, user: User, sql: str, params: Mapping[str, str], only_reads: bool
    ) -> kill_query.KillQuery | None:
        """KILL QUERY, checked and with the user's names of tables; None for KILL MUTATION.

        Raises:
            StatementRefusedError: the condition touches anything outside of the database, or what
                readers may not see; or the request may only read.
            QueryError: it can't be parsed.
        """
        canonical = self._guard.canonical(sql)
        self._guard.check(canonical, params)
        if not user.owner:
            self._guard.check_reader(canonical)
        kill = kill_query.parse(canonical)
        if kill is None and user.owner:
            return None
        if kill is None or only_reads:
            raise _readonly("KILL is for requests that may write, and KILL QUERY alone for readers")
        rewritten = self._views.of_owner if user.owner else self._views.of_reader
        return kill._replace(condition=rewritten(kill.condition))

    def defining(self, sql: str) -> str:
        """The definition of an external table, as the engine prints it.

        Raises:
            StatementRefusedError: it touches anything outside of the database.
            QueryError: it can't be parsed.
        """
        canonical = self._guard.canonical(sql)
        self._guard.check(canonical, {})
        return canonical

    def inserting(self, head: str, params: Mapping[str, str]) -> str:
        """The head of an INSERT with inline data, as the engine prints it.

        Raises:
            StatementRefusedError: it touches anything outside of the database.
        """
        canonical = self._guard.canonical(f"{head} FORMAT Native")
        self._guard.check(canonical, params)
        return canonical.removesuffix("FORMAT Native").rstrip()


def _may_set(name: str) -> bool:
    """True if a reader may change the setting, beside those of `READER_LIMITS`."""
    return name.startswith(_READER_SETTINGS) and name not in _NO_READER_SETTINGS


def _own_settings(canonical: str) -> dict[str, str]:
    """Of the settings in a reader's statement, those that readers may change, within limits.

    What a part of the statement sets holds for the whole: a second value of one is refused by the
    engine, as any setting that is not here.
    """
    found: dict[str, str] = {}
    for name, value in settings_of(canonical):
        if name in READER_LIMITS:
            found.setdefault(name, _smaller(value, READER_LIMITS[name]))
        elif _may_set(name):
            found.setdefault(name, value)
    return found


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
