"""The state of one target, from what is known of it. Pure."""

from collections.abc import Collection

from msgspec import Struct

from portquorum.web.answers import State
from schemas.incident import IncidentType
from schemas.target import Target


class TargetFacts(Struct, frozen=True, gc=False, kw_only=True):
    """What decides the state of a target.

    `is_paused`: nobody checks it, since it is paused or its inventory says so. `types` are those of
    its open incidents. `is_resolved`: an outage goes on that somebody closed by hand.
    `blind_since`: the stream's events say that nobody can judge it. `status` is what `status_now`
    says, empty: nothing, or nothing that is believed. `settles_at`: until then a target without a
    word of `status_now` may have had no result yet.
    """

    types: Collection[IncidentType]
    is_paused: bool
    is_maintained: bool
    blind_since: int | None
    status: str
    is_resolved: bool
    settles_at: int
    now: int


def state_of(facts: TargetFacts) -> State:
    """The state: what is planned first, then what is open, then what nobody knows.

    The order of the rest is that of the view `status_now`, so that page and `portquorum status`
    agree.
    """
    types = facts.types
    is_new = not facts.status and facts.now < facts.settles_at
    rules: tuple[tuple[State, bool], ...] = (
        ("paused", facts.is_paused),
        ("maintenance", facts.is_maintained),
        ("down", "unreachable" in types),
        ("flapping", "flapping" in types),
        ("unknown", facts.blind_since is not None or facts.status == "unwatched"),
        ("down", facts.is_resolved),
        ("slow", "slow" in types),
        # What was paused at the last answer has had no result since.
        ("pending", facts.status in {"pending", "paused"} or is_new),
    )
    return next((state for state, holds in rules if holds), "up")


def settles_at(version: int, shared: Target) -> int:
    """When a definition of the time `version` has had its first results, or is unwatched."""
    return version + shared.interval_ms * 5 // 2 + shared.timeout_ms
