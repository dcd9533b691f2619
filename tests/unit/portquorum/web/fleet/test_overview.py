import pytest
from msgspec import structs

from portquorum.web.answers import IncidentQuery, ProberRow, TargetQuery
from portquorum.web.fleet import cause_rows
from schemas.duration import DAY_MS
from tests.unit.portquorum.web.fleet.fleet_story import (
    NOW,
    REGIONS,
    FleetStory,
    partition_of,
    target,
)

WEB, DB = target("web"), target("db", team="data", tags=("sql",))


def titles(story: FleetStory) -> list[str]:
    return [one.title for one in story.fleet.overview().causes]


def test_what_nobody_acknowledged_comes_first_then_the_severity() -> None:
    low, high, seen = target("low"), target("high", criticality="critical"), target("seen")
    story = FleetStory(low, high, seen)
    story.follow(story.open(seen, severity="critical"), "updated", acknowledged_by="ada")
    story.open(low, severity="warning")
    story.open(high, severity="critical")
    assert titles(story) == ["Name of high", "Name of low", "Name of seen"]
    overview = story.fleet.overview()
    assert (overview.unacknowledged, overview.causes[2].acknowledged_by) == (2, ("ada",))


def test_what_a_silence_covers_comes_last_while_it_lasts() -> None:
    story = FleetStory(WEB, DB)
    story.open(DB, severity="critical")
    story.open(WEB, severity="warning")
    story.silence("s1", begins=NOW + 1_000, ends=NOW + 5_000, tags=("sql",))
    assert titles(story) == ["Name of db", "Name of web"]
    story.later(1_000)
    assert titles(story) == ["Name of web", "Name of db"]
    (row,) = story.fleet.silences().silences
    assert (row.state, row.targets, row.incidents) == ("active", 1, 1)
    assert story.fleet.overview().causes[1].is_spared
    story.later(4_000)
    assert titles(story) == ["Name of db", "Name of web"]


def test_a_silent_region_is_a_row_until_it_returns() -> None:
    story = FleetStory(WEB)
    story.region("fra", "region.silent", last_beat_at=NOW - 20_000)
    (cause,) = story.fleet.overview().causes
    assert (cause.cause, cause.title, cause.state, cause.began_at) == (
        "region",
        "fra",
        "unknown",
        NOW - 20_000,
    )
    freshness = story.fleet.freshness()
    assert (freshness.regions, freshness.regions_reporting) == (3, 2)
    story.region("fra", "region.returned", at=NOW + 1)
    assert story.fleet.overview().causes == ()
    assert {one.name for one in story.fleet.regions().regions} == set(REGIONS)


def test_what_blinds_targets_is_one_row_that_leads_to_them() -> None:
    single = target("single", regions=("fra",))
    story = FleetStory(WEB, single)
    story.region("fra", "region.silent", last_beat_at=NOW - 400_000)
    story.unwatched(partition_of(single), 1, "fra")
    (cause,) = story.fleet.overview().causes
    assert (cause.cause, cause.title, cause.targets) == ("unwatched", "fra", 1)
    page = story.fleet.targets(TargetQuery(cause=cause.key))
    assert [one.id for one in page.rows] == ["single"]
    assert page.rows[0].summary == cause.summary
    assert page.rows[0].since == cause.began_at


def test_a_region_that_nobody_has_heard_does_not_report_once_others_are() -> None:
    story = FleetStory(WEB)
    assert story.fleet.freshness().regions_reporting == 3
    beat = ProberRow(name="p", at=NOW, targets=1, failing=0, connectivity=True, lag_ms=0.0, spool=0)
    assert story.fleet.apply_beats({"ams": [beat]}, NOW)
    assert story.fleet.freshness().regions_reporting == 1
    states = {one.name: one.state for one in story.fleet.regions().regions}
    assert states == {"ams": "reporting", "fra": "never_heard", "nyc": "never_heard"}
    assert story.fleet.apply_beats({"ams": [beat]}, NOW + 15_001)
    assert story.fleet.freshness().regions_reporting == 0


def test_receivers_are_a_region_that_is_not_counted_as_long_as_there_are_heartbeats() -> None:
    job = target("job", kind="heartbeat", host=None, port=None, regions=("receiver",))
    story = FleetStory(WEB, job)
    beat = ProberRow(name="p", at=NOW, targets=1, failing=0, connectivity=True, lag_ms=0.0, spool=0)
    beats = {name: [beat] for name in (*REGIONS, "receiver")}
    assert story.fleet.apply_beats(beats, NOW)
    freshness = story.fleet.freshness()
    assert (freshness.regions, freshness.regions_reporting) == (3, 3)
    assert {one.name for one in story.fleet.regions().regions} == {*REGIONS, "receiver"}
    story.region("receiver", "region.silent", last_beat_at=NOW - 20_000)
    (cause,) = story.fleet.overview().causes
    assert (cause.title, cause.targets) == ("receiver", 1)
    # Nobody knows whether its reports come, but it is not one that nobody watches.
    story.unwatched(partition_of(job), 1, "receiver")
    assert story.fleet.unwatched.since("job", ("receiver",), partition_of(job)) is None

    without = FleetStory(WEB)
    without.region("receiver", "region.silent", last_beat_at=NOW - 20_000)
    assert without.fleet.overview().causes == ()
    assert {one.name for one in without.fleet.regions().regions} == set(REGIONS)


def test_a_suspect_region_is_told_and_an_older_event_changes_nothing() -> None:
    story = FleetStory(WEB)
    story.region("fra", "region.suspect", at=NOW + 5)
    story.region("fra", "region.cleared", at=NOW)
    assert [one.state for one in story.fleet.regions().regions if one.name == "fra"] == ["suspect"]


def test_an_overview_is_made_again_when_something_changed_and_only_then() -> None:
    story = FleetStory(WEB)
    first = story.fleet.overview()
    assert story.fleet.overview().causes is first.causes
    story.later(5_000)
    again = story.fleet.overview()
    assert again.version == first.version
    assert again.freshness.now == NOW + 5_000
    story.open(WEB)
    assert story.fleet.overview().version > first.version


def test_of_very_many_incidents_the_causes_are_a_second_old_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cause_rows, "MANY", 1)
    fleet = [target(f"t{number}") for number in range(4)]
    story = FleetStory(*fleet)
    events = [story.open(one) for one in fleet[:3]]
    assert len(titles(story)) == 3
    story.open(fleet[3])
    closed = story.follow(events[0], "closed")
    assert len(titles(story)) == 3
    assert story.fleet.overview().open_incidents == 3
    answer = story.fleet.incident(closed.incident_id)
    assert answer is not None
    assert answer.cause is None
    version = story.fleet.version
    story.later(1_000)
    assert story.fleet.version > version
    assert titles(story) == ["Name of t1", "Name of t2", "Name of t3"]


def test_groups_are_worst_first_and_mark_what_is_not_up_by_name() -> None:
    fleet = [target(f"t{number}", team="b") for number in range(10)]
    story = FleetStory(*fleet, target("a", team="a"), target("n", team=None))
    story.open(fleet[3])
    story.open(fleet[4])
    story.open(fleet[9], "slow")
    groups = story.fleet.overview().groups
    assert [one.name for one in groups] == ["b", "", "a"]
    assert (groups[0].counts.down, groups[0].counts.slow, groups[0].counts.up) == (2, 1, 7)
    marks = [(one.begin, one.end, one.state, one.targets) for one in groups[0].marks]
    assert marks == [(300, 500, "down", 2), (900, 1000, "slow", 1)]
    assert groups[1].marks == ()


def test_a_strip_with_very_many_marks_keeps_the_worst_state() -> None:
    fleet = [target(f"t{number:03d}") for number in range(200)]
    story = FleetStory(*fleet)
    for one in fleet[::2]:
        story.open(one, "slow")
    story.open(fleet[101])
    (group,) = story.fleet.overview().groups
    assert len(group.marks) <= 60
    assert sum(one.targets for one in group.marks) == 101
    assert {one.state for one in group.marks} == {"down", "slow"}


@pytest.mark.parametrize("dimension", ["team", "tag", "kind", "criticality", "region", "source"])
def test_groups_of_each_dimension_count_every_target(dimension: str) -> None:
    story = FleetStory(WEB, DB)
    story.open(WEB)
    groups = story.fleet.groups(dimension).groups
    assert sum(one.counts.down for one in groups) == (3 if dimension == "region" else 1)


def test_a_dimension_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="expected one of team, tag"):
        FleetStory().fleet.groups("colour")


def test_what_closed_is_told_for_a_day() -> None:
    story = FleetStory(WEB, DB)
    story.follow(story.open(WEB), "closed", closed_at=NOW)
    later = story.follow(story.open(DB), "closed", closed_at=NOW + 1_000)
    assert [one.target for one in story.fleet.overview().closed] == ["db", "web"]
    story.later(DAY_MS + 1)
    assert [one.target for one in story.fleet.overview().closed] == ["db"]
    story.later(1_000)
    assert story.fleet.overview().closed_total == 0
    assert story.fleet.incident(later.incident_id) is None


def test_an_event_of_a_closed_incident_opens_nothing_again() -> None:
    story = FleetStory(WEB)
    event = story.open(WEB)
    story.follow(event, "closed")
    story.event(structs.replace(event, event="updated", event_id="late", at=event.at + 60_000))
    assert story.state(WEB) == "up"


def test_incidents_have_pages_that_find() -> None:
    fleet = [target(f"t{number}", team="a" if number % 2 else "b") for number in range(7)]
    story = FleetStory(*fleet)
    for number, one in enumerate(fleet):
        event = story.open(one, severity="critical" if number == 5 else "warning")
        if number < 2:
            story.follow(event, "closed", closed_at=NOW + number)
    query, seen = IncidentQuery(is_open=None, limit=2), []
    for _ in range(10):
        page = story.fleet.incidents(query)
        assert page.total == 7
        seen += [one.target for one in page.rows]
        query = structs.replace(query, cursor=page.next_cursor)
        if not page.next_cursor:
            break
    assert seen == ["t5", "t2", "t3", "t4", "t6", "t1", "t0"]
    found = story.fleet.incidents(IncidentQuery(teams=("a",), states=("down",)))
    assert [one.target for one in found.rows] == ["t5", "t3"]
    assert story.fleet.incidents(IncidentQuery(q="name T4")).total == 1
    assert story.fleet.incidents(IncidentQuery(acknowledged=True)).total == 0


def test_the_page_of_an_incident_has_its_event_its_target_and_its_cause() -> None:
    other = target("web-80", host="web.example.com", port=80)
    story = FleetStory(WEB, other)
    event = story.open(WEB)
    story.open(other)
    answer = story.fleet.incident(event.incident_id)
    assert answer is not None
    assert answer.first_steps == event.first_steps
    assert answer.regions == event.regions
    assert answer.target_row is not None
    assert answer.target_row.state == "down"
    assert answer.cause is not None
    assert (answer.cause.cause, answer.cause.targets) == ("host", 2)
    page = story.fleet.target("web")
    assert page is not None
    assert [one.id for one in page.host_targets] == ["web-80"]


def test_windows_are_those_of_now_then_the_next_ones() -> None:
    story = FleetStory(WEB, DB)
    story.maintain("later", "web", begins=NOW + 60_000, lasts=1_000)
    story.maintain("now", "tag:sql", "web", "nobody", begins=NOW - 1_000, lasts=10_000)
    story.maintain("over", "web", begins=NOW - 60_000, lasts=1_000)
    windows = story.fleet.maintenance().windows
    assert [one.name for one in windows] == ["now", "later", "over"]
    assert (windows[0].is_on, windows[0].targets, windows[0].ends_at) == (True, 2, NOW + 9_000)
    assert [one.name for one in story.fleet.overview().maintenance] == ["now", "later"]
    page = story.fleet.target("web")
    assert page is not None
    assert {one.name for one in page.maintenance} == {"now", "later", "over"}
