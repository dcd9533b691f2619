"""What a silence matches: among the targets that there are, and among what is open. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from schemas.incident import IncidentEvent
from schemas.policy import Match
from schemas.target import Target
from sinks.notifier.matching import Patterns, matches

_WORDS: Final = {
    "teams": "team",
    "tags": "tag",
    "targets": "target",
    "kinds": "kind",
    "regions": "region",
    "severities": "severity",
    "incident_types": "type",
    "criticalities": "criticality",
}
"""The fields of a match, and what people call each."""


class MatchedNow(Struct, frozen=True, kw_only=True):
    """What a silence would match at this moment: ids of targets, sorted, and open incidents."""

    targets: tuple[str, ...]
    incidents: tuple[IncidentEvent, ...]


def is_everything(match: Match) -> bool:
    """True if a match has no condition, or only such as everything satisfies (`*`)."""
    return all(
        not (named := getattr(match, field))
        or (field in {"teams", "tags", "targets", "kinds"} and not _narrows(field, named))
        for field in _WORDS
    )


def _narrows(field: str, names: Sequence[str]) -> bool:
    # A target need not have a tag: `*` asks for one.
    return field == "tags" or not any(set(name) == {"*"} for name in names)


def matches_target(match: Match, target: Target) -> bool:
    """True if an incident of `target` may match; its severity and type are not known before."""
    return (
        _any(match.teams, (target.team or "",))
        and _any(match.tags, target.tags)
        and _any(match.targets, (target.id,))
        and _any(match.kinds, (target.kind,))
        and _one_of(match.regions, target.regions)
        and _one_of(match.criticalities, (target.criticality,))
    )


def matched(match: Match, targets: Iterable[Target], opened: Iterable[IncidentEvent]) -> MatchedNow:
    """The targets and the open incidents that a match takes."""
    return MatchedNow(
        targets=tuple(sorted(one.id for one in targets if matches_target(match, one))),
        incidents=tuple(event for event in opened if matches(match, event)),
    )


def words(match: Match) -> str:
    """A match in words: `team db, tag web or api`; `everything` for one without a condition."""
    parts = [
        f"{word} {' or '.join(getattr(match, field))}"
        for field, word in _WORDS.items()
        if getattr(match, field)
    ]
    return ", ".join(parts) or "everything"


def _one_of(wanted: Sequence[str], found: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(found)


def _any(wanted: Sequence[str], found: Iterable[str]) -> bool:
    """True if one of `found` fits one of the patterns `wanted`, or there is no pattern."""
    return not wanted or any(map(Patterns.of(wanted).fit, found))
