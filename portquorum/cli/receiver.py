"""`portquorum receiver`: takes reports of jobs (heartbeats)."""

from typing import Annotated

import typer

from portquorum.cli.options import examples

HELP = examples(
    "portquorum receiver",
    "portquorum receiver --listen 0.0.0.0:9481",
    "curl -fsS -m 10 --retry 5 -o /dev/null http://127.0.0.1:9481/ping/SECRET",
)


def receiver(
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where it listens; default: PORTQUORUM_RECEIVER_LISTEN, else 127.0.0.1:9481.",
        ),
    ] = None,
    fd: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=3,
            help="The descriptor of a listening socket in place of that (systemd's first is 3).",
        ),
    ] = None,
) -> None:
    """Take reports of jobs (heartbeats), until SIGTERM or Ctrl-C; `web` does so, too."""
    from foundation.settings import load
    from portquorum.cli.roles import run_role
    from portquorum.receiver.main import run

    if listen is not None and fd is not None:
        raise typer.BadParameter("expected --listen or --fd, found both", param_hint="--fd")
    run_role(run(load(), listen=listen, fd=fd))
