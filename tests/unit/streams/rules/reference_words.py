"""What the reference tells, and the arithmetic that it rests on (rules 1, 4 and 5)."""

from decimal import ROUND_CEILING, Decimal
from typing import Final

from msgspec import UNSET, Struct

from schemas.incident import (
    IncidentEvent,
    IncidentType,
    RegionEvent,
    Severity,
    TargetsEvent,
    Votes,
)
from schemas.probe import DomainProbe, TcpProbe
from schemas.target import Criticality, Target
from streams.rules.apply import Output

CRITICAL: Final[dict[IncidentType, set[Criticality]]] = {
    "unreachable": {"critical", "important"},
    "flapping": {"critical", "important"},
    "slow": {"critical"},
    "expiring": set(),
}
"""Rule 6: the criticalities with which an incident of a type is critical; else it is a warning,
or no more than information: the end of a certificate of a target that is normal."""


def severity(of: IncidentType, target: Target) -> Severity:
    if target.criticality in CRITICAL[of]:
        return "critical"
    return "info" if (of, target.criticality) == ("expiring", "normal") else "warning"


def place(target: Target) -> tuple[str, str | None, int | None, str]:
    """What makes it another target: kind, host, port, and what the port should be."""
    return target.kind, target.host, target.port, target.expect


def warn_ms(target: Target) -> int:
    """Rule 13: how long before its end a certificate (a domain) is told of; 0: never."""
    options = target.probe
    if isinstance(options, DomainProbe):
        return options.warn_days * 86_400_000
    plain = getattr(options, "tls", "") == "none"
    if isinstance(options, TcpProbe):
        plain = plain and not [step for step in options.steps if step.starttls]
    if plain or not getattr(options, "verify", False):
        return 0
    return int(getattr(options, "warn_days", 0)) * 86_400_000


Word = tuple[str, str | None]
"""Who acknowledged or resolved by hand, and the note."""


Paused = tuple[str, int | None, str | None]
"""Who paused a target, until when (log time; None: until it is resumed), and why."""


def word(by: str | None, note: str | None) -> Word | None:
    assert by is not None or note is None
    return None if by is None else (by, note)


class Opened(Struct, frozen=True):
    target: str
    type: IncidentType
    severity: Severity
    at: int
    votes: Votes
    first_failed_at: int


class Closed(Struct, frozen=True):
    target: str
    type: IncidentType
    at: int
    votes: Votes
    first_failed_at: int
    because: str
    abandoned: tuple[str, ...] = ()
    episode: int = 1
    recovered_at: int | None = None
    acknowledged: Word | None = None
    resolved: Word | None = None
    paused: Paused | None = None


class Improved(Struct, frozen=True):
    target: str
    type: IncidentType
    at: int
    votes: Votes
    episode: int


class Worsened(Struct, frozen=True):
    """Down again within an open incident. Nobody has acknowledged that yet."""

    target: str
    type: IncidentType
    at: int
    votes: Votes
    episode: int
    began: int


class Updated(Struct, frozen=True):
    """Something that must be told of an open incident; a diagnosis that changes may be, beside."""

    target: str
    type: IncidentType
    at: int
    acknowledged: Word | None = None


class Silent(Struct, frozen=True):
    """`last_beat_at` is None of a region that was never heard."""

    region: str
    at: int
    last_beat_at: int | None


class Returned(Struct, frozen=True):
    region: str
    at: int
    last_beat_at: int | None


class Suspect(Struct, frozen=True):
    region: str
    at: int


class Cleared(Struct, frozen=True):
    region: str
    at: int


class Unwatched(Struct, frozen=True):
    """Targets that nobody can judge; the silent regions with their last beats."""

    at: int
    severity: Severity
    count: int
    most_critical: tuple[str, ...]
    silent: tuple[tuple[str, int | None], ...]


class Seen(Struct, frozen=True):
    """All targets are watched again."""

    at: int
    severity: Severity


OfRegion = Silent | Returned | Suspect | Cleared
OfEpisode = Improved | Worsened
Told = Opened | Closed | Updated | OfEpisode | OfRegion | Unwatched | Seen


class Clock:
    """Log time, and running time: the same without the gaps in which the broker was away.

    Running time goes on where it stood when the broker's clock is set back.
    """

    def __init__(self) -> None:
        self.now = 0
        self.gaps: list[tuple[int, int]] = []
        self.less = 0
        self.right_until = 0

    def advance(self, append_time: int) -> int:
        """How far the clock was set back; 0 if it was not."""
        step = self.now - append_time
        if step > 15_000:
            running = self.running(self.now)
            begin, end = self.gaps[-1] if self.gaps else (0, 0)
            self.right_until = begin if begin <= append_time < end else 0
            self.now, self.gaps, self.less = append_time, [], append_time - running
            return step
        if self.now and append_time - self.now > 15_000:
            self.gaps.append((self.now, append_time))
        self.now = max(self.now, append_time)
        return 0

    def told(self, at: int, step: int) -> int:
        """A time that people read after a step back; what was right before it stays.

        If the new time falls into the last gap, the clock was ahead since that began.
        """
        return at if at <= self.right_until else max(self.right_until, at - step)

    def running(self, at: int) -> int:
        stood = sum(min(at, end) - begin for begin, end in self.gaps if at > begin)
        return at - self.less - stood


def span(target: Target) -> int:
    """Rule 4: `2.5 × interval + timeout`."""
    return int(Decimal("2.5") * target.interval_ms + target.timeout_ms)


def late(target: Target) -> int:
    """What is appended so long after its start waited in a spool (decision 11)."""
    return min(span(target), target.timeout_ms + 15_000)


def majority(regions: int) -> int:
    return next(n for n in range(regions + 2) if 2 * n > regions)


def need(target: Target, fresh: int) -> int:
    """Rule 5: how many of the fresh regions must say down, by the target's consensus."""
    if target.consensus == "unanimous":
        share = Decimal(1)
    elif target.consensus == "quorum":
        share = Decimal("0.66")
    else:
        share = Decimal(str(target.consensus))
    return int((share * fresh).to_integral_value(ROUND_CEILING))


def told_by(out: Output) -> Told | None:  # noqa: PLR0911 - a case an event
    """What the reference, too, would tell; None for what it does not know."""
    match out:
        case IncidentEvent(event="opened"):
            assert word(out.acknowledged_by, out.acknowledged_note or None) is None
            return Opened(
                out.target, out.incident_type, out.severity, out.at, out.votes, out.first_failed_at
            )
        case IncidentEvent(event="updated"):
            acknowledged = word(out.acknowledged_by, out.acknowledged_note or None)
            return Updated(out.target, out.incident_type, out.at, acknowledged)
        case IncidentEvent(event="improved" | "worsened"):
            return told_of_episode(out)
        case IncidentEvent(event="closed", closed_because=str(because)):
            return Closed(
                out.target,
                out.incident_type,
                out.at,
                out.votes,
                out.first_failed_at,
                because,
                out.abandoned_regions,
                out.episode or 1,
                out.recovered_at or None,
                word(out.acknowledged_by, out.acknowledged_note or None),
                word(out.resolved_by or None, out.resolved_note or None),
                paused_by(out),
            )
        case RegionEvent():
            return told_of_region(out)
        case TargetsEvent():
            return told_of_targets(out)
        case _:
            return None


def paused_by(out: IncidentEvent) -> Paused | None:
    if out.paused_by is UNSET:
        assert out.paused_until is out.paused_note is UNSET
        return None
    until = None if out.paused_until is UNSET else out.paused_until
    return out.paused_by, until, out.paused_note or None


def told_of_episode(out: IncidentEvent) -> OfEpisode:
    name, of, at, votes = out.target, out.incident_type, out.at, out.votes
    if out.event == "improved":
        return Improved(name, of, at, votes, out.episode or 1)
    assert word(out.acknowledged_by, out.acknowledged_note or None) is None
    assert out.episode
    assert out.episode_began_at
    return Worsened(name, of, at, votes, out.episode, out.episode_began_at)


def told_of_targets(out: TargetsEvent) -> Unwatched | Seen:
    if out.event == "targets.watched":
        return Seen(out.at, out.severity)
    return Unwatched(
        out.at,
        out.severity,
        out.count,
        tuple(one.target for one in out.most_critical),
        tuple(out.silent_regions.items()),
    )


def told_of_region(out: RegionEvent) -> OfRegion | None:
    match out:
        case RegionEvent(event="region.silent", last_beat_at=last):
            return Silent(out.region, out.at, last)
        case RegionEvent(event="region.returned", last_beat_at=last):
            return Returned(out.region, out.at, last)
        case RegionEvent(event="region.suspect"):
            return Suspect(out.region, out.at)
        case RegionEvent(event="region.cleared"):
            return Cleared(out.region, out.at)
        case _:
            return None
