"""Events for people, and as lines of JSON."""

import os
import sys
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from portquorum.cli.incidents_shown import place
from portquorum.events.message import structured
from portquorum.presentation.output import STATUS_STYLE, clock, out, print_notes
from portquorum.presentation.streams import printable_json
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from portquorum.events.message import EventMessage, UnreadableMessage

_REMEMBERED: Final = 10_000
"""Events whose repetition is noticed: more than a stream can send again after a restart."""

_NAMED: Final = 20
"""Unreadable messages that are named one by one before the others are counted."""

_TYPE_WIDTH: Final = 19
_SEVERITY_WIDTH: Final = 8
_STYLE: Final = {
    **STATUS_STYLE,
    "silent": "magenta",
    "suspect": "magenta",
    "clock_skewed": "yellow",
    "returned": "green",
    "cleared": "green",
    "secrets_missing": "yellow",
    "secrets_found": "green",
    "watched": "green",
}


class EventPrinter:
    """Prints events on standard output, and on standard error what can't be read."""

    def __init__(self, *, json: bool) -> None:
        """`json`: a CloudEvent in JSON on each line, repeated events too."""
        self._json = json
        self._known: dict[tuple[str, str], None] = {}
        self._unreadable = 0
        self.shown = 0

    def is_new(self, event: "EventMessage") -> bool:
        """False for an event that people have seen; each one is new for programs."""
        if self._json:
            return True
        # Source and id make an event (CloudEvents 1.0, section "id").
        identity = (event.attributes["source"], event.attributes["id"])
        if identity in self._known:
            return False
        self._known[identity] = None
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        return True

    def show(self, event: "EventMessage") -> None:
        """Prints one event."""
        self.shown += 1
        if self._json:
            _write(printable_json(structured(event), sys.stdout) + "\n")
        else:
            _show(event)

    def leave_out(self, message: "UnreadableMessage") -> None:
        """Names a message that can't be read; `sum_up` tells how many more there were."""
        self._unreadable += 1
        if self._unreadable <= _NAMED:
            print_notes((message.sentence,))

    def sum_up(self) -> None:
        """Says how many messages could not be read and were not named; starts anew."""
        if self._unreadable > _NAMED:
            print_notes((f"{self._unreadable - _NAMED} more such messages are left out",))
        self._unreadable = 0

    def flush(self) -> None:
        """Gives what was printed to the reader."""
        _write("")


def _show(event: "EventMessage") -> None:
    """On one line where it fits or nobody has set a width; else with lines below the first."""
    kind = event.type
    severity = event.text("severity")
    head = Text.assemble(
        (clock(event.at), "dim"),
        "  ",
        (one_line(kind).ljust(_TYPE_WIDTH), _STYLE.get(kind.rpartition(".")[2], "")),
        "  ",
        (severity.ljust(_SEVERITY_WIDTH), _STYLE.get(severity, "")),
    )
    below: list[Text] = []
    for more in (Text(one_line(_about(event)), style="bold"), Text(event.text("summary"))):
        longer = Text.assemble(head, "  ", more)
        if not below and (out().unlimited or cell_len(longer.plain) <= out().width):
            head = longer
        elif more.plain:
            below.append(more)
    head.rstrip()
    out().print(head, soft_wrap=out().unlimited)
    for more in below:
        out().print_indented(more)


def _about(event: "EventMessage") -> str:
    """What it is about, as `Orders DB (tcp db1.example.com:5432)`, `region eu-west`."""
    if region := event.text("region"):
        return f"region {region}"
    if event.type.startswith("targets."):
        return f"{event.text('count') or '?'} targets of partition {event.text('partition')}"
    name = event.text("name") or event.attributes.get("subject", "")
    host, port = event.text("host"), event.text("port")
    where = place(event.text("kind"), host, None) + (f":{port}" if port else "")
    return f"{name} ({where})" if where else name


def _write(text: str) -> None:
    """Writes to standard output; an empty text flushes it.

    Raises:
        BrokenPipeError: the reader is gone; what is held back is thrown away.
    """
    try:
        if text:
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
    except BrokenPipeError:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)
        raise
