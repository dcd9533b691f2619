"""`portquorum inventory lint --scan`: asks first, shows its progress, ends with Ctrl-C."""

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.text import Text

from portquorum.cli.errors import WrongUseError
from portquorum.presentation.output import err, out, print_notes
from schemas.duration import duration_text

if TYPE_CHECKING:
    from portquorum.inventory import Inventory
    from portquorum.inventory.scan import Scanned, ScanPlan

EXIT_INTERRUPTED: Final = 130
_HOSTS_SHOWN: Final = 20


def planned(inventory: "Inventory", ports: str | None, hosts: list[str]) -> "ScanPlan":
    """The connections of a scan of `ports` (as written by the user; None: the usual ones).

    Raises:
        typer.BadParameter: the ports can't be read, or a host is none of the inventory.
    """
    from foundation.settings import load
    from portquorum.inventory.ports import SERVICES, parse
    from portquorum.inventory.scan import plan
    from schemas.partition import canonical_host

    try:
        wanted = tuple(sorted(SERVICES)) if ports is None else parse(ports)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ports") from error
    try:
        named = [canonical_host(host) for host in hosts]
        return plan(inventory, wanted, named, load().denied_networks)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--host") from error


def on_request(plan: "ScanPlan", rate: int, *, yes: bool) -> "Scanned | None":
    """The findings of a scan; None if there was nothing to scan, or the user declined.

    Raises:
        WrongUseError: there is nobody to ask.
    """
    if not plan.hosts:
        print_notes(["nothing to scan: the inventory names no host"])
    elif not plan.count:
        print_notes(["nothing to scan: all of these ports are watched"])
    elif not _agreed(plan, rate, yes=yes):
        print_notes(["nothing was scanned"])
    else:
        return asyncio.run(_scanned(plan, rate))
    return None


def show(found: "Scanned", inventory: "Inventory") -> None:
    """Shows open ports, entries to copy, and what was not visible."""
    from portquorum.inventory.suggestion import as_yaml, closed_entry, entry, service

    for one in found.open:
        place = f"[{one.host}]:{one.port}" if ":" in one.host else f"{one.host}:{one.port}"
        known = service(one.port)
        what = f"; its number is that of {known.name}" if known else ""
        text = f"{place}: open, and nobody put it in the inventory{what} (open_port)"
        out().print(Text(text), soft_wrap=True)
    if found.open:
        out().print(Text("\ntargets:  # to watch what is open, by the number of its port"))
        for one in found.open:
            out().print(Text(f"  {as_yaml(entry(one, inventory))}"), soft_wrap=True)
    closed = [made for one in found.open if (made := closed_entry(one, inventory)) is not None]
    if closed:
        out().print(Text("\ntargets:  # or, of what should not be open to all: to hear of it"))
        for made in closed:
            out().print(Text(f"  {as_yaml(made)}"), soft_wrap=True)
    print_notes(_notes(found))


def as_json(found: "Scanned", inventory: "Inventory") -> dict[str, Any]:
    """The findings as JSON; `entry` is one of `targets:`, and so is `closed_entry`, if any."""
    from portquorum.inventory.suggestion import closed_entry, entry, service

    return {
        "complete": found.complete,
        "looked_at": found.looked_at,
        "of": found.of,
        "failed": found.failed,
        "failure": found.failure,
        "skipped": [{"host": host, "why": why} for host, why in found.skipped.items()],
        "open": [
            {
                "host": one.host,
                "port": one.port,
                "address": one.address,
                "service": known.name if (known := service(one.port)) else None,
                "entry": entry(one, inventory),
                "closed_entry": closed_entry(one, inventory),
            }
            for one in found.open
        ],
    }


def _agreed(plan: "ScanPlan", rate: int, *, yes: bool) -> bool:
    """Shows the plan and asks; True if the user agrees."""
    for line in _said(plan, rate):
        err().print(Text(line), soft_wrap=True)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise WrongUseError(
            "--scan asks before it connects to anything, and there is no terminal to ask at: "
            "--yes says that the hosts are yours and may be scanned"
        )
    return typer.confirm("Are these hosts yours, and may they be scanned?", err=True)


def _said(plan: "ScanPlan", rate: int) -> list[str]:
    from portquorum.inventory.ports import text

    hosts = plan.hosts
    more = f", and {len(hosts) - _HOSTS_SHOWN} more" if len(hosts) > _HOSTS_SHOWN else ""
    takes = duration_text(plan.expected_s(rate) * 1000)
    count = f"{plan.count:,} connections, at most {rate} a second, {takes} at most"
    return [
        f"A scan from this machine: {count}.",
        f"  hosts: {', '.join(hosts[:_HOSTS_SHOWN])}{more}",
        f"  ports: {text(plan.ports)}, without those that are watched",
    ]


def _notes(found: "Scanned") -> list[str]:
    notes = [f"{host} was not scanned: {why}" for host, why in found.skipped.items()]
    if found.failed:
        notes.append(f"{found.failed:,} connections could not be tried: {found.failure}")
    if not found.complete:
        notes.append(f"stopped: {found.looked_at:,} of {found.of:,} were looked at")
    return notes


async def _scanned(plan: "ScanPlan", rate: int) -> "Scanned":
    """Scans with a progress bar on a terminal; on Ctrl-C returns the findings so far."""
    from portquorum.cli.progress import bar
    from portquorum.inventory.scan import scan

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with bar() as progress:
        task = progress.add_task("scanning", total=plan.count)
        return await scan(
            plan, rate, stop, lambda done, total: progress.update(task, completed=done, total=total)
        )
