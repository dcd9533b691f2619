"""`portquorum demo`: the guided minute."""

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import typer

from portquorum.cli.options import examples

if TYPE_CHECKING:
    from portquorum.demo.page import DemoPage

HELP = examples("portquorum demo", "portquorum demo | less -R")


def demo() -> None:
    """See all of it in a minute: a real port closes and opens again, every stage is shown.

    Starts real Kafka and ClickHouse and all roles in a temporary folder, on free ports, and
    removes everything at the end. Exit code 1 if a stage did not come.
    """
    from foundation import watchdog
    from portquorum.demo import StageError
    from portquorum.demo.page import DemoPage
    from portquorum.presentation.output import out

    # The user's own cluster has no part in it.
    for name in [name for name in os.environ if name.startswith("PORTQUORUM_")]:
        if name != "PORTQUORUM_DEBUG":
            del os.environ[name]
    watchdog.start(watchdog.LONGER_S)
    try:
        finished = asyncio.run(_run(DemoPage(out())))
    except StageError as error:
        from portquorum.cli.errors import TroubleError

        raise TroubleError(f"the demo stopped at this stage: {error}") from error
    raise typer.Exit(0 if finished else 130)


async def _run(page: "DemoPage") -> bool:
    """True if the demo reached its end; False after Ctrl-C."""
    from foundation import watchdog
    from portquorum.demo import run

    work = asyncio.create_task(run(page))
    watchdog.on_signals(work.cancel, (*watchdog.STOP_SIGNALS, signal.SIGHUP))
    try:
        await work
    except asyncio.CancelledError:
        return False
    return True
