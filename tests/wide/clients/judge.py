"""What must be answered, and whether it was."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct

from tests.wide.clients.asked import Answer, Place
from tests.wide.clients.programs import Client
from tests.wide.clients.questions import BOUND, MILLION, TYPES, WRITTEN, Question
from tests.wide.clients.scene import Scene

NOT_THE_READERS: Final = ("Code: 497", "Code: 164", "ACCESS_DENIED", "READONLY", "code: 497")
"""What a reader is told who wants what only the owner may: one of these."""

ERRORS: Final[Mapping[str, tuple[str, ...]]] = {
    "unknown table": ("60", "nowhere_at_all"),
    "wrong syntax": ("62", "yntax error"),
    "broken answer": ("395", "the middle broke"),
}
"""The code and words of the server's sentence that a person must see, by question."""

EXPECTED: Final[Mapping[str, Callable[[Scene], Any]]] = {
    "version": lambda scene: [[scene.version, "1"]],
    "tables": lambda scene: sorted(scene.tables()),
    "columns": lambda scene: scene.columns("incidents"),
    "every table": lambda scene: {name: scene.size(name) for name in scene.tables()},
    "types": lambda _: [[value for _, value in TYPES]],
    "parameters": lambda _: [list(BOUND.values())],
    "no rows": lambda _: [],
    "million rows": lambda _: [MILLION, MILLION * (MILLION - 1) // 2],
    "write": lambda _: WRITTEN,
}
"""The answer to a question, by its name; a tool's question is answered with any rows."""


class Asking(Struct, frozen=True):
    """Who asks whom: a client, as the owner or as a reader of a server."""

    client: Client
    scene: Scene
    owner: bool

    @property
    def where(self) -> Place:
        return self.scene.owner if self.owner else self.scene.reader


def wrong(asking: Asking, question: Question, answer: Answer) -> str | None:
    """What is wrong with an answer, None if nothing is."""
    words = expected_words(asking, question)
    if words:
        missing = not answer.error or not any(all(map(answer.error.count, one)) for one in words)
        return f"expected the error {_or(words)}, found {_short(answer)}" if missing else None
    refused = any(word in (answer.error or "") for word in NOT_THE_READERS)
    if question.paths and not asking.owner and not asking.scene.is_real:
        told = _short(answer)
        return f"expected no path, found {told}" if not refused and "/" in told else None
    if refused and question.name not in EXPECTED and not asking.owner and asking.scene.is_real:
        return None  # a grant of SELECT on our databases is none on all tables of `system`
    if answer.error is not None:
        return f"failed: {answer.error[:1_500]}"
    if question.name in EXPECTED:
        found = sorted(answer.value) if question.do == "tables" else answer.value
        return difference(EXPECTED[question.name](asking.scene), found)
    return None if isinstance(answer.value, list) else f"expected rows, found {_short(answer)}"


def expected_words(asking: Asking, question: Question) -> list[tuple[str, ...]]:
    """The words of an error that must be, each tuple an alternative; none if no error must be."""
    own = asking.client.errors.get(question.name)
    if question.do == "error":
        return [(own,) if own else ERRORS[question.name]]
    if question.do == "write" and not asking.owner:
        return [*((word,) for word in NOT_THE_READERS), *([(own,)] if own else [])]
    return []


def _or(words: Sequence[Sequence[str]]) -> str:
    return " or ".join(" and ".join(one) for one in words)


def difference(expected: Any, found: Any) -> str | None:
    """What differs, with its place; numbers and truth may be written in several ways."""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs: list[tuple[object, Any, Any]] = [
            (number, one, other)
            for number, (one, other) in enumerate(zip(expected, found, strict=True))
        ]
    elif isinstance(expected, dict) and isinstance(found, dict):
        keys = sorted(expected.keys() | found.keys())
        pairs = [(key, expected.get(key, "nothing"), found.get(key, "nothing")) for key in keys]
    elif expected == found or _same_text(expected, found):
        return None
    else:
        return f"expected {str(expected)[:500]!r}, found {str(found)[:500]!r}"
    told = [(place, difference(one, other)) for place, one, other in pairs]
    return "; ".join(f"[{place}] {text}" for place, text in told if text)[:2_000] or None


def _same_text(expected: Any, found: Any) -> bool:
    if not (isinstance(expected, str) and isinstance(found, str)):
        return False
    if expected == "true":
        return found.lower() in {"true", "1"}
    try:
        return Decimal(expected) == Decimal(found)
    except InvalidOperation:
        return False


def _short(answer: Answer) -> str:
    return (answer.error or str(answer.value))[:1_000]
