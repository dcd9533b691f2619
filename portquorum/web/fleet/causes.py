"""Open incidents by what they have in common: one row for the 41 ports behind one gateway. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
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
_NONE: Final[Mapping[str, "Cause"]] = {}

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
    """An open incident as the grouping looks at it; see `facts_of`.

    `is_down`: its target is of no use to what depends on it. `may_be_behind`: it depends on others,
    and may be down because of them. `certificate` names the one that ends, `region` is the only one
    that sees it down; both are empty for other incidents.
    """

    incident_id: str
    target: str
    host: str | None
    event: IncidentEvent
    is_improved: bool
    depends_on: tuple[str, ...]
    is_down: bool
    may_be_behind: bool
    certificate: str
    region: str


def facts_of(event: IncidentEvent, is_improved: bool, depends_on: tuple[str, ...]) -> IncidentFacts:
    """What of an incident decides its cause; reckoned once for each of its events."""
    kind, must_be_closed = event.incident_type, event.expect == "closed"
    return IncidentFacts(
        incident_id=event.incident_id,
        target=event.target,
        host=event.host,
        event=event,
        is_improved=is_improved,
        depends_on=depends_on,
        is_down=kind in _NO_USE and not is_improved and not must_be_closed,
        may_be_behind=kind in _BEHIND and not must_be_closed and bool(depends_on),
        certificate=_certificate(event),
        region=_only_region(event),
    )


class Cause(Struct, frozen=True, kw_only=True):
    """Incidents with one cause; the first of `incidents` leads. `members` are they by id."""

    key: str
    kind: CauseKind
    title: str
    state: CauseState
    incidents: tuple[IncidentFacts, ...]
    members: tuple[IncidentFacts, ...]


_Groups = dict[tuple[CauseKind, str], list[IncidentFacts]]


def causes_of(
    incidents: Collection[IncidentFacts], known: Mapping[str, Cause] = _NONE
) -> list[Cause]:
    """The causes; each incident is in exactly one. Not in any order.

    `known` are causes by key that were found before: of the same incidents, they are given again.
    """
    incidents = sorted(incidents, key=attrgetter("incident_id"))
    down = {one.target: one for one in incidents if one.is_down}
    roots = _Roots(down).of
    behind: dict[str, str] = {}
    for one in incidents:
        if one.may_be_behind and (root := roots(one)) is not None:
            behind[one.incident_id] = root
    groups: _Groups = {}
    rest = incidents
    if behind:
        rest = _by_gateway(incidents, down, behind, groups)
    _by_what_they_share(rest, groups)
    return [_cause(kind, name, found, known) for (kind, name), found in groups.items()]


def _by_gateway(
    incidents: Iterable[IncidentFacts],
    down: Mapping[str, IncidentFacts],
    behind: Mapping[str, str],
    groups: _Groups,
) -> list[IncidentFacts]:
    """Puts what is behind a target, or on its host, into its group; returns the rest."""
    gateways = set(behind.values())
    gateway_host = {down[name].host: name for name in sorted(gateways) if down[name].host}
    rest = []
    for one in incidents:
        gateway = behind.get(one.incident_id)
        if gateway is None:
            if one.target in gateways:
                gateway = one.target
            elif one.event.incident_type in _BEHIND:
                gateway = gateway_host.get(one.host)
        if gateway is None:
            rest.append(one)
        else:
            groups.setdefault(("gateway", gateway), []).append(one)
    return rest


class _Roots:
    """The outermost target that is down, of those on which an incident's target depends."""

    def __init__(self, down: Mapping[str, IncidentFacts]) -> None:
        self._down = down
        self._known: dict[str, str] = {}

    def of(self, one: IncidentFacts) -> str | None:
        """None: nothing that it depends on is down, or it depends on itself in a circle."""
        first = self._first_down(one)
        if first is None:
            return None
        root = self._known.get(first)
        if root is None:
            root = self._known[first] = self._outermost(first)
        return None if one.target == root or self._leads_to(first, one.target) else root

    def _first_down(self, one: IncidentFacts) -> str | None:
        for name in one.depends_on:
            if name in self._down and name != one.target:
                return name
        return None

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


def _by_what_they_share(incidents: Sequence[IncidentFacts], groups: _Groups) -> None:
    """Certificates that end at one moment, hosts, single regions; the rest stands alone."""
    certificates = Counter(one.certificate for one in incidents if one.certificate)
    left: list[IncidentFacts] = []
    for one in incidents:
        if one.certificate and certificates[one.certificate] > 1:
            groups.setdefault(("certificate", one.certificate), []).append(one)
        else:
            left.append(one)
    hosts = _shared_hosts(left)
    alone: list[IncidentFacts] = []
    for one in left:
        if one.host is not None and one.host in hosts:
            groups.setdefault(("host", one.host), []).append(one)
        else:
            alone.append(one)
    regions = _single_regions(alone)
    for one in alone:
        region = regions.get(one.incident_id)
        if region is not None:
            groups.setdefault(("region", region), []).append(one)
        else:
            groups.setdefault(("target", one.target), []).append(one)


def _shared_hosts(incidents: Iterable[IncidentFacts]) -> set[str]:
    """Hosts of which several targets have an incident."""
    first: dict[str, str] = {}
    shared = set()
    for one in incidents:
        host = one.host
        if host is not None and first.setdefault(host, one.target) != one.target:
            shared.add(host)
    return shared


def _single_regions(incidents: Iterable[IncidentFacts]) -> dict[str, str]:
    """The region by id, of incidents on many hosts at once that it alone sees: rather its fault."""
    seen: dict[str, list[IncidentFacts]] = {}
    for one in incidents:
        if one.region:
            seen.setdefault(one.region, []).append(one)
    return {
        one.incident_id: region
        for region, ones in seen.items()
        for together in _at_once(ones)
        if len(together) >= SAME_REGION_LEAST
        and len({one.host for one in together}) >= SAME_REGION_HOSTS
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


def _only_region(event: IncidentEvent) -> str:
    """The region of a target that no other one checks, if nobody answers it; else empty."""
    if event.incident_type != "unreachable" or len(event.regions) != 1:
        return ""
    [(region, verdict)] = event.regions.items()
    return region if verdict.reason in _UNANSWERED else ""


def _certificate(event: IncidentEvent) -> str:
    """What names a certificate that ends: its end. Two that end in one second are the same."""
    ends = event.expires_at
    return "" if event.incident_type != "expiring" or ends is UNSET else str(ends)


def _cause(
    kind: CauseKind, name: str, found: list[IncidentFacts], known: Mapping[str, Cause]
) -> Cause:
    key, members = f"{kind}/{name}", tuple(found)
    before = known.get(key)
    if before is not None and before.members == members:
        return before
    rank = _rank_of_gateway(name) if kind == "gateway" else _rank
    ordered = tuple(sorted(found, key=rank))
    lead = ordered[0].event
    title = {"gateway": lead.name, "host": name, "region": name}.get(kind, lead.name)
    return Cause(
        key=key,
        kind=kind,
        title=title,
        state=_STATE.get(lead.incident_type, "down"),
        incidents=ordered,
        members=members,
    )


_Rank = tuple[int, int, int, str]


def _rank(one: IncidentFacts) -> _Rank:
    """Which incident leads: the worst, then the first."""
    event = one.event
    state = STATE_ORDER.index(_STATE.get(event.incident_type, "down"))
    return state, SEVERITY_ORDER.index(event.severity), event.first_failed_at, event.incident_id


def _rank_of_gateway(name: str) -> Callable[[IncidentFacts], tuple[bool, _Rank]]:
    return lambda one: (one.target != name, _rank(one))
