"""What a matcher of labels means for incidents: the fields of a route that choose."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec import Struct, field

from portquorum.importing.alertmanager.matchers import Matcher

_SEVERITIES: Final = {
    **dict.fromkeys(
        ("critical", "page", "disaster", "emergency", "fatal", "error", "high"), "critical"
    ),
    **dict.fromkeys(("crit", "major", "p1", "p2", "sev1"), "critical"),
    **dict.fromkeys(("warning", "warn", "minor", "medium", "average", "p3", "sev2"), "warning"),
    **dict.fromkeys(("info", "informational", "notice", "low", "ticket", "p4", "p5"), "info"),
}
_OURS: Final = ("critical", "warning", "info")
_SEVERITY: Final = frozenset({"severity", "level", "priority"})
_TEAM: Final = frozenset({"team", "owner", "squad", "group"})
_NAMES: Final = (
    ("expiring", re.compile(r"cert|ssl|tls|expir|domain", re.IGNORECASE)),
    ("slow", re.compile(r"slow|latency|duration|response.?time", re.IGNORECASE)),
    ("flapping", re.compile(r"flap", re.IGNORECASE)),
    (
        "unreachable",
        re.compile(
            r"down|probe|blackbox|unreach|absent|unavailab|offline|not.?reach|endpoint|^up$"
            r"|port|http|icmp|ping|dead|missing|lost",
            re.IGNORECASE,
        ),
    ),
)
_TEAM_NAME: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9 ._*-]{0,62}")
_LONGEST_TAG: Final = 64


class Meaning(Struct):
    """`fields` of a route; `never` says why it takes nothing of ours, if so.

    `wider`: it takes more than at the source, so that it may not end the search.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    teams: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    never: str | None = None
    wider: bool = False

    def widen(self, sentence: str) -> None:
        """Notes a matcher that is not kept, or only about."""
        self.differences.append(sentence)
        self.wider = True


def meaning(matchers: Iterable[Matcher]) -> Meaning:
    """The fields of all matchers together."""
    found = Meaning()
    for one in matchers:
        if one.label in _SEVERITY:
            _severity(one, found)
        elif one.label == "alertname":
            _name(one, found)
        elif one.label in _TEAM:
            _team(one, found)
        else:
            _tag(one, found)
    return found


def _severity(one: Matcher, found: Meaning) -> None:
    values = one.values
    if values is None:
        found.widen(f"{one} is not a list of words: it takes all severities")
        return
    named = {_SEVERITIES.get(value.lower()) for value in values if "*" not in value}
    if any("*" in value for value in values):
        named = set(_OURS)
    others = sorted({value for value in values if value.lower() not in _OURS and "*" not in value})
    chosen = [ours for ours in _OURS if (ours in named) != one.negative]
    before = found.fields.get("severities", list(_OURS))
    chosen = [ours for ours in chosen if ours in before]
    if not chosen:
        found.never = f"no incident has a severity as {one} wants it"
        return
    said = [
        f"{value} is {_SEVERITIES[value.lower()]}"
        for value in others
        if value.lower() in _SEVERITIES
    ]
    if said:
        found.widen(f"severities here are critical, warning and info: {', '.join(said)}")
    if chosen != list(_OURS):
        found.fields["severities"] = chosen


def _name(one: Matcher, found: Meaning) -> None:
    """Names of alerts are those of rules there; here incidents have a type."""
    values = one.values or (one.value,)
    types = [kind for value in values if (kind := _type(value)) is not None]
    types = sorted(set(types))
    if one.negative:
        if types:
            found.widen(
                f"names of alerts are of rules there: it takes those too that {one} kept away"
            )
        return
    if values == ("*",):
        return
    if not types:
        found.never = f"no incident of portquorum is what {one} names"
        return
    types = _both(found.fields.get("incident_types"), types)
    if not types:
        found.never = f"no incident is what {one} and a route above it name"
        return
    found.fields["incident_types"] = types
    found.widen(
        f"alerts are named by rules there: {one} is taken for incidents of the type "
        f"{' or '.join(types)}"
    )


def _type(name: str) -> str | None:
    return next((kind for kind, pattern in _NAMES if pattern.search(name)), None)


def _team(one: Matcher, found: Meaning) -> None:
    values = one.values
    if one.negative or values is None or not all(map(_TEAM_NAME.fullmatch, values)):
        found.widen(f"it takes those too that {one} kept away")
        return
    chosen = _both(found.fields.get("teams"), list(values))
    if not chosen:
        found.never = f"no team is what {one} and a route above it name"
        return
    found.teams = [value for value in chosen if "*" not in value]
    found.fields["teams"] = chosen
    found.differences.append(f"targets need the team that {one} names: `team:` or `defaults:`")


def _both(above: list[str] | None, own: list[str]) -> list[str]:
    """What both name; `*` stands for any characters."""
    if above is None:
        return own
    return list(
        dict.fromkeys(
            [one for one in own if any(fnmatchcase(one, other) for other in above)]
            + [one for one in above if any(fnmatchcase(one, other) for other in own)]
        )
    )


def _tag(one: Matcher, found: Meaning) -> None:
    values = one.values
    if one.negative or values is None or not all(values):
        found.widen(f"it takes those too that {one} kept away")
        return
    tags = [f"{one.label}:{value}"[:_LONGEST_TAG] for value in values]
    before = found.fields.get("tags")
    if before and all(tag.startswith(f"{one.label}:") for tag in before):
        tags = _both(before, tags)
        if not tags:
            found.never = f"nothing is what {one} and a route above it name"
            return
    elif before:
        found.widen(
            f"tags of a route are alternatives: it takes those too that only {one} would have"
        )
        return
    found.fields["tags"] = tags
    found.differences.append(f"targets that are meant need the tag {' or '.join(tags)}")
