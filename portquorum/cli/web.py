"""`portquorum web`: the page and its API."""

from typing import Annotated

import typer

from portquorum.cli.options import examples

HELP = examples(
    "portquorum web",
    "portquorum web --listen 127.0.0.1:8000",
    "ssh -L 9480:127.0.0.1:9480 monitor.example.com",
)


def web(
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help=(
                "Where it listens (from other machines: docs/access.md); default: "
                "PORTQUORUM_WEB_LISTEN, else 127.0.0.1:9480."
            ),
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
    """Show the page and serve its API, until SIGTERM or Ctrl-C."""
    from foundation.settings import load
    from portquorum.cli.roles import run_role
    from portquorum.web.main import run

    if listen is not None and fd is not None:
        raise typer.BadParameter("expected --listen or --fd, found both", param_hint="--fd")
    run_role(run(load(), listen=listen, fd=fd))
