"""Any history of a notifier, judged by what its receivers got.

What may happen is in `tests/unit/sinks/notifier/reference/histories.py`: events of incidents,
regions and unwatched targets, read twice too, changed routes, channels with each kind of outcome,
time, a clock that is set back, and crashes between any two steps of the notifier's loop.

CI runs half a minute of it; `make soak` runs hours (tests/soak/test_notifier_decision.py).
"""

import pytest
from hypothesis import HealthCheck, Phase, event, settings

from sinks.notifier.decision.desk import Desk
from tests.examples import examples, minutes
from tests.unit.sinks.notifier.reference.histories import Histories
from tests.unit.sinks.notifier.reference.shell import GROUP_WAIT_MS, World, class_of, needs_refresh
from tests.unit.sinks.notifier.reference.timely_histories import TimelyHistories


class Machine(Histories):
    @staticmethod
    def make(world: World) -> Desk:
        return Desk(
            group_wait_ms=GROUP_WAIT_MS,
            class_of=class_of,
            needs_refresh=needs_refresh,
            seed=1,
            facts_of=world.facts_of,
            targets_total=world.targets_total,
        )

    def teardown(self) -> None:
        super().teardown()
        for name in sorted(self.shell.judge.reached):
            event(name)


class TimelyMachine(Machine, TimelyHistories):
    """The same, with what spares people and what comes by time."""

    mass_share = 0.2

    @staticmethod
    def make(world: World) -> Desk:
        return Desk(
            group_wait_ms=GROUP_WAIT_MS,
            class_of=class_of,
            needs_refresh=needs_refresh,
            seed=1,
            facts_of=world.facts_of,
            targets_total=world.targets_total,
            mass_share=TimelyMachine.mass_share,
        )


TestHistories = pytest.mark.timeout(minutes(15))(Machine.TestCase)
TestHistories.settings = settings(
    max_examples=examples(15),
    stateful_step_count=40,
    report_multiple_bugs=False,
    # The same histories each time; `make soak` draws others.
    derandomize=True,
    # To explain a failure takes minutes here; the steps that lead to it say it all.
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TestTimelyHistories = pytest.mark.timeout(minutes(15))(TimelyMachine.TestCase)
TestTimelyHistories.settings = settings(
    TestHistories.settings, max_examples=examples(12), stateful_step_count=25
)
