"""The inventory as it is written in YAML: one Struct a kind of entry, nothing resolved yet.

None stands for "not written". JSON Schema for editors is made from these (`json_schema`).
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas._types import Kind, Port, RegionName, TargetId
from schemas.incident import Severity
from schemas.json_schema import portable
from schemas.target import Criticality, Fraction, Price, Slo

_DURATION: Final = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)\Z"
_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"

Duration = Annotated[str, Meta(pattern=_DURATION, description="30s, 1m, 250ms, 2h")]
Name = Annotated[str, Meta(pattern=_NAME)]
Tag = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Consensus = Literal["quorum", "unanimous"] | Fraction
Tags = Annotated[tuple[Tag, ...], Meta(max_length=64)]
Regions = Annotated[tuple[RegionName, ...], Meta(min_length=1, max_length=1000)]

PATTERN_TEXT: Final = {
    _DURATION: "a duration such as 250ms, 30s, 1m or 2h",
    _NAME: "a name of at most 63 letters, digits, blanks, dots, hyphens, underscores",
    r"^[a-z0-9][a-z0-9._-]{0,127}\Z": (
        "an id of at most 128 lower-case letters, digits, dots, hyphens, underscores"
    ),
    r"^[a-z0-9][a-z0-9_-]{0,62}\Z": (
        "a name of at most 63 lower-case letters, digits, hyphens, underscores"
    ),
    r"^[a-z][a-z0-9_]{0,31}\Z": "a kind such as tcp",
    r"^([0-9A-Fa-f]{2} *)+\Z": 'bytes of two hex digits each such as "00 ff 0a"',
    r"^[A-Z0-9]{1,16}\Z": "a type of records in capital letters such as A or MX",
    r"^/[\x21-\x7e]{0,2000}\Z": (
        "a path that begins with / and has at most 2001 characters of ASCII and no blanks (others "
        "percent-encoded, as %20)"
    ),
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z": (
        "names of headers: at most 100 letters, digits, hyphens and the like, no blanks"
    ),
    r"^[\x20-\x7e]{0,2000}\Z": "values of headers: at most 2000 characters of ASCII",
}
"""The meaning of each pattern, in words."""


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class RegionEntry(_Entry, frozen=True, kw_only=True):
    """`regions: NAME:`; `allow` and `deny` are networks, `10.1.0.0/16` or one address."""

    internal: bool = False
    source: str | None = None
    connectivity: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class TeamEntry(_Entry, frozen=True, kw_only=True):
    """`teams: NAME:`."""

    routes: tuple[Name, ...] = ()
    slo: Slo | None = None
    downtime_cost_per_hour: Price | None = None


class RouteEntry(_Entry, frozen=True, kw_only=True):
    """`routes: NAME:`; `urls` are Apprise's, secrets as `${ENV_NAME}`."""

    urls: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=100)] | None = None
    severities: tuple[Severity, ...] = ()
    tags: Tags = ()
    kinds: tuple[Kind, ...] = ()


class LatencyEntry(_Entry, frozen=True, kw_only=True, rename={"for_results": "for"}):
    """`latency:`: too long for so many results in a row is slow.

    Too long is more than `max_ms`, more than `times_usual` times the usual time, or on the way to
    `max_ms` within `warn_ahead`.
    """

    max_ms: Annotated[float, Meta(gt=0, le=86_400_000)] | None = None
    for_results: Annotated[int, Meta(ge=1, le=1000)] = 3
    times_usual: Annotated[float, Meta(ge=1.5, le=1000)] | None = None
    warn_ahead: Duration | None = None


class Policy(_Entry, frozen=True, kw_only=True):
    """The fields that a target and `defaults:` have in common."""

    regions: Regions | None = None
    criticality: Criticality | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    retries: Annotated[int, Meta(ge=0, le=10)] | None = None
    retry_delay: Duration | None = None
    consensus: Consensus | None = None
    open_after: Duration | None = None
    recover_after: Annotated[int, Meta(ge=1, le=100)] | None = None
    abandon_after: Duration | None = None
    latency: LatencyEntry | None = None
    team: Name | None = None
    tags: Tags | None = None
    runbook: Text | None = None
    slo: Slo | None = None
    downtime_cost_per_hour: Price | None = None


class DefaultsEntry(Policy, frozen=True, kw_only=True):
    """`defaults:`, for every target of the inventory that does not say otherwise."""


class TargetEntry(Policy, frozen=True, kw_only=True):
    """One of `targets:`. `probe` has the options of the kind (docs/kinds.md)."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    id: TargetId | None = None
    kind: Kind = "tcp"
    host: str | None = None
    port: Port | None = None
    probe: dict[str, Any] | None = None
    purpose: Text | None = None
    depends_on: Annotated[tuple[TargetId, ...], Meta(max_length=100)] = ()


class MaintenanceEntry(_Entry, frozen=True, kw_only=True):
    """One of `maintenance:`; `targets` are ids or `tag:NAME`, `rrule` is RFC 5545's."""

    name: Name | None = None
    targets: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=10_000)] | None = None
    start: str | None = None
    duration: Duration | None = None
    rrule: str | None = None


class Document(_Entry, frozen=True, kw_only=True):
    """One YAML document."""

    regions: dict[RegionName, RegionEntry | None] | None = None
    teams: dict[Name, TeamEntry | None] | None = None
    routes: dict[Name, RouteEntry] | None = None
    defaults: DefaultsEntry | None = None
    targets: tuple[TargetEntry, ...] | None = None
    maintenance: tuple[MaintenanceEntry, ...] | None = None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an inventory document, for editors."""
    return portable(msgspec.json.schema(Document))
