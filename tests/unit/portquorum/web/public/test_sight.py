from typing import get_args

from portquorum.status_pages.build import Planned, build
from portquorum.web.answers import State
from portquorum.web.public.sight import STATES, FleetSight
from tests.unit.portquorum.status_pages.pages import component, page
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, target

HOUR = 3_600_000


def test_a_target_that_is_down_says_so_and_since_when() -> None:
    web, mail = target("web"), target("mail")
    story = FleetStory(web, mail)
    event = story.open(web)
    story.open(mail, "slow")

    sight = FleetSight(story.fleet)

    assert (sight.seen("web").state, sight.seen("web").since) == ("down", event.first_failed_at)  # type: ignore[union-attr]
    assert sight.seen("mail").state == "degraded"  # type: ignore[union-attr]
    assert sight.seen("gone") is None
    found = build(page(component("a", "web", "mail")), [], sight, None, seen_at=NOW, now=NOW)
    assert (found.state, found.component("a").since) == ("partial_outage", event.first_failed_at)  # type: ignore[union-attr]


def test_what_is_paused_says_nothing() -> None:
    story = FleetStory(target("web", enabled=False))

    assert FleetSight(story.fleet).seen("web").state is None  # type: ignore[union-attr]


def test_a_new_job_says_nothing_until_its_first_report() -> None:
    """One that runs once a night would leave its component without a word for a day."""
    assert STATES["pending"] is None
    assert set(STATES) == set(get_args(State))


def test_windows_of_a_target_and_of_its_tag_are_known_by_their_times() -> None:
    story = FleetStory(target("web"), target("mail", tags=()))
    story.maintain("upgrade of db-17", "tag:prod", begins=NOW - HOUR, lasts=2 * HOUR)
    story.maintain("later", "web", begins=NOW + HOUR, lasts=HOUR)

    sight = FleetSight(story.fleet)

    assert list(sight.planned(["web"])) == [
        Planned(NOW + HOUR, NOW + 2 * HOUR),
        Planned(NOW - HOUR, NOW + HOUR),
    ]
    assert list(sight.planned(["mail"])) == []
