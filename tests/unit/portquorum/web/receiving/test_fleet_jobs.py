"""The jobs of the fleet, and those that reports make."""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
import pytest

from portquorum.access.principal import Principal
from portquorum.changing.edits import Written
from portquorum.changing.errors import ChangeError
from portquorum.inventory.document import TargetEntry
from portquorum.receiver.answers import RefusedError, TakenError
from portquorum.receiver.request import NewJob
from portquorum.web.fleet.inventory import Inventory
from portquorum.web.receiving.fleet_jobs import FleetJobs
from portquorum.web.receiving.new_jobs import MOST_AN_HOUR, NewJobs
from schemas.target import Target
from tests.integration.portquorum.receiver.receivers import job
from tests.unit.portquorum.receiver.fakes import key


def put(inventory: Inventory, target: Target) -> None:
    inventory.apply(target.id.encode(), msgspec.json.encode(target), 0)


def test_names_are_those_of_the_fleet_a_moment_ago() -> None:
    inventory, present, now = Inventory(), asyncio.Event(), [0.0]
    jobs = FleetJobs(inventory, present, lambda: now[0])
    assert (jobs.is_present, jobs.enabled, jobs.get("a"), jobs.named("a")) == (False, 0, None, ())
    present.set()
    put(inventory, job("a", name="Nightly Backup", team="db", tags=("x",)))
    put(inventory, job("b", name="Other", enabled=False))
    fields = {"kind": "tcp", "host": "h.example.com", "port": 1, "probe": None, "regions": ("eu",)}
    put(inventory, msgspec.structs.replace(job("c", name="Nightly Backup"), **fields))
    assert (jobs.is_present, jobs.enabled, jobs.get("c")) == (True, 1, None)
    now[0] = 2.0
    (found,) = jobs.named("nightly-backup")
    assert found == jobs.get("a")
    assert (found.id, found.team, found.tags, found.enabled) == ("a", "db", ("x",), True)
    assert [one.id for one in jobs.keyed("db_nightly-backup")] == ["a"]
    inventory.apply(b"a", None, 0)
    assert (jobs.get("a"), jobs.enabled) == (None, 0)
    now[0] = 4.0
    assert jobs.named("nightly-backup") == ()


class FakeEdits:
    def __init__(self) -> None:
        self.made: list[tuple[Principal, str, TargetEntry, int | None]] = []
        self.error: ChangeError | None = None

    async def put(
        self, who: Principal, target: str, entry: TargetEntry, if_version: int | None
    ) -> Written:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.made.append((who, target, entry, if_version))
        made = job(target, team=entry.team)
        return Written(id=target, version=1, entry=entry, target=made, at=0, by=who.name)


async def test_a_job_is_made_within_the_limits_of_its_key() -> None:
    edits: Any = FakeEdits()
    now = [0.0]
    maker = NewJobs(edits, lambda: now[0])
    wanted = NewJob(id="new", key=key("x" * 22, teams=("db", "web"), tags=("nightly", "other")))
    assert (await maker.make(wanted)).id == "new"
    who, target, entry, version = edits.made[0]
    assert (who.name, who.scope, who.teams, who.tags) == (
        "ann",
        "admin",
        ("db", "web"),
        ("nightly", "other"),
    )
    assert (target, version, entry.kind, entry.interval, entry.grace) == (
        "new",
        0,
        "heartbeat",
        "1d",
        "1h",
    )
    assert (entry.team, entry.tags) == ("db", ("nightly",))
    for number in range(MOST_AN_HOUR - 1):
        await maker.make(NewJob(id=f"new-{number}", key=wanted.key))
    with pytest.raises(RefusedError):
        await maker.make(wanted)
    now[0] = 3_601.0
    await maker.make(wanted)


async def test_many_at_once_make_no_more_than_one_after_the_other() -> None:
    edits: Any = FakeEdits()
    maker, many = NewJobs(edits, lambda: 0.0), key("x" * 22)
    made = [maker.make(NewJob(id=f"n-{one}", key=many)) for one in range(MOST_AN_HOUR + 50)]
    found = await asyncio.gather(*made, return_exceptions=True)
    assert sum(isinstance(one, RefusedError) for one in found) == 50
    assert len(edits.made) == MOST_AN_HOUR


async def test_what_was_refused_takes_no_room() -> None:
    edits: Any = FakeEdits()
    edits.error = ChangeError(HTTPStatus.CONFLICT, "no")
    maker, many = NewJobs(edits, lambda: 0.0), key("x" * 22)
    for one in range(MOST_AN_HOUR):
        with pytest.raises(RefusedError):
            await maker.make(NewJob(id=f"n-{one}", key=many))
    edits.error = None
    assert (await maker.make(NewJob(id="new", key=many))).id == "new"


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (HTTPStatus.CONFLICT, 404),
        (HTTPStatus.PRECONDITION_FAILED, 404),
        (HTTPStatus.FORBIDDEN, 404),
        (HTTPStatus.SERVICE_UNAVAILABLE, 503),
    ],
)
async def test_what_can_not_be_made(status: HTTPStatus, answer: int) -> None:
    edits: Any = FakeEdits()
    edits.error = ChangeError(status, "no")
    with pytest.raises(RefusedError) as refused:
        await NewJobs(edits).make(NewJob(id="new", key=key("x" * 22)))
    assert refused.value.answer.status == answer
    taken = {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
    assert isinstance(refused.value, TakenError) == (status in taken)
