"""What depends on what: circles among names, and the hosts of what a target depends on."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from msgspec.structs import replace

from schemas.target import Target


def find_circle(depends_on: Mapping[str, Iterable[str]]) -> list[str]:
    """A circle, with its first element repeated at the end; empty if there is none."""
    try:
        TopologicalSorter({key: tuple(on) for key, on in depends_on.items() if on}).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def with_dependency_hosts(targets: Iterable[Target], others: Mapping[str, str]) -> list[Target]:
    """The targets, each with the hosts of those that it depends on, once each, in their order.

    `others` are the hosts of targets of other sources by id. A dependency without a host, or that
    nobody knows, adds none.
    """
    listed = list(targets)
    hosts = {**others, **{one.id: one.host for one in listed if one.host is not None}}
    return [
        replace(one, depends_on_hosts=_hosts(one.depends_on, hosts)) if one.depends_on else one
        for one in listed
    ]


def _hosts(depends_on: Iterable[str], hosts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hosts[name] for name in depends_on if name in hosts))
