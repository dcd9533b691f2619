"""Reports of a service process to its parent: JSON lines on standard output."""

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
    """Total bytes; 0 if the step is not measured in bytes."""


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """Information for people; the service continues."""

    text: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The service answers."""

    address: str
    """Kafka's bootstrap server, or ClickHouse's URL with user and password."""


class ServiceFailed(msgspec.Struct, frozen=True, tag="failed"):
    """The service can't start or go on; its process ends after this."""

    message: str


Report = Progress | Notice | Ready | ServiceFailed
OnProgress = Callable[[Progress], None]


class Reporter(Protocol):
    """The receiver of reports: a person at a terminal or a parent process."""

    def progress(self, progress: Progress, /) -> None: ...
    def notice(self, text: str, /) -> None: ...
    def ready(self, address: str, /) -> None: ...
    def failed(self, message: str, /) -> None: ...


def encode(report: Report) -> bytes:
    """The report as a line."""
    return msgspec.json.encode(report) + b"\n"


def decode(line: bytes) -> Report:
    """The report in a line.

    Raises:
        msgspec.MsgspecError: the line is not a report.
    """
    report: Report = msgspec.json.decode(line, type=Report)
    return report
