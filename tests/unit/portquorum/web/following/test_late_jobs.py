"""A job with a schedule that is late stands in a group of its own."""

from portquorum.web.fleet import StatusGroup
from portquorum.web.following.late_jobs import with_late


def test_a_late_job_leaves_those_that_are_up() -> None:
    up = StatusGroup(status="up", targets=["a", "b", "c"], regions=(("receiver", "up"),))
    down = StatusGroup(status="down", targets=["d"], since=7)
    found = list(with_late([up, down], {"b": 5, "d": 6}))
    assert [(one.status, one.since, list(one.targets)) for one in found] == [
        ("late", 5, ["b"]),
        ("up", None, ["a", "c"]),
        ("down", 7, ["d"]),
    ]
    assert found[0].regions == up.regions


def test_of_a_group_that_is_late_as_a_whole_nothing_is_up() -> None:
    up = StatusGroup(status="up", targets=["a"])
    assert [one.status for one in with_late([up], {"a": 5})] == ["late"]
    assert list(with_late([up], {})) == [up]
