"""The commands for single roles: `probe`, `stream`, `sink`, `notify`."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

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
    from foundation.settings import load
    from producers.prober.main import run

    run_role(run(load(), region=region, source=source, prober=prober))


def stream() -> None:
    """Turn results into incidents (a Faust worker), until SIGTERM or Ctrl-C."""
    from foundation.settings import load
    from streams.worker.main import run

    run_role(run(load()))


def sink(
    reread: Annotated[
        bool,
        typer.Option(
            "--reread",
            help="Store again what ClickHouse lacks and the log still has: after an older copy "
            "of ClickHouse was restored. No other sink may run.",
        ),
    ] = False,
) -> None:
    """Store results and events in ClickHouse, until SIGTERM or Ctrl-C."""
    from foundation.settings import load
    from sinks.clickhouse.main import run

    run_role(run(load(), reread=reread))


def notify() -> None:
    """Tells people about incidents by their channels, until SIGTERM or Ctrl-C."""
    from foundation.settings import load
    from foundation.watchdog import leave
    from sinks.notifier.main import run

    run_role(run(load()))
    # Apprise sends in threads of its own, which Python would wait for; a channel that sends its
    # answer a byte at a time keeps to every limit. Nobody is there to record what they did.
    leave()


def run_role(role: Coroutine[Any, Any, None]) -> None:
    """Runs a role to its end; kills one that does not end after a signal or a fault."""
    from foundation import watchdog

    watchdog.start()
    try:
        asyncio.run(role)
    finally:
        watchdog.count_down()


PROBE_HELP = examples(
    "portquorum probe --region eu-west",
    "portquorum probe --region office --source 10.0.0.7",
)
STREAM_HELP = examples("portquorum stream", "faust -A streams.app worker")
SINK_HELP = examples(
    "portquorum sink",
    "PORTQUORUM_CLICKHOUSE=http://ch:8123 portquorum sink",
    "portquorum sink --reread",
)
