"""Policy entries, the values of [policy]: regions, teams, routes, maintenance, silences and so on.

The key of a message is `source/type/name` (`key` below), a null value removes the entry.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas._types import (
    DurationMs,
    Millis,
    Name,
    Names,
    Note,
    RegionName,
    TargetId,
    Text,
    Texts,
)
from schemas.incident import IncidentType, Severity
from schemas.json_decoder import JsonDecoder
from schemas.target import Criticality, Price, Slo

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Zone = Annotated[str, Meta(min_length=1, max_length=64)]
"""A name of the IANA time zone database, such as `Europe/Berlin`."""

ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
"""A time of day on the wall clock of a zone, `HH:MM`."""

Seconds = Annotated[float, Meta(ge=0, le=1e9)]
LongDurationMs = Annotated[int, Meta(ge=0, le=2**40, description="a span in milliseconds")]


class Hours(Struct, frozen=True, gc=False, kw_only=True):
    """Hours of a week on the wall clock of a zone.

    On each of `days` (empty: every day) from `begin` to `end`, the end not included. With `end` not
    after `begin` they reach into the next day, and belong to the day on which they begin; equal
    ones are 24 hours.
    """

    days: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    begin: ClockTime = "00:00"
    end: ClockTime = "00:00"


class Person(Struct, frozen=True, gc=False, kw_only=True):
    """One member of a rotation, with channels as `Route.urls` has them."""

    name: Name
    urls: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=1_000)]


class Rotation(Struct, frozen=True, gc=False, kw_only=True):
    """Who is on duty: `people` one after the other, from the local date `since` (`YYYY-MM-DD`) on.

    Each is on duty for `days` days, from `handover` to `handover` on the wall clock of the route's
    zone. Before `since` the first one is.
    """

    people: Annotated[tuple[Person, ...], Meta(min_length=1, max_length=1_000)]
    since: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
    days: Annotated[int, Meta(ge=1, le=366)] = 7
    handover: ClockTime = "09:00"


class Quiet(Struct, frozen=True, gc=False, kw_only=True):
    """Hours in which a route is told nothing; what is true at their end is told then.

    Events with one of the severities `unless` are told at any hour.
    """

    hours: Annotated[tuple[Hours, ...], Meta(min_length=1, max_length=100)]
    unless: Annotated[tuple[Severity, ...], Meta(max_length=1_000)] = ()


class Limit(Struct, frozen=True, gc=False, kw_only=True):
    """At most so many messages to each channel for people within any `per_ms`.

    What is held meanwhile is one message when there is room again.
    """

    messages: Annotated[int, Meta(ge=1, le=1_000)]
    per_ms: Annotated[int, Meta(ge=60_000, le=86_400_000)]


class EscalationStep(Struct, frozen=True, gc=False, kw_only=True):
    """The routes that are told, too, if nobody has acknowledged `after_ms` after the beginning."""

    after_ms: Annotated[int, Meta(ge=60_000, le=2_592_000_000)]
    routes: Annotated[Names, Meta(min_length=1)]


class Templates(Struct, frozen=True, gc=False, kw_only=True):
    """Texts of a route, as Jinja2 templates (docs/notifications.md); None: the usual text.

    `subject` and `text` are for people, `html` for mail, `short` for SMS.
    """

    subject: Text | None = None
    text: Text | None = None
    html: Text | None = None
    short: Text | None = None


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


class Match(Struct, frozen=True, gc=False, kw_only=True):
    """What an event must have; an empty field matches everything, the fields together are "and".

    `targets` are ids, `kinds`, `tags` and `teams` names; in all four `*` stands for any characters.
    `tags`: one of the target's is enough. `regions`: one of those that see it down, or the region
    of a region event. Events of regions and of targets that nobody can judge have severity and
    region alone: another field that is not empty does not match them.
    """

    teams: Names = ()
    tags: Names = ()
    targets: Texts = ()
    kinds: Texts = ()
    regions: Annotated[tuple[RegionName, ...], Meta(max_length=1_000)] = ()
    severities: Annotated[tuple[Severity, ...], Meta(max_length=1_000)] = ()
    incident_types: Annotated[tuple[IncidentType, ...], Meta(max_length=1_000)] = ()
    criticalities: Annotated[tuple[Criticality, ...], Meta(max_length=1_000)] = ()


class Route(Match, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="route"):
    """The channels for some incidents: Apprise URLs with `${ENV_NAME}` for secrets.

    `when` are the hours in which it takes events (empty: always), on the wall clock of `timezone`.
    `stop`: routes after it are not looked at. `default`: it takes what no other route took; None
    (as 0.1 wrote) is "if no team names it, and no route of the policy says `true`". `operators`: it
    takes events of regions and of targets that nobody can judge. `rotation` adds the channels of
    who is on duty. `quiet` are hours in which people are not told. `fallback` names routes that are
    told in place of a channel of this route which has not confirmed for `fallback_after_ms`.
    `missed` says what becomes of an outage that began and ended before anybody could be told: one
    message, or none. `group_interval_ms`: least time between a message and the digest after it
    (None: the notifier's setting). `remind_every_ms`: an outage that nobody acknowledged is told
    again (0: never). `escalate` are further routes.
    """

    name: Name
    urls: Annotated[tuple[Text, ...], Meta(max_length=1_000)] = ()
    fallback: Names = ()
    fallback_after_ms: DurationMs = 120_000
    missed: Literal["tell", "drop"] = "tell"
    when: Annotated[tuple[Hours, ...], Meta(max_length=100)] = ()
    timezone: Zone = "UTC"
    stop: bool = False
    default: bool | None = None
    operators: bool = False
    rotation: Rotation | None = None
    quiet: Quiet | None = None
    group_interval_ms: DurationMs | None = None
    remind_every_ms: LongDurationMs = 0
    escalate: Annotated[tuple[EscalationStep, ...], Meta(max_length=20)] = ()
    limit: Limit | None = None
    templates: Templates | None = None


class Maintenance(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="maintenance"
):
    """A window without notifications. `targets` are ids or `tag:NAME`; `rrule` is RFC 5545.

    The rule is unrolled on the wall clock of `timezone`; None (as 0.1 wrote) is UTC.
    """

    name: Name
    targets: Texts
    start: Millis
    duration_ms: Annotated[int, Meta(gt=0, le=2**40)]
    rrule: Text | None = None
    timezone: Zone | None = None


class Silence(Match, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="silence"):
    """Tell nobody of what matches this, from `begins_at` until `ends_at`, because of `reason`.

    `name` is its id. It is the source `silence` that has silences; one that was ended early has the
    time of that as `ends_at`, and `ended_by`.
    """

    name: Name
    begins_at: Millis
    ends_at: Millis
    reason: Note
    by: Name
    created_at: Millis
    ended_by: Name | None = None


class Pause(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="pause"):
    """Nobody checks the target `name` (its id) from `paused_at` on, because of `reason`.

    It ends by itself at `until`; None: when somebody resumes it. It is the source `pause` that has
    pauses, and a null value ends one. The stream knows of it by `control.TargetPaused`.
    """

    name: TargetId
    paused_at: Millis
    until: Millis | None
    reason: Note
    by: Name

    def is_over(self, now: int) -> bool:
        """True if it has ended by itself at `now` (UTC ms)."""
        return self.until is not None and self.until <= now


class ApplyMark(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="apply"):
    """The progress of an `apply` of a source; `begun`: it did not finish, republish all."""

    source: Name
    state: Literal["begun", "done"]
    at: Millis


class DrillPlan(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="drill_plan"):
    """How often there shall be a fire drill; operators are told of one that is overdue."""

    name: Name
    every_ms: Annotated[int, Meta(ge=3_600_000, le=2**40)]


class DrillDone(Struct, frozen=True, gc=False, kw_only=True, tag_field="policy", tag="drill_done"):
    """The newest fire drill; `overdue` is the stage that did not come in time, empty: all did.

    It is of the source `drill`; `seconds` are those of each stage that was reached, by its name.
    """

    name: Name
    at: Millis
    overdue: Name = ""
    seconds: Annotated[dict[Name, Seconds], Meta(max_length=100)] = {}


Policy = Region | Team | Route | Maintenance | Silence | Pause | ApplyMark | DrillPlan | DrillDone

SILENCES: Final = "silence"
"""The source of silences; no inventory has this name."""

DRILLS: Final = "drill"
"""The source of fire drills; no inventory has this name."""

PAUSES: Final = "pause"
"""The source of pauses; no inventory has this name."""

WEB: Final = "web"
"""The source of the page's own inventory; no file has this name."""

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
    "DRILLS",
    "PAUSES",
    "SILENCES",
    "WEB",
    "ApplyMark",
    "ClockTime",
    "DrillDone",
    "DrillPlan",
    "EscalationStep",
    "Hours",
    "Limit",
    "Maintenance",
    "Match",
    "Pause",
    "Person",
    "Policy",
    "Quiet",
    "Region",
    "Rotation",
    "Route",
    "Silence",
    "Team",
    "Templates",
    "Weekday",
    "Zone",
    "decode",
    "encode",
    "key",
]
