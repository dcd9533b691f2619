# ruff: noqa: S608 (the condition is what the guard has checked)
"""KILL QUERY by the clients' names: a condition chooses among the queries that the user sees.

The engine's own KILL QUERY knows its own ids, and one user. So the condition is asked of the
user's `system.processes`, and what it finds is killed by name. The answer is that of a server:
Source: ClickHouse, src/Interpreters/InterpreterKillQueryQuery.cpp.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from portquorum.embedded.clickhouse import query_names, statement
from portquorum.embedded.clickhouse.engine import EngineProcess, QueryError, Session, quote
from portquorum.embedded.clickhouse.engine_protocol import StatementResult
from portquorum.embedded.clickhouse.system_views import OWNER_PROCESSES, READER_SYSTEM

_MODES: Final = frozenset({"SYNC", "ASYNC", "TEST"})
_STRUCTURE: Final = "kill_status String, query_id String, user String, query String"
# A condition looks at a list that is short. It can't hold the threads of those who kill for longer,
# or be one more large query beside those that a reader may have.
_CONDITION: Final[Mapping[str, str]] = {
    "max_execution_time": "5",
    "max_memory_usage": str(128 << 20),
    "max_threads": "1",
    "max_temporary_data_on_disk_size_for_query": "1",
}
_CURRENT_USER: Final = frozenset({"CURRENTUSER", "CURRENT_USER", "USER"})


class KillQuery(NamedTuple):
    """KILL QUERY."""

    condition: str
    """SQL of a row of `system.processes`."""
    mode: str
    """SYNC waits until the queries have ended, ASYNC does not, TEST kills nothing."""


class Asker(NamedTuple):
    """Who kills, and how far the condition may go."""

    name: str
    owner: bool
    query_id: str
    """Of the request itself, which is not killed."""
    settings: Mapping[str, str]
    """Of the condition, within bounds of its own."""
    database: str


def parse(canonical: str) -> KillQuery | None:
    """KILL QUERY as the engine prints it: its mode is always there. None for another KILL.

    Raises:
        QueryError: ON CLUSTER: there is none.
    """
    text = canonical.encode()
    found = list(statement.tokens(text))
    words = [token.text.upper() if token.kind == "word" else "" for token in found]
    if words[:2] != ["KILL", "QUERY"]:
        return None
    if words[2:3] != ["WHERE"]:
        raise QueryError(
            "Code: 701. DB::Exception: KILL QUERY ON CLUSTER: there is no cluster here; leave it "
            "out. (CLUSTER_DOESNT_EXIST)"
        )
    last = max((at for at, word in enumerate(words) if word in _MODES), default=len(words))
    return KillQuery(text[found[2].end : found[last - 1].end].decode().strip(), words[last])


def with_user(condition: str, name: str) -> str:
    """The condition with the user's name in place of `currentUser()`: the engine has one user."""
    text = condition.encode()
    found = list(statement.tokens(text))
    parts: list[bytes] = []
    at = 0
    for number, token in enumerate(found[:-2]):
        follows = [one.text for one in found[number + 1 : number + 3]]
        if token.kind == "word" and token.text in _CURRENT_USER and follows == ["(", ")"]:
            parts += [text[at : token.end - len(token.text)], quote(name).encode()]
            at = found[number + 2].end
    return b"".join([*parts, text[at:]]).decode()


def run(
    engine: EngineProcess,
    kill: KillQuery,
    asker: Asker,
    params: Mapping[str, str],
    answering: Callable[[Session, str], StatementResult],
) -> StatementResult | None:
    """Kills; returns the table of what became of each query. None if there was none.

    Args:
        engine: where the queries run.
        kill: with its condition checked, and with the names of the user's views.
        asker: whose queries these are; the owner's are everybody's.
        params: for the condition.
        answering: makes the answer of a SELECT, in its format.

    Raises:
        QueryError: the condition can't be evaluated.
    """
    table = f"system.{OWNER_PROCESSES}" if asker.owner else f"{READER_SYSTEM}.processes"
    condition = with_user(kill.condition, asker.name)
    with engine.session({**asker.settings, **_CONDITION}, asker.database) as session:
        session.set({"readonly": "1"})
        listed = session.run(
            # In a query of its own: an alias in the condition is no name of what is selected.
            "SELECT hex(row.query_id), hex(row.user), hex(row.query) FROM "
            f"(SELECT * FROM {table} AS processes WHERE {condition}) AS row "
            f"WHERE row.query_id != {quote(asker.query_id)}",
            "TSVRaw",
            params,
        )
    queries = [line.split("\t") for line in listed.data.decode().splitlines()]
    if not queries:
        return None
    rows = []
    with engine.session({}) as session:
        for query_id, user, query in queries:
            name = query_names.comment_of(
                bytes.fromhex(query_id).decode(errors="replace"),
                # Whatever the answer says: a reader kills readers' queries.
                owner=asker.owner and bytes.fromhex(user) != b"default",
            )
            status = "unknown"
            if kill.mode != "TEST":
                condition = f"Settings['log_comment'] = {quote(name)}"
                answer = session.run(f"KILL QUERY WHERE {condition} {kill.mode}", "TSV").data
                # One that has ended meanwhile.
                status = answer.decode(errors="replace").partition("\t")[0] or "finished"
            texts = ", ".join(f"unhex('{text}')" for text in (query_id, user, query))
            rows.append(f"({quote(status)}, {texts})")
        values = f"values({quote(_STRUCTURE)}, {', '.join(rows)})"
        # Texts of others are as long as they are.
        session.set({"max_query_size": "0"})
        return answering(session, f"SELECT * FROM {values}")
