"""What the events of an incident say, in words (rules 6, 7 and 9)."""

from datetime import UTC, datetime
from typing import Final

from schemas.incident import ClosedBecause, IncidentType
from schemas.result import REASON_TEXT, Reason
from streams.diagnosis import Diagnosis, Facts
from streams.rules import expiring, expiring_words, flapping, open_port_words
from streams.rules.consensus import Tally
from streams.state.partition_state import PartitionState
from streams.state.pauses import PauseTerms
from streams.state.target_state import OpenIncident, TargetState

_OVER: Final[dict[IncidentType, str]] = {
    "unreachable": "is reachable again from every region",
    "slow": "is fast again from every region",
    "flapping": "has been steadily reachable",
    "expiring": expiring_words.OVER,
}
_OVER_OF_DOMAIN: Final[dict[IncidentType, str]] = _OVER | {
    "unreachable": expiring_words.OVER_OF_DOMAIN,
    "flapping": "has been registered without a break",
    "expiring": expiring_words.OVER_OF_DOMAIN,
}
_ENDED: Final[dict[ClosedBecause, str]] = {
    "resolved": "was resolved by hand",
    "target_removed": "is no longer watched; its incident ends",
    "target_changed": "was given another place; its incident ends",
    "target_paused": "is not enabled any more by its inventory; its incident ends",
    "policy_changed": "has no limit for its latency any more; its incident ends",
    "steady": "no longer flaps, it stays down; its flapping ends",
    "flapping": "goes down and up again and again; an incident of its flapping takes over",
    "abandoned": "is not looked at any more: no region has a result; its incident ends unrecovered",
}


def changes(
    incident: OpenIncident,
    saying: dict[str, tuple[str, Reason | None]],
    kind: str,
    *,
    closed: bool = False,
) -> tuple[str, ...]:
    """What the regions say now, and did not say at the last event; `closed`: so it must be."""
    found = []
    for region, (verdict, reason) in saying.items():
        if incident.seen.get(region) == (verdict, reason):
            continue
        if incident.incident_type == "expiring":
            found.append(expiring_words.change(region, verdict, kind))
        elif verdict == "down":
            text = REASON_TEXT[reason] if reason else "failed"
            found.append(f"{region}: {text}")
        elif verdict == "slow":
            found.append(f"{region}: slow")
        elif verdict == "up":
            fine = "closed" if closed else "succeeds"
            found.append(f"{region}: {'fast again' if incident.incident_type == 'slow' else fine}")
        else:
            found.append(f"{region}: no fresh result")
    gone = sorted(set(incident.seen) - set(saying))
    return (*found, *(f"{region}: no longer checks this target" for region in gone))


def summary(
    known: Facts, found: Diagnosis, counted: Tally, incident: OpenIncident, *, again: str = ""
) -> str:
    """The sentence of an event that tells how it is now, with its diagnosis."""
    place = known.target.place
    if incident.incident_type == "expiring":
        return expiring_words.summary(known, found, counted)
    if incident.incident_type == "slow":
        down = f" and unreachable from {counted.down}" if counted.down else ""
        return (
            f"{place} is slow from {counted.slow}{down} of {counted.configured} "
            f"regions{_why(known)}. {found.sentence}"
        )
    if known.target.expect == "closed":
        return open_port_words.summary(known, found, counted, incident.incident_type, again)
    texts = " / ".join(REASON_TEXT[reason] for reason in known.reasons)
    now = f"unreachable from {counted.down} of {counted.configured} regions ({texts})"
    if known.target.kind == expiring.DOMAIN:
        now = f"in trouble, seen from {counted.down} of {counted.configured} regions ({texts})"
    if incident.incident_type == "flapping":
        return f"{place} goes down and up again and again; now it is {now}. {found.sentence}"
    return f"{place} is {again}{now}. {found.sentence}"


def _why(known: Facts) -> str:
    """The distinct reasons for its slowness."""
    limit = known.target.latency
    if limit is None:
        return ""
    ways = ["above usual"] if known.unusual else []
    if limit.max_ms is not None:
        if len(known.slow) > len(known.unusual) + len(known.rising):
            ways.insert(0, f"above {limit.max_ms:g} ms")
        if known.rising:
            ways.append(f"rising to {limit.max_ms:g} ms")
    return f" ({', '.join(ways)})" if ways else ""


def progress(known: Facts, counted: Tally, incident: OpenIncident) -> str:
    """The progress text while an incident approaches its closing."""
    place = known.target.place
    if known.target.expect == "closed":
        return open_port_words.progress(known, counted, incident.incident_type)
    if incident.incident_type == "flapping":
        return f"{place} goes down and up again and again; now it is reachable."
    if incident.incident_type == "expiring":
        return expiring_words.progress(place, known.target.kind)
    if incident.incident_type == "slow":
        return f"{place} is still an incident: not every region has said that it is fast again."
    return _progress_of_outage(known, counted)


def _progress_of_outage(known: Facts, counted: Tally) -> str:
    place = known.target.place
    if not counted.fresh:
        return (
            f"{place} is still an incident, and nobody looks: no region has a result that counts."
        )
    if not known.failing:
        return f"{place} is still an incident: not every region has succeeded again."
    still = ", ".join(f"{region} ({REASON_TEXT[reason]})" for region, reason in known.failing)
    working = ", ".join(known.working) or "no region"
    again = "registered again, seen" if known.target.kind == expiring.DOMAIN else "reachable again"
    return f"{place} is {again} from {working}; not yet from {still}."


def paused(terms: PauseTerms) -> str:
    """What has become of a target that was paused, after its place."""
    until = "until it is resumed"
    if terms.until is not None:
        end = datetime.fromtimestamp(terms.until / 1000, tz=UTC)
        until = f"until {end:%Y-%m-%d %H:%M:%S} UTC"
    why = f": {terms.note}" if terms.note else ""
    return f"is paused by {terms.by} {until}{why}; its incident ends"


def closing(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    because: ClosedBecause,
    abandoned: tuple[str, ...],
) -> str:
    """What has become of the target of an incident that closes, after its place."""
    ended, over = _ENDED, _OVER_OF_DOMAIN if entry.kind == expiring.DOMAIN else _OVER
    if entry.policy.closed:
        ended, over = _ENDED | open_port_words.ENDED, _OVER | open_port_words.OVER
    words = ended.get(because) or over[incident.incident_type]
    if incident.incident_type == "flapping" and because == "recovered":
        fast = flapping.quiet_ms(state, entry.id, down=False) == flapping.QUIET_MS
        words = f"{words} for {'half an hour' if fast else 'two hours'}"
    if incident.incident_type == "expiring" and because == "policy_changed":
        words = expiring_words.policy_changed(entry.kind)
    if not abandoned or because == "abandoned":
        return words
    words = words.removesuffix(" from every region").removesuffix(", seen")
    return f"{words} ({', '.join(abandoned)} long silent and not waited for)"
