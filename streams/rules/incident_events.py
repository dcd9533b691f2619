"""Events of an incident, and their texts."""

from schemas.duration import EVENT, duration_text
from schemas.incident import (
    ClosedBecause,
    EventKind,
    IncidentEvent,
    RegionVerdict,
    Votes,
)
from schemas.result import Reason
from schemas.target import Target
from streams import diagnosis
from streams.diagnosis import Diagnosis, Facts
from streams.rules import (
    consensus,
    diagnosis_facts,
    episode,
    expiring,
    expiring_words,
    incident_event,
    incident_words,
    slow,
)
from streams.rules.consensus import Tally
from streams.rules.episode import Sort
from streams.rules.host_status import host_targets, look_around
from streams.rules.ids import Deciding
from streams.state.host_view import Neighbours
from streams.state.partition_state import PartitionState
from streams.state.pauses import PauseTerms
from streams.state.target_state import OpenIncident, Resolution, TargetState
from streams.state.windows import Window


def sort_of(incident: OpenIncident) -> Sort:
    """The verdict on which an incident rests."""
    return "slow" if incident.incident_type == "slow" else "down"


def _votes(
    state: PartitionState, entry: TargetState, incident: OpenIncident, counted: Tally
) -> Votes:
    if incident.incident_type == "expiring":
        return expiring.votes(state, entry, counted)
    return episode.votes(counted, sort_of(incident))


def opened(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    counted: Tally,
    deciding: Deciding,
) -> IncidentEvent:
    """The event for a new incident; stores the announced facts in `incident`."""
    around = look_around(state, entry)
    known = diagnosis_facts.gather(state, entry, around)
    found = diagnosis.diagnose(known, incident.incident_type)
    _note_told(state, entry, incident)
    incident.diagnosis = found.likely
    return _event(
        state,
        entry,
        incident,
        "opened",
        deciding,
        target=known.target,
        votes=_votes(state, entry, incident, counted),
        around=around,
        summary=incident_words.summary(known, found, counted, incident),
        found=found,
    )


def updated(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    counted: Tally,
    deciding: Deciding,
    *,
    told: tuple[str, ...] = (),
    news: bool = False,
) -> IncidentEvent | None:
    """The event for changes since the last event; None without changes.

    With `news` of the host, the diagnosis may have changed. For a flapping incident only `told` is
    announced.
    """
    flaps = incident.incident_type == "flapping"
    changes = told if flaps else (*told, *_news(state, entry, incident))
    # While regions recover one by one, those that succeed say nothing of the cause. Nor do the
    # other targets of the host, where a certificate ends.
    settled = flaps or incident.recovery_asked or incident.incident_type == "expiring"
    if not changes and (settled or not news):
        return None
    around = look_around(state, entry)
    known = diagnosis_facts.gather(state, entry, around)
    found = None
    if involved(known, incident) and not incident.recovery_asked:
        found = diagnosis.diagnose(known, incident.incident_type)
        if found.likely != incident.diagnosis and not flaps:
            changes = (*changes, f"it now looks like this: {found.sentence}")
    if not changes:
        return None
    _note_told(state, entry, incident)
    if found is not None:
        incident.diagnosis = found.likely
    summary = (
        incident_words.summary(known, found, counted, incident)
        if found
        else incident_words.progress(known, counted, incident)
    )
    return _event(
        state,
        entry,
        incident,
        "updated",
        deciding,
        target=known.target,
        votes=_votes(state, entry, incident, counted),
        around=around,
        summary=summary,
        found=found,
        changes=changes,
    )


def improved(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    counted: Tally,
    deciding: Deciding,
    *,
    told: tuple[str, ...],
) -> IncidentEvent:
    """The event for the end of an episode while the incident stays open."""
    around = look_around(state, entry)
    known = diagnosis_facts.gather(state, entry, around)
    saying = _saying(state, entry, incident)
    closed = entry.policy.closed
    changes = incident_words.changes(incident, saying, entry.kind, closed=closed)
    incident.seen = saying
    return _event(
        state,
        entry,
        incident,
        "improved",
        deciding,
        target=known.target,
        votes=episode.votes(counted, "down"),
        around=around,
        summary=incident_words.progress(known, counted, incident),
        changes=(
            f"the regions no longer agree that it is {'open' if closed else 'down'}",
            *told,
            *changes,
        ),
    )


def worsened(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    counted: Tally,
    deciding: Deciding,
) -> IncidentEvent:
    """The event for a new episode of an open incident."""
    around = look_around(state, entry)
    known = diagnosis_facts.gather(state, entry, around)
    found = diagnosis.diagnose(known, incident.incident_type)
    saying = _saying(state, entry, incident)
    closed = entry.policy.closed
    changes = incident_words.changes(incident, saying, entry.kind, closed=closed)
    again = "open again" if closed else "down again"
    incident.seen, incident.diagnosis = saying, found.likely
    return _event(
        state,
        entry,
        incident,
        "worsened",
        deciding,
        target=known.target,
        votes=episode.votes(counted, "down"),
        around=around,
        summary=incident_words.summary(known, found, counted, incident, again=f"{again}: "),
        found=found,
        changes=(f"{again} (outage {incident.episode} of this incident)", *changes),
    )


def closed(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    deciding: Deciding,
    because: ClosedBecause,
    *,
    abandoned: tuple[str, ...] = (),
    by_hand: Resolution | None = None,
    paused: PauseTerms | None = None,
) -> IncidentEvent:
    """The event for the end of an incident; `paused` is the pause that ends it."""
    counted = consensus.tally(state, entry)
    lasted = duration_text(state.now - incident.first_failed_at, EVENT)
    words = incident_words.closing(state, entry, incident, because, abandoned)
    if paused is not None:
        words = incident_words.paused(paused)
    said = verdicts(state, entry)
    if incident.incident_type == "flapping" and because == "recovered":
        failing = [region for region, one in said.items() if one.verdict == "down"]
        words += f", though not from {', '.join(failing)}," if failing else ""
    target = entry.target
    event = _event(
        state,
        entry,
        incident,
        "closed",
        deciding,
        target=target,
        votes=_votes(state, entry, incident, counted),
        around=look_around(state, entry),
        summary=f"{target.place} {words} after {lasted}.",
        closed_because=because,
        abandoned=abandoned,
        by_hand=by_hand,
    )
    return event if paused is None else incident_event.of_pause(event, paused)


def verdicts(state: PartitionState, entry: TargetState) -> dict[str, RegionVerdict]:
    """The verdict of each region with its reason, as an event carries it; sorted by name.

    A stale region keeps the reason of its last result. A reason beside `up` or `slow` is a failure
    that is not confirmed (yet).
    """
    return {
        region: _region_verdict(state, entry, region, state.window(entry, position))
        for region, position in entry.policy.by_name
    }


def _region_verdict(
    state: PartitionState, entry: TargetState, region: str, window: Window | None
) -> RegionVerdict:
    said = consensus.verdict(window, state.running)
    set_aside = region in state.set_aside
    if window is None:
        return RegionVerdict(verdict=said, set_aside=set_aside)
    failing, pace = window.failing, window.pace
    since: int | None = window.since or None
    detail = failing.detail if failing else None
    if said == "stale":
        since = state.log_at(window.fresh_until)
    elif failing is not None and said == "down":
        since = failing.since
    elif pace is not None and said == "slow":
        since = pace.since
        limit = entry.policy.latency
        if failing is None and limit is not None:
            detail = slow.in_words(pace, limit)
    if failing is None and said == "up" and window.endings is not None:
        detail = expiring_words.detail(window.endings, entry.kind)
    return RegionVerdict(
        verdict=said,
        reason=failing.reason if failing else None,
        detail=detail,
        since=since,
        set_aside=set_aside,
    )


def involved(known: Facts, incident: OpenIncident) -> bool:
    """True if there is anything to diagnose."""
    match incident.incident_type:
        case "slow":
            return bool(known.slow)
        case "expiring":
            return bool(known.ending)
        case _:
            return bool(known.failing)


def _note_told(state: PartitionState, entry: TargetState, incident: OpenIncident) -> None:
    """Stores the facts that an event tells."""
    incident.seen = _saying(state, entry, incident)
    if incident.incident_type == "expiring":
        incident.expires_at = expiring.earliest(state, entry) or incident.expires_at


def _saying(
    state: PartitionState, entry: TargetState, incident: OpenIncident
) -> dict[str, tuple[str, Reason | None]]:
    """The verdict of each region, as far as it matters to an incident."""
    if incident.incident_type == "expiring":
        return expiring_words.saying(state, entry)
    found: dict[str, tuple[str, Reason | None]] = {}
    for region, position in entry.policy.by_name:
        window = state.window(entry, position)
        verdict = consensus.verdict(window, state.running)
        if window is not None and window.unended and verdict != "stale":
            # It fails again after a pause: neither "succeeds" nor a failure that is confirmed.
            found[region] = incident.seen.get(region, ("stale", None))
            continue
        if verdict == "slow" and incident.incident_type != "slow":
            verdict = "up"
        failing = None if window is None else window.failing
        speaks = verdict in {"down", "stale"}
        found[region] = (verdict, failing.reason if failing is not None and speaks else None)
    return found


def _news(state: PartitionState, entry: TargetState, incident: OpenIncident) -> tuple[str, ...]:
    """What has changed since the last event, in words."""
    saying = _saying(state, entry, incident)
    changes = incident_words.changes(incident, saying, entry.kind, closed=entry.policy.closed)
    if incident.incident_type != "expiring":
        return changes
    earliest = expiring.earliest(state, entry)
    return (*changes, *expiring_words.another_end(incident, earliest, entry.kind))


def _event(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    kind: EventKind,
    deciding: Deciding,
    *,
    target: Target,
    votes: Votes,
    around: Neighbours,
    summary: str,
    found: Diagnosis | None = None,
    changes: tuple[str, ...] = (),
    closed_because: ClosedBecause | None = None,
    abandoned: tuple[str, ...] = (),
    by_hand: Resolution | None = None,
) -> IncidentEvent:
    return incident_event.build(
        state,
        incident,
        kind,
        deciding,
        target=target,
        regions=verdicts(state, entry),
        votes=votes,
        host_targets=host_targets(state, entry, around),
        summary=summary,
        found=found,
        changes=changes,
        closed_because=closed_because,
        abandoned=abandoned,
        by_hand=by_hand,
    )
