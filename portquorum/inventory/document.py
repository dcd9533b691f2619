"""The inventory as it is written in YAML: one Struct a kind of entry, nothing resolved yet.

None stands for "not written". The JSON Schema for editors is made from these (`reference`).

What a file may say shorter (`shorthand.py`) follows from the types: a scalar where a tuple is meant
is a tuple of one; a text that is a number where a number is meant, and a number or truth value
where a text is meant (but not a `Duration`), are what is meant.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from schemas._types import ExpectedState, Kind, Port, RegionName, TargetId
from schemas.incident import IncidentType, Severity
from schemas.target import Criticality, Fraction, MaxMs, Price, Slo

DURATION_PATTERN: Final = (
    r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d)"
    r"|(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)\Z"
)
"""A number with a unit, or several whole ones with units that go down, each once: `1h30m`."""

_PORTS: Final = r"^[0-9]{1,5}-[0-9]{1,5}\Z"
_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"

_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"
_CLOCK: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z"
_DAY: Final = r"(mon|tue|wed|thu|fri|sat|sun)"
_DAYS: Final = rf"{_DAY}(-{_DAY})?(, ?{_DAY}(-{_DAY})?)*"
_SPAN: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
_HOURS: Final = rf"^({_DAYS}|{_SPAN}|{_DAYS} {_SPAN})\Z"
_LIMIT: Final = r"^[1-9][0-9]{0,3} in [0-9]+(\.[0-9]+)?(s|m|h|d)\Z"
_NAMES: Final = r"^[A-Za-z0-9*][A-Za-z0-9 ._*-]{0,62}\Z"
_IDS: Final = r"^[a-z0-9*][a-z0-9._*-]{0,127}\Z"
_KINDS: Final = r"^[a-z*][a-z0-9_*]{0,31}\Z"

Duration = Annotated[str, Meta(pattern=DURATION_PATTERN, description="30s, 1m, 250ms, 1h30m")]
Name = Annotated[str, Meta(pattern=_NAME)]
Tag = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Template = Annotated[str, Meta(min_length=1, max_length=10_000)]
Zone = Annotated[str, Meta(min_length=1, max_length=64, description="Europe/Berlin")]
Schedule = Annotated[str, Meta(min_length=1, max_length=200, description="0 3 * * *")]
PortRange = Annotated[str, Meta(pattern=_PORTS, description="8000-8003")]
Ports = Annotated[tuple[Port | PortRange, ...], Meta(min_length=1, max_length=1000)]
TemplateNames = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=100)]
Consensus = Literal["quorum", "unanimous"] | Fraction
Tags = Annotated[tuple[Tag, ...], Meta(max_length=64)]
Regions = Annotated[tuple[RegionName, ...], Meta(min_length=1, max_length=1000)]

HoursText = Annotated[str, Meta(pattern=_HOURS, description="mon-fri 18:00-08:00")]
WeekHours = HoursText | Annotated[tuple[HoursText, ...], Meta(min_length=1, max_length=100)]
RouteNames = Annotated[tuple[Name, ...], Meta(max_length=100)]

DURATION_TEXT: Final = "a duration such as 250ms, 30s, 1m or 1h30m"
PATTERN_TEXT: Final = {
    _DATE: "a date such as 2026-11-30",
    _CLOCK: "a time of day such as 09:00",
    _HOURS: "hours such as mon-fri 18:00-08:00, sat,sun or 22:00-07:00",
    _LIMIT: "a limit such as 20 in 1h",
    _NAMES: "a name, or several by * for any characters",
    _IDS: "the id of a target, or several by * for any characters (db-*)",
    _KINDS: "a kind such as tcp, or several by * for any characters",
    DURATION_PATTERN: DURATION_TEXT,
    _PORTS: "a port, or the first and the last one such as 8000-8003",
    _NAME: "a name of at most 63 letters, digits, blanks, dots, hyphens, underscores",
    r"^[a-z0-9][a-z0-9._-]{0,127}\Z": (
        "an id of at most 128 lower-case letters, digits, dots, hyphens, underscores"
    ),
    r"^[a-z0-9][a-z0-9_-]{0,62}\Z": (
        "a name of at most 63 lower-case letters, digits, hyphens, underscores"
    ),
    r"^[a-z][a-z0-9_]{0,31}\Z": "a kind in small letters such as tcp",
    r"^([0-9A-Fa-f]{2} *)+\Z": 'bytes of two hex digits each such as "00 ff 0a"',
    r"^[A-Z0-9]{1,16}\Z": "a type of records in capital letters such as A or MX",
    r"^[A-Z][A-Z-]{0,31}\Z": "a method in capital letters such as GET or POST",
    r"^[0-2](\.[0-9]{1,10}){1,127}\Z": "an identifier in digits such as 1.3.6.1.2.1.1.3.0",
    r"^[1-5][0-9]{2}-[1-5][0-9]{2}\Z": "the first and last status such as 200-299",
    r"^/[\x21-\x7e]{0,4000}\Z": (
        "a path that begins with / and has at most 4001 characters of ASCII and no blanks (others "
        "percent-encoded, as %20)"
    ),
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z": (
        "names of headers: at most 100 letters, digits, hyphens and the like, no blanks"
    ),
    r"^https?://[\x21-\x7e]{1,500}\Z": "a URL that begins with http:// or https://",
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


class RotationEntry(_Entry, frozen=True, kw_only=True):
    """`rotation:`; `people` are names, each with its channels, in the order of their turns.

    From the date `since` on, each is on duty for `every` (whole days) from `handover` to `handover`
    on the clock of the route's `timezone`.
    """

    people: dict[Name, Annotated[tuple[Text, ...], Meta(min_length=1, max_length=100)]]
    since: Annotated[str, Meta(pattern=_DATE)]
    every: Duration = "7d"
    handover: Annotated[str, Meta(pattern=_CLOCK)] = "09:00"


class QuietEntry(_Entry, frozen=True, kw_only=True):
    """`quiet:`; hours without messages to people, save those of the severities `unless`."""

    hours: WeekHours
    unless: Annotated[tuple[Severity, ...], Meta(max_length=3)] = ()


class EscalationEntry(_Entry, frozen=True, kw_only=True):
    """One of `escalate:`; `routes` are told too if nobody has acknowledged after that time."""

    after: Duration
    routes: Annotated[RouteNames, Meta(min_length=1)]


class TemplatesEntry(_Entry, frozen=True, kw_only=True):
    """`templates:` (Jinja2, docs/notifications.md): `subject` and `text` for people.

    `html` is for mail, `short` for SMS.
    """

    subject: Template | None = None
    text: Template | None = None
    html: Template | None = None
    short: Template | None = None


class RouteEntry(_Entry, frozen=True, kw_only=True):
    """`routes: NAME:`; `urls` are channels (docs/notifications.md), secrets as `${ENV_NAME}`.

    `severities` to `criticalities` choose the events. `when` and what else has hours is on the
    clock of `timezone`. `fallback` names routes that are told when a channel has not confirmed for
    `fallback_after` (0s to 24h). `missed`: what becomes of an outage that began and ended before
    anybody could be told.
    """

    urls: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=100)] | None = None
    severities: tuple[Severity, ...] = ()
    incident_types: tuple[IncidentType, ...] = ()
    criticalities: tuple[Criticality, ...] = ()
    teams: Annotated[tuple[Annotated[str, Meta(pattern=_NAMES)], ...], Meta(max_length=1000)] = ()
    tags: Tags = ()
    targets: Annotated[tuple[Annotated[str, Meta(pattern=_IDS)], ...], Meta(max_length=10_000)] = ()
    kinds: Annotated[tuple[Annotated[str, Meta(pattern=_KINDS)], ...], Meta(max_length=1000)] = ()
    regions: Annotated[tuple[RegionName, ...], Meta(max_length=1000)] = ()
    when: WeekHours | None = None
    timezone: Zone | None = None
    stop: bool = False
    default: bool | None = None
    operators: bool = False
    rotation: RotationEntry | None = None
    quiet: QuietEntry | None = None
    group_interval: Duration | None = None
    remind_every: Duration | None = None
    escalate: Annotated[tuple[EscalationEntry, ...], Meta(max_length=20)] = ()
    limit: Annotated[str, Meta(pattern=_LIMIT, description="20 in 1h")] | None = None
    fallback: RouteNames = ()
    fallback_after: Duration = "2m"
    missed: Literal["tell", "drop"] = "tell"
    templates: TemplatesEntry | None = None


class LatencyEntry(_Entry, frozen=True, kw_only=True, rename={"for_results": "for"}):
    """`latency:`: too long for so many results in a row is slow.

    Too long is more than `max_ms`, more than `times_usual` times the usual time, or on the way to
    `max_ms` within `warn_ahead`. `of`: the time of the connection or of the whole check.
    """

    max_ms: Annotated[float, Meta(gt=0, le=86_400_000)] | None = None
    for_results: Annotated[int, Meta(ge=1, le=1000)] = 3
    times_usual: Annotated[float, Meta(ge=1.5, le=1000)] | None = None
    warn_ahead: Duration | None = None
    of: Literal["connect", "total"] | None = None


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
    resolver: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    max_ms: MaxMs | None = None
    team: Name | None = None
    tags: Tags | None = None
    runbook: Text | None = None
    slo: Slo | None = None
    downtime_cost_per_hour: Price | None = None


class DefaultsEntry(Policy, frozen=True, kw_only=True):
    """`defaults:`, for every target of the inventory that does not say otherwise.

    What is about checks is none of heartbeats; `zone` is theirs alone.
    """

    zone: Zone | None = None


class TargetEntry(Policy, frozen=True, kw_only=True):
    """One of `targets:`. `probe` has the options of the kind (docs/kinds.md).

    `expect: closed`: the port must not be reachable. `enabled: false`: nobody checks it.
    `schedule` (crontab(5), on the clock of `zone`), `grace` and `max_runtime` are those of the kind
    `heartbeat`, which has an `interval` or a `schedule`.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    id: TargetId | None = None
    kind: Kind = "tcp"
    host: str | None = None
    port: Port | None = None
    probe: dict[str, Any] | None = None
    purpose: Text | None = None
    depends_on: Annotated[tuple[TargetId, ...], Meta(max_length=100)] = ()
    expect: ExpectedState = "open"
    enabled: bool = True
    schedule: Schedule | None = None
    zone: Zone | None = None
    grace: Duration | None = None
    max_runtime: Duration | None = None


class FileTargetEntry(TargetEntry, frozen=True, kw_only=True):
    """One of `targets:` in a file, before it is read as one target or several.

    `ports` in place of `port`: one target for each. `extends`: templates, a later one wins over an
    earlier one, and the target over all.
    """

    ports: Ports | None = None
    extends: TemplateNames | None = None


class TargetTemplateEntry(Policy, frozen=True, kw_only=True):
    """`templates: NAME:`, fields for targets (and templates) that name it by `extends:`."""

    kind: Kind | None = None
    port: Port | None = None
    ports: Ports | None = None
    probe: dict[str, Any] | None = None
    purpose: Text | None = None
    depends_on: Annotated[tuple[TargetId, ...], Meta(max_length=100)] | None = None
    expect: ExpectedState | None = None
    enabled: bool | None = None
    schedule: Schedule | None = None
    zone: Zone | None = None
    grace: Duration | None = None
    max_runtime: Duration | None = None
    extends: TemplateNames | None = None


class MaintenanceEntry(_Entry, frozen=True, kw_only=True):
    """One of `maintenance:`; `targets` are ids or `tag:NAME`, `rrule` is RFC 5545's.

    With `timezone`, `start` is a time of that zone's clock, and the rule goes by it.
    """

    name: Name | None = None
    targets: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=10_000)] | None = None
    start: str | None = None
    duration: Duration | None = None
    rrule: str | None = None
    timezone: Zone | None = None


class DrillEntry(_Entry, frozen=True, kw_only=True):
    """`drill:`; a fire drill (`portquorum drill`) is overdue after `every` (1h to 366d)."""

    every: Duration | None = None


class Document(_Entry, frozen=True, kw_only=True):
    """One YAML document."""

    regions: dict[RegionName, RegionEntry | None] | None = None
    teams: dict[Name, TeamEntry | None] | None = None
    routes: dict[Name, RouteEntry] | None = None
    defaults: DefaultsEntry | None = None
    templates: dict[Name, TargetTemplateEntry | None] | None = None
    targets: tuple[FileTargetEntry, ...] | None = None
    maintenance: tuple[MaintenanceEntry, ...] | None = None
    drill: DrillEntry | None = None
