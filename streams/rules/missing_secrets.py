"""Rule 14: tells which secrets of checks a region lacks, once, and once that it has them."""

from typing import Final

from msgspec import structs

from schemas.control import Beat
from schemas.duration import COARSE, duration_text
from schemas.incident import RegionEvent, RegionEventKind
from schemas.missing_secrets import MOST_TARGETS, MOST_VARIABLES
from streams.rules.ids import Deciding, event_id
from streams.rules.region_guard import HEARD_MS
from streams.state.partition_state import MissingSecrets, PartitionState, RegionState

TELL_AFTER_MS: Final = 10_000
"""Time from the first beat that names a missing secret to the event, in ms: the beats of all
probers of the region have come by then."""

FOUND_AFTER_MS: Final = 60_000
"""Time without a prober that lacks a secret until the region has them, in ms. A prober that has
just begun has no targets yet, and lacks nothing."""

AGAIN_AFTER_MS: Final = 300_000
"""Least time until other variables are told, in ms."""

_MOST_IN_TEXT: Final = 5
_MOST_TARGETS_IN_TEXT: Final = 3


def look(
    state: PartitionState, region: RegionState, beat: Beat, deciding: Deciding, *, returned: bool
) -> list[RegionEvent]:
    """Takes what a beat says of missing secrets; the events that follow.

    The prober's state has it already. `returned`: the region was silent before.
    """
    now, known = state.running, region.secrets
    if beat.missing_secrets:
        known = _with(known or MissingSecrets(now, {}), beat)
    if known is None:
        return []
    if _lacks(region, now):
        known = structs.replace(known, found_since=None)
    elif known.found_since is None or returned:
        known = structs.replace(known, found_since=now)
    if known.found_since is not None and now - known.found_since >= FOUND_AFTER_MS:
        region.secrets = None
        return [_found(state, beat.region, known, deciding)] if known.told else []
    region.secrets = known
    if known.found_since is not None or not _is_news(known, now):
        return []
    region.secrets = structs.replace(known, told=tuple(known.named), told_at=now)
    return [_missing(state, beat.region, known, deciding)]


def _with(known: MissingSecrets, beat: Beat) -> MissingSecrets:
    named = dict(known.named)
    for name, targets in sorted(beat.missing_secrets.items()):
        if name in named or len(named) < MOST_VARIABLES:
            both = dict.fromkeys((*named.get(name, ()), *targets))
            named[name] = tuple(both)[:MOST_TARGETS]
    return structs.replace(known, named=named)


def _lacks(region: RegionState, now: int) -> bool:
    heard = (one for one in region.probers.values() if now - one.last_beat < HEARD_MS)
    return any(one.lacks_secrets for one in heard)


def _is_news(known: MissingSecrets, now: int) -> bool:
    if not known.told:
        return now - known.since >= TELL_AFTER_MS
    return now - known.told_at >= AGAIN_AFTER_MS and not known.named.keys() <= set(known.told)


def _missing(
    state: PartitionState, region: str, known: MissingSecrets, deciding: Deciding
) -> RegionEvent:
    named = sorted(known.named.items())
    shown = [f"{name} (for {_listed(targets)})" for name, targets in named[:_MOST_IN_TEXT]]
    more = len(named) - len(shown)
    text = (
        f"Probers of region {region} lack secrets of checks, or may not send them to these "
        f"hosts: {', '.join(shown)}{f' and {more} more' if more else ''}. What needs them is not "
        "checked from there."
    )
    return _event(state, "region.secrets_missing", region, deciding, text, dict(named))


def _found(
    state: PartitionState, region: str, known: MissingSecrets, deciding: Deciding
) -> RegionEvent:
    after = duration_text(state.running - known.since, COARSE)
    text = f"No check in region {region} lacks a secret any more, after {after}."
    return _event(state, "region.secrets_found", region, deciding, text)


def _listed(targets: tuple[str, ...]) -> str:
    shown = ", ".join(targets[:_MOST_TARGETS_IN_TEXT])
    return f"{shown}, …" if len(targets) > _MOST_TARGETS_IN_TEXT else shown


def _event(  # noqa: PLR0917 - what a region event is made of
    state: PartitionState,
    event: RegionEventKind,
    region: str,
    deciding: Deciding,
    summary: str,
    named: dict[str, tuple[str, ...]] | None = None,
) -> RegionEvent:
    made = RegionEvent(
        event_id=event_id(region, event, deciding),
        event=event,
        region=region,
        at=state.now,
        summary=summary,
        last_beat_at=state.regions[region].last_beat_at,
    )
    return made if named is None else structs.replace(made, missing_secrets=named)
