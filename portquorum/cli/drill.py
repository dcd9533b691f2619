"""`portquorum drill`: a fire drill, from a port that closes to the message that says so."""

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from portquorum.cli.options import Json, duration_s, examples
from portquorum.presentation.output import err, out, print_json
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from portquorum.drill.run import DrillAsked, DrillOutcome
    from portquorum.drill.stages import DrillStage

HELP = examples(
    "portquorum drill",
    "portquorum drill --within 30s --json",
    "portquorum drill --listen 192.0.2.10 --region eu-west --region us-east",
)
_PARTS: Final = {
    "watch": "A port opens, and is watched",
    "outage": "The port closes",
    "recovery": "The port opens again",
}
_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def drill(
    within: Annotated[
        str, typer.Option(metavar="TIME", help="The longest time of each of the three parts.")
    ] = "60s",
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Of this machine: where the port is opened that is checked."
        ),
    ] = "127.0.0.1",
    receiver: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Of this machine: where the notifier's message comes to; default: as --listen.",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="R", help="Check from this region; default: all that may reach it."),
    ] = None,
    json: Json = False,
) -> None:
    """Close a port of our own, and time every stage until the message of it is back.

    It opens a port on this machine, adds it as a target, waits until all regions see it, closes it,
    and shows each stage as it comes: first failure, quorum, incident, message; then it opens the
    port again: recovered, closed, told. Only a receiver of its own is told. What it made is removed
    whatever happens.

    Exit codes: 0 all stages came in time; else by the stage that was overdue: 10 watched, 11 first
    failure, 12 quorum, 13 incident, 14 message, 15 recovered, 16 closed, 17 told. 1: it could not
    begin.
    """
    from foundation import kafka
    from foundation.settings import Settings, load
    from portquorum.cli.errors import TroubleError
    from portquorum.drill.run import DrillAsked, DrillError
    from portquorum.drill.stages import EXIT_CODES

    asked = DrillAsked(
        listen=listen,
        receiver=receiver or listen,
        regions=tuple(region or ()),
        within_s=duration_s(within),
    )

    async def run(settings: Settings) -> "DrillOutcome | None":
        await kafka.check_topics(settings)
        return await _until_stopped(settings, asked, quiet=json)

    try:
        outcome = asyncio.run(run(load()))
    except DrillError as error:
        raise TroubleError(str(error)) from error
    if outcome is None:
        raise typer.Exit(130)
    if json:
        print_json(outcome)
    else:
        _show_end(outcome)
    raise typer.Exit(0 if outcome.overdue is None else EXIT_CODES[outcome.overdue])


async def _until_stopped(
    settings: Any, asked: "DrillAsked", *, quiet: bool
) -> "DrillOutcome | None":
    """The outcome; None if a signal stopped it: what it made is removed all the same."""
    from portquorum.drill.run import drill as run

    part = ""

    def show(stage: "DrillStage") -> None:
        nonlocal part
        if quiet:
            return
        if stage.part != part:
            part = stage.part
            out().print(Text(_PARTS[part], style="bold"))
        detail = one_line(stage.detail)
        line = Text.assemble(f"{stage.seconds:7.2f} s  ", (f"{stage.stage:14}", "green"), detail)
        out().print(line)

    task = asyncio.ensure_future(run(settings, asked, show))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        err().print(Text("stopping; what the drill made is removed", style="dim"))
        task.cancel()

    for number in _STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return None


def _show_end(outcome: "DrillOutcome") -> None:
    if outcome.overdue is None:
        told = {one.stage: one.seconds for one in outcome.stages}
        words = (
            f"all stages came: told of the outage after {told['message']:.1f} s, of its end after "
            f"{told['told']:.1f} s"
        )
        out().print(Text(words, style="green"))
        return
    silent = f"; nothing from {', '.join(outcome.silent)}" if outcome.silent else ""
    words = (
        f"overdue: {outcome.overdue} did not come within {outcome.within_s:g} s{silent}; "
        "`portquorum health` says what runs"
    )
    out().print(Text(one_line(words), style="bold red"))
