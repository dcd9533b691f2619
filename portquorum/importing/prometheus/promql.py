"""Expressions of PromQL as trees, as far as alert rules need them.

Source of the grammar: docs/querying/basics.md and operators.md of prometheus/prometheus.
"""

import re
from typing import Any, Final

from msgspec import Struct

from portquorum.importing import durations

_MOST_CHARACTERS: Final = 10_000
_MOST_DEPTH: Final = 60
_TOKEN: Final = re.compile(
    r"""(?:\s|\#[^\n]*)*(?:
    (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<span>(?:\d+(?:ms|[smhdwy]))+(?![A-Za-z0-9_]))
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_:]*)
    |(?P<sign>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}\[\],@:])
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS: Final = frozenset({"==", "!=", "<=", "<", ">=", ">"})
_PRECEDENCE: Final = (
    frozenset({"or"}),
    frozenset({"and", "unless"}),
    _COMPARISONS,
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%", "atan2"}),
)
_AGGREGATIONS: Final = frozenset(
    {"sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values"}
    | {"bottomk", "topk", "quantile", "limitk", "limit_ratio"}
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


class Number(Struct, frozen=True):
    """A number; a length of time is its seconds."""

    value: float


class Text(Struct, frozen=True):
    """A text in quotes."""

    value: str


class Matcher(Struct, frozen=True):
    """One condition of a selector on a label: `=`, `!=`, `=~` or `!~`."""

    label: str
    sign: str
    value: str


class Selector(Struct, frozen=True):
    """A metric with conditions. `range_s`: of its last seconds, None: the newest value.

    `moved`: it has an `offset` or `@`.
    """

    metric: str
    matchers: tuple[Matcher, ...] = ()
    range_s: float | None = None
    moved: bool = False


class Call(Struct, frozen=True):
    """A function; of an aggregation `aggregates` is true."""

    name: str
    args: tuple[Any, ...] = ()
    aggregates: bool = False


class Binary(Struct, frozen=True):
    """Two operands. `is_bool`: a comparison that gives 0 or 1."""

    sign: str
    left: Any
    right: Any
    is_bool: bool = False


class Window(Struct, frozen=True):
    """A subquery: the values of an expression within the last seconds."""

    inner: Any
    range_s: float


Node = Number | Text | Selector | Call | Binary | Window


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ValueError: it is none, or has what this reader does not know.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"expected an expression of at most {_MOST_CHARACTERS:,} characters")
    parser = _Parser(_tokens(text))
    node = parser.operation(0, 0)
    parser.end()
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            if re.fullmatch(r"(?:\s|#[^\n]*)*", text[at:]):
                break
            raise ValueError(f"expected PromQL, found {text[at : at + 20].strip()!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise ValueError(f"expected the end, found {self._tokens[self._at][1][:20]!r}")

    def _peek(self) -> str:
        """The next sign or name; a text in quotes is none of them."""
        if self._at >= len(self._tokens):
            return ""
        kind, text = self._tokens[self._at]
        return "" if kind == "text" else text

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ValueError("expected more, found the end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, text: str) -> bool:
        """Words count in any case, as Prometheus reads them."""
        if self._peek().lower() != text:
            return False
        self._at += 1
        return True

    def _must(self, text: str) -> None:
        if not self._skip(text):
            raise ValueError(f"expected {text!r}, found {self._peek()[:20]!r}")

    def operation(self, level: int, depth: int) -> Node:
        """Operators of this precedence and of those that bind more."""
        if depth > _MOST_DEPTH:
            raise ValueError("expected fewer parentheses within each other")
        if level == len(_PRECEDENCE):
            return self._unary(depth)
        left = self.operation(level + 1, depth)
        while self._peek().lower() in _PRECEDENCE[level]:
            sign = self._take()[1].lower()
            is_bool = self._modifiers()
            left = Binary(sign, left, self.operation(level + 1, depth), is_bool)
        return left

    def _modifiers(self) -> bool:
        """`bool`, and which labels count; whether there was a `bool`."""
        is_bool = self._skip("bool")
        for name in ("on", "ignoring", "group_left", "group_right"):
            if self._skip(name) and self._peek() == "(":
                self._names()
        return is_bool

    def _names(self) -> None:
        self._must("(")
        while not self._skip(")"):
            self._take()

    def _unary(self, depth: int) -> Node:
        if self._peek() in {"-", "+"}:
            sign = self._take()[1]
            inner = self._unary(depth + 1)
            return Binary("*", Number(-1.0), inner) if sign == "-" else inner
        left = self._postfix(depth)
        if self._skip("^"):
            return Binary("^", left, self._unary(depth + 1))
        return left

    def _postfix(self, depth: int) -> Node:
        node = self._primary(depth)
        while True:
            if self._skip("["):
                node = self._ranged(node)
            elif self._skip("offset"):
                self._skip("-")
                self._take()
                node = _moved(node)
            elif self._skip("@"):
                if self._take()[0] == "name" and self._peek() == "(":
                    self._names()
                node = _moved(node)
            else:
                return node

    def _ranged(self, node: Node) -> Node:
        range_s = _seconds(*self._take())
        if self._skip(":"):
            if self._peek() != "]":
                self._take()
            self._must("]")
            return Window(node, range_s)
        self._must("]")
        if isinstance(node, Selector):
            return Selector(node.metric, node.matchers, range_s, node.moved)
        raise ValueError("expected a range of a metric")

    def _primary(self, depth: int) -> Node:
        if self._peek() == "{":
            return self._selector("")
        kind, text = self._take()
        if kind in {"number", "span", "text"}:
            return _literal(kind, text)
        if text == "(":
            inner = self.operation(0, depth + 1)
            self._must(")")
            return inner
        if kind != "name":
            raise ValueError(f"expected an expression, found {text[:20]!r}")
        return self._named(text, depth)

    def _named(self, name: str, depth: int) -> Node:
        """What begins with a name: an aggregation, a call, a number or a metric."""
        following = self._peek()
        if name.lower() in _AGGREGATIONS and following.lower() in {"(", "by", "without"}:
            return self._aggregation(name.lower(), depth)
        if following == "(":
            return Call(name, self._args(depth))
        if name.lower() in {"inf", "nan"}:
            return Number(float(name))
        return self._selector(name)

    def _aggregation(self, name: str, depth: int) -> Node:
        self._grouping()
        args = self._args(depth)
        self._grouping()
        return Call(name, args, aggregates=True)

    def _grouping(self) -> None:
        if self._skip("by") or self._skip("without"):
            self._names()

    def _args(self, depth: int) -> tuple[Node, ...]:
        self._must("(")
        args: list[Node] = []
        while not self._skip(")"):
            args.append(self.operation(0, depth + 1))
            if self._peek() != ")":
                self._must(",")
        return tuple(args)

    def _selector(self, metric: str) -> Selector:
        matchers: list[Matcher] = []
        if self._skip("{"):
            while not self._skip("}"):
                kind, label = self._take()
                label = _unquoted(label) if kind == "text" else label
                if kind == "text" and self._peek() in {",", "}"}:
                    metric = label  # {"metric", …}: the form for any characters
                else:
                    sign = self._take()[1]
                    value_kind, value = self._take()
                    if sign not in {"=", "!=", "=~", "!~"} or value_kind != "text":
                        raise ValueError("expected a condition on a label")
                    matchers.append(Matcher(label, sign, _unquoted(value)))
                if self._peek() != "}":
                    self._must(",")
        named = [one for one in matchers if one.label == "__name__" and one.sign == "="]
        if not metric and named:
            metric = named[0].value
            matchers.remove(named[0])
        return Selector(metric, tuple(matchers))


def _literal(kind: str, text: str) -> Node:
    if kind == "text":
        return Text(_unquoted(text))
    if kind == "span":
        return Number(durations.seconds(text))
    return Number(float(int(text, 16)) if text[:2].lower() == "0x" else float(text))


def _moved(node: Node) -> Node:
    if isinstance(node, Selector):
        return Selector(node.metric, node.matchers, node.range_s, True)
    raise ValueError("expected offset and @ of a metric")


def _seconds(kind: str, text: str) -> float:
    return float(text) if kind == "number" else durations.seconds(text)


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), text[1:-1], flags=re.DOTALL)


def metrics(node: Node) -> set[str]:
    """The names of all metrics in an expression."""
    match node:
        case Selector():
            return {node.metric}
        case Call():
            return {name for one in node.args for name in metrics(one)}
        case Binary():
            return metrics(node.left) | metrics(node.right)
        case Window():
            return metrics(node.inner)
    return set()
