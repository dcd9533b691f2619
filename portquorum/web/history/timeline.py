"""The course of an incident, by its events. Pure."""

from collections.abc import Sequence

from msgspec import UNSET

from portquorum.web.history.answers import RegionVerdicts, TimelineEvent, VerdictSpan
from schemas.incident import IncidentEvent, RegionVerdict


def events_of(events: Sequence[IncidentEvent]) -> tuple[TimelineEvent, ...]:
    """What stands beside the line of time, in the order of the events."""
    return tuple(
        TimelineEvent(
            event_id=one.event_id,
            event=one.event,
            at=one.at,
            summary=one.summary,
            changes=one.changes,
            episode=1 if one.episode is UNSET else one.episode,
            votes_down=one.votes.down,
            votes_need=one.votes.need,
            votes_fresh=one.votes.fresh,
            votes_configured=one.votes.configured,
            acknowledged_by=one.acknowledged_by,
            note=_note(one),
        )
        for one in events
    )


def regions_of(events: Sequence[IncidentEvent]) -> tuple[RegionVerdicts, ...]:
    """What each region said, and when; regions by name.

    A change between two events is known by the time that the later one tells. The last word of a
    closed incident ends with it, and so does that of a region that a later event does not have.
    """
    spans: dict[str, list[VerdictSpan]] = {}
    said: dict[str, tuple[RegionVerdict, int]] = {}
    for event in events:
        for region in said.keys() - event.regions.keys():
            _end(spans, region, *said.pop(region), event.at)
        for region, word in event.regions.items():
            begun = word.since if word.since is not None else event.at
            if region not in said:
                said[region] = (word, begun)
            elif _key(said[region][0]) != _key(word):
                before, since = said[region]
                begun = begun if begun > since else event.at
                _end(spans, region, before, since, begun)
                said[region] = (word, begun)
    closed_at = events[-1].closed_at if events else None
    for region, (word, since) in said.items():
        _end(spans, region, word, since, closed_at)
    return tuple(RegionVerdicts(region=one, spans=tuple(spans[one])) for one in sorted(spans))


def _key(word: RegionVerdict) -> tuple[str, str | None, bool]:
    """Another reason is another span; another detail of the same reason is not."""
    return word.verdict, word.reason, word.set_aside


def _end(
    spans: dict[str, list[VerdictSpan]],
    region: str,
    word: RegionVerdict,
    began_at: int,
    ended_at: int | None,
) -> None:
    span = VerdictSpan(
        verdict=word.verdict,
        reason=word.reason,
        detail=word.detail,
        began_at=began_at,
        ended_at=ended_at if ended_at is None else max(ended_at, began_at),
        set_aside=word.set_aside,
    )
    spans.setdefault(region, []).append(span)


def _note(event: IncidentEvent) -> str | None:
    """What was written with the acknowledgement; of the end, with the closing by hand."""
    note = event.resolved_note if event.event == "closed" else event.acknowledged_note
    return note if note is not UNSET and note else None
