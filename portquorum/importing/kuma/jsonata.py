"""JSON queries of Uptime Kuma (JSONata) as conditions on JSON (JSONPath, RFC 9535).

What `evaluateJsonQuery` in its src/util.ts does: the query's value as text is compared with the
expected text; a missing value, null, a list and an object are failures. Of JSONata the paths are
understood, with positions and simple filters, `$count`, `$length` and `$exists` around one, and
comparisons of these, joined by `and`, that are to be `true`.
"""

import json
import re
from typing import Any, Final

Conditions = list[dict[str, Any]]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<quoted>`[^`]+`)
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<function>\$[A-Za-z_][A-Za-z0-9_]*)|(?P<root>\$\$?)
    |(?P<name>[^\W\d]\w*)|(?P<sign>!=|<=|>=|[=<>.\[\](),*]))""",
    re.VERBOSE,
)
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BOUNDS: Final = {">": "more_than", ">=": "at_least", "<": "less_than", "<=": "at_most"}
_FLIPPED: Final = {"true": "false", "false": "true"}
_DEEPEST: Final = 50
_LONGEST: Final = 4_000


class UnknownQueryError(ValueError):
    """A query that is more than what is understood; the text says what to do."""

    def __init__(self, what: str = "the JSON query is more than a path and a comparison") -> None:
        super().__init__(f"{what}: write it as a condition with a JSONPath (docs/kinds.md)")


def conditions(query: str, operator: str, expected: str) -> Conditions:
    """The conditions that hold when the query's value stands to `expected` as `operator` says.

    Raises:
        UnknownQueryError: the query, or the comparison, is more than what is understood.
    """
    if len(query) > _LONGEST or len(expected) > _LONGEST:
        raise UnknownQueryError(f"the JSON query has more than {_LONGEST} characters")
    text = query.strip()
    if text in {"", "$", "$$"}:
        return _whole(operator, expected)
    tokens = _tokens(text)
    terms = _terms(_Reader(tokens))
    if len(terms) == 1 and terms[0].sign is None:
        return terms[0].compared(operator, expected)
    if operator not in {"==", "="} or expected.strip().lower() != "true":
        return _flipped(terms, operator, expected)
    return [one for term in terms for one in term.own()]


def _flipped(terms: "list[_Term]", operator: str, expected: str) -> Conditions:
    """A single comparison that must not be true."""
    said = (operator, expected.strip().lower())
    if len(terms) == 1 and said in {("==", "false"), ("!=", "true")}:
        term = terms[0]
        opposite = {"=": "!=", "!=": "=", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}
        if term.sign in opposite:
            new = _Term(term.path, term.function, opposite[term.sign], term.literal, missing=True)
            return new.own()
    if len(terms) >= 1 and said == ("!=", "false"):
        return [one for term in terms for one in term.own()]
    raise UnknownQueryError


def holds_of_nothing(found: Conditions) -> bool:
    """Whether the conditions would hold without a value: then the answer must be JSON here."""
    return all(one.get("or_missing") or one.get("not") for one in found)


def _whole(operator: str, expected: str) -> Conditions:
    """The whole answer, which may be text, too."""
    if operator in _BOUNDS:
        return [{"body": True, _BOUNDS[operator]: _number(expected)}]
    plain = {"body": True, "matches": r"^[\[{]", "not": True}
    if operator == "contains":
        return [{"body": True, "contains": expected}, plain]
    alike: dict[str, Any] = {"body": True, "any_of": [expected, json.dumps(expected)]}
    if operator in {"==", ""}:
        return [alike]
    if operator == "!=":
        alike["any_of"] += [None]
        return [alike | {"not": True}, plain]
    raise UnknownQueryError(f"the comparison {operator[:20]!r} is not known")


class _Term:
    """One path, perhaps in a function, perhaps compared with a literal."""

    def __init__(
        self,
        path: str,
        function: str | None,
        sign: str | None,
        literal: object = None,
        *,
        missing: bool = False,
    ) -> None:
        """`missing`: it holds without a value, too, as the opposite of what needs one."""
        self.missing = missing
        self.path = path
        self.function = function
        self.sign = sign
        self.literal = literal

    def own(self) -> Conditions:
        """The conditions of its own comparison, or that its value is true."""
        if self.sign is None:
            return self.compared("==", "true")
        literal = self.literal
        text = literal if isinstance(literal, str) else json.dumps(literal)
        if self.function is None and self.sign in {"=", "!="}:
            one: dict[str, Any] = {"json": self.path, "equals": literal}
            if self.sign == "=":
                return [one | ({"or_missing": True} if self.missing else {})]
            there = [] if self.missing else [{"json": self.path, "exists": True}]
            return [*there, one | {"not": True}]
        return self.compared({"=": "=="}.get(self.sign, self.sign), text)

    def compared(self, operator: str, expected: str) -> Conditions:
        """The conditions of the comparison of its value as text."""
        if self.function == "exists":
            there = {"==": expected.strip(), "!=": _FLIPPED.get(expected.strip(), "")}
            wanted = there.get(operator)
            if wanted not in _FLIPPED:
                raise UnknownQueryError
            one = {"json": self.path, "exists": True}
            return [one if wanted == "true" else one | {"not": True}]
        if self.function in {"count", "length"}:
            return self._length(operator, expected)
        return _value(self.path, operator, expected)

    def _length(self, operator: str, expected: str) -> Conditions:
        number = _number(expected)
        one: dict[str, Any] = {"json": self.path, "length": True}
        if (self.function, operator, number) == ("count", "!=", 0):
            operator = ">"  # what is not there counts as none
        if operator in _BOUNDS:
            one[_BOUNDS[operator]] = number
        elif operator in {"==", "!="}:
            one["equals"] = int(number) if number.is_integer() else number
        else:
            raise UnknownQueryError
        if operator == "!=":
            there = [{"json": self.path, "exists": True}] if self.function == "length" else []
            return [*there, one | {"not": True}]
        zero_fits = {
            ">": number < 0,
            ">=": number <= 0,
            "<": number > 0,
            "<=": number >= 0,
            "==": number == 0,
        }[operator]
        return [one | ({"or_missing": True} if zero_fits and self.function == "count" else {})]


def _value(path: str, operator: str, expected: str) -> Conditions:
    if operator in _BOUNDS:
        return [{"json": path, _BOUNDS[operator]: _number(expected)}]
    # A list and an object are failures there.
    plain = {"json": path, "matches": r"^[\[{]", "not": True}
    if operator == "contains":
        return [{"json": path, "contains": expected}, plain]
    alike = _alike(expected)
    if operator in {"==", ""}:
        one: dict[str, Any] = {"json": path}
        return [one | ({"equals": alike[0]} if len(alike) == 1 else {"any_of": alike})]
    if operator == "!=":
        # A value that is missing, or null, is a failure there.
        return [
            {"json": path, "exists": True},
            {"json": path, "any_of": [*alike, None], "not": True},
            plain,
        ]
    raise UnknownQueryError(f"the comparison {operator[:20]!r} is not known")


def _alike(expected: str) -> list[Any]:
    """The values of JSON that are this text in JavaScript."""
    found: list[Any] = [expected]
    if expected in {"true", "false"}:
        found.append(expected == "true")
    elif re.fullmatch(r"-?(0|[1-9][0-9]{0,15})", expected):
        found.append(int(expected))
    elif re.fullmatch(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{0,14}[1-9]", expected):
        found.append(float(expected))
    return found


def _number(expected: str) -> float:
    try:
        number = float(expected)
    except ValueError:
        number = float("nan")
    if not -1e300 < number < 1e300:
        raise UnknownQueryError("the comparison needs a number as the expected value")
    return number


class _Reader:
    """The tokens one by one."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self.depth = 0

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def next(self) -> tuple[str, str]:
        found = self.peek()
        self._at += 1
        return found

    def take(self, sign: str) -> bool:
        if self.peek() == ("sign", sign):
            self._at += 1
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise UnknownQueryError


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise UnknownQueryError
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _terms(reader: _Reader) -> list[_Term]:
    terms = [_term(reader)]
    while reader.peek() == ("name", "and"):
        reader.next()
        terms.append(_term(reader))
    if reader.peek()[0] != "end" or len(terms) > _DEEPEST:
        raise UnknownQueryError
    return terms


def _term(reader: _Reader) -> _Term:
    kind, text = reader.peek()
    if kind == "function":
        reader.next()
        name = text.removeprefix("$")
        if name not in {"count", "length", "exists", "string", "number"}:
            raise UnknownQueryError(f"the function {text[:30]} of the JSON query has no equal here")
        reader.need("(")
        path = _path(reader)
        reader.need(")")
        function = None if name in {"string", "number"} else name
    else:
        path, function = _path(reader), None
    sign = reader.peek()[1] if reader.peek()[0] == "sign" else ""
    if sign not in {"=", "!=", *_BOUNDS}:
        return _Term(path, function, None)
    reader.next()
    return _Term(path, function, sign, _literal(reader))


def _literal(reader: _Reader) -> object:
    kind, text = reader.next()
    if kind == "string":
        return _string(text)
    if kind == "number":
        return json.loads(text)
    if kind == "name" and text in {"true", "false", "null"}:
        return json.loads(text)
    raise UnknownQueryError


def _string(text: str) -> str:
    inner = text[1:-1]
    try:
        return str(json.loads('"' + inner.replace('"', '\\"') + '"')) if "\\" in inner else inner
    except ValueError:
        raise UnknownQueryError from None


def _path(reader: _Reader) -> str:
    found = "$"
    if reader.peek()[0] == "root":
        reader.next()
        if reader.peek()[1] == "[":
            found += _brackets(reader)
        if not reader.take("."):
            return found
    while True:
        found += _step(reader)
        while reader.peek() == ("sign", "["):
            found += _brackets(reader)
        if not reader.take("."):
            return found


def _step(reader: _Reader) -> str:
    kind, text = reader.next()
    if kind == "name":
        return f".{text}" if _PLAIN_NAME.fullmatch(text) else _member(text)
    if kind == "quoted":
        return _member(text[1:-1])
    if kind == "string":
        return _member(_string(text))
    if (kind, text) == ("sign", "*"):
        return ".*"
    raise UnknownQueryError


def _member(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return f".{name}"
    return "['" + name.replace("\\", "\\\\").replace("'", "\\'") + "']"


def _brackets(reader: _Reader) -> str:
    """A position, or a filter of comparisons joined by `and` and `or`."""
    reader.need("[")
    reader.depth += 1
    if reader.depth > _DEEPEST:
        raise UnknownQueryError
    kind, text = reader.peek()
    if kind == "number" and re.fullmatch(r"-?[0-9]{1,9}", text):
        reader.next()
        reader.need("]")
        return f"[{int(text)}]"
    if reader.take("]"):
        return ""  # JSONata: keep the list
    parts: list[str] = []
    while True:
        parts.append(_compared(reader))
        joined = reader.peek()
        if joined not in {("name", "and"), ("name", "or")}:
            break
        reader.next()
        parts.append({"and": "&&", "or": "||"}[joined[1]])
    reader.need("]")
    return "[?" + " ".join(parts) + "]"


def _compared(reader: _Reader) -> str:
    term = _term(reader)
    if term.function is not None or term.sign is None:
        raise UnknownQueryError
    sign = "==" if term.sign == "=" else term.sign
    literal = term.literal
    text = (
        "'" + literal.replace("\\", "\\\\").replace("'", "\\'") + "'"
        if isinstance(literal, str)
        else json.dumps(literal)
    )
    return f"@{term.path.removeprefix('$')} {sign} {text}"
