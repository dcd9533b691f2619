"""Open incidents by what they have in common: one row for the 41 ports behind one gateway. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct

from portquorum.web.answers import CauseKind
from schemas.incident import IncidentEvent

MOST_FOLLOWED: Final = 100
"""Targets that are followed from one to what it depends on."""

SAME_REGION_LEAST: Final = 10
"""Incidents that only one region sees, from which on they are one row of that region."""
SAME_REGION_HOSTS: Final = 3
SAME_REGION_APART_MS: Final = 120_000
"""From the first failure of one of them to that of the next, at most: what fails days apart has no
cause in common, though one region sees it."""

_NO_USE: Final = frozenset({"unreachable", "flapping"})
"""Types in which a target is of no use to what depends on it."""

_UNANSWERED: Final = frozenset(
    {"timed_out", "host_unreachable", "network_unreachable", "dns_failed"}
)
"""Reasons that a region's own network can be the cause of. Whoever refuses has been reached."""

_BEHIND: Final = frozenset({"unreachable", "flapping", "slow"})

CauseState = Literal["down", "flapping", "slow", "expiring"]
_STATE: Final[dict[str, CauseState]] = {
    "unreachable": "down",
    "flapping": "flapping",
    "slow": "slow",
    "expiring": "expiring",
}
STATE_ORDER: Final = ("down", "flapping", "slow", "unknown", "expiring")
SEVERITY_ORDER: Final = ("critical", "warning", "info")


class IncidentFacts(Struct, frozen=True, gc=False):
    """An open incident as the grouping looks at it."""

    event: IncidentEvent
    is_improved: bool
    depends_on: tuple[str, ...]


class Cause(Struct, frozen=True, kw_only=True):
    """Incidents with one cause; the first of `incidents` leads."""

    key: str
    kind: CauseKind
    title: str
    state: CauseState
    incidents: tuple[IncidentFacts, ...]


def causes_of(incidents: Collection[IncidentFacts]) -> list[Cause]:
    """The causes; each incident is in exactly one. Not in any order."""
    incidents = sorted(incidents, key=lambda one: one.event.incident_id)
    down = {
        one.event.target: one
        for one in incidents
        if one.event.incident_type in _NO_USE
        and not one.is_improved
        and one.event.expect != "closed"
    }
    roots = _Roots(down).of
    groups: dict[tuple[CauseKind, str], list[IncidentFacts]] = {}
    rest: list[IncidentFacts] = []
    behind = {}
    for one in incidents:
        root = roots(one)
        if root is not None:
            behind[one.event.incident_id] = root
    gateways = set(behind.values())
    gateway_host = {
        down[name].event.host: name for name in sorted(gateways) if down[name].event.host
    }
    for one in incidents:
        event = one.event
        gateway = behind.get(event.incident_id)
        if gateway is None and event.target in gateways:
            gateway = event.target
        if gateway is None and event.incident_type in _BEHIND and event.host is not None:
            gateway = gateway_host.get(event.host)
        if gateway is not None:
            groups.setdefault(("gateway", gateway), []).append(one)
        else:
            rest.append(one)
    _by_what_they_share(rest, groups)
    return [_cause(kind, name, found) for (kind, name), found in groups.items()]


class _Roots:
    """The outermost target that is down, of those on which an incident's target depends."""

    def __init__(self, down: Mapping[str, IncidentFacts]) -> None:
        self._down = down
        self._known: dict[str, str] = {}

    def of(self, one: IncidentFacts) -> str | None:
        """None: nothing that it depends on is down, or it depends on itself in a circle."""
        event = one.event
        if event.incident_type not in _BEHIND or event.expect == "closed" or not one.depends_on:
            return None
        first = self._first_down(one)
        if first is None:
            return None
        root = self._known.get(first)
        if root is None:
            root = self._known[first] = self._outermost(first)
        return None if event.target == root or self._leads_to(first, event.target) else root

    def _first_down(self, one: IncidentFacts) -> str | None:
        own = one.event.target
        return next((name for name in one.depends_on if name != own and name in self._down), None)

    def _outermost(self, name: str) -> str:
        """The last one of the chain; of a circle the first in the alphabet."""
        chain = [name]
        while len(chain) < MOST_FOLLOWED:
            after = self._first_down(self._down[chain[-1]])
            if after is None:
                return chain[-1]
            if after in chain:
                return min(chain[chain.index(after) :])
            chain.append(after)
        return chain[-1]

    def _leads_to(self, name: str, target: str) -> bool:
        """True if what is down at `name` depends on `target` in turn: there nobody is first."""
        seen: set[str] = set()
        while name not in seen and len(seen) < MOST_FOLLOWED:
            if name == target:
                return True
            seen.add(name)
            after = self._first_down(self._down[name])
            if after is None:
                return False
            name = after
        return False


def _by_what_they_share(
    incidents: Sequence[IncidentFacts],
    groups: dict[tuple[CauseKind, str], list[IncidentFacts]],
) -> None:
    """Certificates that end at one moment, hosts, single regions; the rest stands alone."""
    ends = list(map(_certificate, incidents))
    certificates = Counter(ends)
    left: list[IncidentFacts] = []
    for one, certificate in zip(incidents, ends, strict=True):
        if certificate and certificates[certificate] > 1:
            groups.setdefault(("certificate", certificate), []).append(one)
        else:
            left.append(one)
    hosts: dict[str, set[str]] = {}
    for one in left:
        if one.event.host is not None:
            hosts.setdefault(one.event.host, set()).add(one.event.target)
    alone: list[IncidentFacts] = []
    for one in left:
        host = one.event.host
        if host is not None and len(hosts[host]) > 1:
            groups.setdefault(("host", host), []).append(one)
        else:
            alone.append(one)
    regions = _single_regions(alone)
    for one in alone:
        region = regions.get(one.event.incident_id)
        if region is not None:
            groups.setdefault(("region", region), []).append(one)
        else:
            groups.setdefault(("target", one.event.target), []).append(one)


def _single_regions(incidents: Iterable[IncidentFacts]) -> dict[str, str]:
    """The region by id, of incidents on many hosts at once that it alone sees: rather its fault."""
    seen: dict[str, list[IncidentFacts]] = {}
    for one in incidents:
        region = _only_region(one)
        if region:
            seen.setdefault(region, []).append(one)
    return {
        one.event.incident_id: region
        for region, ones in seen.items()
        for together in _at_once(ones)
        if len(together) >= SAME_REGION_LEAST
        and len({one.event.host for one in together}) >= SAME_REGION_HOSTS
        for one in together
    }


def _at_once(incidents: Iterable[IncidentFacts]) -> Iterator[list[IncidentFacts]]:
    """Each lot that began to fail together."""
    together: list[IncidentFacts] = []
    for one in sorted(incidents, key=lambda one: one.event.first_failed_at):
        began_at = one.event.first_failed_at
        if together and began_at - together[-1].event.first_failed_at > SAME_REGION_APART_MS:
            yield together
            together = []
        together.append(one)
    yield together


def _only_region(one: IncidentFacts) -> str:
    """The region of a target that no other one checks, if nobody answers it; else empty."""
    regions = one.event.regions
    if one.event.incident_type != "unreachable" or len(regions) != 1:
        return ""
    [(region, verdict)] = regions.items()
    return region if verdict.reason in _UNANSWERED else ""


def _certificate(one: IncidentFacts) -> str:
    """What names a certificate that ends: its end. Two that end in one second are the same."""
    ends = one.event.expires_at
    return "" if one.event.incident_type != "expiring" or ends is UNSET else str(ends)


def _cause(kind: CauseKind, name: str, found: list[IncidentFacts]) -> Cause:
    rank = _rank_of_gateway(name) if kind == "gateway" else _rank
    ordered = tuple(sorted(found, key=rank))
    lead = ordered[0].event
    title = {"gateway": lead.name, "host": name, "region": name}.get(kind, lead.name)
    return Cause(
        key=f"{kind}/{name}",
        kind=kind,
        title=title,
        state=_STATE.get(lead.incident_type, "down"),
        incidents=ordered,
    )


_Rank = tuple[int, int, int, str]


def _rank(one: IncidentFacts) -> _Rank:
    """Which incident leads: the worst, then the first."""
    event = one.event
    state = STATE_ORDER.index(_STATE.get(event.incident_type, "down"))
    return state, SEVERITY_ORDER.index(event.severity), event.first_failed_at, event.incident_id


def _rank_of_gateway(name: str) -> Callable[[IncidentFacts], tuple[bool, _Rank]]:
    return lambda one: (one.event.target != name, _rank(one))
