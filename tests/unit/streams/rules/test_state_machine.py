"""Any history, through the rules and through the reference: they must tell the same.

A history is what Hypothesis makes of the machine below. Every record of it goes through the rules,
through rules that were restored from a checkpoint the moment before, and through the reference; at
its end the whole log is replayed from nothing, as bytes.

CI runs half a minute of it. For longer, with a fresh seed each time (a history that fails is
printed as the steps that lead to it, the shortest that was found):

    HYPOTHESIS_PROFILE=soak python -m pytest tests/unit/streams/rules/test_state_machine.py

What the histories leave out: a target keeps its timeout.
"""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from schemas import batch, control
from streams.checkpoint import decoder
from streams.rules import consensus, flapping
from streams.rules.apply import apply
from streams.rules.process import step
from streams.rules.record import Record
from streams.state.freshness import is_fresh
from streams.state.partition_state import new_state
from streams.state.target_state import Trouble
from streams.state.windows import Window
from tests.examples import examples, minutes
from tests.unit.streams.rules.reference_histories import Histories
from tests.unit.streams.rules.reference_log import messages
from tests.unit.streams.rules.reference_speed import Speed

PROFILES: Final = {
    "default": settings(max_examples=examples(15), stateful_step_count=40),
    "soak": settings(max_examples=20_000, stateful_step_count=80, print_blob=True),
}
PROFILE: Final = "soak" if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else "default"


class Machine(Histories):
    def __init__(self) -> None:
        super().__init__()
        self.checkpoint: tuple[int, list[bytes]] = (0, decoder.encode(self.fleet.state))

    # Workers

    @rule()
    def write_checkpoint(self) -> None:
        self.checkpoint = (len(self.fleet.log), decoder.encode(self.fleet.state))

    @rule(more=st.integers(0, 5))
    def crash(self, more: int) -> None:
        """Another worker takes over from the checkpoint; some records come once more."""
        covered, chunks = self.checkpoint
        state = decoder.decode(chunks, 0, 1)
        for record in self.fleet.log[max(0, covered - more) : covered]:
            assert apply(state, record) == []
        for record in self.fleet.log[covered:]:
            assert messages(apply(state, record)) == self.fleet.given[record.offset]
        assert decoder.encode(state) == decoder.encode(self.fleet.state)
        self.fleet.state = state

    # Always

    @invariant()
    def the_indexes_are_true(self) -> None:
        state = self.fleet.state
        restored = self.fleet.restored()
        assert state.hosts == restored.hosts
        assert state.hot.keys() == restored.hot.keys()
        assert state.hot.keys() == {name for name, one in state.targets.items() if one.hot}
        assert state.woken.keys() <= state.hot.keys()
        for host, seen in state.around.items():
            assert seen.until <= state.running or list(seen.statuses.items()) == [
                (name, consensus.status(state, state.targets[name])) for name in state.on_host(host)
            ]

    @invariant()
    def the_reference_hears_the_same(self) -> None:
        """What would come out later, seen at once."""
        state, other = self.fleet.state, self.fleet.reference
        assert (state.running, state.set_aside) == (other.running, other.aside)
        assert state.targets.keys() == other.targets.keys()
        assert {
            name: (
                one.target,
                None if one.pause is None else (one.pause.by, one.pause.until, one.pause.note),
            )
            for name, one in state.paused.items()
        } == {name: (one.target, one.paused) for name, one in other.shelved.items()}
        for name, entry in state.targets.items():
            watched = other.targets[name]
            for said in watched.said(other.running).values():
                if said.slow:
                    self.fleet.reached.add(f"slow: {said.speed.why}")
            assert entry.target == watched.target
            trouble = entry.trouble or Trouble()
            assert trouble.held == bool(watched.held - {"slow", "expiring"})
            assert trouble.slow_held == ("slow" in watched.held)
            assert trouble.expiring_held == ("expiring" in watched.held)
            assert trouble.held == (trouble.held_by is not None)
            assert trouble.slow_held == (trouble.slow_held_by is not None)
            assert trouble.expiring_held == (trouble.expiring_held_by is not None)
            if "flapping" in watched.incidents:
                assert trouble.incident is not None
                assert trouble.incident.down == (watched.outage is not None)
                assert trouble.incident.turned_at == watched.transitions[-1]
            else:
                open_one = watched.incidents.get("unreachable")
                if open_one is not None:
                    assert trouble.incident is not None
                    assert trouble.incident.down == (not open_one.improved)
                    assert trouble.incident.episode == open_one.episode
                    by, note = open_one.acknowledged or (None, None)
                    assert trouble.incident.acknowledged_by == by
                    assert trouble.incident.acknowledged_note == note
                assert min(flapping.count(state, name), 7) == min(watched.recent(other.running), 7)
                recent = watched.recent(other.running, hours=6)
                assert flapping.count_slow(state, name) == min(recent, 13)
            assert {
                region: (
                    window.newest,
                    is_fresh(window, state.running),
                    window.down,
                    window.unended,
                    window.failing.since if window.failing else None,
                    window.successes,
                    window.pace.since if window.pace and window.pace.slow else None,
                    window.pace.why if window.pace and window.pace.slow else None,
                    seen_by(window),
                    window.since or None,
                    (window.lately or None, window.usual or None, window.daily or None),
                )
                for region, window in zip(entry.policy.regions, state.windows(entry), strict=True)
                if window is not None
            } == {
                region: (
                    watched.heard[region][-1].effective,
                    said.fresh,
                    said.down,
                    said.unended,
                    said.row[0].told if said.row else None,
                    said.successes,
                    said.slow.told if said.slow else None,
                    said.speed.why if said.slow else None,
                    tuple((one.told, one.end) for one in said.ends_soon),
                    said.speed.since,
                    learned(said.speed),
                )
                for region, said in watched.said(other.running).items()
            }

    @invariant()
    def the_same_is_open(self) -> None:
        watched = self.fleet.reference.targets
        assert self.fleet.open.keys() == {
            (name, of) for name, one in watched.items() for of in one.incidents
        }

    def teardown(self) -> None:
        """The whole log from nothing, as the bytes that stand on the topics."""
        state = new_state(0, 1)
        for record in self.fleet.log:
            done = step(state, record.offset, record.append_time, *wire(record))
            assert (done.failed, done.unreadable) == (False, 0)
            assert list(done.messages) == self.fleet.given[record.offset]
        assert decoder.encode(state) == decoder.encode(self.fleet.state)
        for name in sorted(self.fleet.reached):
            event(name)


def seen_by(window: Window) -> tuple[tuple[int, int], ...]:
    """When a region saw a certificate that ends soon, and when it ends."""
    looks = [] if window.endings is None else window.endings.looks
    return tuple((at, end) for at, end in looks if end)


def learned(speed: Speed) -> tuple[int | None, int | None, int | None]:
    """As a window keeps it."""
    return speed.lately, speed.usual, None if speed.daily is None else int(speed.daily * 4096)


def wire(record: Record) -> tuple[bytes, list[tuple[str, bytes]]]:
    if record.control is not None:
        return b"", control.headers(record.control)
    return batch.encode(record.results), []


# A quiet machine needs half a minute; a soak ends when it ends.
TestHistories = pytest.mark.timeout(minutes(15) if PROFILE == "default" else 0)(Machine.TestCase)
TestHistories.settings = settings(
    PROFILES[PROFILE],
    # To explain a failure takes minutes here; the steps that lead to it say it all.
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
