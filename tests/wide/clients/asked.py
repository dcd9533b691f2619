"""A program of a client: asked by lines of JSON, and what it answered."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from tests.wide.clients.questions import BOUND, LIST, WRITTEN, WRITTEN_COLUMNS, Question

_RUN_S: Final = 240
"""Most seconds that a program may take for all of its questions."""

_END_S: Final = 30
"""Most seconds until a program ends whose query is gone."""


class Place(Struct, frozen=True):
    """Where a client connects, and as whom."""

    host: str
    port: int
    secure: bool
    user: str
    password: str
    database: str

    def as_user(self, user: str, password: str) -> "Place":
        return msgspec.structs.replace(self, user=user, password=password)


def place(url: str, database: str) -> Place:
    """The place that a URL with user and password names."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    return Place(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or (8443 if secure else 8123),
        secure=secure,
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=database,
    )


class Answer(Struct, frozen=True):
    """What a client gave back, or the text with which it failed."""

    value: Any = None
    error: str | None = None


class Answers(Struct, frozen=True):
    """All answers of a client, by the question's name, and the client's version."""

    version: str
    answers: dict[str, Answer]


def asked(command: Sequence[str], where: Place, questions: Sequence[Question]) -> Answers:
    """What the program of a client answers."""
    done = subprocess.run(
        command,
        input=_line(where, questions),
        capture_output=True,
        timeout=_RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-4_000:]
    return _answers(done.stdout)


class Long:
    """A program that has one long query to run."""

    def __init__(self, process: subprocess.Popen[bytes], question: Question) -> None:
        self._process = process
        self._question = question

    def ended(self) -> bool:
        return self._process.poll() is not None

    def cancel(self) -> None:
        """Tells the program to cancel it."""
        assert self._process.stdin
        self._process.stdin.write(b"now\n")
        self._process.stdin.flush()

    def answer(self) -> Answer:
        out, _ = self._process.communicate(timeout=_END_S)
        return _answers(out).answers[self._question.name]


@contextlib.contextmanager
def begun(command: Sequence[str], where: Place, question: Question, log: Path) -> Iterator[Long]:
    """Starts the program of a client with a long query; at the end of `with` it is gone."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        assert process.stdin
        process.stdin.write(_line(where, [question]))
        process.stdin.flush()
        yield Long(process, question)
    finally:
        process.kill()
        process.wait()


def _line(where: Place, questions: Sequence[Question]) -> bytes:
    told = msgspec.to_builtins(where) | {
        "bound": BOUND,
        "list": LIST,
        "written": WRITTEN,
        "columns": WRITTEN_COLUMNS,
        "questions": msgspec.to_builtins(questions),
    }
    return msgspec.json.encode(told) + b"\n"


def _answers(out: bytes) -> Answers:
    # The last line: a library may print something of its own.
    return msgspec.json.decode(out.rstrip(b"\n").rpartition(b"\n")[2], type=Answers)
