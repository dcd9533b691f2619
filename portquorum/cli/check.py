"""`portquorum check`: one check from here, now, shown in full."""

import asyncio
import socket
import time
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from portquorum.cli.host_port import HostPort
from portquorum.cli.options import Json, duration_s, examples
from portquorum.presentation.fitted_table import FittedTable
from portquorum.presentation.output import clock, out, print_json, table
from producers.checks.model import CheckOutcome, Hop
from schemas._types import ExpectedState
from schemas.probe import Probe
from schemas.result import REASON_TEXT, Reason, Status

HELP = examples(
    "portquorum check db1.example.com:5432",
    "portquorum check [::1]:22 --timeout 500ms",
    "portquorum check 10.0.0.7:443 --source 10.0.0.2 --json",
    "portquorum check mail.example.com:587 --kind smtp",
    "portquorum check db1.example.com --kind postgres --probe '{tls: starttls}'",
    "portquorum check db1.example.com:23 --expect closed",
)
KINDS: Final = (
    "tcp, udp, tls, http, websocket, grpc, dns, icmp, domain, smtp, imap, pop3, ftp, ssh, redis, "
    "memcached, postgres, mysql, mongodb, mssql, amqp, kafka, mqtt, ldap, nats, "
    "zookeeper, snmp, ntp"
)
"""All kinds, as a text: to load them takes as long as all the rest of a command's help."""
LEAST_S: Final = 0.001
MOST_S: Final = 3_600.0
"""The most that a target may have."""


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The output of `--json`. Spans are in milliseconds."""

    host: str
    port: int | None
    kind: str
    status: Status
    reason: Reason | None
    reason_text: str | None
    detail: str | None
    address: str | None
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    dialogue_ms: float | None
    total_ms: float | None
    timeout_ms: float
    banner: str | None
    cert_expires_at: int | None
    http_status: int | None
    hops: tuple[Hop, ...]


def check(
    place: Annotated[
        str,
        typer.Argument(
            metavar="HOST[:PORT]", help="IPv6 in brackets: [::1]:22. Some kinds have a usual port."
        ),
    ],
    kind: Annotated[
        str, typer.Option(metavar="KIND", help=f"What is spoken: {KINDS} (docs/kinds.md).")
    ] = "tcp",
    probe: Annotated[
        str | None,
        typer.Option(
            metavar="YAML", help="Options of the kind, as in the inventory: '{tls: starttls}'."
        ),
    ] = None,
    timeout: Annotated[
        str, typer.Option(metavar="TIME", help="How long an answer may take.")
    ] = "3s",
    resolver: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The name server to ask, in place of the system's."),
    ] = None,
    max_ms: Annotated[
        float | None,
        typer.Option(
            metavar="MS", help="The longest time in all that is fine: with more it is down."
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The local address to check from.")
    ] = None,
    expect: Annotated[
        str, typer.Option(metavar="open|closed", help="closed: open is what is wrong (tcp, udp).")
    ] = "open",
    json: Json = False,
) -> None:
    """Check one port from here, now, and show all of it.

    Nothing is stored and nobody is told. The exit code is 0 if it is up, 1 if it is down or nothing
    could be measured, 2 if the command is wrong.
    """
    from portquorum.cli.probing import expected_state, options, placed

    where = placed(place, kind)
    timeout_s = duration_s(timeout)
    if not LEAST_S <= timeout_s <= MOST_S:
        raise typer.BadParameter(f"expected a timeout from 1ms to 1h, found {timeout!r}")
    if max_ms is not None and not 0 < max_ms < timeout_s * 1000:
        text = f"expected --max-ms above 0 and below the timeout ({timeout}), found {max_ms:g}"
        raise typer.BadParameter(text)
    way = None if source is None else _address(source)
    made = options(kind, probe, where.port)
    asked = None if resolver is None else _name_server(resolver)
    state = expected_state(expect, kind, made, max_ms)
    outcome = _outcome(where, kind, timeout_s, way, made, max_ms, asked, state)
    answer = CheckAnswer(
        host=where.host,
        port=where.port,
        kind=kind,
        status=outcome.status,
        reason=outcome.reason,
        reason_text=REASON_TEXT[outcome.reason] if outcome.reason else None,
        detail=outcome.detail,
        address=outcome.address,
        dns_ms=outcome.dns_ms,
        connect_ms=outcome.connect_ms,
        tls_ms=outcome.tls_ms,
        dialogue_ms=_dialogue_ms(outcome),
        total_ms=outcome.total_ms,
        timeout_ms=timeout_s * 1000,
        banner=outcome.banner,
        cert_expires_at=outcome.cert_expires_at,
        http_status=outcome.http_status,
        hops=outcome.hops,
    )
    if json:
        print_json(answer)
    else:
        _show(where, answer, state)
    raise typer.Exit(0 if answer.status == "up" else 1)


def _outcome(
    where: HostPort,
    kind: str,
    timeout_s: float,
    source: str | None,
    probe: Probe | None,
    max_ms: float | None,
    resolver: str | None,
    expect: ExpectedState,
) -> CheckOutcome:
    from producers.engine.single_check import check_once

    return asyncio.run(
        check_once(
            where.host,
            where.port,
            kind,
            timeout_s,
            source,
            probe=probe,
            max_ms=max_ms,
            resolver=resolver,
            expect=expect,
        )
    )


def _name_server(text: str) -> str:
    from producers.checks.name_server import place_of

    try:
        return str(place_of(text))
    except ValueError as error:
        raise typer.BadParameter(f"--resolver: {error}") from error


def _address(text: str) -> str:
    from producers.checks.resolver import literal

    address = literal(text)
    if address is None:
        raise typer.BadParameter(
            f"expected an IP address of this machine after --source, found {text!r}"
        )
    try:
        with socket.socket(address.family, socket.SOCK_DGRAM) as sock:
            sock.bind(address.endpoint(0))
    except OSError as error:
        why = error.strerror or str(error)
        raise typer.BadParameter(
            f"expected an IP address of this machine after --source, found {text!r}: {why}"
        ) from error
    return text


def _dialogue_ms(outcome: CheckOutcome) -> float | None:
    """The rest of the total time, without the phases that have their own times."""
    if outcome.total_ms is None or outcome.connect_ms is None:
        return None
    phases = (outcome.dns_ms, outcome.connect_ms, outcome.tls_ms)
    left = outcome.total_ms - sum(phase or 0.0 for phase in phases)
    return round(left, 3) if left >= 0.001 else None


def _show(where: HostPort, answer: CheckAnswer, expect: ExpectedState = "open") -> None:
    up = answer.status == "up"
    closed = expect == "closed"
    fine = "is open" if answer.kind == "tcp" and not answer.banner else "answers"
    if closed:
        fine = "is closed"
    verdict = fine if up else answer.reason_text or answer.status
    line = Text.assemble(
        ("● ", "bold green" if up else "bold red"),
        (f"{answer.kind} {where}  ", "bold"),
        (verdict, "green" if up else "red"),
    )
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("address", answer.address),
        ("warning" if up and not closed else "detail", answer.detail),
        ("banner", answer.banner),
        ("status", None if answer.http_status is None else str(answer.http_status)),
        (_what_ends(answer.kind), _until(answer.cert_expires_at)),
        ("DNS", _ms(answer.dns_ms)),
        ("connect", _ms(answer.connect_ms)),
        ("TLS", _ms(answer.tls_ms)),
        ("dialogue", _ms(answer.dialogue_ms)),
        ("total", _ms(answer.total_ms)),
        ("timeout", _ms(answer.timeout_ms)),
    ):
        if value is not None:
            facts.add_row(Text(f"  {name}", style="dim"), Text(value))
    out().print(line)
    out().print(facts)
    if answer.hops:
        out().print(_requests(answer.hops))


def _requests(hops: Sequence[Hop]) -> FittedTable:
    rows = [
        (
            hop.status,
            hop.url,
            *map(_ms, (hop.dns_ms, hop.connect_ms, hop.tls_ms, hop.wait_ms, hop.body_ms)),
        )
        for hop in hops
    ]
    columns = ("status", "request", "DNS", "connect", "TLS", "first byte", "body")
    return table(columns, rows, fold=("request",))


def _what_ends(kind: str) -> str:
    return "registration" if kind == "domain" else "certificate"


def _until(expires_at: int | None) -> str | None:
    if expires_at is None:
        return None
    over = expires_at < time.time() * 1000
    return f"{'was valid' if over else 'valid'} until {clock(expires_at)} UTC"


def _ms(value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"
