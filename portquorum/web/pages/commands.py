"""What a person can do about a target or an incident from a terminal. Pure.

This page reads only. Whatever stands in a command is quoted for a shell: it is copied into one.
"""

import shlex
from typing import NamedTuple

from portquorum.web.answers import IncidentRow, TargetRow
from portquorum.web.words import ENGLISH


class Command(NamedTuple):
    """A line to copy; `name` is its anchor on the page."""

    name: str
    label: str
    line: str


def of_target(row: TargetRow, incident: str | None, base: str) -> list[Command]:
    """Commands about a target; `incident` is the id of its open incident, `base` our address."""
    w = ENGLISH
    found = [Command("acknowledge", w.command_acknowledge, _ack(incident))] if incident else []
    found += _silences(row.id)
    if row.host is not None:
        found.append(Command("check", w.command_check, _check(row)))
    found += [
        Command("explain", w.command_explain, _line("portquorum", "explain", row.id)),
        Command("curl", w.command_curl, _line("curl", f"{base}/api/v1/targets/{row.id}")),
    ]
    return found


def of_incident(row: IncidentRow, base: str) -> list[Command]:
    """Commands about an incident."""
    w = ENGLISH
    found = []
    if row.closed_at is None:
        found.append(Command("acknowledge", w.command_acknowledge, _ack(row.id)))
        found += _silences(row.target)
    found += [
        Command("explain", w.command_explain, _line("portquorum", "explain", row.target)),
        Command("curl", w.command_curl, _line("curl", f"{base}/api/v1/incidents/{row.id}")),
    ]
    return found


def _ack(incident: str) -> str:
    return _line("portquorum", "ack", incident)


def _silences(target: str) -> list[Command]:
    w = ENGLISH
    labels = (("silence", w.command_silence_1h, "1h"), ("silence-4h", w.command_silence_4h, "4h"))
    words = ("portquorum", "silence", "add", "--target", target)
    return [
        Command(name, label, _line(*words, "--for", span, "--reason", w.command_reason))
        for name, label, span in labels
    ]


def _check(row: TargetRow) -> str:
    kind = () if row.kind == "tcp" else ("--kind", row.kind)
    closed = ("--expect", "closed") if row.expect == "closed" else ()
    return _line("portquorum", "check", row.place, *kind, *closed)


def _line(*words: str) -> str:
    return shlex.join(words)
