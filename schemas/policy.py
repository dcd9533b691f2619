"""Policy entries: regions, teams, routes, maintenance, apply marks; the values of [policy].

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
    """A region: a place from which probers check.

    `internal` regions may reach private addresses; other regions reach public addresses and the
    networks `allow`; no region reaches the networks `deny` (CIDR). `source` is the local address of
    outgoing checks; `connectivity` lists `host:port` references by which a prober tests its own
    network.
    """

    name: RegionName
    internal: bool = False
    source: Name | None = None
    connectivity: Texts = ()
    allow: Texts = ()
    deny: Texts = ()


class Team(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="team"):
    """The people responsible for targets; `routes` names their routes.

    `slo` and `downtime_cost_per_hour` are the defaults for its targets. The targets have them
    resolved; they are here for inventories that use a team of another inventory.
    """

    name: Name
    routes: Texts = ()
    slo: Slo | None = None
    downtime_cost_per_hour: Price | None = None


class Route(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="route"):
    """The channels for some incidents: Apprise URLs with `${ENV_NAME}` for secrets.

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
    """A window without notifications. `targets` are ids or `tag:NAME`; `rrule` is RFC 5545."""

    name: Name
    targets: Texts
    start: Millis
    duration_ms: Annotated[int, Meta(gt=0, le=2**40)]
    rrule: Text | None = None


class ApplyMark(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="apply"):
    """The progress of an `apply` of a source; `begun`: it did not finish, republish all."""

    source: Name
    state: Literal["begun", "done"]
    at: Millis


Policy = Region | Team | Route | Maintenance | ApplyMark

_decoder: JsonDecoder[Policy] = JsonDecoder(Policy)


def key(source: str, entry: Policy) -> bytes:
    """The message key of an entry of the inventory `source`."""
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
