"""Advice on a valid inventory."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from portquorum.inventory.false_alarms import AlarmPolicy, amount, of_fleet, policy_of
from portquorum.inventory.heartbeats import is_job
from portquorum.inventory.ports import SERVICES
from producers.kinds.registry import KINDS
from schemas.target import Target
from streams.rules.consensus import majority, need

_WEB: Final = {80: "http", 443: "http", 8080: "http", 8443: "http"}
# A port has one kind here: what listens on it is most likely that. Of HTTP's many ports only those
# on which hardly anything else is found.
_BY_PORT: Final = (
    {
        kind.port: name
        for name, kind in KINDS.items()
        # An open TCP port says nothing of those that use UDP alone.
        if kind.port is not None and name not in {"tls", "snmp", "ntp"}
    }
    | {port: one.kind for port, one in SERVICES.items() if one.kind not in {"tcp", "http"}}
    | _WEB
)

_NAME: Final = re.compile(r".+ - .+ (\d+)")
_FEW: Final = 4
_MOST: Final = 0.75
_NAMED: Final = 3
"""The most targets that a line of advice names."""

_LOSS: Final = 0.01
"""Share of checks that a path over the Internet may well lose."""


class Advice(Struct, frozen=True):
    """One piece of advice; `about` is a target's id or a host."""

    about: str
    rule: str
    text: str


def advice(targets: Iterable[Target]) -> tuple[Advice, ...]:
    """Possible improvements, in the order of the targets, then by host."""
    listed = tuple(targets)
    names_matter = _has_convention(listed)
    found: list[Advice] = []
    for target in listed:
        found += _of_target(target, names_matter=names_matter)
    return (*found, *_of_hosts(listed), *_of_fleet(listed))


def gathered(found: Iterable[Advice]) -> Iterator[str]:
    """A line for each piece of advice; one for all targets that the same words are about."""
    about: dict[tuple[str, str], list[str]] = {}
    for one in found:
        about.setdefault((one.rule, one.text), []).append(one.about)
    for (rule, text), names in about.items():
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        yield f"{', '.join(names[:_NAMED])}{more}: {text} ({rule})"


def _of_target(target: Target, *, names_matter: bool) -> Iterator[Advice]:
    kind = _BY_PORT.get(target.port or 0)
    expects_open = target.expect == "open"
    if target.kind == "tcp" and target.probe is None and kind is not None and expects_open:
        text = (
            f"an open port {target.port} does not say that anything works behind it: "
            f"kind: {kind} would tell more"
        )
        yield Advice(target.id, "kind", text)
    if names_matter and target.port is not None and not _named(target):
        text = f"most names read `what - service port`, this one is {target.name!r}"
        yield Advice(target.id, "name", text)
    if target.team is None:
        yield Advice(target.id, "team", "nobody is responsible: give it a team")
    if target.purpose is None:
        text = "whoever is woken will ask what it is for: give it a purpose"
        yield Advice(target.id, "purpose", text)
    if not is_job(target):
        yield from _of_consensus(target)


def _of_consensus(target: Target) -> Iterator[Advice]:
    """Advice on the vote: regions whose loss blinds the target, and policies without an effect."""
    regions, consensus = tuple(dict.fromkeys(target.regions)), target.consensus
    if len(regions) == 2:
        text = (
            f"it has two regions, {' and '.join(regions)}: when one of them is silent nobody can "
            "judge it, and no incident opens; give it a third one, or a single one"
        )
        yield Advice(target.id, "two_regions", text)
    if consensus == "unanimous":
        if len(regions) == 1:
            text = "`unanimous` of one region says nothing: name more regions, or leave it out"
            yield Advice(target.id, "unanimous", text)
    elif consensus != "quorum":
        asked, least = need(consensus, len(regions)), majority(len(regions))
        if asked < least:
            text = (
                f"the fraction {consensus:g} of {len(regions)} regions is {asked}, but at least a "
                f"majority ({least}) must always agree: it has no effect"
            )
            yield Advice(target.id, "fraction", text)


def _of_hosts(targets: Iterable[Target]) -> Iterator[Advice]:
    ports: dict[str, set[int | None]] = defaultdict(set)
    for target in targets:
        if target.host is not None and target.expect == "open":
            ports[target.host].add(target.port)
    for host, watched in ports.items():
        if all(port in _WEB for port in watched):
            text = (
                "only its web ports are watched: when they fail, another one (22, the database's) "
                "tells a dead host from a dead service"
            )
            yield Advice(host, "web_only", text)


def _of_fleet(targets: Iterable[Target]) -> Iterator[Advice]:
    """Policies with too many false alarms; `about` is the first of their targets."""
    first: dict[AlarmPolicy, str] = {}
    listed = tuple(one for one in targets if one.expect == "open" and not is_job(one))
    for target in listed:
        first.setdefault(policy_of(target), target.id)
    for policy, (number, alarms) in of_fleet(listed, _LOSS).items():
        if alarms > 1:
            like = "" if number == 1 else f" and {number - 1} like it"
            text = (
                f"where {_LOSS:.0%} of checks are lost, this target{like} ({policy.in_words}) "
                f"would give about {amount(alarms)} false alarms a day: more retries or regions "
                "give fewer"
            )
            yield Advice(first[policy], "false_alarms", text)


def _has_convention(targets: tuple[Target, ...]) -> bool:
    with_port = [target for target in targets if target.port is not None]
    named = sum(map(_named, with_port))
    return named >= max(_FEW, _MOST * len(with_port))


def _named(target: Target) -> bool:
    """True if the name is like the examples: `Production DB - PostgreSQL 5432`."""
    found = _NAME.fullmatch(target.name)
    return found is not None and found[1] == str(target.port)
