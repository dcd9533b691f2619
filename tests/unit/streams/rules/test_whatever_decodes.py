"""Whatever decodes can be applied, checkpointed, restored and told, whoever wrote it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas import batch, control, incident, recheck
from schemas.control import Acknowledged, Beat, Resolved, TargetRemoved, TargetSet, Tick
from schemas.incident import IncidentEvent, RegionVerdict
from schemas.probe import HeartbeatProbe
from schemas.result import RECEIVER, CheckResult
from schemas.target import Target
from sinks.notifier.texts.model import Budget
from sinks.notifier.texts.render import render
from streams.checkpoint import decoder
from streams.rules import clock
from streams.rules.messages import encode
from streams.rules.process import Processed, step
from streams.state.partition_state import PartitionState, new_state
from tests.unit.schemas.edges import values_of
from tests.unit.sinks.notifier.texts.deliveries import delivery as told
from tests.unit.streams.rules.fleet import START, Fleet, target

MOST_MESSAGE = 1_048_576
KNOWN = {
    "t1": {"host": "h1", "port": 80, "kind": "tcp"},
    "t2": {"host": "h1", "port": 81, "kind": "tcp"},
    "t3": {"host": None, "port": None, "kind": "k"},
    "t4": {"host": None, "port": None, "kind": "heartbeat"},
}
REGIONS = ("a", "b", "c", RECEIVER)
PROBES = {"t4": HeartbeatProbe(interval_ms=60_000, grace_ms=1_000, max_runtime_ms=30_000)}

Message = tuple[bytes | None, tuple[tuple[str, bytes | None], ...]]


def known_place(values: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """`values` as drawn, or of a target that is watched."""
    return st.sampled_from([None, *KNOWN, *KNOWN]).map(
        lambda name: dict(values) if name is None else {**values, "target": name, **KNOWN[name]}
    )


def near(values: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """`values` as drawn, or of a region that checks the target, about now."""
    times = st.none() | st.integers(START - 100_000, START + 2_000_000)
    return st.tuples(st.sampled_from([None, *REGIONS, *REGIONS]), times).map(
        lambda drawn: {
            **values,
            **({} if drawn[0] is None else {"region": drawn[0]}),
            **({} if drawn[1] is None else {"started_at": drawn[1]}),
        }
    )


lines = (
    values_of(CheckResult).flatmap(known_place).flatmap(near).map(msgspec.json.encode)
    | st.binary(max_size=30)
    | st.sampled_from([b"", b"null", b'{"target":"\\ud800"}', b"{}" * 40])
)
batches = st.lists(lines, max_size=12).map(b"\n".join)
target_sets = st.tuples(
    values_of(Target), st.sampled_from([None, *KNOWN]), st.sampled_from([None, REGIONS])
).map(
    lambda drawn: {
        "control": "target_set",
        "target": {
            **drawn[0],
            **({} if drawn[1] is None else {"id": drawn[1], **KNOWN[drawn[1]]}),
            **({} if drawn[2] is None else {"regions": drawn[2]}),
        },
    }
)
removals = values_of(TargetRemoved).flatmap(known_place)
words = (values_of(Acknowledged) | values_of(Resolved)).flatmap(known_place)
beats = values_of(Beat).flatmap(near)
bodies = (target_sets | target_sets | removals | words | beats | beats | values_of(Tick)).map(
    lambda values: msgspec.json.encode(
        {
            name: value
            for name, value in values.items()
            if name not in {"host", "port", "kind"} or "control" not in values
        }
    )
)
odd_headers = st.lists(
    st.tuples(st.sampled_from(["", "x", control.HEADER, "\ufffd"]), st.none() | st.binary()),
    max_size=2,
).map(tuple)
messages: st.SearchStrategy[Message] = st.one_of(
    st.tuples(batches, st.just(())),
    bodies.map(lambda body: (b"", ((control.HEADER, body),))),
    st.tuples(st.sampled_from([None, b"", b"\x00", b"\n\n"]), odd_headers),
)
stamps = st.sampled_from(
    [-1, -(2**63), 0, 2**62, clock.LATEST_MS - 1, clock.LATEST_MS]
) | st.integers(START - 10_000, START + 1_000_000)
usual_stamps = st.integers(START, START + 1_000_000)


def take(state: PartitionState, offset: int, at: int, message: Message) -> Processed:
    done = step(state, offset, at, *message)  # type: ignore[arg-type]
    assert not done.failed
    # Refused is what says of a heartbeat nothing that could be expected.
    assert all("heartbeat '" in one.error for one in done.not_applied)
    return done


def tell(done: Processed) -> None:
    """What was decided can be read again, and put into words."""
    for message in done.messages:
        assert len(message.value) + sum(len(k) + len(v) for k, v in message.headers) < 1_000_000
        if message.topic == "rechecks":
            assert recheck.decode(message.value).host.encode() == message.key
            continue
        event = incident.decode(message.value)
        assert incident.encode(event) == message.value
        text = render(told("opened", event), Budget(title=250, body=4000))
        assert text.subject
        assert "could not be made" not in text.body
        (text.subject + text.body).encode()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(messages, stamps), max_size=25), st.integers(0, 25), st.integers(0, 2))
def test_whatever_decodes_is_applied_kept_and_told(
    log: list[tuple[Message, int]], restored_after: int, partition: int
) -> None:
    state = new_state(partition, 3)
    other = new_state(partition, 3)
    begin = [(b"", ((control.HEADER, msgspec.json.encode(TargetSet(one))),)) for one in watched()]
    for offset, (message, at) in enumerate([*((one, START) for one in begin), *log]):
        done = take(state, offset, at, message)
        tell(done)
        assert take(other, offset, at, message) == done
        if offset == restored_after:
            other = decoder.decode(decoder.encode(other), partition, 3)
    chunks = decoder.encode(state)
    assert all(len(chunk) < MOST_MESSAGE for chunk in chunks)
    assert decoder.encode(other) == chunks
    assert decoder.encode(decoder.decode(chunks, partition, 3)) == chunks


def watched() -> list[Target]:
    return [
        target(
            name, "a b c", name=name, retries=0, recover_after=1, probe=PROBES.get(name), **place
        )
        for name, place in KNOWN.items()
    ]


def test_two_probers_with_all_that_a_count_may_be_are_added_up() -> None:
    fleet = Fleet(target())
    most = 2**31 - 1
    for _ in range(3):
        for prober in ("p", "q", "r"):
            fleet.beat("a", prober=prober, targets=most, failing=most, newly_failing=most)
        fleet.wait(5_000)
        fleet.beat("b", targets=most)
        fleet.beat("c", targets=most)
    assert fleet.state.regions["a"].suspect
    assert f"{3 * most} of the {3 * most} targets" in fleet.outputs[-1].summary  # type: ignore[union-attr]
    assert decoder.encode(fleet.restored()) == decoder.encode(fleet.state)


def test_a_target_with_all_that_may_be_is_kept_and_its_outage_is_told() -> None:
    regions = tuple(f"r{number:062d}" for number in range(1_000))
    long = "\U0001f600" * 255
    one = target(
        regions=" ".join(regions),
        name="n" * 200,
        team=long,
        tags=tuple(long[:-4] + str(n) for n in range(1_000)),
        depends_on=tuple(long[:-4] + str(n) for n in range(1_000)),
        purpose="\x00" * 10_000,
        runbook="\x00" * 10_000,
        retries=0,
    )
    assert msgspec.json.decode(msgspec.json.encode(one), type=Target) == one
    state = new_state(0, 1)
    found = [*step(state, 0, START, b"", control.headers(TargetSet(one))).messages]
    fleet = Fleet(one)
    # More than half of them open it; each that fails afterwards is one more event to make.
    for start in range(0, 560, 280):
        failed = [
            structs.replace(fleet.result(region, "timed_out"), detail="\U0001f600" * 300)
            for region in regions[start : start + 280]
        ]
        done = step(state, state.offset + 1, START + start, batch.encode(failed), ())
        assert not done.failed
        tell(done)
        found += done.messages
    opened = next(message for message in found if message.topic == "incidents")
    assert opened.kind == "portquorum.incident.opened.v1"
    chunks = decoder.encode(state)
    assert len(chunks) > 2
    assert all(len(chunk) < MOST_MESSAGE for chunk in chunks)
    assert decoder.encode(decoder.decode(chunks, 0, 1)) == chunks
    pieces = [number for number, chunk in enumerate(chunks) if chunk[:2] == b"\x93\x02"]
    assert len(pieces) > 3
    for number in pieces:
        with pytest.raises(ValueError, match="expected"):
            decoder.decode(chunks[:number] + chunks[number + 1 :], 0, 1)


def test_an_event_that_is_too_large_loses_what_people_miss_least() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.append([fleet.result("a", "timed_out")])
    (event,) = fleet.events
    assert encode(event, 1).value == incident.encode(event)
    said = RegionVerdict(verdict="down", reason="timed_out", detail="d" * 300, since=1)
    many = structs.replace(event, regions={f"r{n}": said for n in range(1_000)})
    other = incident.HostTarget(target="t", name="n" * 200, kind="tcp", port=1, status="down")
    large = structs.replace(many, host_targets=(other,) * 10_000)
    shorter = incident.decode(encode(large, 1).value)
    assert isinstance(shorter, IncidentEvent)
    assert len(shorter.host_targets) == 1_000
    assert shorter.regions == many.regions
