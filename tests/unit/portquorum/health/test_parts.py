"""The pure parts of gathering: heads of checkpoints, beats, the policy."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord

from portquorum.health import regions
from portquorum.health.facts import (
    ClickHouseFacts,
    GroupFacts,
    HealthFacts,
    KafkaFacts,
    LogFacts,
    PolicyFacts,
)
from portquorum.health.newest_checkpoints import newest_head
from portquorum.health.told import policy_facts
from schemas import control
from schemas.checkpoint import FORMAT, HEAD, CheckpointHead, CheckpointKey, encode_head
from schemas.policy import ApplyMark, EscalationStep, Policy, Region, Route, Team
from streams.checkpoint.decoder import encode, frame_of
from streams.state.partition_state import RegionState, new_state


def record(offset: int, key: bytes | None, value: bytes | None, **more: Any) -> ConsumerRecord:
    base: dict[str, Any] = {
        "topic": "t",
        "partition": 3,
        "offset": offset,
        "timestamp": 1_000 + offset,
        "timestamp_type": 0,
        "key": key,
        "value": value,
        "checksum": None,
        "serialized_key_size": 0,
        "serialized_value_size": 0,
        "headers": (),
    }
    return ConsumerRecord(**(base | more))


def key(writer: str, generation: int, part: str) -> bytes:
    return CheckpointKey(writer, generation, part).encode()


def head(partition: int = 3, **changes: Any) -> bytes:
    base: dict[str, Any] = {
        "format": FORMAT,
        "partition": partition,
        "offset": 77,
        "now": 5_000,
        "written_at": 5_001,
        "crc32": (1, 2),
    }
    return encode_head(CheckpointHead(**(base | changes)))


def test_the_last_head_that_was_not_deleted() -> None:
    written = [
        record(0, key("w", 1, "0"), b"chunk"),
        record(1, key("w", 1, HEAD), head(offset=70)),
        record(2, key("w", 2, "0"), b"chunk"),
        record(3, key("w", 2, HEAD), head(offset=80)),
        record(4, key("w", 1, HEAD), None),
        record(5, key("w", 1, "0"), None),
        record(6, key("w", 3, "0"), b"the next one is not whole yet"),
    ]
    found = newest_head(written, 3)
    assert found is not None
    assert (found.head.offset, found.offset, found.key.generation) == (80, 3, 2)
    deleted = [*written, record(7, key("w", 2, HEAD), None)]
    assert newest_head(deleted, 3) is None


@pytest.mark.parametrize(
    "odd",
    [
        record(9, None, b"x"),
        record(9, b"no key of ours", b"x"),
        record(9, key("w", 9, HEAD), b"no head"),
        record(9, key("w", 9, HEAD), head(partition=4)),
        record(9, key("w", 9, HEAD), head(format=FORMAT + 1)),
    ],
    ids=["no key", "another key", "no head", "of another partition", "of a later format"],
)
def test_what_is_no_head_is_passed_over(odd: ConsumerRecord) -> None:
    assert newest_head([odd], 3) is None
    found = newest_head([record(1, key("w", 1, HEAD), head()), odd], 3)
    assert found is not None
    assert found.offset == 1


def test_the_first_chunk_has_the_regions() -> None:
    state = new_state(3, 16)
    state.regions["eu-west"] = RegionState(10, 20, suspect=True)
    chunks = encode(state)
    assert frame_of(chunks[0]).regions["eu-west"].suspect
    with pytest.raises(ValueError, match="expected the first chunk"):
        frame_of(b"\xff\xff")


def beat(region: str, prober: str, sequence: int, **changes: Any) -> control.Beat:
    base: dict[str, Any] = {
        "region": region,
        "prober": prober,
        "sequence": sequence,
        "started_at": 0,
        "targets": 10,
        "failing": sequence,
        "newly_failing": 0,
        "connectivity": True,
        "lag_ms": 1.0,
        "spool": 0,
        "clock_offset_ms": None,
    }
    return control.Beat(**(base | changes))


def test_the_newest_beat_of_each_prober_counts() -> None:
    found = regions.beats_of(
        [
            record(1, None, b"", headers=control.headers(beat("eu", "a", 1))),
            record(2, None, b"a batch of results"),
            record(3, None, b"", headers=control.headers(beat("eu", "b", 5))),
            record(4, None, b"", headers=[(control.HEADER, b"not JSON")]),
            record(5, None, b"", headers=control.headers(control.Tick(worker="w"))),
            record(6, None, b"", headers=control.headers(beat("eu", "a", 2))),
        ]
    )
    assert {name: (one.failing, one.at) for name, one in found["eu"].items()} == {
        "a": (2, 1_006),
        "b": (5, 1_003),
    }
    assert list(found) == ["eu"]


GROUP = GroupFacts(role="probe-eu", group="g", members=1)


def test_the_last_beat_may_be_in_the_checkpoint_alone() -> None:
    judged = {"eu": RegionState(1, 900, silent=True, suspect=True)}
    gone = regions.region_facts("eu", known=True, beats={}, judged=judged, group=GROUP)
    assert (gone.last_beat, gone.set_aside, gone.probers) == (900, True, ())
    heard = regions.beats_of([record(1, None, b"", headers=control.headers(beat("eu", "a", 1)))])
    back = regions.region_facts("eu", known=None, beats=heard, judged=judged, group=GROUP)
    assert back.last_beat == 1_001


def test_the_inventory_gives_regions_their_targets_and_names_those_without_a_beat() -> None:
    eu = regions.region_facts("eu", known=True, beats={}, judged={}, group=GROUP)
    spare = regions.region_facts("spare", known=True, beats={}, judged={}, group=GROUP)
    seen = HealthFacts(
        kafka=KafkaFacts(servers="k"),
        log=LogFacts(now=1),
        regions=(eu, spare),
        policy=PolicyFacts(regions=("eu", "spare")),
    )
    found = ClickHouseFacts(server="c", targets=7, by_region={"eu": 7, "moon": 2})
    both = regions.with_inventory(seen, found, 10)
    assert {one.region: (one.targets, one.known) for one in both.regions} == {
        "eu": (7, True),
        "moon": (2, False),
        "spare": (0, True),
    }
    assert len(regions.with_inventory(seen, found, 2).regions) == 2
    away = ClickHouseFacts(server="c", error="away")
    assert regions.with_inventory(seen, away, 10).regions == (eu, spare)


ROUTE = Route(name="mail", urls=("json://localhost",))


@pytest.mark.parametrize(
    ("entries", "missing", "untold"),
    [
        ([ROUTE, Team(name="db", routes=("mail",))], (), ()),
        ([ROUTE, Team(name="db")], (), ()),
        ([ROUTE, Team(name="db", routes=("pager",))], ("pager",), ()),
        ([ROUTE, Team(name="web", routes=("mail",)), Team(name="db")], (), ("db",)),
        (
            [ROUTE, Team(name="web", routes=("mail",)), Team(name="db", routes=("pager",))],
            ("pager",),
            ("db",),
        ),
        ([Team(name="db")], (), ()),
        ([Route(name="mail", urls=("json://x",), fallback=("sms", "mail"))], ("sms",), ()),
        (
            [
                Route(
                    name="mail",
                    urls=("json://x",),
                    escalate=(EscalationStep(after_ms=60_000, routes=("boss", "mail")),),
                )
            ],
            ("boss",),
            (),
        ),
        (
            [
                Route(name="a", urls=("json://x",), teams=("web*",)),
                Team(name="web-1"),
                Team(name="db"),
            ],
            (),
            ("db",),
        ),
        (
            [
                Route(name="a", urls=("json://x",), default=True),
                Team(name="db", routes=("a",)),
                Team(name="web"),
            ],
            (),
            (),
        ),
    ],
)
def test_who_is_told_by_nobody(
    entries: list[Policy], missing: tuple[str, ...], untold: tuple[str, ...]
) -> None:
    found = policy_facts(entries)
    assert (found.missing_routes, found.untold_teams) == (missing, untold)


def test_regions_and_applies_of_the_policy() -> None:
    found = policy_facts(
        [
            Region(name="us"),
            Region(name="eu"),
            ApplyMark(source="a", state="done", at=5),
            ApplyMark(source="b", state="begun", at=6),
        ]
    )
    assert found.regions == ("eu", "us")
    assert [(one.source, one.done) for one in found.applied] == [("a", True), ("b", False)]
