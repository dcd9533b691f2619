"""The commands that are one role each: `probe`, `stream`, `sink`, `notify`."""

import asyncio
from typing import Annotated

import typer

from portquorum.cli.options import examples


def probe(
    region: Annotated[str, typer.Option(metavar="R", help="The region that this prober is in.")],
    source: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The local address that checks leave from."),
    ] = None,
    prober: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="This prober's name; default: host name and a number."),
    ] = None,
) -> None:
    """Check the targets of a region, until SIGTERM or Ctrl-C."""
    from portquorum import watchdog
    from portquorum.settings import load
    from producers.prober import run

    watchdog.start()
    asyncio.run(run(load(), region=region, source=source, prober=prober))


def stream() -> None:
    """Turn results into incidents (a Faust worker), until SIGTERM or Ctrl-C."""
    from portquorum import watchdog
    from portquorum.settings import load
    from streams.worker import run

    watchdog.start()
    asyncio.run(run(load()))


def sink() -> None:
    """Store results and events in ClickHouse, until SIGTERM or Ctrl-C."""
    from portquorum import watchdog
    from portquorum.settings import load
    from sinks.clickhouse.run import run

    watchdog.start()
    asyncio.run(run(load()))


def notify() -> None:
    """Tell people about incidents by their channels, until SIGTERM or Ctrl-C."""
    from portquorum import watchdog
    from portquorum.settings import load
    from sinks.notifier import run

    watchdog.start()
    asyncio.run(run(load()))


PROBE_HELP = examples(
    "portquorum probe --region eu-west",
    "portquorum probe --region office --source 10.0.0.7",
)
STREAM_HELP = examples("portquorum stream", "faust -A streams.app worker")
SINK_HELP = examples("portquorum sink", "PORTQUORUM_CLICKHOUSE=http://ch:8123 portquorum sink")
NOTIFY_HELP = examples("portquorum notify")
