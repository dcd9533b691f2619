"""Parses `HOST:PORT`."""

import typer
from msgspec import Struct


class HostPort(Struct, frozen=True):
    """A canonical host and a port; None for a kind of check without a port."""

    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse(text: str) -> HostPort:
    """The host and port of `db1.example.com:5432`, `10.0.0.7:22` or `[::1]:22`.

    Raises:
        typer.BadParameter: not of that form; says what was expected and found.
    """
    from portquorum.inventory import parse_place
    from schemas.partition import canonical_host

    try:
        host, port = parse_place(text)
        return HostPort(canonical_host(host), port)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
