"""What the stream says of each target, over states that the rules made."""

from prometheus_client import CollectorRegistry

from foundation.target_series import TargetCollector
from schemas.control import TargetSet
from streams.worker.target_series import StreamTargets
from tests.unit.streams.rules.fleet import START, Fleet, target
from tests.unit.streams.rules.jobs import Jobs, job

MINUTE = 60_000


def values(*fleets: Fleet | Jobs) -> dict[str, dict[str, float]]:
    """The values of each family by the target's id, of incidents by id and type."""
    registry = CollectorRegistry()
    source = StreamTargets(lambda: [one.state for one in fleets])
    registry.register(TargetCollector(source, 100))
    return {
        family.name.removeprefix("portquorum_").removeprefix("target_"): {
            " ".join(
                value for name, value in sample.labels.items() if name in {"target", "type"}
            ): sample.value
            for sample in family.samples
        }
        for family in registry.collect()
    }


def test_up_down_and_what_nobody_can_judge() -> None:
    fleet = Fleet(target("db"), target("calm", host="h2"), target("new", host="h3"))
    for region in "abc":
        fleet.beat(region)
    fleet.up(*"abc")
    fleet.up(*"abc", of="calm")
    assert values(fleet)["up"] == {"db": 1.0, "calm": 1.0}
    for _ in range(4):
        fleet.fail(*"abc")
        fleet.wait(1_000)
    found = values(fleet)
    assert found["up"] == {"db": 0.0, "calm": 1.0}
    assert found["incident_open"] == {"db unreachable": 1.0}
    assert found["info"] == dict.fromkeys(("db", "calm", "new"), 1.0)
    fleet.wait(30 * MINUTE)
    assert values(fleet)["up"] == {}


def test_a_target_that_goes_has_no_series_and_one_that_changes_has_its_new_name() -> None:
    one, other = Fleet(target("db")), Fleet(target("web", name="old"))
    assert set(values(one, other)["info"]) == {"db", "web"}
    one.remove("db")
    assert set(values(one, other)["info"]) == {"web"}
    source = StreamTargets(lambda: [other.state])
    (before,) = source.samples(["web"])
    other.control(TargetSet(target("web", name="new\u202e", version=2)))
    (after,) = source.samples(["web", "db"])
    assert (before.labels[1], after.labels[1]) == ("old", "new\ufffd")


def test_a_job_says_when_it_reported_and_until_when_it_must() -> None:
    jobs = Jobs(job())
    name = jobs.one().id
    found = values(jobs)
    assert found["up"] == found["job_last_report_timestamp_seconds"] == {}
    assert found["job_deadline_timestamp_seconds"] == {name: (START + 70 * MINUTE) / 1000}
    jobs.pass_time(30 * MINUTE)
    jobs.signal("start", run="a")
    assert values(jobs)["job_runs"] == {name: 1.0}
    jobs.pass_time(MINUTE)
    jobs.signal("success", run="a")
    found = values(jobs)
    assert found["up"] == {name: 1.0}
    assert found["job_last_report_timestamp_seconds"] == {name: (START + 31 * MINUTE) / 1000}
    assert found["job_last_report_failed"] == {name: 0.0}
    assert found["job_last_run_seconds"] == {name: 60.0}
    jobs.signal("fail", exit_code=3)
    found = values(jobs)
    assert (found["up"], found["job_last_report_failed"]) == ({name: 0.0}, {name: 1.0})
    assert found["incident_open"] == {f"{name} unreachable": 1.0}
    assert found["info"] == {name: 1.0}
