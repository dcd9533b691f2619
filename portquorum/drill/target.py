"""The records of a drill: its target, team and route, and the regions that may reach it. Pure."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from portquorum.inventory.present import Present
from portquorum.inventory.resolve import Inventory
from producers.checks import address_policy
from schemas import policy
from schemas.policy import DrillDone, Policy, Region, Route, Team
from schemas.target import Target

SOURCE: Final = policy.DRILLS
NAME: Final = "drill"
"""The name of the drill's team, route and tag."""

INTERVAL_MS: Final = 5_000
TIMEOUT_MS: Final = 1_000
RETRY_DELAY_MS: Final = 500


def reaching(regions: Iterable[Region], address: str) -> list[str]:
    """The names of the regions that may connect to an IP address, sorted."""
    ipaddress.ip_address(address)
    found = []
    for region in regions:
        deny = address_policy.networks(region.deny)
        allow = address_policy.networks(region.allow)
        refused = (
            address_policy.denied_because(address, deny)
            if region.internal
            else address_policy.blocked_because(address, allow, deny)
        )
        if refused is None:
            found.append(region.name)
    return sorted(found)


def nothing(present: Present) -> Inventory:
    """The drill's source when none runs: how the last one went, if there was one."""
    return Inventory(SOURCE, _last(present), (), ())


def wanted(
    present: Present, target_id: str, address: tuple[str, int], regions: Sequence[str], url: str
) -> Inventory:
    """The drill's source while one runs: only its own route is told of its target."""
    host, port = address
    target = Target(
        id=target_id,
        name="Fire drill",
        kind="tcp",
        host=host,
        port=port,
        regions=tuple(regions),
        interval_ms=INTERVAL_MS,
        timeout_ms=TIMEOUT_MS,
        retries=1,
        retry_delay_ms=RETRY_DELAY_MS,
        version=0,
        source=SOURCE,
        criticality="critical",
        team=NAME,
        tags=(NAME,),
        purpose="A drill of portquorum: it closes and opens again, and is removed then.",
    )
    entries: tuple[Policy, ...] = (
        Team(name=NAME, routes=(NAME,)),
        Route(name=NAME, urls=(url,), tags=(NAME,), targets=(target_id,), stop=True, default=False),
        *_last(present),
    )
    return Inventory(SOURCE, entries, (target,), ())


def _last(present: Present) -> tuple[Policy, ...]:
    return tuple(
        kept.entry
        for kept in present.policy.values()
        if kept.source == SOURCE and isinstance(kept.entry, DrillDone)
    )


def receiver_of(present: Present) -> tuple[str, int] | None:
    """Where the receiver of a drill listens that runs, or that left its route behind."""
    for kept in present.policy.values():
        if kept.source == SOURCE and isinstance(kept.entry, Route):
            for url in kept.entry.urls:
                place = urlsplit(url)
                try:
                    if place.hostname and place.port:
                        return place.hostname, place.port
                except ValueError:
                    continue
    return None


def taken(present: Present) -> str | None:
    """Whose team or route has the drill's name, in words; None: nobody's."""
    known = present.known(SOURCE)
    for what, names in (("team", known.teams), ("route", known.routes)):
        if NAME in names:
            return f"the {what} {NAME!r} of the source {names[NAME]!r}"
    return None
