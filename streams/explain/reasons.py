"""Sentences on why a target has its status: the votes and the regions without one."""

from collections.abc import Iterable, Sequence
from typing import Final

from schemas.duration import COARSE, duration_text
from streams.diagnosis.words import names, verb
from streams.explain.format import time_of_day, times
from streams.explain.model import RegionExplained
from streams.rules import flapping
from streams.rules.consensus import Tally
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState


def because(
    state: PartitionState,
    entry: TargetState,
    seen: Sequence[RegionExplained],
    counted: Tally,
) -> tuple[str, ...]:
    """The votes, the regions without a vote, and the transitions of the last hours."""
    told = [
        (
            f"{counted.down} of {counted.fresh} regions that count "
            f"{_say_down(counted.down, closed=entry.policy.closed)}; {counted.need} "
            f"{'is' if counted.need == 1 else 'are'} needed ({entry.policy.consensus}, and a "
            f"majority of the {counted.configured} configured)."
        )
    ]
    if entry.policy.latency is not None:
        told.append(f"{counted.slow} of them {'says' if counted.slow == 1 else 'say'} slow.")
    told += _missing(state, seen)
    turns, slow_turns = flapping.count(state, entry.id), flapping.count_slow(state, entry.id)
    if turns:
        went, go = ("opened or closed", "open") if entry.policy.closed else _DOWN_OR_UP
        told.append(
            f"It {went} {times(turns)} within the last hour; to {go} beyond "
            f"{flapping.LIMIT} of these is one flapping incident in place of many."
        )
    if slow_turns > turns:
        told.append(
            f"It opened or recovered {times(slow_turns)} within the last 6 hours; an opening "
            f"beyond {flapping.SLOW_LIMIT} of these is flapping, too."
        )
    return tuple(told)


_DOWN_OR_UP: Final = ("went down or up", "go down")


def _say_down(regions: int, *, closed: bool) -> str:
    if closed:
        return "finds it open" if regions == 1 else "find it open"
    return "says down" if regions == 1 else "say down"


def _missing(state: PartitionState, seen: Sequence[RegionExplained]) -> Iterable[str]:
    aside = [one.region for one in seen if one.said.set_aside]
    if aside:
        yield (
            f"{names(aside)} {verb(aside, 'is', 'are')} set aside: much of what "
            f"{verb(aside, 'it checks', 'they check')} began to fail at once, so that "
            f"{verb(aside, 'its', 'their')} own network is suspected."
        )
    for one in seen:
        if one.silent_since is not None:
            yield (
                f"{one.region} is silent since {time_of_day(one.silent_since)} "
                f"({duration_text(state.now - one.silent_since, COARSE)}): no prober of it reports."
            )
    unheard = [one.region for one in seen if one.region not in state.regions]
    if unheard:
        yield f"No prober of {names(unheard)} has ever been heard."
    quiet = [
        one.region
        for one in seen
        if one.said.verdict in {"stale", "pending"}
        and one.silent_since is None
        and one.region not in unheard
    ]
    if quiet:
        yield (
            f"{names(quiet)} {verb(quiet, 'has', 'have')} no fresh result, though "
            f"{verb(quiet, 'its', 'their')} probers report: the address is blocked by policy, or "
            "checks are missed, as those are that need a secret which the prober lacks."
        )
