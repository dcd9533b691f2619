"""What a service process tells the process that started it: JSON lines on its standard output."""

from collections.abc import Callable
from typing import Protocol

import msgspec


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """A step of the start that takes time."""

    step: str
    """For people: "fetching Kafka 4.2.1"."""
    done: int = 0
    """Bytes so far."""
    total: int = 0
    """Bytes in all; 0 when the step has no such measure."""


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """Something that people should know; the service goes on."""

    text: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The service answers."""

    address: str
    """Kafka's bootstrap server, or ClickHouse's URL with user and password."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The service can't start or go on; its process ends after this."""

    message: str


Report = Progress | Notice | Ready | Failed
OnProgress = Callable[[Progress], None]


class Reporter(Protocol):
    """Whoever listens to a service: a person at a terminal or a parent process."""

    def progress(self, progress: Progress, /) -> None: ...
    def notice(self, text: str, /) -> None: ...
    def ready(self, address: str, /) -> None: ...
    def failed(self, message: str, /) -> None: ...


def encode(report: Report) -> bytes:
    """The report as a line."""
    return msgspec.json.encode(report) + b"\n"


def decode(line: bytes) -> Report:
    """The report of a line.

    Raises:
        msgspec.MsgspecError: the line is none.
    """
    report: Report = msgspec.json.decode(line, type=Report)
    return report
