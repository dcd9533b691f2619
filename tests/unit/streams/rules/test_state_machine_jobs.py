"""Histories of jobs, through the rules and through the reference (rule 16).

As in `test_state_machine`, each record goes through the rules, through rules that were restored the
moment before, and through the reference. At the end the log is replayed from nothing; and once
more without jobs and receivers: what is told of the others must be the same.
"""

import os
from collections.abc import Mapping
from itertools import zip_longest
from typing import Final, TypeGuard

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from msgspec import structs

from schemas import batch, control
from schemas.control import (
    Acknowledged,
    Beat,
    Control,
    Resolved,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    TargetSet,
    Tick,
)
from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.result import RECEIVER
from streams.checkpoint import decoder
from streams.rules.apply import Output, apply
from streams.rules.process import step
from streams.rules.record import Record
from streams.state.partition_state import new_state
from tests.examples import examples, minutes
from tests.unit.streams.rules.job_histories import NAMES, JobHistories
from tests.unit.streams.rules.reference_log import messages

PROFILES: Final = {
    "default": settings(max_examples=examples(30), stateful_step_count=30),
    "soak": settings(max_examples=20_000, stateful_step_count=60, print_blob=True),
}
PROFILE: Final = "soak" if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else "default"


class Machine(JobHistories):
    def __init__(self) -> None:
        super().__init__()
        self.checkpoint: tuple[int, list[bytes]] = (0, decoder.encode(self.fleet.state))

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

    @invariant()
    def the_same_is_open(self) -> None:
        reference = self.fleet.reference
        both = {**reference.targets, **reference.jobs.known}
        assert self.fleet.open.keys() == {
            (name, of) for name, one in both.items() for of in one.incidents
        }

    def teardown(self) -> None:
        state = new_state(0, 1)
        for record in self.fleet.log:
            done = step(state, record.offset, record.append_time, *wire(record))
            assert (done.failed, done.unreadable) == (False, 0)
            assert list(done.messages) == self.fleet.given[record.offset]
        assert decoder.encode(state) == decoder.encode(self.fleet.state)
        if not self.changed_kind:
            self.others_are_told_the_same()
        for name in sorted(self.fleet.reached):
            event(name)

    def others_are_told_the_same(self) -> None:
        state, alone = new_state(0, 1), list[Output]()
        ids = iter([one.incident_id for one in self.fleet.outputs if is_opening(one)])
        other_ids: dict[str, str] = {}
        for record in self.fleet.log:
            found = apply(state, without(record, other_ids))
            other_ids |= {next(ids): one.incident_id for one in found if is_opening(one)}
            alone += [nameless(one) for one in found]
        beside = [nameless(one) for one in self.fleet.outputs if not of_jobs(one)]
        if self.was_set_back:
            # A partition's events of regions and targets are one order: where it counts on from
            # the old time, those of the receivers count, too.
            alone = [one for one in alone if isinstance(one, IncidentEvent)]
            beside = [one for one in beside if isinstance(one, IncidentEvent)]
        for one, other in zip_longest(alone, beside):
            assert one == other


def is_opening(out: Output) -> TypeGuard[IncidentEvent]:
    return isinstance(out, IncidentEvent) and out.event == "opened" and not of_jobs(out)


def without(record: Record, ids: Mapping[str, str]) -> Record:
    """The record as if there were neither jobs nor receivers; time comes on all the same.

    `ids` are those of incidents in a log without jobs, by those in the log with them.
    """
    results = [one for one in record.results if one.target not in NAMES]
    told = record.control
    if told is not None and is_of_jobs(told):
        told = Tick("test")
    elif isinstance(told, Acknowledged | Resolved):
        told = structs.replace(told, incident_id=ids.get(told.incident_id, told.incident_id))
    return Record(record.offset, record.append_time, results, told)


def nameless(out: Output) -> Output:
    """Without the ids, which name the deciding record: it may have been the beat of a receiver."""
    match out:
        case IncidentEvent():
            return structs.replace(out, event_id="", incident_id="")
        case RegionEvent():
            return structs.replace(out, event_id="")
        case TargetsEvent():
            return structs.replace(out, event_id="", cause_id="")
        case _:
            return out


def is_of_jobs(told: Control) -> bool:
    match told:
        case TargetSet():
            return told.target.id in NAMES
        case Beat():
            return told.region == RECEIVER
        case Acknowledged() | Resolved() | TargetPaused() | TargetResumed() | TargetRemoved():
            return told.target in NAMES
        case _:
            return False


def of_jobs(out: Output) -> bool:
    if isinstance(out, IncidentEvent):
        return out.target in NAMES
    return isinstance(out, RegionEvent) and out.region == RECEIVER


def wire(record: Record) -> tuple[bytes, list[tuple[str, bytes]]]:
    if record.control is not None:
        return b"", control.headers(record.control)
    return batch.encode(record.results), []


TestJobs = pytest.mark.timeout(minutes(15) if PROFILE == "default" else 0)(Machine.TestCase)
TestJobs.settings = settings(
    PROFILES[PROFILE],
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
