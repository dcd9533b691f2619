"""A subject fits into a message of Kafka, whatever comes."""

import pytest

from schemas import notifier_state
from schemas.incident import HostTarget, RegionVerdict
from schemas.policy import Route
from sinks.notifier.model import Channel
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, Office
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event

LARGEST = 900_000
ODD = ("x", "\x00", "\U0001f600", '"')


@pytest.mark.parametrize("text", ODD)
def test_a_long_event_is_cut(text: str) -> None:
    there = Office(Route(name="all", urls=("json://a",)))
    there.take(
        incident_event(
            summary=text * 2**18,
            first_steps=(text * 10_000,) * 200,
            changes=(text * 10_000,) * 200,
            runbook=text * 10_000,
            tags=(text * 255,) * 1_000,
            depends_on=(text * 255,) * 1_000,
            regions={
                f"r{n}": RegionVerdict(verdict="down", detail=text * 10_000) for n in range(1_000)
            },
            host_targets=tuple(
                HostTarget(target=f"t{n}", name=text * 255, kind="tcp", port=1, status="down")
                for n in range(10_000)
            ),
        )
    )
    there.wait(MINUTE)
    assert there.told() == ["opened json://a"]
    assert there.encoded_size("incident/i1") < LARGEST


@pytest.mark.parametrize("text", ODD)
def test_an_audience_is_cut_and_it_is_said_who_is_not_in_it(text: str) -> None:
    urls = tuple(f"json://{number}/{text * 9_000}" for number in range(1_000))
    there = Office(Route(name="all", urls=urls))
    there.answers = dict.fromkeys(urls, "unreachable")
    there.take(incident_event(summary="x" * 2**20))
    there.wait(MINUTE)
    size = there.encoded_size("incident/i1")
    assert size < LARGEST
    audience = {one.url for one in there.subject("incident/i1").audience}
    left_out = [
        row for row in there.rows if row.why == "the audience is too large to be remembered"
    ]
    assert audience
    assert len(audience) + len(left_out) == 1_000
    assert {Channel("all", url).name for url in urls if url not in audience} == {
        row.channel for row in left_out
    }
    there.answers.clear()
    there.wait(HOUR)
    assert set(there.told()) == {f"opened {url}" for url in audience}


def test_a_thousand_channels_of_the_usual_length_fit() -> None:
    urls = tuple(f"json://{number:04}.example.com/{'x' * 80}" for number in range(1_000))
    there = Office(Route(name="all", urls=urls))
    there.answers = dict.fromkeys(urls, "unreachable")
    there.take(incident_event(summary="x" * 2**20))
    there.wait(5_000)
    subject = there.subject("incident/i1")
    assert len(subject.audience) == 1_000
    assert there.encoded_size("incident/i1") < LARGEST


def test_400_partitions_fit_and_more_than_fit_are_said() -> None:
    there = Office(Route(name="all", urls=("json://a",)))
    there.take(
        *(targets_event(event_id=f"t{part:036}", partition=part, count=1) for part in range(400))
    )
    there.wait(MINUTE)
    assert there.whys("targets.unwatched") == []
    more = [targets_event(event_id=f"x{part}", partition=part, count=1) for part in range(400, 800)]
    there.take(*more)
    assert "too many partitions have unwatched targets" in there.whys("targets.unwatched")
    key = "targets/c1"
    assert there.encoded_size(key) < LARGEST
    there.restart()
    there.take(
        *(
            targets_event(
                event="targets.watched", event_id=f"w{part}", partition=part, count=0, at=AT + 1
            )
            for part in range(800)
        )
    )
    there.wait(MINUTE)
    assert there.told("json://a")[-1] == "closed"


def test_long_ids_of_many_partitions_fit() -> None:
    there = Office(Route(name="all", urls=tuple(f"json://{n}/{'x' * 900}" for n in range(600))))
    for part in range(300):
        there.desk.take(
            targets_event(event_id=f"{part}" + "\x00" * 250, partition=part, count=1), there.now
        )
    there.record()
    assert there.encoded_size("targets/c1") < LARGEST
    assert isinstance(notifier_state.decode(there.log["targets/c1"]), notifier_state.Subject)
