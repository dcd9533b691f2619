"""An inventory entry for a port that a scan found open."""

from typing import Any

import yaml

from portquorum.inventory.ports import CLOSED_FROM_OUTSIDE, SERVICES, Service
from portquorum.inventory.resolve import Inventory
from portquorum.inventory.scan import OpenPort
from schemas.policy import Region

_UNKNOWN = Service("port")


def service(port: int) -> Service | None:
    """The usual service of the number; without asking the host."""
    return SERVICES.get(port)


def entry(found: OpenPort, inventory: Inventory) -> dict[str, Any]:
    """An item of `targets:`, with regions and team if all of the host's targets agree on them."""
    known = service(found.port) or _UNKNOWN
    named: dict[str, Any] = {
        "name": f"{found.host} - {known.name} {found.port}",
        "kind": known.kind,
        "host": found.host,
        "port": found.port,
    }
    of_host = [target for target in inventory.targets if target.host == found.host]
    regions = {region for target in of_host for region in target.regions}
    if regions < {entry.name for entry in inventory.policy if isinstance(entry, Region)}:
        named["regions"] = sorted(regions)
    teams = {target.team for target in of_host}
    if len(teams) == 1 and None not in teams:
        named["team"] = teams.pop()
    return named


def closed_entry(found: OpenPort, inventory: Inventory) -> dict[str, Any] | None:
    """An item of `targets:` for a port that should not be open to all; None for other ports."""
    if found.port not in CLOSED_FROM_OUTSIDE:
        return None
    return entry(found, inventory) | {"kind": "tcp", "expect": "closed"}


def as_yaml(entry: dict[str, Any]) -> str:
    """The entry on one line, in the inventory's notation."""
    line = yaml.safe_dump(
        entry, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return f"- {line.strip()}"
