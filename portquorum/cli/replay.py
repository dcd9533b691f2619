"""`portquorum replay`: replays the log through the rules and compares it with the sent events."""

import asyncio
import difflib
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import clock, out, print_json, print_notes, table

if TYPE_CHECKING:
    from foundation.settings import Settings
    from streams.replay.compare import Difference, Given, ReplayComparison
    from streams.replay.replay_range import Origin, Span

HELP = examples(
    "portquorum replay --from 2h",
    "portquorum replay --from 2026-11-20T14:00 --to 2026-11-20T15:30 --partition 3",
    "portquorum replay --from 3d --json | jq .identical",
)

SOURCES: Final = {
    "checkpoints": "checkpoint on [checkpoints]",
    "state": "checkpoint on [state]",
    "nothing": "nothing, the log's beginning",
}
_KINDS: Final = {
    "missing": "the replay gives it, [incidents] does not have it",
    "different": "the replay and [incidents] have it with different bytes",
    "unexpected": "[incidents] has it, the replay does not give it",
}
_DIFF_STYLE: Final = {"+": "green", "-": "red", "@": "cyan"}


def replay(
    since: Annotated[
        str,
        typer.Option(
            "--from", metavar="TIME", help="ISO 8601 (UTC if no zone), or 30m, 2h, 3d ago."
        ),
    ],
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Default: what the stream has acknowledged."),
    ] = None,
    partition: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Only this partition of the log.")
    ] = None,
    json: Json = False,
) -> None:
    """Put the log through the rules again: are the events byte for byte those that were sent?

    Reads only: it joins no group, commits nothing and writes to no topic. Exit code 1 if an
    event differs; the first that does is shown.
    """
    from foundation.settings import load
    from portquorum.cli import time_argument
    from streams.replay.replay_range import Span

    settings = load()
    now = int(time.time() * 1000)
    start = time_argument.parse_ms(since, now)
    end = None if until is None else time_argument.parse_ms(until, now)
    if end is not None and end < start:
        raise typer.BadParameter(
            f"expected a time after {clock(start)} UTC, found {clock(end)} UTC", param_hint="--to"
        )
    if partition is not None and partition >= settings.partitions:
        raise typer.BadParameter(
            f"expected 0 to {settings.partitions - 1}, found {partition}", param_hint="--partition"
        )
    span = Span(start, end)
    found = asyncio.run(_compare(settings, partition, span))
    if json:
        print_json(_document(found, span))
    else:
        _show(found, span)
    raise typer.Exit(0 if found.agrees else 1)


async def _compare(settings: "Settings", partition: int | None, span: "Span") -> "ReplayComparison":
    from foundation import kafka
    from portquorum.cli.progress import bar
    from streams.replay.compare import compare

    await kafka.check_topics(settings)
    with bar() as shown:
        task = shown.add_task("replaying", total=None)

        def progress(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        return await compare(
            settings,
            partitions=None if partition is None else [partition],
            span=span,
            acknowledged=True,
            progress=progress,
        )


def _show(found: "ReplayComparison", span: "Span") -> None:
    rows = [
        (
            origin.partition,
            Text(SOURCES[origin.source]),
            None if origin.offset < 0 else origin.offset,
            clock(origin.at) if origin.at else None,
            f"{origin.first} – {origin.end - 1}" if origin.records else "none",
            origin.records,
        )
        for origin in found.origins
    ]
    columns = ("partition", "starts from", "at offset", "at (UTC)", "offsets", "records")
    out().print(table(columns, rows))
    print_notes(_notes(found.origins))
    end = "what the stream has acknowledged" if span.until is None else f"{clock(span.until)} UTC"
    out().print(
        Text(
            f"{found.records:,} records replayed; {found.given:,} events given from "
            f"{clock(span.since or 0)} UTC to {end}."
        )
    )
    if found.agrees:
        same = "Each is" if found.given else "There is nothing to differ: none was given, none is"
        text = (
            f"{same} on [incidents], byte for byte." if found.given else f"{same} on [incidents]."
        )
        out().print(Text(text, style="green"))
        return
    out().print(
        Text(
            f"{found.same:,} are the same on [incidents]; {len(found.missing):,} are missing "
            f"there, {len(found.different):,} differ, {len(found.unexpected):,} are there and were "
            "not given.",
            style="bold red",
        )
    )
    _show_difference(found.differences[0])


def _notes(origins: "list[Origin]") -> list[str]:
    notes = []
    for origin in origins:
        where = f"partition {origin.partition}"
        if not origin.complete:
            notes.append(
                f"{where}: the log no longer reaches back to a state (it begins at offset "
                f"{origin.first}, and no checkpoint lies before); the replay begins on nothing, "
                "so that its events need not be those of the first time"
            )
        elif origin.begins_late and 0 < origin.judged_from <= origin.first:
            notes.append(
                f"{where}: what lies before offset {origin.judged_from} was decided by an older "
                f"version; the replay begins at offset {origin.first}"
            )
        elif origin.begins_late:
            notes.append(
                f"{where}: the log no longer reaches back so far; the replay begins at offset "
                f"{origin.first}, on the oldest checkpoint that it follows on"
            )
    return notes + _of_another_version(origins)


def _of_another_version(origins: "list[Origin]") -> list[str]:
    """A note if the stream is of another series than this program: its rules may be others."""
    from foundation.upgrade_order import own_version, series

    own = own_version()
    others = {one.judged_by for one in origins if one.judged_by}
    strange = sorted(one for one in others if series(one) != series(own))
    if not strange:
        return []
    told = f"the stream is of version {', '.join(strange)}, this replay has the rules of {own}"
    return [f"{told}: an event that differs may be decided otherwise on purpose (docs/replay.md)"]


def _show_difference(one: "Difference") -> None:
    out().print()
    out().print(Text(f"The first difference: event {one.event_id}", style="bold"))
    out().print(Text(f"  {_KINDS[one.kind]}"))
    out().print(Text(f"  at {clock(one.at)} UTC, {one.at % 1000:03d} ms"))
    if one.replayed is not None:
        out().print(Text(f"  replayed: [results] partition {_place(one.replayed)}"))
    if one.sent is not None:
        out().print(Text(f"  sent: [incidents] partition {_place(one.sent)}"))
    for line in _diff(one):
        out().print(Text(line, style=_DIFF_STYLE.get(line[:1], "")), soft_wrap=True)


def _place(one: "Given") -> str:
    return f"{one.partition}, offset {one.offset}"


def _diff(one: "Difference") -> list[str]:
    """A diff of both events as indented JSON; the whole event if one side lacks it."""
    sent, replayed = (_lines(side) for side in (one.sent, one.replayed))
    lines = difflib.unified_diff(sent, replayed, "on [incidents]", "replayed", n=2, lineterm="")
    return list(lines) or ["the same JSON, written with different bytes"]


def _lines(one: "Given | None") -> list[str]:
    import msgspec

    return [] if one is None else msgspec.json.format(one.value, indent=2).decode().splitlines()


def _document(found: "ReplayComparison", span: "Span") -> dict[str, Any]:
    first = found.differences[0] if found.differences else None
    return {
        "identical": found.agrees,
        "from": span.since,
        "to": span.until,
        "partitions": found.origins,
        "records": found.records,
        "given": found.given,
        "same": found.same,
        "missing": found.missing,
        "different": found.different,
        "unexpected": found.unexpected,
        "first_difference": None
        if first is None
        else {
            "kind": first.kind,
            "event_id": first.event_id,
            "at": first.at,
            "replayed": _side(first.replayed),
            "sent": _side(first.sent),
            "diff": _diff(first),
        },
        "notes": _notes(found.origins),
    }


def _side(one: "Given | None") -> dict[str, Any] | None:
    import msgspec

    if one is None:
        return None
    return {"partition": one.partition, "offset": one.offset, "event": msgspec.Raw(one.value)}
