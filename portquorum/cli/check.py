"""`portquorum check`: one check from here, now, shown in full."""

import asyncio
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from portquorum.cli.options import Json, duration_s, examples
from portquorum.cli.output import out, print_json
from portquorum.cli.place import Place, parse
from producers.engine import CheckOutcome
from schemas.result import REASON_TEXT, Reason, Status

HELP = examples(
    "portquorum check db1.example.com:5432",
    "portquorum check [::1]:22 --timeout 500ms",
    "portquorum check 10.0.0.7:443 --source 10.0.0.2 --json",
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. Spans are in milliseconds."""

    host: str
    port: int
    kind: str
    status: Status
    reason: Reason | None
    reason_text: str | None
    detail: str | None
    address: str | None
    dns_ms: float | None
    connect_ms: float | None
    total_ms: float | None
    timeout_ms: float


def check(
    place: Annotated[str, typer.Argument(metavar="HOST:PORT", help="IPv6 in brackets: [::1]:22.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="The kind of check.")] = "tcp",
    timeout: Annotated[
        str, typer.Option(metavar="TIME", help="How long an answer may take.")
    ] = "3s",
    source: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The local address to check from.")
    ] = None,
    json: Json = False,
) -> None:
    """Check one port from here, now, and show all of it.

    Nothing is stored and nobody is told. The exit code is 1 if the port does not answer.
    """
    where = parse(place)
    timeout_s = duration_s(timeout)
    outcome = _outcome(where, kind, timeout_s, source)
    answer = Answer(
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
        total_ms=outcome.total_ms,
        timeout_ms=timeout_s * 1000,
    )
    if json:
        print_json(answer)
    else:
        _show(where, answer)
    raise typer.Exit(0 if answer.status == "up" else 1)


def _outcome(where: Place, kind: str, timeout_s: float, source: str | None) -> CheckOutcome:
    from producers.once import check_once

    return asyncio.run(check_once(where.host, where.port, kind, timeout_s, source))


def _show(where: Place, answer: Answer) -> None:
    up = answer.status == "up"
    verdict = "is open" if up else answer.reason_text or answer.status
    line = Text.assemble(
        ("● ", "bold green" if up else "bold red"),
        (f"{answer.kind} {where}  ", "bold"),
        (verdict, "green" if up else "red"),
    )
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("address", answer.address),
        ("detail", answer.detail),
        ("DNS", _ms(answer.dns_ms)),
        ("connect", _ms(answer.connect_ms)),
        ("total", _ms(answer.total_ms)),
        ("timeout", _ms(answer.timeout_ms)),
    ):
        if value is not None:
            facts.add_row(Text(f"  {name}", style="dim"), Text(value))
    out().print(line)
    out().print(facts)


def _ms(value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"
