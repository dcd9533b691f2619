"""`portquorum up`: everything on this machine."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from portquorum.cli.options import DataDir, examples

if TYPE_CHECKING:
    from portquorum.supervisor.up import UpOptions

KAFKA_LISTEN: Final = "127.0.0.1:9092"
CLICKHOUSE_LISTEN: Final = "127.0.0.1:8123"
WEB_LISTEN: Final = "127.0.0.1:9480"
HELP = examples(
    "portquorum up",
    "portquorum up -i inventory.yaml --data ./portquorum-data",
    "PORTQUORUM_KAFKA=kafka1:9092 portquorum up -i inventory.yaml",
)


def up(
    inventory: Annotated[
        Path | None,
        typer.Option(
            "--inventory",
            "-i",
            metavar="FILE",
            help="What to watch; default: inventory.yaml here if there is one, else a sample in "
            "the data directory.",
        ),
    ] = None,
    data: DataDir = None,
    kafka_listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help=f"Where the embedded Kafka listens; default: {KAFKA_LISTEN}.",
        ),
    ] = None,
    clickhouse_listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help=f"Where the embedded ClickHouse listens; default: {CLICKHOUSE_LISTEN}.",
        ),
    ] = None,
    web_listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help=f"Where the page listens (from other machines: docs/access.md); default: "
            f"{WEB_LISTEN}, or a free port if that is taken.",
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show all that the roles log.")
    ] = False,
) -> None:
    """Run all roles on this machine until Ctrl-C, on real embedded Kafka and ClickHouse.

    With PORTQUORUM_KAFKA or PORTQUORUM_CLICKHOUSE set, that one is used instead. The inventory
    file is followed: save it, and the change is applied.

    Commands in other terminals find all addresses in the data directory: with --data DIR they
    need PORTQUORUM_DATA_DIR=DIR.
    """
    from msgspec.structs import replace

    from foundation import settings, watchdog
    from portquorum.presentation.output import print_notes
    from portquorum.supervisor.up import UpOptions

    if inventory is not None and not inventory.is_file():
        raise typer.BadParameter(f"{inventory} is no file", param_hint="--inventory")
    chosen = settings.chosen()
    listens = (("kafka", "Kafka", kafka_listen), ("clickhouse", "ClickHouse", clickhouse_listen))
    for name, title, listen in listens:
        if listen is not None and name in chosen:
            said = f"PORTQUORUM_{name.upper()} (or `{name}` in portquorum.toml) is set"
            does = f"that one is used, no {title} is started, and --{name}-listen does nothing"
            print_notes([f"{said}: {does}"])
    loaded = settings.load()
    if data is not None:
        loaded = replace(loaded, data_dir=data)
    options = UpOptions(
        settings=loaded,
        external=chosen & {"kafka", "clickhouse"},
        inventory=inventory,
        kafka_listen=kafka_listen or KAFKA_LISTEN,
        clickhouse_listen=clickhouse_listen or CLICKHOUSE_LISTEN,
        web_listen=web_listen,
    )
    watchdog.start(watchdog.LONGER_S)
    asyncio.run(_run(options, verbose=verbose))


async def _run(options: "UpOptions", *, verbose: bool) -> None:
    from foundation import watchdog
    from portquorum.presentation.output import out
    from portquorum.presentation.streams import printable_json
    from portquorum.supervisor.narrator import JsonNarrator, Narrator, PrettyNarrator
    from portquorum.supervisor.screen import JsonListener, PrettyListener, Screen, terminal
    from portquorum.supervisor.up import Up

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def nobody_reads() -> None:
        loop.call_soon_threadsafe(stop.set)

    screen = Screen(out(), nobody_reads)
    pretty = options.settings.log_format == "pretty" or (
        options.settings.log_format == "auto" and terminal()
    )
    listener: PrettyListener | JsonListener
    narrator: Narrator
    if pretty:
        listener, narrator = PrettyListener(screen, verbose=verbose), PrettyNarrator(screen)
    else:
        listener = JsonListener(lambda line: screen.show(printable_json(line, sys.stdout)))
        narrator = JsonNarrator(listener)
    everything = Up(options, listener, narrator)

    def asked_to_stop() -> None:
        if stop.is_set():  # the second Ctrl-C
            everything.supervisor.kill()
        stop.set()

    watchdog.on_signals(asked_to_stop, (*watchdog.STOP_SIGNALS, signal.SIGHUP))
    try:
        await everything.run(stop)
    finally:
        screen.close()
