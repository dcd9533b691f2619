"""Rule 16: the receivers' beats, and the times in which nobody could be heard."""

from typing import Final

from msgspec import structs

from schemas.control import Beat
from streams.state.heartbeats import MOST_DEAF
from streams.state.partition_state import PartitionState

DEAF_AFTER_MS: Final = 15_000
"""Longest time between two beats that is no deaf time, in ms."""


def take_beat(state: PartitionState, beat: Beat) -> None:
    """Records a beat of a receiver: what ends at it was deaf, if it was long."""
    heard = state.receivers
    deaf = heard.deaf
    if not heard.newest_beat or state.now - heard.newest_beat > DEAF_AFTER_MS:
        deaf = (*deaf, (heard.newest_beat, state.now))[-MOST_DEAF:]
    heard.newest_beat, heard.name_jobs, heard.deaf = state.now, beat.targets > 0, deaf


def set_back(state: PartitionState, step: int) -> None:
    """The broker's clock is set back by `step` ms: all lies as far back as before.

    A clock that was many years ahead leaves times before 1970.
    """
    heard = state.receivers
    state.receivers = structs.replace(
        heard,
        newest_beat=heard.newest_beat and (heard.newest_beat - step or -1),
        deaf=tuple((begin - step, end - step) for begin, end in heard.deaf),
    )
