"""Who is paused, until when, and what that hides."""

from msgspec import json

from portquorum.web.answers import TargetQuery
from portquorum.web.fleet.inventory import Inventory
from portquorum.web.pages.row_words import paused_words
from portquorum.web.pages.viewer import Viewer
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, target

HOUR = 3_600_000
DB, WEB = target("db"), target("web")
VIEWER = Viewer(now=NOW)


def test_a_pause_comes_before_all_else_and_its_end_by_itself_shows() -> None:
    story = FleetStory(DB, WEB)
    story.open(DB)
    story.maintain("night", "db", begins=NOW - 1, lasts=HOUR)
    story.pause(DB, until=NOW + 60_000)
    assert (story.state(DB), story.state(WEB)) == ("paused", "up")
    assert story.fleet.counts().paused == 1
    story.later(59_999)
    assert story.state(DB) == "paused"
    before = story.fleet.version
    story.later(1)
    assert story.state(DB) == "maintenance"
    assert story.fleet.version > before
    assert story.fleet.counts().paused == 0


def test_a_pause_ends_when_its_record_goes() -> None:
    story = FleetStory(DB)
    key = story.pause(DB)
    row = story.fleet.targets(TargetQuery()).rows[0]
    assert (row.state, row.since, row.paused_by, row.paused_until) == ("paused", NOW, "ada", None)
    assert row.pause_reason == "new disk"
    story.fleet.apply_policy(key, None, story.offset())
    assert story.state(DB) == "up"


def test_what_was_paused_at_the_last_answer_is_pending_and_not_up() -> None:
    story = FleetStory(DB)
    key = story.pause(DB)
    story.say([(DB, "paused")])
    story.fleet.apply_policy(key, None, story.offset())
    assert story.state(DB) == "pending"
    story.say([(DB, "up")])
    assert story.state(DB) == "up"


def test_a_pause_of_another_source_is_none() -> None:
    story = FleetStory(DB)
    story.pause(DB, source="fleet")
    assert story.state(DB) == "up"


def test_a_pause_waits_for_its_target() -> None:
    story = FleetStory()
    story.pause(DB)
    story.set(DB)
    assert story.state(DB) == "paused"


def test_disabled_by_its_file() -> None:
    story = FleetStory(target("db", enabled=False))
    row = story.fleet.targets(TargetQuery()).rows[0]
    assert (row.state, row.since, row.enabled) == ("paused", None, False)
    story.set(target("db", version=NOW - 1))
    assert story.state(DB) == "pending"


def test_paused_targets_are_found_and_counted_by_their_state() -> None:
    story = FleetStory(DB, WEB)
    story.pause(DB)
    found = story.fleet.targets(TargetQuery(states=("paused",)))
    assert [row.id for row in found.rows] == ["db"]
    assert found.counts.paused == 1


def test_a_fleet_of_which_all_is_paused_is_not_behind() -> None:
    story = FleetStory(DB, WEB)
    assert story.fleet._rate > 0
    story.pause(DB)
    story.set(target("web", enabled=False))
    assert abs(story.fleet._rate) < 1e-9
    story.set(target("web", interval_ms=1_000))
    story.set(target("db", interval_ms=1_000))
    assert abs(story.fleet._rate - 3) < 1e-9


def test_ten_thousand_pauses_at_once_look_at_nothing_else() -> None:
    story = FleetStory(*(target(f"t{number}") for number in range(3)))
    for number in range(10_000):
        story.pause(target(f"t{number}"), until=NOW + 1_000 + number)
    assert story.fleet.counts().paused == 3
    story.later(20_000)
    assert story.fleet.counts().paused == 0


def test_the_words_of_a_pause() -> None:
    story = FleetStory(DB, target("off", enabled=False))
    story.pause(DB, until=NOW + HOUR)
    rows = {row.id: row for row in story.fleet.targets(TargetQuery()).rows}
    said = paused_words(rows["db"], VIEWER)
    assert said.startswith("paused by ada until ")
    assert said.endswith(": new disk")
    assert paused_words(rows["off"], VIEWER) == "disabled in fleet.yaml (enabled: false)"
    story.pause(DB)
    rows = {row.id: row for row in story.fleet.targets(TargetQuery()).rows}
    assert paused_words(rows["db"], VIEWER) == "paused by ada until it is resumed: new disk"


def test_an_inventory_keeps_what_differs_in_enabled_alone_apart() -> None:
    inventory = Inventory()
    for one in (DB, target("web", enabled=False)):
        inventory.apply(one.id.encode(), json.encode(one), 0)
    kept = [inventory.get("db"), inventory.get("web")]
    assert [one.shared.enabled for one in kept if one is not None] == [True, False]
