"""Incidents in words, a few lines each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from portquorum.presentation.output import clock, out
from schemas.duration import WHOLE_SECONDS, duration_text
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from sinks.clickhouse.queries import Incident


def show_incidents(found: Sequence["Incident"]) -> None:
    """Prints the incidents in their order."""
    for one in found:
        is_open = one.status == "open"
        style = "bold red" if is_open else "green"
        line = Text.assemble(
            ("● ", style),
            (f"{one_line(one.name)} ", "bold"),
            f"({place(one.kind, one.host, one.port)})  ",
            (one_line(one.incident_type), "red" if is_open else "green"),
        )
        out().print(line)
        _below(Text(_when(one), style="dim"))
        _below(Text(one_line(one.summary)))
        for words in _by_hand(one):
            _below(Text(one_line(words), style="yellow"))
        _below(Text(one_line(one.incident_id), style="dim"))


def _below(text: Text) -> None:
    """Prints a text indented, also where a terminal needs several lines for it."""
    console = out()
    lines = text.wrap(console, max(20, console.width - 2)) if console.is_terminal else [text]
    for line in lines:
        console.print(Text.assemble("  ", line))


def place(kind: str, host: str, port: int | None) -> str:
    """`tcp db1.example.com:5432`."""
    shown = f"[{host}]" if ":" in host else host
    return one_line(f"{kind} {shown}" if host else kind) + (f":{port}" if port else "")


def _when(one: "Incident") -> str:
    lasted = duration_text(max(0.0, one.duration_s) * 1000, WHOLE_SECONDS)
    began = f"since {clock(one.first_failed_at)} UTC"
    if one.closed_at is None:
        return f"{began}, {lasted}"
    because = one_line((one.closed_because or "").replace("_", " "))
    return f"{began}, closed {clock(one.closed_at)} UTC ({because}), lasted {lasted}"


def _by_hand(one: "Incident") -> list[str]:
    """What people said of it."""
    return [
        f"{word} by {who}" + (f": {note}" if note else "")
        for word, who, note in (
            ("acknowledged", one.acknowledged_by, one.acknowledged_note),
            ("resolved", one.resolved_by, one.resolved_note),
        )
        if who
    ]
