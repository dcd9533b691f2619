"""The jobs of [targets], whatever order its partitions are read in."""

from types import SimpleNamespace
from typing import Any

import msgspec

from portquorum.receiver.followed_jobs import PlacedJobs
from schemas.target import Target
from tests.integration.portquorum.receiver.receivers import job


def record(target: Target | None, partition: int, key: str = "a") -> Any:
    value = None if target is None else msgspec.json.encode(target)
    return SimpleNamespace(key=key.encode(), value=value, partition=partition)


def check(key: str = "a") -> Target:
    fields = {"kind": "tcp", "host": "h.example.com", "port": 1, "probe": None}
    return msgspec.structs.replace(job(key), **fields)


def test_a_target_that_becomes_a_job_is_not_removed_by_its_old_place() -> None:
    for order in ([0, 1], [1, 0]):
        found = PlacedJobs()
        found.apply(record(check(), 0))
        for one in order:
            found.apply(record(job("a"), 1) if one else record(None, 0))
        assert found.get("a") is not None
        found.apply(record(None, 1))
        assert found.get("a") is None


def test_a_job_that_becomes_a_check_in_its_place_is_gone() -> None:
    found = PlacedJobs()
    found.apply(record(job("a"), 1))
    found.apply(record(check(), 1))
    assert (found.get("a"), found.enabled) == (None, 0)


def test_what_can_not_be_read_changes_nothing() -> None:
    found = PlacedJobs()
    found.apply(record(job("a"), 1))
    for value in (b"", b"{", b'{"kind":"heartbeat"}', b'{"kind":7}', b"\xff"):
        found.apply(SimpleNamespace(key=b"a", value=value, partition=1))
    found.apply(record(job("b"), 1, key="a"))
    found.apply(SimpleNamespace(key=None, value=b"x", partition=1))
    assert (found.get("a") is not None, found.get("b")) == (True, None)


def test_names_follow_their_jobs() -> None:
    found = PlacedJobs()
    found.apply(record(job("a", name="Old Name", team="x"), 1))
    found.apply(record(job("a", name="New", team="y", enabled=False), 1))
    assert (found.named("old-name"), [one.id for one in found.named("new")]) == ((), ["a"])
    assert (found.keyed("x_old-name"), [one.id for one in found.keyed("y_new")]) == ((), ["a"])
    assert found.enabled == 0
