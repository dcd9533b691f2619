"""What is refused, and that nothing is written then: no broker is needed to say no."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest

from foundation.settings import Settings
from portquorum.access.principal import Principal
from portquorum.changing.acts import WantedMatch, WantedSilence
from portquorum.changing.errors import ChangeError
from portquorum.inventory.document import MaintenanceEntry
from portquorum.web.acts.acts import PageActs
from portquorum.web.acts.desk import AWAY
from portquorum.web.fleet import Fleet
from portquorum.web.following.hub import Hub
from schemas.policy import Maintenance
from schemas.web import Audit, IncidentNote
from tests.memory_journal import MemoryJournal
from tests.unit.portquorum.web.fakes import FakeHistory
from tests.unit.portquorum.web.fleet.fleet_story import NOW, PARTITIONS, FleetStory, target

HOUR = 3_600_000
DB = target("db-1", team="db")
WEB = target("web-1", team="web", tags=("edge",))
OF_DB = Principal(name="olga", scope="operator", via="token", teams=("db",))
OPERATOR = Principal(name="otto", scope="operator", via="token")
ADMIN = Principal(name="ada", scope="admin", via="token")
NIGHT = MaintenanceEntry(targets=("db-1",), start="2026-12-01T02:00Z", duration="2h")

Act = Callable[["Page"], Awaitable[object]]


class Page:
    """Acts over a fleet with an incident of each team; Kafka is nowhere."""

    def __init__(self) -> None:
        self.story = FleetStory(DB, WEB)
        self.opened = {one.id: self.story.open(one).incident_id for one in (DB, WEB)}
        closed = self.story.open(DB, "slow")
        self.closed = self.story.follow(closed, "closed").incident_id
        self.story.silence("of-web", begins=NOW - HOUR, ends=9 * 10**12, teams=("web",))
        self.story.silence("over", begins=NOW - HOUR, ends=1000, teams=("db",))
        self.journal = MemoryJournal()
        self.history = FakeHistory()
        self.acts = self.over(self.story.fleet)

    def over(self, fleet: Fleet) -> PageActs:
        settings = Settings(kafka="127.0.0.1:1", partitions=PARTITIONS)
        return PageActs(settings, fleet, Hub(), self.history, self.journal)  # type: ignore[arg-type]


def silence(reason: str = "work", **fields: object) -> WantedSilence:
    match = fields.pop("match", WantedMatch(teams=("db",)))
    times = fields or {"for_ms": HOUR}
    return WantedSilence(match=match, reason=reason, **times)  # type: ignore[arg-type]


BEYOND: list[Act] = [
    lambda page: page.acts.acknowledge(OF_DB, [page.opened["web-1"]], ""),
    lambda page: page.acts.resolve(OF_DB, [page.opened["db-1"], page.opened["web-1"]], ""),
    lambda page: page.acts.note(OF_DB, page.opened["web-1"], "hello"),
    lambda page: page.acts.silence(OF_DB, silence(match=WantedMatch(teams=("web",)))),
    lambda page: page.acts.silence(OF_DB, silence(match=WantedMatch()), dry_run=True),
    lambda page: page.acts.silence(OPERATOR, silence(match=WantedMatch())),
    lambda page: page.acts.end_silence(OF_DB, "of-web"),
    lambda page: page.acts.put_window(OF_DB, "w", NIGHT_OF_WEB, None),
    lambda page: page.acts.pause(OF_DB, ["db-1", "web-1"], None, ""),
    lambda page: page.acts.resume(OF_DB, ["web-1"]),
]
NIGHT_OF_WEB = MaintenanceEntry(
    targets=("db-1", "tag:edge"), start=NIGHT.start, duration=NIGHT.duration
)
NONE: list[Act] = [
    lambda page: page.acts.acknowledge(ADMIN, ["none"], ""),
    lambda page: page.acts.resolve(ADMIN, [page.opened["db-1"], "none"], ""),
    lambda page: page.acts.note(ADMIN, "none", "hello"),
    lambda page: page.acts.end_silence(ADMIN, "none"),
    lambda page: page.acts.remove_window(ADMIN, "none", None),
    lambda page: page.acts.pause(ADMIN, ["db-1", "none"], None, ""),
    lambda page: page.acts.resume(ADMIN, ["none"]),
]


async def refused(page: Page, act: Act) -> ChangeError:
    with pytest.raises(ChangeError) as error:
        await act(page)
    assert page.journal.log.records == []
    return error.value


@pytest.mark.parametrize("act", BEYOND)
async def test_a_teams_operator_touches_no_other_teams(act: Act) -> None:
    assert (await refused(Page(), act)).status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("act", NONE)
async def test_what_there_is_not(act: Act) -> None:
    assert (await refused(Page(), act)).status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("act", [*BEYOND, *NONE])
async def test_who_has_not_read_everything_changes_nothing(act: Act) -> None:
    page = Page()
    page.acts = page.over(Fleet())
    assert (await refused(page, act)).status == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda page: page.acts.acknowledge(ADMIN, [page.opened["db-1"]], "x" * 501), "note"),
        (lambda page: page.acts.note(ADMIN, page.opened["db-1"], " \n "), "text"),
        (lambda page: page.acts.silence(ADMIN, silence(" ")), "reason"),
        (lambda page: page.acts.silence(ADMIN, silence(ends_at=1000)), "ends_at"),
        (lambda page: page.acts.silence(ADMIN, silence(begins_at=NOW)), "ends_at"),
        (lambda page: page.acts.silence(ADMIN, silence(for_ms=1, ends_at=9 * 10**12)), "ends_at"),
        (lambda page: page.acts.silence(ADMIN, silence(for_ms=367 * 24 * HOUR)), "ends_at"),
        (lambda page: page.acts.silence(ADMIN, silence(for_ms=-1)), "ends_at"),
        (
            lambda page: page.acts.silence(ADMIN, silence(match=WantedMatch(targets=("nobody",)))),
            "match.targets[0]",
        ),
        (
            lambda page: page.acts.silence(ADMIN, silence(match=WantedMatch(regions=("mars",)))),
            "match.regions[0]",
        ),
        (lambda page: page.acts.pause(ADMIN, ["db-1"], 1000, ""), "until"),
        (lambda page: page.acts.pause(ADMIN, ["db-1"], None, "x" * 501), "reason"),
        (lambda page: page.acts.put_window(ADMIN, "a/b", NIGHT, None), "name"),
        (lambda page: page.acts.put_window(ADMIN, "", NIGHT, None), "name"),
        (
            lambda page: page.acts.put_window(
                ADMIN, "w", MaintenanceEntry(targets=("no",), start="x", duration="1h"), None
            ),
            "targets[0]",
        ),
    ],
)
async def test_what_is_wrong_is_named(act: Act, field: str) -> None:
    error = await refused(Page(), act)
    assert error.status == HTTPStatus.BAD_REQUEST
    assert error.errors[0].field == field


async def test_what_is_over_already() -> None:
    page = Page()
    error = await refused(page, lambda one: one.acts.end_silence(OF_DB, "over"))
    assert error.status == HTTPStatus.CONFLICT
    (said,) = await page.acts.acknowledge(OF_DB, [page.closed], "")
    assert said.outcome == "closed"
    many = ["x"] + [f"i{number}" for number in range(500)]
    error = await refused(page, lambda one: one.acts.resolve(ADMIN, many, ""))
    assert error.status == HTTPStatus.BAD_REQUEST


async def test_a_silence_says_first_what_it_would_match() -> None:
    page = Page()
    found = await page.acts.silence(OF_DB, silence(), dry_run=True)
    assert (found.id, found.in_force, found.dry_run) == ("", False, True)
    assert (found.targets, found.incidents) == (("db-1",), (page.opened["db-1"],))
    assert page.journal.log.records == []


async def test_a_window_of_a_file_keeps_its_name() -> None:
    page = Page()
    page.story.maintain("night", "db-1", begins=NOW, lasts=HOUR)
    error = await refused(page, lambda one: one.acts.put_window(ADMIN, "night", NIGHT, None))
    assert (error.status, "'fleet'" in error.detail) == (HTTPStatus.CONFLICT, True)
    assert isinstance(next(page.story.fleet.policy.windows())[1].maintenance, Maintenance)


async def test_a_version_that_is_another_one() -> None:
    error = await refused(Page(), lambda one: one.acts.put_window(ADMIN, "w", NIGHT, 3))
    assert (error.status, error.version) == (HTTPStatus.PRECONDITION_FAILED, 0)


async def test_notes_are_found_by_their_incident() -> None:
    page = Page()
    incident = page.opened["db-1"]
    first = await page.acts.note(OF_DB, incident, "one \u202e\n two ")
    assert page.acts.notes(incident) == [first]
    second = await page.acts.note(ADMIN, incident, "three")
    assert [one.text for one in page.acts.notes(incident)] == ["one \ufffd\n two", "three"]
    await page.journal.drop([(IncidentNote, first.id)])
    assert page.acts.notes(incident) == [second]
    assert page.acts.notes("none") == []
    page.journal.is_away = True
    with pytest.raises(ChangeError) as error:
        await page.acts.note(ADMIN, incident, "four")
    assert error.value.status == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize(
    "act",
    [
        lambda page: page.acts.acknowledge(ADMIN, [page.opened["db-1"]], ""),
        lambda page: page.acts.silence(ADMIN, silence()),
        lambda page: page.acts.end_silence(ADMIN, "of-web"),
        lambda page: page.acts.pause(ADMIN, ["db-1"], None, ""),
    ],
)
async def test_kafka_is_away(act: Act) -> None:
    assert (await refused(Page(), act)).status == HTTPStatus.SERVICE_UNAVAILABLE


async def test_a_window_waits_for_kafka() -> None:
    page = Page()
    page.journal.is_away = True
    error = await refused(page, lambda one: one.acts.put_window(ADMIN, "w", NIGHT, None))
    assert error.status == HTTPStatus.SERVICE_UNAVAILABLE
    page.journal.is_away = False
    with pytest.raises(ChangeError) as written:
        await page.acts.put_window(ADMIN, "w", NIGHT, None)
    assert written.value.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert page.acts.window("w") is not None, "the edit counts, and is published later"
    (audit,) = page.journal.book.every(Audit).values()
    assert (audit.by, audit.action, audit.about) == ("ada", "add maintenance", "w")
    with pytest.raises(AWAY):  # what `run` waits for, and does not end by
        await page.acts._windows.publisher.repair()
