"""Explains a target that is not judged (rule 15)."""

from schemas.target import Target
from streams.explain.format import date_and_time
from streams.explain.model import (
    Explanation,
    FlappingExplained,
    PausedExplained,
    VotesExplained,
)
from streams.rules import flapping
from streams.state.partition_state import PartitionState
from streams.state.pauses import PausedTarget, PauseTerms


def explained(state: PartitionState, paused: PausedTarget) -> Explanation | None:
    """Who paused the target, until when and why; None if the state has no definition of it."""
    target, terms = paused.target, paused.pause
    if target is None:
        return None
    return Explanation(
        target=target,
        partition=state.partition,
        offset=state.offset,
        at=state.now,
        status="paused",
        headline=_headline(target, terms),
        because=("Nobody checks it, and results that still come say nothing.",),
        would_change=_would_change(target, terms),
        votes=VotesExplained(
            down=0, failing=0, slow=0, need=0, fresh=0, majority=0, configured=len(target.regions)
        ),
        regions=(),
        incidents=(),
        resolved=(),
        flapping=FlappingExplained(
            transitions=0, limit=flapping.LIMIT, slow_transitions=0, slow_limit=flapping.SLOW_LIMIT
        ),
        recheck=None,
        host_targets=(),
        paused=PausedExplained(
            by=None if terms is None else terms.by,
            at=None if terms is None else terms.at,
            until=None if terms is None else terms.until,
            note=None if terms is None else terms.note,
            enabled=target.enabled,
            source=target.source,
        ),
    )


def _headline(target: Target, terms: PauseTerms | None) -> str:
    if terms is None:
        return f"No incident, and none can open: disabled in {target.source} (`enabled: false`)."
    until = "until it is resumed" if terms.until is None else f"until {date_and_time(terms.until)}"
    why = f": {terms.note}" if terms.note else ""
    return f"No incident, and none can open: paused by {terms.by} {until}{why}"


def _would_change(target: Target, terms: PauseTerms | None) -> tuple[str, ...]:
    resume = f"`portquorum target resume {target.id}`"
    enable = f"`enabled: true` in {target.source}"
    if terms is None:
        return (f"It is judged again, as a new target, with {enable}.",)
    both = "" if target.enabled else f", and with {enable}"
    if terms.until is None:
        return (f"It is judged again, as a new target, after {resume}{both}.",)
    end = date_and_time(terms.until)
    return (f"It is judged again, as a new target, from {end} on, or after {resume}{both}.",)
