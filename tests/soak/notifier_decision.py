"""Histories of a notifier's decision, drawn from a seed, and what they came to."""

import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import get_state_machine_test
from msgspec import Struct

from tests.unit.sinks.notifier.reference.histories import Histories


class Tally(Struct):
    """What all histories of a run did."""

    histories: int = 0
    events: int = 0
    deliveries: int = 0
    arrivals: int = 0
    crashes: int = 0
    reached: dict[str, int] = {}


class Outcome(Struct, frozen=True):
    seed: int
    tally: Tally
    seconds: float
    wrong: list[str]

    @property
    def report(self) -> str:
        tally = self.tally
        head = (
            f"SEED={self.seed}: {tally.histories} histories in {self.seconds:.0f} s: "
            f"{tally.events} events, {tally.deliveries} deliveries, {tally.arrivals} arrived, "
            f"{tally.crashes} crashes"
        )
        lines = [
            head,
            *(f"  {count:>8}  {name}" for name, count in sorted(tally.reached.items())),
            *self.wrong,
        ]
        return "\n".join(lines)


def run(machine: type[Histories], drawn_from: int, histories: int, steps: int) -> Outcome:
    """Plays histories; the first that is wrong ends it, as the shortest steps that were found."""
    tally = Tally()
    reached: Counter[str] = Counter()

    class Counted(machine):  # type: ignore[misc,valid-type]
        def teardown(self) -> None:
            super().teardown()
            tally.histories += 1
            tally.events += len(self.shell.log)
            tally.deliveries += len(self.shell.sent)
            tally.arrivals += self.shell.judge.receivers.deliveries
            tally.crashes += self.shell.judge.crashes
            reached.update(self.shell.judge.reached)

    test: Any = get_state_machine_test(
        Counted,
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=set(Phase) - {Phase.explain, Phase.reuse},
            suppress_health_check=list(HealthCheck),
        ),
    )
    began = time.monotonic()
    wrong = []
    try:
        seed(drawn_from)(test)()
    except AssertionError as error:
        wrong = [str(error), *getattr(error, "__notes__", [])]
    tally.reached = dict(reached)
    return Outcome(drawn_from, tally, time.monotonic() - began, wrong)
