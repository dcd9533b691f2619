"""Refuses statements of any user that touch files, programs, other hosts or the engine's folder.

This is the first barrier, with an explanation for the user. The second one does not depend on any
text: the engine's process can't reach outside (`sandbox`).

The guard checks the text that the engine prints, and that text is the one that runs: the engine's
parser has then resolved every trick of quoting, comments and case. Wherever a later version of the
engine may add names, the guard lists what is allowed, not what is forbidden.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from portquorum.embedded.clickhouse import statement
from portquorum.embedded.clickhouse.engine import EngineProcess, QueryError, Session, quote
from portquorum.embedded.clickhouse.system_views import SystemViews

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
# What a statement may begin with; users, grants, backups and named collections are no part of it.
_KINDS: Final = frozenset(
    {
        *("SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "SET", "USE"),
        *("INSERT", "CREATE", "REPLACE", "DROP", "TRUNCATE", "ALTER", "RENAME", "EXCHANGE"),
        *("OPTIMIZE", "CHECK", "KILL", "SYSTEM", "ATTACH", "DETACH", "UNDROP", "DELETE", "UPDATE"),
    }
)
# What is created, dropped and altered.
_OBJECTS: Final = frozenset({"TABLE", "DATABASE", "VIEW", "DICTIONARY", "FUNCTION"})
_OBJECT_STATEMENTS: Final = frozenset(
    {"CREATE", "REPLACE", "DROP", "ALTER", "ATTACH", "DETACH", "UNDROP", "TRUNCATE"}
)
# Words between CREATE and what is created.
_BEFORE_OBJECTS: Final = frozenset(
    {"OR", "REPLACE", "TEMPORARY", "MATERIALIZED", "LIVE", "WINDOW", "UNIQUE", "ALL", "PERMANENTLY"}
)
# Of SYSTEM, what tends the tables; the rest tends a server, or ends it.
_SYSTEM: Final = frozenset({"FLUSH", "REFRESH", "WAIT", "CLEAR", "DROP", "SYNC", "START", "STOP"})
# Settings whose value is SQL or a structure, in another language, or names a file or an address.
_SETTINGS: Final = re.compile(
    r"""
      additional_.* | ai_.* | .*dialect.* | compatibility_s3.*
    | format_schema.* | format_template.* | output_format_schema | schema_inference_hints
    | format_avro_schema_registry.* | (?:.*_)?(?:path|file|url|uri|directory|endpoint|proxy)
    | url_base | rename_files.* | filesystem_cache_name | distributed_cache.* | dynamic_disk.*
    | http_response_headers | into_outfile.* | cluster_for_parallel_replicas | disk
    | storage_policy | table_disk | log_comment | object_storage.* | .*named_collection.*
    | select | filter | order | sort | implicit_.* | (?:(?:input|output|framing_output)_)?format
    | compression | .*credentials | s3_base | parallel_replicas_custom_key | .*time_zone_name
    """,
    re.VERBOSE,
)
# Table functions whose arguments may be the structure of a table, which is SQL in a string.
_STRUCTURED: Final = frozenset(
    {"VALUES", "GENERATERANDOM", "FORMAT", "NULL", "INPUT", "FUZZJSON", "SQLSTANDARDVALUES"}
)
_DEPTHS: Final = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_EXPRESSION: Final = re.compile(r"\b(?:DEFAULT|ALIAS|MATERIALIZED|EPHEMERAL)\b", re.IGNORECASE)
_PAIRS: Final = {
    ("INTO", "OUTFILE"): "INTO OUTFILE writes a file",
    ("FROM", "INFILE"): "FROM INFILE reads a file",
    ("PARALLEL", "WITH"): "one statement at a time",
    ("DEFAULT", "."): "the database default keeps nothing",
}


class StatementRefusedError(QueryError):
    """The user has no right; with a ClickHouse error code like the engine's own refusals."""


class SqlGuard:
    """Checks statements for names that reach outside."""

    def __init__(self, engine: EngineProcess) -> None:
        """Asks the engine for its table functions and for functions that call external models.

        Makes what readers see of `system`, too.
        """
        self._engine = engine
        self.views = SystemViews(engine)
        self._idle: deque[Session] = deque()
        with engine.session({}) as session:
            tables = session.run("SELECT name FROM system.table_functions FORMAT TSVRaw")
            models = session.run(
                "SELECT name FROM system.functions WHERE name ILIKE 'ai%' FORMAT TSVRaw"
            )
        self._outside = _names(tables.data) - _TABLE_FUNCTIONS
        self._functions = _FUNCTIONS | _names(models.data)

    def canonical(self, sql: str) -> str:
        """The statement as the engine prints it: without comments, on one line.

        Uses its own connections: a setting of the user's (`offset`, `extremes`) would change the
        answer.

        Raises:
            QueryError: it can't be parsed, or `python(` stands in it (`engine.Session`).
        """
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._engine.session({})
        try:
            text = f"SELECT formatQuerySingleLine({quote(sql)})"
            return session.run(text, "TSVRaw").data.decode().strip()
        finally:
            # A session that only prints statements keeps nothing of them.
            self._idle.append(session)

    def close(self) -> None:
        """Closes the cached sessions; no call may follow."""
        while self._idle:
            self._idle.pop().close()

    @staticmethod
    def check_setting(name: str) -> None:
        """Checks a setting of a request.

        Raises:
            StatementRefusedError: it has SQL in another language or in a string, or names a file.
        """
        if _SETTINGS.fullmatch(name.lower()):
            raise _denied(f"the setting {name}")

    def check(self, canonical: str, params: Mapping[str, str]) -> None:
        """Checks a statement printed by the engine, and its parameters.

        Raises:
            StatementRefusedError: it contains a name that reaches outside.
        """
        found = list(statement.tokens(canonical.encode()))
        words = _words(found)
        for name, value in params.items():
            self._check_param(name, value)
        for word, follows in pairwise([*words, ""]):
            if word in self._functions or (word in self._outside and follows == "("):
                raise _denied(f"{word.lower()} reaches outside of the database")
            if (word, follows) in _PAIRS:
                raise _denied(_PAIRS[word, follows])
        for name, value in _settings(found, words):
            if name.startswith("PARAM_"):
                self._check_param(name, _unescaped(value))
            self.check_setting(name)
        _check_kind(words[:12])
        _check_structures(found, words)
        if words and words[0] in _DEFINES:
            _check_definition(found, words)

    def _check_param(self, name: str, value: str) -> None:
        if value.strip('`" ').upper() in self._functions:
            raise _denied(f"parameter {name} is the name of a function that reads files")

    def check_reader(self, canonical: str) -> None:
        """Checks for what readers alone may not see: server internals.

        The tables of `system` that pass are views for readers (`system_views`), where no column
        tells the place of a file.

        Raises:
            StatementRefusedError: the statement contains it.
        """
        words = _words(list(statement.tokens(canonical.encode())))
        for word, follows, name in zip(words, words[1:], words[2:], strict=False):
            if word in _NOT_FOR_READERS and follows == "(":
                raise _denied(f"{word.lower()} is not for readers")
            if (word, follows) == ("SYSTEM", "."):
                self._check_system(name)
        is_list = words[:2] == ["SHOW", "PROCESSLIST"]
        if "IDENTIFIER" in words or ("PROCESSLIST" in words and not is_list):
            raise _denied("names of tables stand in a reader's statement, and are of the database")

        if words[0] == "SHOW" and "WHERE" in words:
            # The engine asks its own tables with it, which have paths.
            raise _denied(
                "SHOW … WHERE is not for readers (LIKE is, and SELECT FROM system.tables)"
            )

    def _check_system(self, table: str) -> None:
        if self.views.shows(table):
            return
        if self.views.knows(table):
            raise _denied(f"system.{table.lower()} is not for readers")
        # What some servers have (query_log) and others don't: tools then do without.
        raise StatementRefusedError(
            f"Code: 60. DB::Exception: Table system.{table.lower()} does not exist. (UNKNOWN_TABLE)"
        )


def settings_of(canonical: str) -> Iterator[tuple[str, str]]:
    """Names and values of the settings in a statement printed by the engine; literals alone."""
    found = list(statement.tokens(canonical.encode()))
    for name, value in _settings(found, _words(found)):
        if value[:1] not in {"-", "+", "[", "(", "{", ""}:
            yield name.lower(), _unescaped(value)


def _names(data: bytes) -> frozenset[str]:
    return frozenset(name.upper() for name in data.decode().split())


def _words(found: Sequence[statement.Token]) -> list[str]:
    return ["" if token.kind == "string" else token.text.upper() for token in found]


def _settings(found: Sequence[statement.Token], words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names and values in a SET, and behind SETTING or SETTINGS up to the end of the brackets.

    Elsewhere `=` compares: a column may be called `url`.
    """
    depth = 0
    inside = 0 if words[:1] == ["SET"] else None  # the depth of the clause
    values = [*(token.text for token in found[2:]), "", ""]
    for token, word, follows, value in zip(found, words, [*words[1:], ""], values, strict=False):
        if token.kind == "sign":
            depth += _DEPTHS.get(word, 0)
        if inside is not None and depth < inside:
            inside = None
        if inside is None and token.kind == "word" and word in {"SETTING", "SETTINGS"}:
            inside = depth
        elif inside is not None and follows == "=":
            yield word, value


def _check_kind(words: Sequence[str]) -> None:
    """Checks what a statement does, by its first words."""
    found = [word for word in words if word != "("]
    first, second, *rest = [*found, "", ""]
    if first not in _KINDS or (first == "SYSTEM" and second not in _SYSTEM):
        raise _denied(f"{first} {second} is not done here")
    if first == "KILL" and second not in {"QUERY", "MUTATION"}:
        raise _denied(f"{first} {second} is not done here")
    if first in _OBJECT_STATEMENTS:
        kind = next((word for word in found[1:] if word not in _BEFORE_OBJECTS), "")
        # TRUNCATE and UNDROP may leave TABLE out.
        if kind not in _OBJECTS and first not in {"TRUNCATE", "UNDROP"}:
            raise _denied(f"{first} {kind} is not done here")
    if second == "DATABASE" and first != "SHOW" and "DEFAULT" in rest[:4]:
        raise _denied("connections begin in the database default")


def _check_structures(found: Sequence[statement.Token], words: Sequence[str]) -> None:
    """Checks that structures are literals, with only names and types of columns.

    The engine parses a structure as SQL: a column with a default is an expression. A structure that
    is itself an expression can't be checked.
    """
    for at, (word, follows) in enumerate(pairwise(words)):
        if word not in _STRUCTURED or follows != "(":
            continue
        arguments = list(_arguments(found[at + 1 :]))
        if word == "FORMAT":
            # `format('{} of {}', a, b)` is a function; the name of a format is one word.
            if len(arguments) < 3 or _is_text(arguments[0]):
                continue
            del arguments[0]
        if arguments and not _is_structure(arguments[0]) and not _is_row(arguments[0]):
            raise _denied(
                f"the structure of {word.lower()} is a literal of names and types, without "
                "expressions"
            )


def _is_text(argument: Sequence[statement.Token]) -> bool:
    first, *rest = argument
    return first.kind == "string" and not rest and not re.fullmatch(r"'\w*'", first.text)


def _is_structure(argument: Sequence[statement.Token]) -> bool:
    first, *rest = argument
    return first.kind == "string" and not rest and not _EXPRESSION.search(_unescaped(first.text))


def _is_row(argument: Sequence[statement.Token]) -> bool:
    """True for a number, NULL, a truth value, an array, or brackets around more than one value."""
    first, *rest = argument
    if first.text == "-" and first.kind == "sign":
        return len(rest) == 1 and rest[0].kind == "number"
    if first.kind == "sign" and first.text in {"(", "["}:
        inside = list(_arguments(argument))
        size = sum(len(part) for part in inside) + len(inside) - 1
        whole = size + 2 == len(argument)  # nothing comes after the closing bracket
        if first.text == "(" and len(inside) == 1:
            return whole and (_is_structure(inside[0]) or _is_row(inside[0]))
        return whole
    return not rest and (first.kind == "number" or first.text.upper() in {"NULL", "TRUE", "FALSE"})


def _arguments(found: Sequence[statement.Token]) -> Iterator[Sequence[statement.Token]]:
    """The arguments within the pair of brackets at the start of `found`."""
    depth = 0
    argument: list[statement.Token] = []
    for token in found:
        if token.kind == "sign":
            depth += _DEPTHS.get(token.text, 0)
        if depth == 0:
            break
        if depth == 1 and token.kind == "sign" and token.text == ",":
            yield argument
            argument = []
        elif token is not found[0]:
            argument.append(token)
    if argument:
        yield argument


def _unescaped(literal: str) -> str:
    """A string literal without escapes, which could hide a word."""
    text = re.sub(r"\\x([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), literal.strip("'"))
    return re.sub(r"\\[bfrnt0a]", " ", text).replace("\\", "")


def _check_definition(found: Sequence[statement.Token], words: Sequence[str]) -> None:
    """Checks the definition of a table, database, dictionary or function."""
    kinds = words[1:4]  # OR REPLACE may come before
    for at, word in enumerate(words):
        follows, name, *_ = [*words[at + 1 : at + 3], "", ""]
        if word == "ENGINE" and follows == "=":
            if name not in _ENGINES and not name.endswith("MERGETREE"):
                raise _denied(f"the engine {name} keeps its data elsewhere")
            # These read tables whose names stand in strings.
            if name in {"MERGE", "BUFFER"} and _names_system(found[at + 3 :]):
                raise _denied(f"the engine {name} on tables of system")
        elif word in {"DISK", "STORAGE_POLICY"} and follows in {"=", "("}:
            raise _denied("a disk of its own")
        elif "DICTIONARY" in kinds:
            _check_dictionary(word, follows, name)
        elif "FUNCTION" in kinds and word == "LANGUAGE":
            raise _denied("a function in another language")
        elif words[0] == "ATTACH" and word == "FROM" and found[at + 1].kind == "string":
            raise _denied("ATTACH FROM a path")


def _check_dictionary(word: str, follows: str, name: str) -> None:
    """Checks the source and the layout of a dictionary, by three words in a row."""
    if (word, follows) == ("SOURCE", "(") and name != "NULL":
        # Even from a table of its own the engine reads it over a connection.
        raise _denied(f"a dictionary from {name.lower()} (join the table in its place)")
    if word.endswith("SSD_CACHE"):
        raise _denied("a dictionary that is kept in files of its own")


def _names_system(found: Sequence[statement.Token]) -> bool:
    """True if the arguments of an engine name `system`, or a database by an expression."""
    database = next(_arguments(found), [])
    texts = [token.text.upper() for token in database]
    if texts == ["CURRENTDATABASE", "(", ")"]:
        return False
    return len(texts) > 1 or "SYSTEM" in _unescaped("".join(texts))


def _denied(why: str) -> StatementRefusedError:
    return StatementRefusedError(
        f"Code: 497. DB::Exception: Not enough privileges: {why}; the embedded ClickHouse works "
        "on its own tables only. (ACCESS_DENIED)"
    )
