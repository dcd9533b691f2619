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


class RegionLoad(Struct, frozen=True, gc=False):
    """The sums over the probers of a region."""

    targets: int
    failing: int
    newly_failing: int

    @property
    def fails_widely(self) -> bool:
        return _widely(self.failing, self.targets)

    @property
    def began_widely(self) -> bool:
        return _widely(self.newly_failing, self.targets)

    @property
    def recovered(self) -> bool:
        return self.failing * 100 <= CLEARED_PERCENT * self.targets


class Turned(Struct, frozen=True, gc=False):
    """A region that becomes suspect, or ceases to be, and the sums of its probers."""

    region: str
    suspect: bool
    load: RegionLoad


def note(prober: ProberState, beat: Beat) -> None:
    """Stores a prober's report on its targets."""
    prober.targets = beat.targets
    prober.failing = beat.failing
    prober.newly_failing = beat.newly_failing


def look(state: PartitionState) -> list[Turned]:
    """The regions that must change, by name; judges all that report. Changes nothing."""
    loads = {
        name: load
        for name, region in sorted(state.regions.items())
        if (load := load_of(region, state.running)) is not None
    }
    wide = sum(load.fails_widely for load in loads.values())
    turned = []
    for name, load in loads.items():
        region = state.regions[name]
        # It is one of those that fail, also when some of its targets are well again: else a region
        # that reports alone could be suspect, and its targets unwatched.
        alike = (wide + (not load.fails_widely)) * 2 > len(loads)
        # Who has recovered within the minute is not suspect for the rest of it.
        suspect = (region.suspect or load.began_widely) and not (alike or load.recovered)
        if suspect != region.suspect:
            turned.append(Turned(name, suspect, load))
    return turned


def turn(state: PartitionState, turned: list[Turned]) -> None:
    """Sets the regions aside, or readmits them.

    The next check of deadlines judges the affected targets of the region again.
    """
    for one in turned:
        region = state.regions[one.region]
        region.suspect, region.aside_since = one.suspect, state.running * one.suspect
        (state.set_aside.add if one.suspect else state.set_aside.discard)(one.region)
    if turned:
        state.wake({one.region for one in turned})
        state.watch.look_at_all(state.targets.values())


def load_of(region: RegionState, running: int) -> RegionLoad | None:
    """The sums over a region's probers; None if none was heard recently."""
    targets = failing = newly_failing = heard = 0
    for one in region.probers.values():
        if running - one.last_beat < HEARD_MS:
            heard += 1
            targets += one.targets
            failing += one.failing
            newly_failing += one.newly_failing
    return RegionLoad(targets, failing, newly_failing) if heard else None


def _widely(failing: int, targets: int) -> bool:
    return failing >= AT_LEAST and failing * 100 > SUSPECT_PERCENT * targets
