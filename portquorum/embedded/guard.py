"""What no statement touches, whoever sends it: files, programs, other hosts, the engine's folder.

The service runs as the user who started it, and the engine in it could read that user's files and
reach whatever that user can reach. It is here for portquorum's tables; whoever wants more of
ClickHouse runs a server.

Statements are looked at as the engine writes them anew: its parser has then read every trick of
quoting, comments and case. What is allowed is listed rather than what is not, wherever a later
version of the engine may bring new names.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from portquorum.embedded import statement
from portquorum.embedded.engine import Engine, QueryError, quote

# Functions that read files or tell where they are, which the engine's readonly does not forbid. A
# function can be named without brackets (`* APPLY file`, `arrayMap(file, …)`), so not even a
# column may have such a name.
_FUNCTIONS: Final = frozenset({"FILE", "CATBOOSTEVALUATE", "GETSERVERSETTING"})
# Table functions that make rows of nothing, or of the engine's own tables.
_TABLE_FUNCTIONS: Final = frozenset(
    {
        *("NUMBERS", "NUMBERS_MT", "PRIMES", "ZEROS", "ZEROS_MT", "GENERATE_SERIES"),
        *("GENERATESERIES", "GENERATERANDOM", "NULL", "VALUES", "SQLSTANDARDVALUES", "FORMAT"),
        *("FUZZJSON", "FUZZQUERY", "VIEW", "VIEWEXPLAIN", "VIEWIFPERMITTED", "MERGE", "LOOP"),
        *("DICTIONARY", "MERGETREEINDEX", "MERGETREEPROJECTION", "MERGETREETEXTINDEX"),
    }
)
# Of these, what shows a table without its name in the statement.
_NOT_FOR_READERS: Final = frozenset({"MERGE", "LOOP", "DICTIONARY"})
# Engines that keep everything in the engine's own folder, or nothing.
_ENGINES: Final = frozenset(
    {
        *("ATOMIC", "MEMORY", "LOG", "TINYLOG", "STRIPELOG", "NULL", "SET", "JOIN", "BUFFER"),
        *("MERGE", "VIEW", "MATERIALIZEDVIEW", "DICTIONARY", "GENERATERANDOM"),
    }
)
_DEFINES: Final = frozenset({"CREATE", "REPLACE", "ATTACH", "ALTER"})
_NEVER: Final = frozenset({"BACKUP", "RESTORE"})
# Of SYSTEM, what tends the tables; the rest tends a server, or ends it.
_SYSTEM: Final = frozenset({"FLUSH", "REFRESH", "WAIT", "CLEAR", "DROP", "SYNC", "START", "STOP"})
# Settings whose value is SQL (`additional_…_filters`) or the name of a file to read or write.
_SETTINGS: Final = ("additional_", "format_schema", "format_template", "output_format_schema")
_PAIRS: Final = {
    ("INTO", "OUTFILE"): "INTO OUTFILE writes a file",
    ("FROM", "INFILE"): "FROM INFILE reads a file",
    ("DEFAULT", "."): "the database default keeps nothing",
    ("LOG_COMMENT", "="): "log_comment is the name of the request here",
}
# Tables of `system` for readers, and those of them with a column that is a path.
_OPEN: Final = frozenset(
    {
        *("ONE", "NUMBERS", "NUMBERS_MT", "ZEROS", "ZEROS_MT", "COLUMNS", "FUNCTIONS", "FORMATS"),
        *("TABLE_FUNCTIONS", "TABLE_ENGINES", "DATABASE_ENGINES", "SETTINGS", "TIME_ZONES"),
        *("DATA_TYPE_FAMILIES", "KEYWORDS", "COLLATIONS", "CONTRIBUTORS", "LICENSES", "VIEWS"),
        *("AGGREGATE_FUNCTION_COMBINATORS", "MERGE_TREE_SETTINGS", "METRICS", "EVENTS"),
    }
)
_WITH_PATHS: Final = frozenset({"TABLES", "DATABASES", "PARTS"})


class RefusedError(QueryError):
    """A user without the right; has a ClickHouse error code as the engine's own refusals do."""


class Guard:
    """Knows the names of what reaches outside."""

    def __init__(self, engine: Engine) -> None:
        """Asks the engine for its table functions and for functions that ask models elsewhere."""
        self._engine = engine
        with engine.session({}) as session:
            tables = session.run("SELECT name FROM system.table_functions FORMAT TSVRaw")
            models = session.run(
                "SELECT name FROM system.functions WHERE name ILIKE 'ai%' FORMAT TSVRaw"
            )
        self._outside = _names(tables.data) - _TABLE_FUNCTIONS
        self._functions = _FUNCTIONS | _names(models.data)

    def canonical(self, sql: str) -> str:
        """The statement as the engine understands it: without comments, on one line.

        On a connection of its own: a setting of the asker's (`offset`, `extremes`) would change
        what comes back.

        Raises:
            QueryError: it can't be parsed.
        """
        with self._engine.session({}) as session:
            text = f"SELECT formatQuerySingleLine({quote(sql)})"
            return session.run(text, "TSVRaw").data.decode().strip()

    @staticmethod
    def check_setting(name: str) -> None:
        """Looks at a setting that comes with a request.

        Raises:
            RefusedError: it brings SQL in another language or in a string, or names a file.
        """
        if name.startswith(_SETTINGS) or name == "dialect":
            raise _denied(f"the setting {name}")

    def check(self, canonical: str, params: Mapping[str, str]) -> None:
        """Looks at a statement that the engine wrote, and at the parameters it is sent with.

        Raises:
            RefusedError: it names what reaches outside.
        """
        found = list(statement.tokens(canonical.encode()))
        words = _words(found)
        for name, value in params.items():
            if value.strip('`" ').upper() in self._functions:
                raise _denied(f"parameter {name} is the name of a function that reads files")
        for word, follows in pairwise([*words, ""]):
            if word in self._functions or (word in self._outside and follows == "("):
                raise _denied(f"{word.lower()} reaches outside of the database")
            if follows == "=":
                self.check_setting(word.lower())
            if (word, follows) in _PAIRS:
                raise _denied(_PAIRS[word, follows])
        first, second, *_ = [*words, "", ""]
        _check_kind(first, second, words[2:6])
        if first in _DEFINES:
            _check_definition(found, words)

    def check_reader(self, canonical: str) -> None:
        """Looks for what only readers may not: how the server is doing, and where its files are.

        Raises:
            RefusedError: it is there.
        """
        words = _words(list(statement.tokens(canonical.encode())))
        paths = False
        for word, follows, name in zip(words, words[1:], words[2:], strict=False):
            if word in _NOT_FOR_READERS and follows == "(":
                raise _denied(f"{word.lower()} is not for readers")
            if (word, follows) == ("SYSTEM", "."):
                if name not in _OPEN | _WITH_PATHS:
                    raise _denied(f"system.{name.lower()} is not for readers")
                paths = paths or name in _WITH_PATHS
        if "IDENTIFIER" in words or "PROCESSLIST" in words:
            raise _denied("names of tables stand in a reader's statement, and are of the database")
        if paths and (_has_star(words) or any("PATH" in w or w == "COLUMNS" for w in words)):
            raise _denied("a reader names the columns of system tables, and takes no paths")


def _names(data: bytes) -> frozenset[str]:
    return frozenset(name.upper() for name in data.decode().split())


def _words(found: Sequence[statement.Token]) -> list[str]:
    return ["" if token.kind == "string" else token.text.upper() for token in found]


def _has_star(words: Sequence[str]) -> bool:
    """Whether a star stands for columns: not `count(*)`, not between two values."""
    before = ["", "", *words]
    return any(
        word == "*"
        and previous in {"SELECT", "DISTINCT", ",", ".", "("}
        and (earlier, previous) != ("COUNT", "(")
        for earlier, previous, word in zip(before, before[1:], words, strict=False)
    )


def _check_kind(first: str, second: str, rest: Sequence[str]) -> None:
    if first in _NEVER or (first == "SYSTEM" and second not in _SYSTEM):
        raise _denied(f"{first} {second} is not done here")
    if second == "DATABASE" and first != "SHOW" and "DEFAULT" in rest:
        raise _denied("connections begin in the database default")


def _check_definition(found: Sequence[statement.Token], words: Sequence[str]) -> None:
    """What a table, database, dictionary or function may be made of."""
    kinds = words[1:4]  # OR REPLACE may come before
    for at, word in enumerate(words):
        follows, name, *_ = [*words[at + 1 : at + 3], "", ""]
        if word == "ENGINE" and follows == "=":
            if name not in _ENGINES and not name.endswith("MERGETREE"):
                raise _denied(f"the engine {name} keeps its data elsewhere")
        elif word in {"DISK", "STORAGE_POLICY"} and follows in {"=", "("}:
            raise _denied("a disk of its own")
        elif "DICTIONARY" in kinds and word == "HOST" and found[at].kind == "word":
            raise _denied("a dictionary from another host")
        elif "DICTIONARY" in kinds and (word, follows) == ("SOURCE", "("):
            if name not in {"CLICKHOUSE", "NULL"}:
                raise _denied(f"a dictionary from {name}")
        elif "FUNCTION" in kinds and word == "LANGUAGE":
            raise _denied("a function in another language")
        elif words[0] == "ATTACH" and word == "FROM" and found[at + 1].kind == "string":
            raise _denied("ATTACH FROM a path")


def _denied(why: str) -> RefusedError:
    return RefusedError(
        f"Code: 497. DB::Exception: Not enough privileges: {why}; the embedded ClickHouse works "
        "on its own tables only. (ACCESS_DENIED)"
    )
