"""What the programs in Python share: questions from standard input, answers to standard output."""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from importlib.metadata import version
from typing import Any
from uuid import UUID

Question = dict[str, Any]
ASKED = json.loads(sys.stdin.readline())
"""`host`, `port`, `secure`, `user`, `password`, `database`, `bound`, `list`, `written`, `columns`
and `questions`."""


def plain(value: Any) -> Any:  # noqa: PLR0911 - a type each
    """A value as text; null, lists and maps stay what they are."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (int, float, Decimal, UUID)):
        return str(value)
    if isinstance(value, Enum):
        return str(value.value)
    return [plain(one) for one in value]


def rows(found: Any) -> list[Any]:
    return [plain(tuple(row)) for row in found]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def told_to_cancel(cancel: Callable[[], Any]) -> None:
    """Calls `cancel` as soon as the other side says so."""

    def wait() -> None:
        sys.stdin.readline()
        cancel()

    threading.Thread(target=wait, daemon=True).start()


def answer(package: str, **ways: Callable[[Question], Any]) -> None:
    """Does what is asked, by `do`, and prints all answers; an exception is an answer."""
    answers: dict[str, Any] = {}
    for question in ASKED["questions"]:
        try:
            answers[question["name"]] = {"value": ways[question["do"]](question)}
        except BaseException as error:  # noqa: BLE001 - this is what a person sees
            answers[question["name"]] = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps({"version": version(package), "answers": answers}) + "\n")
    sys.stdout.flush()
