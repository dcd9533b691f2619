"""A copy of one target, to restore if a rule fails halfway."""

from typing import Final

import msgspec

from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState, Trouble

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Trouble).decode


class Undo:
    """The state of `entry` at this moment.

    It costs some microseconds: copies of the target's windows, and its trouble in the form of a
    checkpoint. Indexes that only save work are not copied but rebuilt.
    """

    __slots__ = ("_entry", "_hot", "_news", "_transitions", "_trouble", "_windows", "_woken")

    def __init__(self, state: PartitionState, entry: TargetState) -> None:
        self._entry = entry
        self._windows = state.columns.save(entry.slot, len(entry.policy.regions))
        self._trouble = None if entry.trouble is None else _encode(entry.trouble)
        self._hot = state.hot.get(entry.id)
        self._woken = entry.id in state.woken
        self._news = entry.host_key in state.news
        self._transitions = state.transitions.get(entry.id)

    def put_back(self, state: PartitionState) -> None:
        """Restores the target; the rest of the state stays unchanged.

        The state must contain the target, or another definition of it.
        """
        entry, columns = self._entry, state.columns
        if state.targets[entry.id] is not entry:
            columns.reclaim(entry.slot, len(entry.policy.regions))
            state.add(entry)
        columns.load(entry.slot, self._windows)
        entry.trouble = None if self._trouble is None else _decode(self._trouble)
        state.hot.pop(entry.id, None)
        if self._hot is not None:
            state.hot[entry.id] = self._hot
        if self._woken:
            state.woken.setdefault(entry.id, None)
        if not self._news:
            state.news.pop(entry.host_key, None)
        self._put_back_transitions(state)
        state.around.clear()

    def _put_back_transitions(self, state: PartitionState) -> None:
        if state.transitions.get(self._entry.id) == self._transitions:
            return
        state.transitions.pop(self._entry.id, None)
        if self._transitions is not None:
            state.transitions[self._entry.id] = self._transitions
            # Who turned longest ago stands first.
            in_time = sorted(state.transitions.items(), key=lambda turned: turned[1][-1])
            state.transitions = dict(in_time)
