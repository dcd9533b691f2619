"""Which targets somebody means, and how they are: checked, paused, or not enabled. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from schemas.policy import Pause
from schemas.target import Target

TargetState = Literal["checked", "paused", "disabled"]


class ListedTarget(Struct, frozen=True, kw_only=True):
    """One target as `portquorum target list` shows it.

    `state` is `disabled` if its inventory says `enabled: false`, though it may be paused, too.
    `pause` is the one in force.
    """

    id: str
    name: str
    kind: str
    place: str
    source: str
    team: str | None
    tags: tuple[str, ...]
    regions: tuple[str, ...]
    criticality: str
    interval_ms: int
    state: TargetState
    pause: Pause | None


def listed(target: Target, pause: Pause | None) -> ListedTarget:
    """A target with its pause in force, None: there is none."""
    state: TargetState = "checked" if pause is None else "paused"
    return ListedTarget(
        id=target.id,
        name=target.name,
        kind=target.kind,
        place=target.place,
        source=target.source,
        team=target.team,
        tags=target.tags,
        regions=target.regions,
        criticality=target.criticality,
        interval_ms=target.interval_ms,
        state=state if target.enabled else "disabled",
        pause=pause,
    )


def matching(
    targets: Iterable[Target], teams: Collection[str], tags: Collection[str]
) -> list[Target]:
    """The targets of one of the teams and with one of the tags, by id; empty: any."""
    return sorted(
        (
            one
            for one in targets
            if (not teams or one.team in teams) and (not tags or not set(tags).isdisjoint(one.tags))
        ),
        key=lambda one: one.id,
    )


def known_names(targets: Mapping[str, Target]) -> tuple[list[str], list[str]]:
    """All teams and all tags of the targets, sorted."""
    teams = {one.team for one in targets.values() if one.team is not None}
    tags = {tag for one in targets.values() for tag in one.tags}
    return sorted(teams), sorted(tags)
