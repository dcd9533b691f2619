"""Jobs in random histories: a restart changes nothing, and a fault of a rule leaves nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.control import (
    Acknowledged,
    Resolved,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    Tick,
)
from schemas.incident import IncidentEvent
from schemas.probe import HeartbeatProbe
from schemas.result import RECEIVER
from streams.checkpoint import decoder
from streams.explain import explain
from streams.rules import apply
from streams.rules.messages import encode
from streams.rules.record import Record
from streams.state.partition_state import PartitionState
from streams.worker.open_view import open_incidents
from tests.unit.streams.rules.fleet import START, target
from tests.unit.streams.rules.jobs import MINUTE_MS, Jobs, job, nightly, probe

NAMES = ("a", "b", "c")
PROBES = (
    probe(interval_ms=5 * MINUTE_MS, grace_ms=MINUTE_MS),
    probe(interval_ms=MINUTE_MS, grace_ms=10 * MINUTE_MS, max_runtime_ms=2 * MINUTE_MS),
    nightly(START, "*/5 * * * *", grace_ms=MINUTE_MS, max_runtime_ms=MINUTE_MS),
    nightly(START, "7 9,10 * * *"),
)
names = st.sampled_from(NAMES)
spans = st.sampled_from((1, 500, 3_000, 14_000, 40_000, MINUTE_MS, 4 * MINUTE_MS))
Step = tuple[Any, ...]

steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(
        st.just("signal"),
        names,
        st.sampled_from(("success", "success", "fail", "start", "start", "log")),
        st.sampled_from((None, "x", "y")),
    ),
    st.tuples(st.just("pass"), spans),
    st.tuples(st.just("pass"), spans),
    st.tuples(st.just("away"), st.booleans()),
    st.tuples(st.just("gap"), st.sampled_from((16_000, 10 * MINUTE_MS))),
    st.tuples(st.just("back"), st.sampled_from((5_000, 16_000, 10 * MINUTE_MS))),
    st.tuples(st.just("set"), names, st.sampled_from((None, *PROBES))),
    st.tuples(st.just("remove"), names),
    st.tuples(st.just("pause"), names, st.sampled_from((None, 30_000))),
    st.tuples(st.just("resume"), names),
    st.tuples(st.just("hand"), names, st.booleans()),
)


def play(jobs: Jobs, script: list[Step]) -> None:  # noqa: C901, PLR0912 - a case a sort of step
    for number, step in enumerate(script):
        match step:
            case ("signal", name, signal, run):
                jobs.signal(signal, of=name, run=run)
            case ("pass", ms):
                jobs.pass_time(ms)
            case ("away", away):
                jobs.away = away
            case ("gap", ms):
                jobs.now += ms
                jobs.tick()
            case ("back", ms):
                jobs.now -= ms
                jobs.hear()
            case ("set", name, None):
                jobs.set(target(name, "r", version=number + 2))
            case ("set", name, HeartbeatProbe() as expected):
                jobs.set(job(name, expected, version=number + 2))
            case ("remove", name):
                jobs.control(TargetRemoved(target=name, version=number + 2))
            case ("pause", name, ms):
                until = None if ms is None else jobs.now + ms
                jobs.control(TargetPaused(target=name, until=until, by="eve"))
            case ("resume", name):
                jobs.control(TargetResumed(target=name, by="eve"))
            case ("hand", name, resolve):
                one = jobs.state.jobs.get(name)
                if one is not None and one.incident is not None:
                    which = one.incident.incident_id
                    said = Resolved if resolve else Acknowledged
                    jobs.control(said(target=name, incident_id=which, by="eve"))


def begun(script: list[Step]) -> Jobs:
    jobs = Jobs(*(job(name, expected) for name, expected in zip(NAMES, PROBES, strict=False)))
    play(jobs, script)
    return jobs


def copy(state: PartitionState) -> PartitionState:
    return decoder.decode(decoder.encode(state), state.partition, state.partitions)


@settings(max_examples=60)
@given(st.lists(steps, max_size=60), st.lists(steps, max_size=30))
def test_a_restart_changes_nothing(first: list[Step], later: list[Step]) -> None:
    jobs = begun(first)
    before = len(jobs.log)
    again = copy(jobs.state)
    assert decoder.encode(again) == decoder.encode(jobs.state)
    sent = len(jobs.outputs)
    play(jobs, later)
    found = [one for record in jobs.log[before:] for one in apply.apply(again, record)]
    assert [encode(one, 1) for one in found] == [encode(one, 1) for one in jobs.outputs[sent:]]
    assert decoder.encode(again) == decoder.encode(jobs.state)
    keep_promises(jobs)


def keep_promises(jobs: Jobs) -> None:
    """What holds of each history."""
    open_now: dict[str, IncidentEvent] = {}
    ids = set()
    for event in jobs.events:
        if event.kind != "heartbeat":
            continue
        assert event.event_id not in ids
        ids.add(event.event_id)
        assert set(event.regions) == {RECEIVER}
        assert event.event in {"opened", "updated", "closed"}
        if event.event == "opened":
            assert event.target not in open_now
            assert event.votes.down == 1
            assert event.regions[RECEIVER].reason is not None
            open_now[event.target] = event
        elif event.event == "closed":
            assert open_now.pop(event.target).incident_id == event.incident_id
        else:
            assert open_now[event.target].incident_id == event.incident_id
    held = {key.decode() for key in open_incidents(jobs.state)}
    assert held == {one.incident_id for one in open_now.values()}
    for name in jobs.state.jobs:
        assert explain(jobs.state, name) is not None


PLACES = (
    "streams.rules.heartbeat_incidents._open",
    "streams.rules.heartbeat_incidents._event",
    "streams.rules.heartbeat_incidents.close",
    "streams.rules.heartbeat_incidents.follow_flapping",
    "streams.rules.heartbeat_incidents.flapping.note",
    "streams.rules.heartbeats._missed",
    "streams.rules.heartbeats._overran",
    "streams.rules.heartbeats.due_after",
    "streams.rules.heartbeats.due_later",
    "streams.rules.receivers.take_beat",
)


DOES: dict[str, Callable[[Jobs, str], object]] = {
    "signal": lambda jobs, name: jobs.signal("fail", of=name),
    "tick": lambda jobs, _: jobs.tick(),
    "beat": lambda jobs, _: jobs.hear(),
    "set": lambda jobs, name: jobs.set(job(name, PROBES[0], version=10_000)),
    "kind": lambda jobs, name: jobs.set(target(name, "r", version=10_000)),
    "remove": lambda jobs, name: jobs.control(TargetRemoved(target=name, version=10_000)),
    "pause": lambda jobs, name: jobs.control(TargetPaused(target=name, until=None, by="eve")),
}


class FaultError(Exception):
    """A fault of ours, put there by the test."""


def fails(*_: object, **__: object) -> None:
    raise FaultError


@settings(max_examples=100)
@given(
    st.lists(steps, max_size=40),
    st.sampled_from(PLACES),
    st.sampled_from(sorted(DOES)),
    names,
)
def test_a_fault_of_a_rule_leaves_nothing(
    script: list[Step], place: str, what: str, name: str
) -> None:
    jobs = begun(script)
    jobs.now += 1_000
    jobs.tick()
    jobs.now += 500 if what != "tick" else MINUTE_MS
    without = copy(jobs.state)
    offset = len(jobs.log)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, fails)
        try:
            DOES[what](jobs, name)
        except apply.RuleError as error:
            parts = error.parts
        else:
            return  # the record did not come that way
    assert all(isinstance(part.error, FaultError) for part in parts)
    if not all(part.blamed for part in parts):
        # A deadline failed: the jobs are as they were, and are looked at again.
        assert jobs.state.looked_at == jobs.state.running
    else:
        apply.apply(without, Record(offset, jobs.now, [], None))
        assert jobs.state.jobs == without.jobs
        assert jobs.state.transitions == without.transitions
        assert jobs.state.receivers == without.receivers
        assert jobs.state.paused == without.paused
        assert jobs.state.targets.keys() == without.targets.keys()
    # Indexes and all: from here on it is as after a restart.
    again = copy(jobs.state)
    for number in range(1, 40):
        record = Record(offset + number, jobs.now + 5_000 * number, [], Tick("t"))
        if number % 2:
            beat = next(one.control for one in jobs.log if one.control is not None)
            record = Record(offset + number, jobs.now + 5_000 * number, [], beat)
        assert apply.apply(jobs.state, record) == apply.apply(again, record)
    assert decoder.encode(jobs.state) == decoder.encode(again)
