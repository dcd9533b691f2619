"""The subject of a manual check: a known kind, its usual port, its options."""

import re
from typing import Final

import typer

from portquorum.cli.host_port import HostPort, parse
from schemas._types import ExpectedState
from schemas.probe import Probe

HEARTBEAT: Final = "heartbeat"
"""The kind that reports itself (`portquorum.inventory.heartbeats`)."""

NOT_CHECKED: Final = (
    "a heartbeat can't be checked from here: the job reports itself. When it last did says "
    "`portquorum heartbeat list`; an address to report to gives `portquorum heartbeat key add ID`"
)


def placed(text: str, kind: str) -> HostPort:
    """The host and port of a check of this kind; a kind with a usual port, or none, needs no port.

    Raises:
        typer.BadParameter: no such kind, or no such place.
    """
    from portquorum.inventory import kind_names
    from producers.kinds.registry import KINDS
    from schemas.partition import canonical_host

    if kind == HEARTBEAT:
        raise typer.BadParameter(NOT_CHECKED)
    known = KINDS.get(kind)
    if known is None:
        raise typer.BadParameter(kind_names.unknown(kind))
    bare = text.startswith("[") and text.endswith("]")
    if known.has_port and (known.port is None or (":" in text and not bare)):
        return parse(text)
    if "://" in text:
        return parse(text)
    if not known.has_port and re.search(r"(?:^[^:]+|\]):[0-9]+\Z", text):
        raise typer.BadParameter(f"expected a host alone ({kind} knows no ports), found {text!r}")
    try:
        return HostPort(canonical_host(text.removeprefix("[").removesuffix("]")), known.port)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def expected_state(
    written: str, kind: str, probe: Probe | None, max_ms: float | None
) -> ExpectedState:
    """What the port should be; `probe` and `max_ms` are those of the check.

    Raises:
        typer.BadParameter: it is no such state, or a check of this kind can't tell.
    """
    if written == "open":
        return "open"
    if written != "closed":
        raise typer.BadParameter(f"expected open or closed after --expect, found {written!r}")
    if kind not in {"tcp", "udp"}:
        raise typer.BadParameter(f"expected --expect closed with tcp or udp, found {kind}")
    if kind == "tcp" and probe is not None:
        raise typer.BadParameter("expected --expect closed without --probe: no dialogue begins")
    if max_ms is not None:
        raise typer.BadParameter("expected --expect closed without --max-ms: nobody waits")
    return "closed"


def options(kind: str, written: str | None, port: int | None) -> Probe | None:
    """The options of the check, `written` as in the inventory.

    Raises:
        typer.BadParameter: the kind has no such options.
    """
    from portquorum.inventory.errors import path_text
    from portquorum.inventory.probes import ProbeError, probe_of
    from portquorum.inventory.tree import Mapping, read

    roots, problems = ([], []) if written is None else read(written, "--probe")
    if problems:
        raise typer.BadParameter(str(problems[0]))
    value = roots[0].value if roots else None
    if value is not None and not isinstance(value, Mapping):
        raise typer.BadParameter(f"expected a mapping such as '{{tls: starttls}}', found {written}")
    try:
        return probe_of(kind, value, port)
    except ProbeError as error:
        raise typer.BadParameter(f"{path_text(('--probe', *error.path))}: {error}") from error
