"""Rule 8: sets a region aside that lost its own network."""

from typing import Final

from msgspec import Struct

from schemas.control import Beat
from streams.state.partition_state import PartitionState, ProberState, RegionState

HEARD_MS: Final = 15_000
"""Time since its last beat for which a prober counts for its region, in ms."""

SUSPECT_PERCENT: Final = 40
CLEARED_PERCENT: Final = 20
AT_LEAST: Final = 20
"""Least number of failing targets: with fewer, chance alone reaches the share."""

CONTRADICTS_AFTER_MS: Final = 10_000
"""Least time from the beat with which a region begins to fail widely to a beat that contradicts it,
in ms. The rechecks of what fails have been answered by then: in an outage that all regions see the
others fail, too."""


class RegionLoad(Struct, frozen=True, gc=False):
    """The sums over the probers of a region; all were heard at `heard` or later (running time)."""

    targets: int
    failing: int
    newly_failing: int
    heard: int

    @property
    def fails_widely(self) -> bool:
        return _widely(self.failing, self.targets)

    @property
    def begins_widely(self) -> bool:
        return _widely(self.newly_failing, self.targets) and not self.recovered

    @property
    def sees_no_outage(self) -> bool:
        begun = self.newly_failing * 100 > CLEARED_PERCENT * self.targets
        return self.targets > 0 and not self.fails_widely and not begun

    @property
    def recovered(self) -> bool:
        return self.failing * 100 <= CLEARED_PERCENT * self.targets


class Turned(Struct, frozen=True, gc=False):
    """A region that becomes suspect, or ceases to be, and the sums of its probers."""

    region: str
    suspect: bool
    load: RegionLoad


class Found(Struct, frozen=True, gc=False):
    """What `look` found: the regions that must change, and since when the others begin to fail.

    `since` is the running time at which each region began to fail widely, of those that begin to.
    """

    turned: list[Turned]
    since: dict[str, int]


def note(prober: ProberState, beat: Beat) -> None:
    """Stores a prober's report on its targets."""
    prober.targets = beat.targets
    prober.failing = beat.failing
    prober.newly_failing = beat.newly_failing


def look(state: PartitionState) -> Found:
    """Judges all regions that report, by name. Changes nothing."""
    loads = {
        name: load
        for name, region in sorted(state.regions.items())
        if (load := load_of(region, state.running)) is not None
    }
    since = {
        name: state.running if (begun := state.regions[name].wide_since) is None else begun
        for name, load in loads.items()
        if load.begins_widely
    }
    wide = sum(load.fails_widely for load in loads.values())
    turned = []
    for name, load in loads.items():
        region = state.regions[name]
        # It is one of those that fail, also when some of its targets are well again: else a region
        # that reports alone could be suspect, and its targets unwatched.
        alike = (wide + (not load.fails_widely)) * 2 > len(loads)
        if region.suspect:
            suspect = not (alike or load.recovered)
        else:
            suspect = name in since and _contradicted(name, since[name], loads)
        if suspect != region.suspect:
            turned.append(Turned(name, suspect, load))
    return Found(turned, since)


def turn(state: PartitionState, found: Found) -> None:
    """Sets the regions aside, or readmits them.

    The next check of deadlines judges the affected targets of the region again.
    """
    turned = found.turned
    for name, region in state.regions.items():
        region.wide_since = found.since.get(name)
    for one in turned:
        region = state.regions[one.region]
        region.suspect, region.aside_since = one.suspect, state.running * one.suspect
        (state.set_aside.add if one.suspect else state.set_aside.discard)(one.region)
    if turned:
        state.wake({one.region for one in turned})
        state.watch.look_at_all(state.targets.values())


def load_of(region: RegionState, running: int) -> RegionLoad | None:
    """The sums over a region's probers; None if none was heard recently."""
    targets = failing = newly_failing = 0
    heard = None
    for one in region.probers.values():
        if running - one.last_beat < HEARD_MS:
            heard = one.last_beat if heard is None else min(heard, one.last_beat)
            targets += one.targets
            failing += one.failing
            newly_failing += one.newly_failing
    return None if heard is None else RegionLoad(targets, failing, newly_failing, heard)


def _contradicted(name: str, since: int, loads: dict[str, RegionLoad]) -> bool:
    """True if at least half of the reporting regions see no outage, and have looked."""
    against = sum(
        other != name and load.sees_no_outage and load.heard - since >= CONTRADICTS_AFTER_MS
        for other, load in loads.items()
    )
    return against * 2 >= len(loads)


def _widely(failing: int, targets: int) -> bool:
    return failing >= AT_LEAST and failing * 100 > SUSPECT_PERCENT * targets
