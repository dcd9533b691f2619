"""`HOST:PORT` as people type it."""

import re

import typer
from msgspec import Struct

from schemas.partition import canonical_host


class Place(Struct, frozen=True):
    """A canonical host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_place(text: str) -> Place:
    """The place that `db1.example.com:5432`, `10.0.0.7:22` or `[::1]:22` names.

    Raises:
        typer.BadParameter: not of that form; says what was found and how it would be right.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,6}", port):
        raise typer.BadParameter(f"expected HOST:PORT, for example db1:5432, found {text!r}")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise typer.BadParameter(
            f"expected an IPv6 address in brackets, for example [::1]:22, found {text!r}"
        )
    if not 1 <= int(port) <= 65535:
        raise typer.BadParameter(f"expected a port from 1 to 65535, found {port} in {text!r}")
    try:
        return Place(canonical_host(host), int(port))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
