"""The figures of the notifier's bench, from what the channels noted."""

from portquorum.bench import notify_storm
from portquorum.bench.notify import Burst, figures, whole
from portquorum.bench.notify_events import event
from portquorum.bench.notify_storm import Storm
from schemas import incident

BURST = Burst(incidents=7, routes=3, hanging=1)
AT = 1_796_090_400_000


def test_incidents_are_shared_among_the_routes() -> None:
    assert [BURST.of_route(number) for number in range(3)] == [3, 2, 2]
    assert [route.tags for route in BURST.policy(1)] == [
        ("warm",),
        ("team-0",),
        ("team-1",),
        ("team-2",),
    ]
    assert [BURST.path(number) for number in range(2)] == ["/hang-0", "/route-1"]


def test_a_run_is_whole_when_each_channel_that_answers_has_everything() -> None:
    noted = {"/hang-0": (AT, AT, 1), "/route-1": (AT, AT, 2), "/route-2": (AT, AT, 2)}
    assert whole(BURST, noted)
    assert not whole(BURST, noted | {"/route-2": (AT, AT, 1)})
    assert not whole(BURST, {path: seen for path, seen in noted.items() if path != "/hang-0"})
    assert not whole(BURST, {})


def test_times_are_from_a_routes_first_event() -> None:
    noted = {
        "/hang-0": (AT + 2_900, AT + 2_900, 1),
        "/route-1": (AT + 2_100, AT + 9_000, 2),
        "/route-2": (AT + 2_300, AT + 5_000, 2),
        "/warm": (AT, AT, 1),
    }
    stamps = {0: AT, 1: AT + 100, 2: AT + 200}
    found = figures(BURST, noted, stamps, published_s=0.1, cpu_s=1.0, memory_mb=90.0)
    assert (found.first_p50, found.first_worst) == (2.1, 2.9)
    assert (found.healthy_p50, found.healthy_worst) == (2.1, 2.1)
    assert (found.last_s, found.messages, found.untold) == (9.0, 4, 0)
    assert found.rate == 4 / 9


def test_a_route_that_was_never_told_is_counted() -> None:
    found = figures(BURST, {}, {0: AT, 1: AT}, published_s=0.1, cpu_s=1.0, memory_mb=90.0)
    assert found.untold == 2


def test_what_is_published_is_an_event() -> None:
    made = event("a-1", "team-1", AT)
    assert incident.decode(incident.encode(made)) == made


STORM = Storm(targets=1_000, people=2, interval_s=30.0)


def test_a_storm_is_as_bad_as_for_the_person_with_whom_it_is_worst() -> None:
    noted = {
        "/person-0": (AT + 2_100, AT + 32_300, 2),
        "/person-1": (AT + 2_000, AT + 92_000, 3),
        "/warm": (AT - 5_000, AT - 5_000, 1),
    }
    times = {
        "/person-0": [AT + 2_100, AT + 32_300],
        "/person-1": [AT + 2_000, AT + 32_700, AT + 92_000],
    }
    found = notify_storm.figures(
        STORM, noted, times, AT, published_s=0.1, cpu_s=1.0, memory_mb=90.0
    )
    assert (found.messages, found.messages_in_all) == (3, 5)
    assert (found.first_s, found.last_s) == (2.1, 92.0)
    assert found.digest_late_s is not None
    assert round(found.digest_late_s, 3) == 0.7


def test_a_storm_of_one_message_has_no_second_one() -> None:
    noted = {f"/person-{number}": (AT + 9, AT + 9, 1) for number in range(2)}
    times = {path: [AT + 9] for path in noted}
    found = notify_storm.figures(
        STORM, noted, times, AT, published_s=0.1, cpu_s=1.0, memory_mb=90.0
    )
    assert found.digest_late_s is None
    assert [route.name for route in STORM.policy(1)] == ["warm", "person-0", "person-1"]
