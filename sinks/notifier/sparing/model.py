"""What the reasons look at, and what they say. Pure."""

from typing import Final, Literal

from msgspec import UNSET, Struct

from schemas.incident import IncidentEvent, RegionEvent
from schemas.wall_clock import local, zone_or_utc
from sinks.notifier.matching import Matchable, severity
from sinks.notifier.model import TargetFacts

SparedBy = Literal["silence", "maintenance", "dependency", "quiet", "flapping"]

SETTLE_MS: Final = 90_000
"""Time after the end of a reason for the target's own results, if nothing is known of it."""

SHOWN_LENGTH: Final = 200
"""Characters of a reason that are remembered; the row of the send log has it in full."""

_PREFIXES: Final[dict[str, SparedBy]] = {
    "silence ": "silence",
    "maintenance: ": "maintenance",
    "dependency: ": "dependency",
    "quiet hours ": "quiet",
    "flapping: ": "flapping",
}


class Spared(Struct, frozen=True):
    """Why something is not told now.

    `until` is the time (UTC ms) at which that ends or must be looked at again, None if only an
    event or a change of the policy ends it.
    """

    kind: SparedBy
    why: str
    until: int | None = None


class Outage(Struct, frozen=True):
    """What is to be told, as the reasons look at it.

    `began` is its first failure (log time, UTC ms). `target` is empty, and `tags` and `depends_on`
    are, if it is about no target.
    """

    event: Matchable
    began: int
    severity: str
    target: str = ""
    tags: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    settle_ms: int = SETTLE_MS


def outage_of(event: Matchable, facts: TargetFacts | None) -> Outage:
    """The outage that an event is about; `facts` of its target are newer than the event."""
    if not isinstance(event, IncidentEvent):
        began = event.at if isinstance(event, RegionEvent) else event.since
        return Outage(event=event, began=began, severity=severity(event))
    episode_began = event.episode_began_at
    return Outage(
        event=event,
        began=event.first_failed_at if episode_began is UNSET else episode_began,
        severity=event.severity,
        target=event.target,
        tags=event.tags if facts is None else facts.tags,
        depends_on=_depends_on(event, facts),
        settle_ms=SETTLE_MS if facts is None else facts.settle_ms,
    )


def kind_of(why: str) -> SparedBy | None:
    """The kind of a reason of which the beginning is left."""
    for prefix, kind in _PREFIXES.items():
        if why.startswith(prefix):
            return kind
    return None


def shortened(why: str) -> str:
    """The kind of a reason: its beginning, by which `kind_of` and `same_reason` know it."""
    return next((prefix for prefix in _PREFIXES if why.startswith(prefix)), "")


def same_reason(remembered: str, why: str) -> bool:
    """True if `remembered` is this reason, or what is left of it."""
    return bool(remembered) and why.startswith(remembered)


def day_and_time(at: int, zone: str | None) -> str:
    """`2026-11-30 04:00 Europe/Berlin`, on the wall clock of a zone (None: UTC)."""
    here = zone_or_utc(zone)
    return f"{local(at, here):%Y-%m-%d %H:%M} {here.key}"


def clock_time(at: int, zone: str | None) -> str:
    """`07:00 Europe/Berlin`, on the wall clock of a zone (None: UTC)."""
    here = zone_or_utc(zone)
    return f"{local(at, here):%H:%M} {here.key}"


def latest(reasons: list[Spared]) -> Spared | None:
    """The reason that lasts longest; of two that end together the first one."""
    best: Spared | None = None
    for one in reasons:
        if best is None or _ends(one) > _ends(best):
            best = one
    return best


def _ends(one: Spared) -> float:
    return float("inf") if one.until is None else one.until


def _depends_on(event: IncidentEvent, facts: TargetFacts | None) -> tuple[str, ...]:
    """What may be the cause; nothing that is down opens a port."""
    if event.expect == "closed":
        return ()
    return event.depends_on if facts is None else facts.depends_on
