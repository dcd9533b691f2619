"""Silences of ours as matchers of labels, and matchers as a silence that says the same. Pure.

A silence of ours is a `Match`: conditions that must all hold, each with names of which one is
enough. What it can't say is refused: no silence covers more or less than was asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, get_args

import msgspec

from portquorum.changing.acts import WantedMatch
from portquorum.web.alertmanager.answers import ShownSilence, SilenceMatcher, SilenceStatus
from portquorum.web.alertmanager.labels import labels_of_target
from portquorum.web.alertmanager.matchers import LabelMatcher, MatcherError
from portquorum.web.alertmanager.patterns import names_of, regex_of
from portquorum.web.answers import SilenceRow, SilenceState
from schemas.incident import IncidentType, Severity
from schemas.policy import Match
from schemas.target import Criticality, Target
from sinks.notifier.channels.facts import alert_name

FIELDS: Final[Mapping[str, str]] = {
    "target": "targets",
    "team": "teams",
    "tag": "tags",
    "kind": "kinds",
    "region": "regions",
    "severity": "severities",
    "incident_type": "incident_types",
    "criticality": "criticalities",
}
"""The fields of a `Match` by the label that each is about."""

OF_TARGET: Final = ("name", "host", "port", "tags")
"""Labels that follow from a target: a condition on one says nothing beside the target's id."""

_WITH_STARS: Final = frozenset({"target", "team", "tag", "kind"})
_TYPES: Final[tuple[IncidentType, ...]] = get_args(IncidentType)
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "severity": get_args(Severity),
    "incident_type": _TYPES,
    "criticality": get_args(Criticality),
}
_EVERYTHING: Final = SilenceMatcher(name="alertname", value=".+", is_regex=True)
_MATCHES_ALL: Final = frozenset({".*", ".+", "^.*$", "^.+$"})
_ALWAYS_THERE: Final = frozenset(
    {"alertname", "target", "kind", "severity", "incident_type", "criticality"}
)

_MAY_BE_CLOSED: Final = frozenset({"tcp", "udp"})
_KINDS: Final = ("tcp", "domain", "heartbeat")
"""One of those kinds that have names of alerts in common."""

TargetOf = Callable[[str], Target | None]


def match_of(matchers: Sequence[LabelMatcher], target_of: TargetOf) -> WantedMatch:
    """The match that says what all matchers say together; `target_of` knows targets by id.

    Raises:
        MatcherError: no match says it; the text says why.
    """
    fields: dict[str, tuple[str, ...]] = {}
    others: list[LabelMatcher] = []
    for one in matchers:
        if _is_of_everything(one):
            continue
        if one.name not in FIELDS or not one.is_equal:
            others.append(one)
            continue
        names, field = _names(one), FIELDS[one.name]
        if fields.setdefault(field, names) != names:
            raise MatcherError(
                f"a silence here has one condition on {one.name}, found a second one: {one}"
            )
    targets = _named(fields.get("targets", ()), target_of)
    for one in others:
        if one.name == "alertname" and one.is_equal:
            _narrow(fields, _types(one, fields.get("kinds", ()), targets), one)
        else:
            _expect_implied(one, targets)
    try:
        return msgspec.convert(fields, WantedMatch)
    except msgspec.ValidationError as error:
        raise MatcherError(f"no such silence: {error}") from error


def matchers_of(match: Match) -> tuple[SilenceMatcher, ...]:
    """The matchers that say what a match says."""
    found = []
    for label, field in FIELDS.items():
        names: tuple[str, ...] = getattr(match, field)
        if names:
            is_regex = len(names) > 1 or "*" in names[0]
            value = regex_of(names) if is_regex else names[0]
            found.append(SilenceMatcher(name=label, value=value, is_regex=is_regex))
    return tuple(found) or (_EVERYTHING,)


def shown(row: SilenceRow) -> ShownSilence:
    """A silence as Alertmanager's clients read it."""
    updated = row.created_at if row.ended_by is None else max(row.created_at, row.ends_at)
    return ShownSilence(
        id=row.id,
        status=SilenceStatus(state=_STATES[row.state]),
        updated_at=moment(updated),
        matchers=matchers_of(row.match),
        starts_at=moment(row.begins_at),
        ends_at=moment(row.ends_at),
        created_by=row.by,
        comment=row.reason,
    )


def moment(at: int) -> datetime:
    """UTC ms as a time."""
    return datetime.fromtimestamp(at / 1000, tz=UTC)


_STATES: Final[Mapping[SilenceState, Literal["active", "pending", "expired"]]] = {
    "active": "active",
    "coming": "pending",
    "ended": "expired",
}


def _is_of_everything(one: LabelMatcher) -> bool:
    """True if each alert has it: a label that is always there, or any value at all."""
    if not one.is_regex or not one.is_equal or one.value not in _MATCHES_ALL:
        return False
    return "+" not in one.value or one.name in _ALWAYS_THERE


def _names(one: LabelMatcher) -> tuple[str, ...]:
    """The names of a condition on a label that a match knows."""
    names = names_of(one.value) if one.is_regex else (one.value,)
    if names is None:
        raise MatcherError(
            f"{one}: a silence here knows names, .* for any characters, and | between names"
        )
    if "" in names:
        raise MatcherError(f"{one}: a silence here can't ask for a label that is not there")
    if not one.is_regex and "*" in one.value:
        raise MatcherError(f"{one}: a silence here can't ask for a * itself")
    if one.name not in _WITH_STARS and any("*" in name for name in names):
        raise MatcherError(f"{one}: name each {one.name}, without .*")
    known = _KNOWN.get(one.name)
    if known and not set(names) <= set(known):
        raise MatcherError(f"{one}: expected {', '.join(known)}")
    return names


def _named(ids: Sequence[str], target_of: TargetOf) -> list[Target]:
    """The targets that are named one by one; none if there is a pattern among them."""
    found = [target_of(name) for name in ids if "*" not in name]
    return [one for one in found if one is not None] if len(found) == len(ids) else []


def _types(one: LabelMatcher, kinds: Sequence[str], targets: Sequence[Target]) -> set[IncidentType]:
    """The incident types whose alerts have such a name, and no others have."""
    asked = set(names_of(one.value) or ()) if one.is_regex else {one.value}
    if not asked or any("*" in name for name in asked):
        raise MatcherError(f"{one}: name each alertname, or use incident_type")
    found: set[IncidentType] = set()
    seen: set[str] = set()
    for incident_type in _TYPES:
        names = _alert_names(incident_type, kinds, targets)
        if names <= asked:
            found.add(incident_type)
            seen |= names
        elif names & asked:
            others = ", ".join(sorted(names - asked))
            raise MatcherError(
                f'{one}: a silence here knows incident_type="{incident_type}", which takes '
                f"{others} too; name a target as well, or use that"
            )
    if asked - seen:
        raise MatcherError(f"{one}: no alert can have the name {min(asked - seen)!r} here")
    return found


def _alert_names(
    incident_type: IncidentType, kinds: Sequence[str], targets: Sequence[Target]
) -> set[str]:
    """The names that alerts of a type may have, of some targets if they are named."""
    if targets:
        return {
            alert_name(one.kind, incident_type, is_closed=one.expect == "closed") for one in targets
        }
    if not kinds or any("*" in kind for kind in kinds):
        kinds = _KINDS
    return {
        alert_name(kind, incident_type, is_closed=is_closed)
        for kind in kinds
        for is_closed in ((False, True) if kind in _MAY_BE_CLOSED else (False,))
    }


def _narrow(
    fields: dict[str, tuple[str, ...]], types: set[IncidentType], one: LabelMatcher
) -> None:
    """Adds a condition on the type to one that may be there."""
    there = fields.get("incident_types")
    both = sorted(types if there is None else types & set(there))
    if not both:
        raise MatcherError(f"{one}: no alert has this name and the other conditions")
    if there is not None or len(both) < len(_TYPES):
        fields["incident_types"] = tuple(both)


def _expect_implied(one: LabelMatcher, targets: Sequence[Target]) -> None:
    """Checks that a condition holds for each target that is named anyway."""
    if one.name in OF_TARGET and targets:
        if all(one.holds({one.name: (labels_of_target(its)[one.name],)}) for its in targets):
            return
        raise MatcherError(f"{one}: this does not hold for the targets that are named")
    if not one.is_equal:
        raise MatcherError(f"{one}: a silence here knows no conditions with !")
    known = ", ".join(("alertname", *FIELDS))
    if one.name in OF_TARGET:
        raise MatcherError(f"{one}: name the target too, or use one of {known}")
    raise MatcherError(f"{one}: no such condition; there are {known}")
