"""What a person can do about a target or an incident from a terminal. Pure.

Whatever stands in a command is quoted for a shell: it is copied into one.
"""

import re
import shlex
from collections.abc import Sequence
from typing import Final, NamedTuple

from portquorum.web.answers import IncidentRow, TargetRow
from portquorum.web.pages.number_words import fill
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
        Command("explain", w.command_explain, explain(row.id)),
        Command("curl", w.command_curl, _line("curl", f"{base}/api/v1/targets/{row.id}")),
    ]
    return found


def of_incident(row: IncidentRow, together: Sequence[str], base: str) -> list[Command]:
    """Commands about an incident; `together`: the unacknowledged ones of its cause."""
    w = ENGLISH
    found = []
    if row.closed_at is None:
        found.append(Command("acknowledge", w.command_acknowledge, _ack(row.id)))
        if len(together) > 1:
            label = fill(w.command_acknowledge_all, n=len(together))
            found.append(Command("acknowledge-all", label, ack(*together)))
        found += _silences(row.target)
    found += [
        Command("explain", w.command_explain, explain(row.target)),
        Command("curl", w.command_curl, _line("curl", f"{base}/api/v1/incidents/{row.id}")),
    ]
    return found


def ack(*incidents: str) -> str:
    """The command that acknowledges incidents, by the first characters of ids that are long."""
    return _line(
        "portquorum", "ack", *(one[:8] if _UUID.fullmatch(one) else one for one in incidents)
    )


_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def explain(target: str) -> str:
    """The command that explains a target."""
    return _line("portquorum", "explain", target)


def end_silence(silence: str) -> str:
    """The command that ends a silence."""
    return _line("portquorum", "silence", "end", silence)


def _ack(incident: str) -> str:
    return _line("portquorum", "ack", incident)


def _silences(target: str) -> list[Command]:
    w = ENGLISH
    labels = (("silence", w.command_silence_1h, "1h"), ("silence-4h", w.command_silence_4h, "4h"))
    words = ("portquorum", "silence", "add", "--target", target)
    # An empty reason is refused: a word in its place would become what everybody reads.
    return [
        Command(name, label, _line(*words, "--for", span, "--reason", ""))
        for name, label, span in labels
    ]


def _check(row: TargetRow) -> str:
    kind = () if row.kind == "tcp" else ("--kind", row.kind)
    closed = ("--expect", "closed") if row.expect == "closed" else ()
    return _line("portquorum", "check", row.place, *kind, *closed)


def _line(*words: str) -> str:
    return shlex.join(words)
