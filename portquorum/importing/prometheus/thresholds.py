"""What an alert's expression says of a metric: bounds that all hold, in one of several ways."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from portquorum.importing.prometheus.promql import (
    Binary,
    Call,
    Matcher,
    Node,
    Number,
    Selector,
    Window,
)

_SIGNS: Final = frozenset({"==", "!=", "<=", "<", ">=", ">"})
_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_SAME_VALUE: Final = frozenset({"round", "ceil", "floor", "scalar", "vector", "sort", "sort_desc"})
_OVER_TIME: Final = {
    f"{name}_over_time": name for name in ("avg", "min", "max", "last", "sum", "count", "quantile")
}
_ACROSS: Final = frozenset({"sum", "min", "max", "avg"})
_MOST_WAYS: Final = 50
_MOST_DEPTH: Final = 60


class UnclearError(ValueError):
    """The expression is none that can be read as bounds of a metric; it says why."""


class Bound(Struct, frozen=True):
    """`metric SIGN value`; with `remaining` of the seconds from now to that time.

    `over` and `window_s`: of the values of that time, `avg` and the like. `across`: of several
    series together, by that aggregation.
    """

    metric: str
    matchers: tuple[Matcher, ...]
    sign: str
    value: float
    remaining: bool = False
    over: str = ""
    window_s: float = 0
    across: str = ""


Way = tuple[Bound, ...]


class _Line(Struct, frozen=True):
    """`factor · metric + time_factor · now + constant`; without a metric a number."""

    selector: Selector | None = None
    factor: float = 0
    time_factor: float = 0
    constant: float = 0
    over: str = ""
    across: str = ""
    bounds: Way = ()

    @property
    def is_number(self) -> bool:
        return self.selector is None and not self.time_factor


def ways(node: Node, recorded: Mapping[str, Node]) -> list[Way]:
    """The ways in which the expression has a value, each with the bounds that hold then.

    `recorded` are the expressions of recording rules by name.

    Raises:
        UnclearError: it says something else.
    """
    return _ways(node, recorded, 0)


def _ways(node: Node, recorded: Mapping[str, Node], depth: int) -> list[Way]:
    if depth > _MOST_DEPTH:
        raise UnclearError("it is nested too deeply")
    if isinstance(node, Binary) and node.sign in {"and", "or"}:
        left = _ways(node.left, recorded, depth + 1)
        right = _ways(node.right, recorded, depth + 1)
        if node.sign == "or":
            return left + right
        if len(left) * len(right) > _MOST_WAYS:
            raise UnclearError("it has too many parts")
        return [(*one, *other) for one in left for other in right]
    if isinstance(node, Selector) and node.metric in recorded and node.range_s is None:
        return _ways(_with(recorded[node.metric], node.matchers), recorded, depth + 1)
    line = _line(node, recorded, depth)
    if not line.bounds:
        raise UnclearError("it compares nothing with a number")
    return [line.bounds]


def _line(node: Node, recorded: Mapping[str, Node], depth: int) -> _Line:
    if depth > _MOST_DEPTH:
        raise UnclearError("it is nested too deeply")
    match node:
        case Number():
            return _Line(constant=node.value)
        case Selector():
            if node.metric in recorded and node.range_s is None:
                inner = _with(recorded[node.metric], node.matchers)
                without = {name: one for name, one in recorded.items() if name != node.metric}
                return _line(inner, without, depth + 1)
            if node.moved:
                raise UnclearError("it looks at another time (offset, @)")
            return _Line(selector=node, factor=1)
        case Call():
            return _call(node, recorded, depth)
        case Binary():
            return _binary(node, recorded, depth)
        case Window():
            raise UnclearError("it has a subquery")
    raise UnclearError("it compares texts")


def _call(node: Call, recorded: Mapping[str, Node], depth: int) -> _Line:
    if node.name == "time" and not node.args:
        return _Line(time_factor=1)
    if not node.args:
        raise UnclearError(f"it uses {node.name}()")
    inner = node.args[-1] if node.name in {"quantile_over_time", "quantile"} else node.args[0]
    if node.name in _OVER_TIME:
        line = _line(inner, recorded, depth + 1)
        if line.selector is None or line.selector.range_s is None or line.over:
            raise UnclearError(f"it uses {node.name}() of something else than a metric")
        return replace(line, over=_OVER_TIME[node.name])
    if node.aggregates and node.name in _ACROSS:
        line = _line(inner, recorded, depth + 1)
        if line.bounds or line.across:
            raise UnclearError("it counts several targets together")
        return replace(line, across=node.name)
    if node.name in _SAME_VALUE:
        return _line(node.args[0], recorded, depth + 1)
    raise UnclearError(f"it uses {node.name}()")


def _binary(node: Binary, recorded: Mapping[str, Node], depth: int) -> _Line:
    if node.sign not in _SIGNS and node.sign not in {"+", "-", "*", "/"}:
        raise UnclearError(f"it uses {node.sign}")
    if node.is_bool:
        raise UnclearError("it counts with the results of a comparison (bool)")
    left = _line(node.left, recorded, depth + 1)
    right = _line(node.right, recorded, depth + 1)
    bounds = (*left.bounds, *right.bounds)
    if node.sign in _SIGNS:
        value = right if left.is_number else left
        return replace(value, bounds=(*bounds, _bound(node.sign, left, right)))
    if node.sign in {"+", "-"}:
        return replace(_sum(left, right, -1 if node.sign == "-" else 1), bounds=bounds)
    if node.sign == "*" and left.is_number:
        left, right = right, left
    if not right.is_number:
        raise UnclearError("it compares two metrics")
    by = right.constant
    if node.sign == "/":
        if by == 0:
            raise UnclearError("it divides by 0")
        by = 1 / by
    return replace(
        left,
        factor=left.factor * by,
        time_factor=left.time_factor * by,
        constant=left.constant * by,
        bounds=bounds,
    )


def _sum(left: _Line, right: _Line, by: int) -> _Line:
    if left.selector is not None and right.selector is not None:
        raise UnclearError("it compares two metrics")
    of = left if left.selector is not None else right
    return replace(
        of,
        factor=left.factor + by * right.factor,
        time_factor=left.time_factor + by * right.time_factor,
        constant=left.constant + by * right.constant,
    )


def _bound(sign: str, left: _Line, right: _Line) -> Bound:
    line = _sum(left, right, -1)
    if line.selector is None or line.factor == 0:
        raise UnclearError("it compares numbers alone")
    remaining = line.time_factor != 0
    if remaining and abs(line.time_factor + line.factor) > 1e-12 * abs(line.factor):
        raise UnclearError("it reckons with the time in another way than a difference")
    return Bound(
        metric=line.selector.metric,
        matchers=line.selector.matchers,
        sign=sign if line.factor > 0 else _TURNED[sign],
        value=round(-line.constant / line.factor, 9) + 0.0,
        remaining=remaining,
        over=line.over,
        window_s=line.selector.range_s or 0,
        across=line.across,
    )


def _with(node: Node, matchers: tuple[Matcher, ...]) -> Node:
    """The expression of a recording rule with the conditions of who reads its metric."""
    if not matchers:
        return node
    match node:
        case Selector():
            return replace(node, matchers=(*node.matchers, *matchers))
        case Call():
            return replace(node, args=tuple(_with(one, matchers) for one in node.args))
        case Binary():
            left, right = _with(node.left, matchers), _with(node.right, matchers)
            return replace(node, left=left, right=right)
        case Window():
            return replace(node, inner=_with(node.inner, matchers))
    return node
