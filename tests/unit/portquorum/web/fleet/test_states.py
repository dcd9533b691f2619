import pytest

from schemas.incident import IncidentType
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, partition_of, target

WEB, DB = target("web"), target("db", team="data", tags=("prod", "sql"))


def test_a_target_without_trouble_is_up() -> None:
    story = FleetStory(WEB, DB)
    assert story.state(WEB) == "up"
    assert story.fleet.counts().up == story.fleet.counts().total == 2


def test_it_is_down_from_the_opening_to_the_closing() -> None:
    story = FleetStory(WEB, DB)
    event = story.open(WEB)
    assert story.state(WEB) == "down"
    found = story.fleet.target("web")
    assert found is not None
    assert found.row.since == event.first_failed_at
    assert found.row.incident == event.incident_id
    assert found.row.summary == event.summary
    story.follow(event, "closed")
    assert story.state(WEB) == "up"
    found = story.fleet.target("web")
    assert found is not None
    assert [one.closed_because for one in found.incidents] == ["recovered"]


def test_an_incident_that_improved_is_still_down_and_says_so() -> None:
    story = FleetStory(WEB)
    event = story.follow(story.open(WEB), "improved")
    found = story.fleet.target("web")
    assert found is not None
    assert (found.row.state, found.row.is_improved) == ("down", True)
    event = story.follow(event, "updated", acknowledged_by="ada")
    found = story.fleet.target("web")
    assert found is not None
    assert found.row.is_improved
    story.follow(event, "worsened", acknowledged_by=None)
    found = story.fleet.target("web")
    assert found is not None
    assert not found.row.is_improved


def test_the_worst_of_several_incidents_decides() -> None:
    story = FleetStory(WEB)
    slow = story.open(WEB, "slow")
    assert story.state(WEB) == "slow"
    down = story.open(WEB)
    assert story.state(WEB) == "down"
    story.follow(down, "closed")
    assert story.state(WEB) == "slow"
    story.follow(slow, "closed")
    story.open(WEB, "flapping")
    assert story.state(WEB) == "flapping"


def test_a_certificate_that_ends_is_a_flag_beside_the_state() -> None:
    story = FleetStory(WEB)
    story.open(WEB, "expiring", expires_at=NOW + 1)
    counts = story.fleet.counts()
    assert (counts.up, counts.expiring) == (1, 1)


def test_maintenance_covers_what_is_wrong_while_it_lasts() -> None:
    story = FleetStory(WEB, DB)
    story.open(DB)
    story.maintain("move", "tag:sql", begins=NOW + 60_000, lasts=120_000)
    assert story.state(DB) == "down"
    story.later(60_000)
    assert (story.state(DB), story.state(WEB)) == ("maintenance", "up")
    row = story.fleet.overview().causes[0]
    assert row.is_spared
    assert row.incident is not None
    assert row.incident.maintenance == "move"
    story.later(120_000)
    assert story.state(DB) == "down"


def test_a_target_that_comes_into_a_window_is_maintained_at_once() -> None:
    story = FleetStory()
    story.maintain("move", "db", begins=NOW, lasts=120_000)
    story.set(DB)
    assert story.state(DB) == "maintenance"


def test_a_new_target_is_pending_until_it_has_had_its_first_results() -> None:
    fresh = target("fresh", version=NOW)
    story = FleetStory(fresh)
    assert story.state(fresh) == "pending"
    story.later(2_000)
    story.say([(fresh, "up")], newest_result_at=story.now)
    assert story.state(fresh) == "up"


def test_a_pending_target_is_up_when_nobody_says_otherwise_in_time() -> None:
    fresh = target("fresh", version=NOW)
    story = FleetStory(fresh)
    story.later(152_999)
    assert story.state(fresh) == "pending"
    story.later(1)
    assert story.state(fresh) == "up"


def test_status_now_says_what_no_event_does() -> None:
    story = FleetStory(WEB, DB)
    story.say([(WEB, "unwatched"), (DB, "failing")], since=NOW - 300_000)
    assert (story.state(WEB), story.state(DB)) == ("unknown", "up")
    assert story.fleet.counts().failing == 1
    found = story.fleet.target("web")
    assert found is not None
    assert found.row.since == NOW - 300_000
    assert next((one.region, one.status) for one in found.regions) == ("ams", "unwatched")
    story.say([(WEB, "down"), (DB, "up")], is_resolved=True, since=NOW)
    found = story.fleet.target("web")
    assert found is not None
    assert (found.row.state, found.row.is_resolved) == ("down", True)
    story.say([(WEB, "up"), (DB, "up")])
    assert story.fleet.counts().up == 2


def test_an_old_answer_of_status_now_blinds_nobody() -> None:
    story = FleetStory(WEB)
    story.say([(WEB, "unwatched")])
    assert story.state(WEB) == "unknown"
    story.later(90_001)
    assert story.state(WEB) == "up"


def test_a_sink_that_is_behind_blinds_nobody() -> None:
    story = FleetStory(WEB)
    story.later(600_000)
    story.say([(WEB, "unwatched")], newest_result_at=NOW)
    assert story.state(WEB) == "up"


def test_an_old_unwatched_still_counts_while_the_stream_says_so_of_the_partition() -> None:
    story = FleetStory(WEB)
    story.say([(WEB, "unwatched")])
    story.unwatched(partition_of(WEB), 1)
    story.later(90_001)
    assert story.state(WEB) == "unknown"
    story.unwatched(partition_of(WEB), 0)
    assert story.state(WEB) == "up"


def test_a_target_is_unknown_when_too_few_of_its_regions_are_heard() -> None:
    single = target("single", regions=("nyc",))
    story = FleetStory(WEB, single)
    story.unwatched(partition_of(single), 1, "nyc")
    if partition_of(WEB) != partition_of(single):
        story.unwatched(partition_of(WEB), 1, "nyc")
    assert (story.state(WEB), story.state(single)) == ("up", "unknown")
    story.unwatched(partition_of(WEB), 1, "nyc", "fra")
    assert story.state(WEB) == "unknown"
    causes = [one for one in story.fleet.overview().causes if one.cause == "unwatched"]
    assert [one.state for one in causes] == ["unknown"]


def test_an_outage_is_seen_although_nobody_watches_now() -> None:
    story = FleetStory(WEB)
    story.open(WEB)
    story.unwatched(partition_of(WEB), 1, *WEB.regions)
    assert story.state(WEB) == "down"


def test_a_removed_target_is_gone_and_so_is_its_count() -> None:
    story = FleetStory(WEB, DB)
    story.open(WEB)
    story.remove(WEB)
    assert story.state(WEB) == "gone"
    assert story.fleet.counts().total == story.fleet.counts().up == 1
    assert story.fleet.overview().open_incidents == 1
    story.set(WEB)
    assert story.state(WEB) == "down"


def test_a_target_that_moves_to_another_host_is_one_target() -> None:
    story = FleetStory(WEB)
    moved = next(
        one
        for one in (target("web", host=f"h{n}.example.com", version=NOW) for n in range(50))
        if partition_of(one) != partition_of(WEB)
    )
    story.set(moved)
    assert story.fleet.counts().total == 1
    story.remove(WEB)
    found = story.fleet.target("web")
    assert found is not None
    assert found.row.host == moved.host
    story.remove(moved)
    assert story.fleet.counts().total == 0


def test_an_outage_that_somebody_resolved_goes_on_without_waiting_for_status_now() -> None:
    story = FleetStory(WEB, DB)
    opened = story.open(WEB)
    story.say([(WEB, "down"), (DB, "up")])
    closed = story.follow(opened, "closed", closed_because="resolved", resolved_by="ada")
    counts = story.fleet.counts()
    assert (counts.down, counts.up) == (1, 1)
    found = story.fleet.target("web")
    assert found is not None
    assert (found.row.state, found.row.is_resolved) == ("down", True)
    assert (found.row.since, found.row.summary) == (opened.first_failed_at, closed.summary)
    overview = story.fleet.overview()
    assert (overview.open_incidents, overview.resolved_total) == (0, 1)
    assert [one.id for one in overview.resolved] == ["web"]
    # Answers that do not know of the closing yet, then one that does, then one that has it up.
    story.say([(WEB, "down"), (DB, "up")])
    assert story.state(WEB) == "down"
    story.later(30_000)
    story.say([(WEB, "down"), (DB, "up")], is_resolved=True, newest_result_at=story.now)
    assert story.state(WEB) == "down"
    story.say([(WEB, "up"), (DB, "up")], newest_result_at=story.now)
    assert story.state(WEB) == "up"
    assert story.fleet.overview().resolved_total == 0


def test_an_up_from_before_it_was_resolved_is_no_all_clear() -> None:
    story = FleetStory(WEB)
    story.say([(WEB, "up")])
    story.follow(story.open(WEB), "closed", closed_because="resolved")
    story.say([(WEB, "up")])
    assert story.state(WEB) == "down"
    story.later(30_000)
    story.say([(WEB, "up")], newest_result_at=NOW - 1)
    assert story.state(WEB) == "down"
    story.say([(WEB, "up")], newest_result_at=story.now)
    assert story.state(WEB) == "up"


def test_what_was_resolved_after_it_improved_is_up() -> None:
    story = FleetStory(WEB)
    improved = story.follow(story.open(WEB), "improved")
    story.follow(improved, "closed", closed_because="resolved")
    assert story.state(WEB) == "up"


@pytest.mark.parametrize("kind", ["slow", "expiring"])
def test_what_was_no_outage_is_none_when_it_is_resolved(kind: IncidentType) -> None:
    story = FleetStory(WEB)
    story.follow(story.open(WEB, kind), "closed", closed_because="resolved")
    assert story.state(WEB) == "up"


def test_a_later_outage_takes_the_place_of_one_that_was_resolved() -> None:
    story = FleetStory(WEB)
    story.follow(story.open(WEB), "closed", closed_because="resolved")
    again = story.open(WEB, incident_id="again")
    story.follow(again, "closed")
    assert story.state(WEB) == "up"


def test_nobody_looks_for_the_end_of_what_was_paused_removed_or_moved() -> None:
    for change in ("pause", "remove", "move", "disable"):
        story = FleetStory(WEB)
        story.follow(story.open(WEB), "closed", closed_because="resolved")
        assert story.state(WEB) == "down"
        match change:
            case "pause":
                key = story.pause(WEB)
                assert story.state(WEB) == "paused"
                story.fleet.apply_policy(key, None, story.offset())
            case "remove":
                story.remove(WEB)
                story.set(WEB)
            case "move":
                story.set(target("web", port=8443))
            case "disable":
                story.set(target("web", enabled=False))
                assert story.state(WEB) == "paused"
                story.set(WEB)
        assert story.state(WEB) == "up", change
