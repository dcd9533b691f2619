"""The regions of an inventory to be, made fit for the private hosts among its targets."""

from collections.abc import Iterable
from typing import Any

from portquorum.importing.entries import Entry, number
from portquorum.importing.model import Options
from portquorum.importing.private_hosts import is_address, is_private
from producers.checks import name_server
from schemas.partition import canonical_host


def regions_for(
    entries: Iterable[Entry], options: Options, warnings: list[str]
) -> dict[str, dict[str, Any]]:
    """The regions, made fit for the private hosts among the targets."""
    private = [(entry, host) for entry in entries for host in _private(entry)]
    if options.private == "refuse":
        for entry, host in private:
            entry.leave_out(f"{host} is a private host, and --private refuse leaves these out")
        private = []
    hosts = dict.fromkeys(host for _, host in private)
    region: dict[str, Any] = {}
    if hosts and options.private == "internal":
        region = {"internal": True}
        warnings.append(
            f"{number(len(hosts), 'host')} of {number(len(private), 'target')} can be reached "
            "from within a network alone, so the regions are `internal: true`: their probers may "
            "reach private addresses, and have to stand where these hosts are"
        )
    elif hosts:
        literal = sorted(canonical_host(host) for host in hosts if is_address(canonical_host(host)))
        names = [host for host in hosts if canonical_host(host) not in literal]
        region = {"allow": literal} if literal else {}
        warnings.append(
            f"{number(len(literal), 'private address', 'private addresses')} may be reached by "
            "`allow:` of the regions"
        )
        if names:
            warnings.append(
                f"{number(len(names), 'host')} are private names whose addresses are not known "
                f"here ({', '.join(names[:3])}, …): add their networks to `allow:`"
            )
    return {name: dict(region) for name in options.regions}


def _private(entry: Entry) -> list[str]:
    hosts = [str(one["host"]) for one in entry.targets if "host" in one]
    servers = [
        name_server.place_of(str(one["resolver"])).ip for one in entry.targets if "resolver" in one
    ]
    return [place for place in (*hosts, *servers) if is_private(place)]


def is_place(text: str) -> bool:
    """Whether a text is `host:port`."""
    host, _, port = text.rpartition(":")
    try:
        canonical_host(host)
    except ValueError:
        return False
    return port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536
