"""One policy run on one history: results in, incidents out."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from schemas.control import Control, TargetSet, Tick
from schemas.incident import IncidentEvent
from schemas.result import CheckResult
from schemas.target import Target
from streams.backtest.outcome import PastIncident, opened
from streams.rules import work_budget
from streams.rules.apply import Output, RuleError, apply
from streams.rules.record import Record
from streams.state.partition_state import new_state

TICK_MS: Final = 2_000
"""Time between two looks at deadlines, in ms. With three probers a beat comes every 1.7 s."""

STEP_MS: Final = 5_000
"""Longest time without a tick, in ms, also when no deadline is due: in a log that is silent for
more than 7.5 s the broker may have been away."""

_TICK: Final = Tick("backtest")


class PolicyRun:
    """Feeds a history to the real rules, in the order of append times.

    History has no beats; ticks stand in for them, so that deadlines are checked and a quiet stretch
    does not look like a silence of the broker. Without beats no region is silent or suspect.
    """

    def __init__(self, targets: Iterable[Target], at: int) -> None:
        """Sets the targets at `at`, a time before the first result (UTC ms).

        Those that are not enabled now, too: they were when they had results.
        """
        self._state = new_state(0, 1)
        self._offset = -1
        self._at = at
        self._open: dict[str, PastIncident] = {}
        self._closed: list[PastIncident] = []
        self.failures = 0
        """Number of records on which the rules raised: a bug in our code."""
        for target in targets:
            self._apply(at, [], TargetSet(replace(target, enabled=True)))

    def feed(self, at: int, results: list[CheckResult]) -> None:
        """Feeds results that were appended at `at`, which is not before an earlier call's time."""
        self.pass_time(at)
        self._apply(at, results, None)

    def pass_time(self, until: int) -> None:
        """Moves the log's time forward without results."""
        while until - self._at >= TICK_MS:
            self._at += TICK_MS
            quiet_ms = self._at - self._state.now
            if quiet_ms < STEP_MS and work_budget.none(self._state, self._at - self._state.gaps):
                # Nothing would come of it; its offset is used up all the same.
                self._offset += 1
            else:
                self._apply(self._at, [], _TICK)

    def tells_loss(self, target_id: str) -> bool:
        """True if the target has retries, and no region says `down` of it at present."""
        entry = self._state.targets.get(target_id)
        if entry is None or not entry.policy.retries:
            return False
        trouble = entry.trouble
        return trouble is None or not any(row.down for row in trouble.failing.values())

    def incidents(self) -> list[PastIncident]:
        """All incidents that were opened so far, sorted by opening time."""
        found = [*self._closed, *self._open.values()]
        return sorted(found, key=lambda one: (one.opened_at, one.target))

    def _apply(self, at: int, results: list[CheckResult], control: Control | None) -> None:
        self._offset += 1
        try:
            outputs = apply(self._state, Record(self._offset, at, results, control))
        except RuleError as error:
            self.failures += 1
            outputs = error.outputs
        if outputs:
            self._note(outputs)

    def _note(self, outputs: list[Output]) -> None:
        for output in outputs:
            if not isinstance(output, IncidentEvent):
                continue
            if output.event == "opened":
                self._open[output.incident_id] = opened(output)
            elif output.event == "worsened" and output.incident_id in self._open:
                one = self._open[output.incident_id]
                worsened_at = (*one.worsened_at, output.at)
                self._open[output.incident_id] = replace(one, worsened_at=worsened_at)
            elif output.event == "closed":
                open_one = self._open.pop(output.incident_id, None)
                if open_one is not None:
                    closed = replace(
                        open_one, closed_at=output.closed_at, closed_because=output.closed_because
                    )
                    self._closed.append(closed)
