"""Jinja2 for templates of the inventory: bounded in time and size, escaped for any markup.

Jinja2's sandbox keeps a template from Python's insides
(https://jinja.palletsprojects.com/en/stable/sandbox/), and leaves time and memory to its user. Here
each loop, call, operator and output takes of a budget, `FUEL`; what could make much of little
(`**`, `%` with texts, `format`, recursive loops) is not there, and of the filters only those of
`FILTERS`.

What a template outputs by `{{ … }}` is written for the channel (`Writer`); what its author wrote
around that goes out as it is. Jinja2 marks what is written already (macros, blocks) as `Markup`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateRuntimeError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from sinks.notifier.texts.outside import ELLIPSIS

FUEL: Final = 20_000_000
"""Characters that one rendering may handle: an operator takes the length of what it makes, a round
of a loop and a call the length of the template, an output 50 times its length:
about a second in all."""

MAIL: Final = "mail.html"
"""The document of a mail, which a template can extend."""

_MOST_ROUNDS: Final = 100_000
_MOST_RANGE: Final = 1_000
_MOST_BITS: Final = 256
_ROUND: Final = 50
_CALL: Final = 500
_OUTPUT: Final = 50
_JINJAS: Final = (
    "abs", "capitalize", "count", "d", "default", "first", "float", "groupby", "int", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select",
    "selectattr", "sort", "string", "title", "trim", "unique", "upper", "wordcount",
)  # fmt: skip
FILTERS: Final = frozenset({*_JINJAS, "join", "replace", "truncate"})
"""The filters that a template has."""

_METHODS: Final = frozenset(
    {"endswith", "lower", "lstrip", "rstrip", "split", "splitlines", "startswith", "strip", "upper"}
)
_VALUES: Final = "sinks.notifier.texts.templates.values."
_SIZED: Final = (str, bytes, list, tuple)

Writer = Callable[[object], str]
"""What stands in the output for a value."""


class _Run:
    """One rendering: what is left of its budget, and how it writes."""

    def __init__(self, writer: Writer, cost: int) -> None:
        self.writer = writer
        self.cost = cost
        self.left = FUEL

    def take(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise SecurityError(f"the template does too much (more than {FUEL:,} steps)")

    def write(self, value: object) -> Markup:
        if isinstance(value, Markup):
            self.take(len(value))
            return value
        self.take(_OUTPUT * len(value) if isinstance(value, str) else 1)
        return Markup(self.writer(value))  # noqa: S704


_run: ContextVar[_Run] = ContextVar("_run")


@contextmanager
def _running(run: _Run) -> Iterator[None]:
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)


def rendered(source: str, values: Mapping[str, object], writer: Writer) -> str:
    """The text of the template `source`.

    Raises:
        Exception: Jinja2's errors, and whatever a template can bring about.
    """
    template = _compiled(source)
    with _running(_Run(writer, len(source))):
        return template.render(values)


def unknown_variables(source: str) -> set[str]:
    """The variables of the template that it does not set itself.

    Raises:
        TemplateSyntaxError: it is no template.
    """
    return find_undeclared_variables(_environment().parse(source))


def fault_text(error: Exception) -> str:
    """Where and what, in one sentence."""
    what = (error.message or "") if isinstance(error, TemplateError) else repr(error)
    what = what.replace(_VALUES, "").rstrip(".")
    line = getattr(error, "lineno", None) or _line_of(error)
    return f"line {line}: {what}" if line else what


def _line_of(error: Exception) -> int | None:
    """The line of the template in which an error of its rendering happened."""
    trace, found = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    return _environment().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> "_Sandbox":
    return _Sandbox()


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def __init__(self) -> None:
        document = (Path(__file__).parents[1] / MAIL).read_text(encoding="utf-8")
        super().__init__(
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalized,
            loader=DictLoader({MAIL: document}),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.filters = {name: self.filters[name] for name in _JINJAS} | {
            "_counted": _counted,
            "_joined": _joined,
            "join": _join,
            "replace": _replace,
            "truncate": _truncate,
        }
        self.globals = {"range": _range, "namespace": Namespace}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Counting().visit(super()._parse(source, name, filename))
        return tree

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, (Macro, BlockReference)) or obj is _range or obj is Namespace:
            return True
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, LoopContext):
            return True
        return isinstance(owner, str) and getattr(obj, "__name__", "") in _METHODS

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        run = _run.get()
        run.take(max(run.cost, _CALL))
        if not self.is_safe_callable(obj):
            name = getattr(obj, "__name__", "this")
            raise SecurityError(f"{name} can't be called here")
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        run = _run.get()
        sized = [one for one in (left, right) if isinstance(one, _SIZED)]
        if operator == "**" or (operator == "%" and sized):
            raise SecurityError(f"{operator} is not available here")
        if operator == "+" and sized:
            run.take(sum(map(len, sized)))
            if any(isinstance(one, Markup) for one in sized):
                return run.write(left) + run.write(right)
        elif operator == "*" and sized:
            other = right if isinstance(left, _SIZED) else left
            run.take(len(sized[0]) * max(0, other) if isinstance(other, int) else 0)
        elif isinstance(left, int) and isinstance(right, int) and _bits(left, right) > _MOST_BITS:
            raise SecurityError("the numbers are too large")
        return super().call_binop(context, operator, left, right)


def _bits(left: int, right: int) -> int:
    return left.bit_length() + right.bit_length()


class _Counting(NodeTransformer):
    """Puts what counts into loops and `~`."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja2's name
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not available here", node.lineno)
        self.generic_visit(node)
        node.iter = _filtered(cast("nodes.Expr", node.iter), "_counted")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja2's name
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno, environment=node.environment)
        return _filtered(parts, "_joined")


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(
        node, name, [], [], None, None, lineno=node.lineno, environment=node.environment
    )


@pass_context
def _finalized(context: Any, value: object) -> Markup:  # noqa: ARG001 - so that nothing is computed before
    return _run.get().write(value)


@pass_context
def _counted(context: Any, items: Iterable[Any]) -> list[Any]:  # noqa: ARG001 - as above
    run = _run.get()
    found = list(islice(items, _MOST_ROUNDS))
    run.take(len(found) * max(run.cost, _ROUND))
    return found


@pass_context
def _joined(context: Any, parts: Iterable[Any]) -> str:
    return _join(context, parts)


@pass_context
def _join(context: Any, parts: Iterable[Any], by: str = "", attribute: str | None = None) -> str:
    run, environment = _run.get(), context.environment
    found: list[Any] = list(islice(parts, _MOST_ROUNDS))
    if attribute is not None:
        found = [environment.getattr(one, attribute) for one in found]
    written = any(isinstance(one, Markup) for one in (*found, by))
    texts = [run.write(one) if written else str(one) for one in found]
    between = run.write(by) if written else str(by)
    run.take(sum(map(len, texts)) + len(between) * len(texts))
    return Markup(between).join(texts) if written else between.join(texts)  # noqa: S704


@pass_context
def _replace(context: Any, text: str, old: str, new: str) -> str:  # noqa: ARG001 - as above
    run = _run.get()
    text, old = str(text) if not isinstance(text, str) else text, str(old)
    put = run.write(new) if isinstance(text, Markup) else str(new)
    run.take(len(text) + (str.count(text, old) + 1) * len(put))
    made = str.replace(text, old, put)
    return Markup(made) if isinstance(text, Markup) else made  # noqa: S704 - `put` is written


def _truncate(text: str, length: int = 255) -> str:
    found = str(text) if not isinstance(text, str) else text
    return found if len(found) <= length else found[: max(0, length - 1)] + ELLIPSIS


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > _MOST_RANGE:
        raise TemplateRuntimeError(f"range has {_MOST_RANGE} members at most here")
    return found
