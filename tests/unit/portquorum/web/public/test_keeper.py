from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from portquorum.status_pages.uptime import DAY_S, Outage, TargetDay, day_of
from portquorum.web.answers import Freshness
from portquorum.web.history.errors import HistoryUnavailableError
from portquorum.web.history.public_queries import Responses
from portquorum.web.public.keeper import Keeper
from portquorum.web.public.snapshot_files import SnapshotFiles
from tests.memory_journal import MemoryJournal
from tests.unit.portquorum.status_pages.pages import MINUTE, NOW, SomeSight, component, page, post
from tests.unit.portquorum.web.fakes import FRESH


class SomeFleet:
    def __init__(self) -> None:
        self.version = 1
        self.fresh = FRESH
        self.sight = SomeSight({"web": "up", "mail": "up"})

    def freshness(self) -> Freshness:
        return self.fresh


class SomePast:
    def __init__(self) -> None:
        self.is_away = False
        self.asked: list[Sequence[str]] = []
        self.counts: list[int] = []

    async def public_days(self, targets: Sequence[str], count: int) -> dict[str, list[TargetDay]]:
        if self.is_away:
            raise HistoryUnavailableError("ClickHouse does not answer.", NOW)
        self.counts.append(count)
        return {one: [TargetDay(day_of(NOW), DAY_S, 60, 0)] for one in targets}

    async def public_outages(self, targets: Sequence[str], _since: int) -> Sequence[Outage]:
        self.asked.append(targets)
        return [Outage(one, NOW - MINUTE, NOW) for one in targets]

    async def public_responses(self, targets: Sequence[str]) -> dict[str, Responses]:
        return {one: Responses((1.0, 2.0, 3.0, 4.0), (1.0,) * 24) for one in targets}


class Made:
    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.files = SnapshotFiles(folder)
        self.journal = MemoryJournal()
        self.fleet = SomeFleet()
        self.past = SomePast()
        self.keeper = self.again()

    def again(self, journal: MemoryJournal | None = None) -> Keeper:
        return Keeper(
            self.files,
            journal or self.journal,
            self.fleet,
            lambda: self.fleet.sight,
            self.past,
            now=lambda: self.now,
        )

    def page(self) -> Any:
        kept = self.keeper.get("shop")
        assert kept is not None
        return kept.snapshot


@pytest.fixture
async def made(tmp_path: Path) -> Made:
    made = Made(tmp_path)
    await made.journal.edit([page()])
    await made.keeper.look()
    return made


def _unread() -> MemoryJournal:
    journal = MemoryJournal()
    journal.is_present.clear()
    return journal


async def test_an_outage_is_on_the_page_with_the_next_look(made: Made) -> None:
    assert made.page().state == "operational"

    made.fleet.sight.states["web"] = "down"
    made.fleet.version += 1
    await made.keeper.look()

    assert made.page().state == "partial_outage"


async def test_what_is_unchanged_is_as_new_as_the_look_and_no_new_revision(made: Made) -> None:
    before = made.keeper.get("shop")
    made.now += 3_000
    await made.keeper.look()
    made.now += 10_000
    await made.keeper.look()

    after = made.keeper.get("shop")
    assert before is not None
    assert after is not None
    assert after.snapshot.seen_at == NOW + 13_000
    assert after.revision == before.revision


async def test_a_blind_fleet_says_nothing_new_and_the_page_grows_old(made: Made) -> None:
    made.now += 15_000
    await made.keeper.look()
    made.fleet.fresh = replace(FRESH, blind_since=NOW + 5_000, blind_because="kafka_away")
    made.fleet.sight.states["web"] = "down"
    made.fleet.version += 1
    made.now += 60_000
    await made.keeper.look()

    assert made.page().state == "operational"
    assert made.page().seen_at == NOW + 5_000


async def test_posts_come_while_the_fleet_is_blind(made: Made) -> None:
    made.fleet.fresh = replace(FRESH, blind_since=NOW, blind_because="stream_stopped")
    await made.journal.edit([post()])
    await made.keeper.look()

    assert made.page().state == "partial_outage"
    assert made.page().posts[0].title == "Checkout fails"


async def test_a_restart_without_kafka_and_clickhouse_has_the_pages_as_old_as_they_are(
    made: Made,
) -> None:
    await made.keeper.ask()
    await made.keeper.look()
    made.keeper.write()
    made.now += 10 * MINUTE

    made.keeper = made.again(_unread())
    await made.keeper.look()
    await made.keeper.ask()
    made.keeper.write()

    assert made.page().state == "operational"
    assert made.page().seen_at == NOW
    assert made.page().component("web").past.days
    assert made.files.read(made.now)["shop"].seen_at == NOW


async def test_a_starting_fleet_does_not_replace_what_the_files_say(made: Made) -> None:
    made.keeper.write()
    made.fleet.fresh = replace(FRESH, is_read=False, blind_since=NOW, blind_because="starting")
    made.fleet.sight = SomeSight({})
    made.now += MINUTE

    made.keeper = made.again()
    await made.keeper.look()

    assert made.page().state == "operational"
    assert made.page().seen_at == NOW


async def test_a_removed_page_is_gone_from_the_files_too(made: Made) -> None:
    made.keeper.write()
    await made.journal.edit([page(version=2, removed=True)])
    await made.keeper.look()
    made.keeper.write()

    assert made.keeper.get("shop") is None
    assert made.files.read(made.now) == {}


async def test_a_disk_that_refuses_is_tried_again(made: Made) -> None:
    made.files._folder.parent.joinpath("status-pages").write_text("in the way")
    made.keeper.write()
    assert made.files.read(made.now) == {}

    made.files._folder.unlink()
    made.keeper.write()
    assert made.files.read(made.now).keys() == {"shop"}


async def test_the_history_is_asked_and_stays_while_it_is_away(made: Made) -> None:
    two = page(component("web", "web", "mail"), version=2, show_response_times=True)
    await made.journal.edit([two])
    await made.keeper.ask()
    await made.keeper.look()
    past = made.page().component("web").past

    assert [(one.measured_s, one.down_s) for one in past.days] == [(DAY_S, 60)]
    assert past.response_ms == (1.0, 2.0, 3.0, 4.0)
    assert past.down_24h_s == 60
    assert made.past.asked[0] == ["mail", "web"]

    made.now += MINUTE
    await made.keeper.ask()
    await made.keeper.look()
    assert made.page().component("web").past is past
    assert made.past.counts == [90, 3]

    made.past.is_away = True
    made.now += MINUTE
    await made.keeper.ask()
    await made.keeper.look()
    assert made.page().component("web").past is past
    assert made.page().history_at == NOW + MINUTE
