"""`portquorum checkpoint`: the stream's state to [checkpoints], now."""

import asyncio
import time
from typing import TYPE_CHECKING, Final

import typer
from rich.filesize import decimal
from rich.text import Text

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import clock, out, print_json, print_notes, table
from schemas.duration import duration_text

if TYPE_CHECKING:
    from foundation.settings import Settings
    from streams.checkpoint.archive import Archived

HELP = examples("portquorum checkpoint", "portquorum checkpoint --json")

_NOTHING: Final = (
    "no partition has a checkpoint on [state] yet; the stream writes the first one seconds after "
    "it has started (`portquorum up`, or `portquorum stream`)"
)


def checkpoint(json: Json = False) -> None:
    """Copy the stream's newest checkpoints to the topic `checkpoints`, kept as the log is.

    A replay, and a stream that has lost its state, can start from them. Done once a day anyway.
    Exit code 1 if there was nothing to copy.
    """
    from foundation.settings import load

    settings = load()
    archived = asyncio.run(_archive(settings))
    if json:
        print_json({"archived": archived, "partitions": settings.partitions})
    elif archived:
        _show(archived, settings.partitions)
    else:
        out().print(Text(_NOTHING, style="yellow"))
    raise typer.Exit(0 if archived else 1)


async def _archive(settings: "Settings") -> "list[Archived]":
    from foundation import kafka
    from streams.checkpoint.archive import write_archive

    await kafka.check_topics(settings)
    return await write_archive(settings)


def _show(archived: "list[Archived]", partitions: int) -> None:
    now = time.time() * 1000
    rows = [
        (
            one.partition,
            one.offset,
            clock(one.now),
            Text(duration_text(max(0.0, now - one.written_at)), justify="right"),
            Text(decimal(one.bytes), justify="right"),
            one.chunks,
        )
        for one in archived
    ]
    columns = ("partition", "offset", "log time (UTC)", "age", "size", "chunks")
    out().print(table(columns, rows, drop=("chunks", "log time (UTC)")))
    total = decimal(sum(one.bytes for one in archived))
    what = f": {len(archived)} of {partitions} partitions, {total}"
    out().print(Text.assemble(("copied", "green"), what))
    if len(archived) < partitions:
        with_one = {one.partition for one in archived}
        missing = [str(number) for number in range(partitions) if number not in with_one]
        print_notes([f"no checkpoint on [state] yet: partition {', '.join(missing)}"])
