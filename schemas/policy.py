"""What is not a target: regions, teams, routes, maintenance; the values of [policy].

The key of a message is `source/type/name` (`key` below), a null value removes the entry.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from schemas._types import Millis, Name, Names, RegionName, Text, Texts
from schemas.incident import Severity
from schemas.json_decoder import JsonDecoder
from schemas.target import Price, Slo


class Region(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="region"):
    """A place that checks.

    `internal` regions may reach private addresses; others those in the networks `allow` besides
    the public ones; none those in `deny` (CIDR). `source` is the local address that their checks
    leave from; `connectivity` lists `host:port` references that tell a prober whether its own
    network is alive.
    """

    name: RegionName
    internal: bool = False
    source: Name | None = None
    connectivity: Texts = ()
    allow: Texts = ()
    deny: Texts = ()


class Team(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="team"):
    """Who is responsible; `routes` names routes.

    `slo` and `downtime_cost_per_hour` are those of its targets that have none of their own; they
    stand in the targets already, and here for the inventories that use a team of another one.
    """

    name: Name
    routes: Texts = ()
    slo: Slo | None = None
    downtime_cost_per_hour: Price | None = None


class Route(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="route"):
    """Who is told by which channels: Apprise URLs with `${ENV_NAME}` for secrets.

    An empty match field matches everything.
    """

    name: Name
    urls: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=1_000)]
    severities: Annotated[tuple[Severity, ...], Meta(max_length=1_000)] = ()
    tags: Names = ()
    kinds: Texts = ()


class Maintenance(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="maintenance"
):
    """A window in which nobody is woken. `targets` are ids or `tag:NAME`; `rrule` is RFC 5545."""

    name: Name
    targets: Texts
    start: Millis
    duration_ms: Annotated[int, Meta(gt=0, le=2**40)]
    rrule: Text | None = None


class ApplyMark(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="apply"):
    """Where an `apply` of a source is; one left at `begun` did not finish: republish all."""

    source: Name
    state: Literal["begun", "done"]
    at: Millis


Policy = Region | Team | Route | Maintenance | ApplyMark

_decoder: JsonDecoder[Policy] = JsonDecoder(Policy)


def key(source: str, entry: Policy) -> bytes:
    """The message key of an entry that came from the inventory `source`."""
    if isinstance(entry, ApplyMark):
        return f"{source}/apply/".encode()
    return f"{source}/{type(entry).__name__.lower()}/{entry.name}".encode()


def encode(entry: Policy) -> bytes:
    """The message value of an entry."""
    return msgspec.json.encode(entry)


def decode(value: bytes) -> Policy:
    """Decodes a value of [policy].

    Raises:
        msgspec.DecodeError: not an entry.
    """
    return _decoder.decode(value)


__all__ = [
    "ApplyMark",
    "Maintenance",
    "Policy",
    "Region",
    "Route",
    "Team",
    "decode",
    "encode",
    "key",
]
