"""`status` and `incidents`: the present content of ClickHouse."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import STATUS_STYLE, clock, out, print_json, table
from schemas.duration import duration_text
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from sinks.clickhouse.queries import BlindTarget, Incident, TargetStatus

STATUS_HELP = examples("portquorum status", "portquorum status --json | jq '.targets[]'")
INCIDENTS_HELP = examples(
    "portquorum incidents", "portquorum incidents --open", "portquorum incidents --limit 100 --json"
)

_NAMED: Final = 3
"""Unwatched targets that `status` names: one silent region may blind thousands."""

_UNBLOCK: Final = "(add internal: true to the region if it may reach private addresses)"


def status(
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="Only this target (its id).")
    ] = None,
    json: Json = False,
) -> None:
    """Show the targets by region, what nobody watches, and what is wrong.

    Exit code 1 if an incident is open.
    """
    from foundation import clickhouse
    from foundation.settings import load
    from portquorum.cli.errors import WrongUseError
    from sinks.clickhouse import queries

    client = clickhouse.connect(load())
    targets = queries.target_status(client, target)
    incidents = [
        incident
        for incident in queries.open_incidents(client)
        if target is None or incident.target == target
    ]
    blind = queries.blind_targets(client, target)
    if target is not None and not targets and not incidents:
        # Not 1 as with `ack`: here that says that an incident is open.
        raise WrongUseError(f"no target has the id {target!r}; `portquorum status` lists them")
    if json:
        print_json({"targets": targets, "unwatched": blind, "open_incidents": incidents})
    else:
        _show_targets(targets)
        _show_blind(blind)
        _show_incidents(incidents, "no incident is open")
    raise typer.Exit(1 if incidents else 0)


def incidents(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, metavar="N", help="At most so many.")
    ] = 20,
    json: Json = False,
) -> None:
    """List incidents, the newest first. Exit code 1 if one of them is open."""
    from foundation import clickhouse
    from foundation.settings import load
    from sinks.clickhouse import queries

    client = clickhouse.connect(load())
    found = (
        queries.open_incidents(client)[:limit]
        if only_open
        else queries.recent_incidents(client, limit)
    )
    if json:
        print_json(found)
    else:
        _show_incidents(found, "no incident is open" if only_open else "no incident yet")
    raise typer.Exit(1 if any(incident.status == "open" for incident in found) else 0)


def _show_targets(targets: Sequence["TargetStatus"]) -> None:
    if not targets:
        out().print(
            "no target yet; `portquorum target add HOST:PORT` watches a first port", style="dim"
        )
        return
    now = time.time() * 1000
    rows = [
        (
            Text(one_line(one.target), style="bold"),
            _place(one.kind, one.host, one.port),
            one.region,
            _status(one),
            None if one.connect_ms is None else Text(f"{one.connect_ms:.2f} ms", justify="right"),
            None
            if one.started_at is None
            else Text(f"{duration_text(max(0, now - one.started_at))} ago", style="dim"),
        )
        for one in targets
    ]
    out().print(
        table(
            ("target", "port", "region", "status", "connect", "checked"),
            rows,
            fold=("port", "status"),
            drop=("connect", "checked"),
        )
    )


def _status(one: "TargetStatus") -> Text:
    from schemas.result import REASON_TEXT

    texts = {str(reason): text for reason, text in REASON_TEXT.items()}
    text = Text(one.status, style=STATUS_STYLE.get(one.status, "yellow"))
    if one.reason:
        text.append(f"  {one_line(texts.get(one.reason, one.reason))}", style="red")
    elif one.status == "up" and one.detail:
        text.append(f"  {one_line(one.detail)}", style="yellow")
    if one.status == "blocked":
        text.append(f" {_UNBLOCK}", style="red")
    return text


def _show_blind(found: Sequence["BlindTarget"]) -> None:
    if not found:
        return
    count = "1 target is" if len(found) == 1 else f"{len(found)} targets are"
    line = Text.assemble(
        ("● ", STATUS_STYLE["unwatched"]),
        (f"{count} unwatched", STATUS_STYLE["unwatched"]),
        ": too few of the regions have results, so that an outage would open no incident",
    )
    now = time.time() * 1000
    for one in found[:_NAMED]:
        line.append(
            f"\n  {one_line(one.name)} ({_place(one.kind, one.host, one.port)}), "
            f"since {clock(one.since)} UTC, {duration_text(max(0, now - one.since))}"
        )
    more = len(found) - _NAMED
    if more > 0:
        line.append(f"\n  and {more} more that are no more critical")
    line.append(f"\n  why: portquorum explain {one_line(found[0].target)}", style="dim")
    out().print(line)


def _show_incidents(found: Sequence["Incident"], nothing: str) -> None:
    if not found:
        out().print(Text(nothing, style="green"))
        return
    for one in found:
        is_open = one.status == "open"
        line = Text.assemble(
            ("● ", "bold red" if is_open else "green"),
            (f"{one_line(one.name)} ", "bold"),
            f"({_place(one.kind, one.host, one.port)})  ",
            (one_line(one.incident_type), "red" if is_open else "green"),
            ("  acknowledged" if one.acknowledged_by else "", "yellow"),
        )
        lasted = duration_text(max(0.0, one.open_s) * 1000)
        when = f"open since {clock(one.opened_at)} UTC, {lasted}"
        if one.closed_at is not None:
            when = f"closed {clock(one.closed_at)} UTC, was open for {lasted}"
        line.append(f"\n  {when}", style="dim")
        line.append(f"\n  {one_line(one.summary)}")
        line.append(f"\n  {one_line(one.incident_id)}", style="dim")
        out().print(line)


def _place(kind: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return one_line(f"{kind} {shown}") + (f":{port}" if port else "")
