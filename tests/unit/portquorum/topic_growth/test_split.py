"""A divided state judges as the whole one would have."""

from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.topic_growth.split import FIRST_OFFSET, part_of
from portquorum.topic_growth.tail import place_of
from schemas.control import TargetPaused, TargetSet
from schemas.incident import IncidentEvent, RegionEvent
from schemas.partition import host_key, partition_for
from streams.checkpoint import decoder
from streams.rules.apply import Output, apply
from streams.rules.record import Record
from streams.state.partition_state import PartitionState
from tests.unit.streams.rules.fleet import Fleet, target
from tests.unit.streams.rules.jobs import job

PARTS = 4
NAMES = tuple(f"t{number}" for number in range(10))
REGIONS = ("a", "b", "c")

steps = st.one_of(
    st.tuples(st.sampled_from(("down", "up")), st.sampled_from(NAMES)),
    st.tuples(st.just("wait"), st.sampled_from((500, 5_000, 61_000))),
    st.tuples(st.just("beat"), st.sampled_from(REGIONS)),
)


def fleet() -> Fleet:
    """Two targets a host, a job, and a target that is paused."""
    made = Fleet(
        *(target(name, host=f"h{number // 2}.example.com") for number, name in enumerate(NAMES)),
        target("rest", host="h77.example.com"),
        job("backup"),
    )
    made.control(TargetPaused(target="rest", until=None, by="me"))
    return made


def play(made: Fleet, script: list[tuple[str, str | int]]) -> None:
    for what, value in script:
        if what == "wait":
            made.wait(int(value))
        elif what == "beat":
            made.beat(str(value))
        elif what == "down":
            made.down(*REGIONS, of=str(value))
        else:
            made.wait(1).up(*REGIONS, of=str(value))


def parts_of(parent: PartitionState) -> list[PartitionState]:
    parts = [part_of(parent, number, PARTS) for number in range(PARTS)]
    for part in parts:
        assert part.offset == FIRST_OFFSET
        again = decoder.decode(decoder.encode(part), part.partition, PARTS)
        assert decoder.encode(again) == decoder.encode(part)
    return parts


def feed(parts: list[PartitionState], record: Record) -> list[Output]:
    """A record as the parts have it: results at their hosts', beats and ticks everywhere.

    Where it is none it is as empty as a message without results: the clocks go on alike.
    """
    found: list[Output] = []
    for part in parts:
        ours = [
            one
            for one in record.results
            if partition_for(host_key(one.host, one.target), PARTS) == part.partition
        ]
        told = apply(part, Record(record.offset, record.append_time, ours, record.control))
        found += told
    return found


def shown(outputs: list[Output], carried: set[str]) -> list[tuple[str, str, int, str]]:
    """The events of incidents and regions; incidents that were `carried` over with their ids.

    What time decides, the whole decides by a result of another host, whose id it takes.
    """
    incidents = [
        (one.event, one.target, one.at, one.incident_id if one.incident_id in carried else "")
        for one in outputs
        if isinstance(one, IncidentEvent)
    ]
    # Of a region that was never heard each partition speaks, with the same id.
    regions = {
        (one.event, one.region, one.at, "") for one in outputs if isinstance(one, RegionEvent)
    }
    return sorted([*incidents, *regions])


@settings(max_examples=40)
@given(st.lists(steps, max_size=25), st.lists(steps, max_size=25))
def test_the_parts_tell_what_the_whole_would_have_told(
    before: list[tuple[str, str | int]], after: list[tuple[str, str | int]]
) -> None:
    made = fleet()
    play(made, before)
    parts = parts_of(made.state)
    for part in parts:
        part.offset = made.state.offset  # here the log goes on
    carried = {one.incident_id for one in made.events}
    whole, log = len(made.outputs), len(made.log)
    play(made, after)
    found = [one for record in made.log[log:] for one in feed(parts, record)]
    assert shown(found, carried) == shown(made.outputs[whole:], carried)


def test_each_target_job_and_pause_is_in_one_part() -> None:
    made = fleet()
    made.down(*REGIONS, of="t3")
    parts = parts_of(made.state)
    ids = [target_id for part in parts for target_id in (*part.targets, *part.jobs, *part.paused)]
    assert sorted(ids) == sorted([*NAMES, "rest", "backup"])
    assert len({part.partition for part in parts if part.targets}) > 1
    (open_in,) = (part for part in parts if any(one.incidents for one in part.targets.values()))
    assert "t3" in open_in.targets
    for part in parts:
        assert set(part.regions) == set(made.state.regions)
        for host in part.hosts:
            assert partition_for(host, PARTS) == part.partition


def test_an_event_of_a_whole_partition_keeps_its_place() -> None:
    host = "h1.example.com"
    assert place_of(host.encode(), partition_for(host, 2), 2, 8) == partition_for(host, 8)
    strange = next(
        f"cause-{number}" for number in range(99) if partition_for(f"cause-{number}", 8) % 2 == 0
    )
    assert place_of(strange.encode(), 1, 2, 8) == 1


def test_a_target_without_a_definition_keeps_its_pause_everywhere() -> None:
    made = Fleet()
    made.control(TargetPaused(target="soon", until=None, by="me"))
    assert all("soon" in part.paused for part in parts_of(made.state))
    parts = parts_of(made.state)
    one = target("soon", host="h5.example.com")
    number = partition_for("h5.example.com", PARTS)
    apply(parts[number], Record(5, made.now, [], TargetSet(one)))
    assert "soon" not in parts[number].targets
