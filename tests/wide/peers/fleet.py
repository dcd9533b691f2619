"""The monitors that every tool has: hosts with ten ports each on loopback, some of them refused."""

from typing import Final

from msgspec import Struct

PORTS: Final = range(20_000, 20_010)
TEAMS: Final = 10
FAILING: Final = 31
"""Ports that refuse from the start, as when Gatus and Uptime Kuma were measured first."""
INTERVAL_S: Final = 60


class Monitor(Struct, frozen=True):
    """A TCP port. The names sort as the monitors do."""

    name: str
    host: str
    port: int
    team: str


def monitors(count: int) -> list[Monitor]:
    """`count` monitors; ten hosts follow each other in ten teams."""
    return [
        Monitor(
            name=f"host-{number // len(PORTS):03d} port {PORTS[number % len(PORTS)]}",
            host=f"127.9.0.{number // len(PORTS) + 1}",
            port=PORTS[number % len(PORTS)],
            team=f"team {number * TEAMS // count}",
        )
        for number in range(count)
    ]


def failing(fleet: list[Monitor]) -> list[Monitor]:
    """The refused ones, spread evenly: each team and each page of a list has some."""
    return [fleet[number * len(fleet) // FAILING + 1] for number in range(FAILING)]


def outages(fleet: list[Monitor]) -> list[Monitor]:
    """Ports to close later: of eight hosts at the begin of the list, in every tool's first view."""
    refused = failing(fleet)
    first = [one for one in fleet[: 8 * len(PORTS)] if one.port == PORTS[5]]
    return [one for one in first if one not in refused]
